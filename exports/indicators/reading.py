"""Reading everything the indicators are worked out from."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection, Text, case, cast, func, select
from sqlalchemy.sql.elements import ColumnElement

from exports.dataset import read_conflicts
from exports.episodes import EARTH_RADIUS_M
from exports.grid import H3
from exports.hotspots.assessment import HOT_95, HOT_99
from exports.hotspots.exposure import read_exposures
from exports.hotspots.release import Release
from exports.indicators.records import country_of, day_of, read_records
from exports.indicators.slices import Data, Exchange, HotCell, Standing, Use, periods
from exports.late import on_time
from exports.privacy import COUNTRY, PUBLIC
from exports.regions import Region, region_of
from exports.statistics import Floats
from exports.windows import Window
from forms.library.sources import restricted_ids, survey_ids
from forms.spelling import folded
from records.access import Access
from records.audit import LOOKS
from records.incidents import joined_reports
from records.models import AuditEvent, Form, ReviewEvent, StudyArea, Submission

DOWNLOADS = ("export.run", "export.download")
LEOPARD = "leopard"


def read_data(
    connection: Connection,
    access: Access,
    window: Window,
    *,
    rates: Mapping[str, Exchange] | None = None,
    boundaries: Path | None = None,
) -> Data:
    """Read a project up to the end of a window. `rates` are stated exchange rates by currency; without one, no dollars.

    Raises `Problem("not_allowed")` without the right to see records; of confidential surveys it holds what the access allows.
    """
    region, years = region_of(boundaries), [period for period in periods(window) if period.is_year]
    return Data(
        holdings=read_records(connection, access, window.end),
        until=window.end,
        joined=joined_reports(connection, access),
        areas=_areas(connection, access),
        rates=rates or {},
        standings=_standings(connection, access, window),
        uses=_uses(connection, access, window),
        hot={year.name: hot_cells(connection, access, Window(year.start, year.end), region) for year in years},
    )


def _areas(connection: Connection, access: Access) -> dict[str, tuple[str, float]]:
    """Country and size of the study areas with an outline."""
    query = select(StudyArea.code, StudyArea.country, StudyArea.geometry).filter_by(project_id=access.project_id)
    sized = {folded(code): (country, square_kilometres(geometry)) for code, country, geometry in connection.execute(query)}
    return {code: area for code, area in sized.items() if area[1] > 0}


def square_kilometres(geometry: dict[str, Any]) -> float:
    """The size of a GeoJSON geometry on a sphere, by the equal-area projection of Lambert."""

    def projected(points: Floats) -> Floats:
        radians = np.radians(points)
        return np.column_stack([radians[:, 0], np.sin(radians[:, 1])])

    return float(shapely.transform(shapely.geometry.shape(geometry), projected).area) * (EARTH_RADIUS_M / 1000) ** 2


def _standings(connection: Connection, access: Access, window: Window) -> Sequence[Standing]:
    """How good the records of the surveys are, tests left out; restricted surveys are not told of."""
    surveys = [each for each in survey_ids() if each not in restricted_ids()]
    country, day = country_of(), day_of()
    is_test = func.coalesce(Submission.answers["submission_purpose"].as_string(), "real") == "test"
    is_twice = (Submission.review_state == "duplicate") | cast(Submission.flags, Text).like('%"duplicate_exact"%')
    query = (
        select(
            country,
            day,
            func.count(),
            _number(Submission.excluded),
            _number(is_twice),
            _number(Submission.version == Form.current_version),
        )
        .join(Form, (Form.project_id == Submission.project_id) & (Form.form_id == Submission.form_id))
        .where(*access.visible(), *on_time(connection, access), Submission.form_id.in_(surveys), ~is_test)
        .where(day.between(window.start.isoformat(), window.end.isoformat()))
        .group_by(country, day)
    )
    return [Standing(place, date.fromisoformat(when), *numbers) for place, when, *numbers in connection.execute(query)]


def _number(condition: Any) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _uses(connection: Connection, access: Access, window: Window) -> Sequence[Use]:
    """Who did something in the project, from the log of what was done and of what was decided about records."""
    start, end = (datetime.combine(day, time(), UTC) for day in (window.start, window.end + timedelta(days=1)))
    found = []
    for table, action in ((AuditEvent, AuditEvent.action), (ReviewEvent, ReviewEvent.action)):
        query = select(table.actor, table.at, action).where(
            table.project_id == access.project_id, table.at >= start, table.at < end, action.not_in(LOOKS)
        )
        found += [Use(actor, at.date(), int(done in DOWNLOADS)) for actor, at, done in connection.execute(query)]
    return found


def hot_cells(connection: Connection, access: Access, window: Window, region: Region) -> Sequence[HotCell]:
    """The published cells of the hotspot test of a window; nothing where there is too little to test."""
    data = read_conflicts(connection, access, LEOPARD, window)
    release = Release(data.reports, data.footprint, window, region, read_exposures(connection, access, window))
    table = release.table(PUBLIC, "standard")
    if not table.assessment.sufficient:
        return ()
    number = np.bincount(table.row[table.row >= 0], minlength=len(table.partition.levels)).tolist()
    classes = dict(zip(table.assessment.cells.tolist(), table.assessment.classes.tolist(), strict=True))
    cells = np.array(sorted(table.cells), np.uint64)
    units = region.units_of(cells).tolist() if len(cells) else []
    own = [
        HotCell(cell, region.codes[unit][:2], km2, number[table.cells[cell]], classes[cell] in (HOT_95, HOT_99))
        for cell, unit, km2 in zip(cells.tolist(), units, H3.areas_km2(cells).tolist(), strict=True)
    ]
    return [*own, *_elsewhere(table.partition.paths[:, COUNTRY].tolist(), set(table.cells.values()), number, region)]


def _elsewhere(country: Sequence[int], own: set[int], number: Sequence[int], region: Region) -> Iterable[HotCell]:
    """The attacks of rows that are no cell of the test, by country."""
    for row, code in enumerate(country):
        place = (code & 0xFFFFFFFF) - 1
        if row not in own:
            yield HotCell(0, region.countries[place] if place >= 0 else "", 0.0, number[row], False)
