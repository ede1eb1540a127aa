"""What could be attacked in each cell: herds on pastures, else households asked, else land.

Herds come from the grazing survey (head times days), households from monthly reports of nothing and from the reports themselves.
The first of them that knows something of 80 percent of the attacks is taken, for the whole release. A figure made from herds or
households tells of households, too: `safe` says which sums of cells may be published.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import shapely
from sqlalchemy import Connection, and_, select

from exports.dataset import NEVER_COUNTED
from exports.grid import H3, Cells, Grid
from exports.hotspots.assessment import Exposure, area_exposure
from exports.indicators.records import Answers
from exports.indicators.slices import DAYS_PER_MONTH
from exports.privacy import nobody_dominates
from exports.windows import Window
from forms.spelling import folded
from records.access import Access, Right
from records.counted import NO_CODE
from records.models import StudyArea, Submission

GRAZING, PATROL = "grazing_survey", "patrol_effort"
FEWEST_COVERED = 0.8
"""The share of attacks in cells of which a source knows something, below which it is not used."""
LIVESTOCK, HOUSEHOLDS = "livestock_months", "household_months"
UNKNOWN = ""
"""The household of a herd without a household code."""

Shares = dict[str, float]
"""Amounts by household."""


class Source(NamedTuple):
    """A kind of exposure by finest cell: all of it, and what of it is known to belong to which household."""

    amounts: Mapping[int, float]
    shares: Mapping[int, Shares]


NOTHING = Source({}, {})


@dataclass(frozen=True)
class Exposures:
    """What the surveys of a window tell."""

    herds: Source = NOTHING
    asked: Source = NOTHING
    left_out: Mapping[str, int] = field(default_factory=dict)
    months: frozenset[tuple[str, str]] = frozenset()
    """The months (2026-05) of which there is a report of nothing from a country."""

    def chosen(self, reporting: Mapping[int, Shares], attacked: Cells) -> tuple[str, Source]:
        """Give the basis to use and its source, for attacks in these finest cells (one entry per attack).

        `reporting` are the months in which households reported, by cell. They count among the households, yet do not help to reach
        the 80 percent: every attack has its reporter, so they say nothing about how many households there are.
        """
        if _covered(self.herds, attacked):
            return LIVESTOCK, self.herds
        if _covered(self.asked, attacked):
            cells = {*self.asked.amounts, *reporting}
            amounts = {cell: self.asked.amounts.get(cell, 0.0) + sum(reporting.get(cell, {}).values()) for cell in sorted(cells)}
            return HOUSEHOLDS, Source(amounts, reporting)
        return "area", NOTHING


def _covered(source: Source, attacked: Cells) -> bool:
    if not len(attacked) or not source.amounts:
        return False
    return bool(np.isin(attacked, np.array([*source.amounts], np.uint64)).mean() >= FEWEST_COVERED)


def exposure_of(basis: str, source: Source, cells: Cells, level: int, grid: Grid = H3) -> Exposure:
    """Give the exposure of the study area. A cell without any gets half of the smallest: an attack there is not impossible."""
    if basis == "area":
        return area_exposure(cells, grid)
    known = np.array([*source.amounts], np.uint64)
    amounts = np.fromiter(source.amounts.values(), np.float64, len(known))
    units = grid.parents(known, level) if level else known
    inside = np.isin(units, cells)
    values = np.bincount(np.searchsorted(cells, units[inside]), amounts[inside], len(cells)).astype(np.float64)
    if not values.any():
        return area_exposure(cells, grid)
    floored = values <= 0
    values = np.where(floored, values[~floored].min() / 2, values)
    if basis == LIVESTOCK:
        return Exposure(values, LIVESTOCK, "livestock-months", 1000.0, "attacks per 1,000 livestock-months", floored)
    return Exposure(values, HOUSEHOLDS, "household-months", 100.0, "attacks per 100 household-months", floored)


def safe(source: Source, cells: Iterable[int]) -> bool:
    """Tell whether a sum over finest cells may be published: nothing is in it, or five households, none too large."""
    shares: Shares = {}
    for cell in cells:
        for household, amount in source.shares.get(cell, {}).items():
            shares[household] = shares.get(household, 0.0) + amount
    known = {number: amount for number, (household, amount) in enumerate(shares.items()) if household != UNKNOWN}
    if UNKNOWN in shares:
        known[-1] = shares[UNKNOWN]
    return not known or nobody_dominates(known)


def read_exposures(connection: Connection, access: Access, window: Window, grid: Grid = H3) -> Exposures:
    """Read what the surveys of a window tell of herds and households. Places that may not be shared are left out."""
    access.require(Right.SEE)
    left_out = {"n_herds_unplaced": 0, "n_areas_unknown": 0}
    herds = _herds(connection, access, window, left_out, grid)
    asked, months = _asked(connection, access, window, left_out, grid)
    return Exposures(herds, asked, left_out, months)


def _records(connection: Connection, access: Access, form_id: str) -> Iterable[tuple[float | None, float | None, Answers]]:
    mine = and_(*access.visible(), Submission.encrypted.is_(False), Submission.excluded.is_(False))
    counted = and_(mine, Submission.review_state.not_in(NEVER_COUNTED), Submission.form_id == form_id)
    query = select(Submission.latitude, Submission.longitude, Submission.answers).where(counted).order_by(Submission.instance_id)
    for latitude, longitude, told in connection.execute(query, execution_options={"yield_per": 2000}):
        answers = Answers(told)
        if answers.text("submission_purpose") != "test":
            yield latitude, longitude, answers


def _herds(connection: Connection, access: Access, window: Window, left_out: dict[str, int], grid: Grid) -> Source:
    shares: dict[int, Shares] = {}
    for latitude, longitude, answers in _records(connection, access, GRAZING):
        months = _months(answers.day("arrive"), answers.day("leave"), window)
        amount = months * sum(row.count("head") for row in answers.rows("herd"))
        if not amount:
            continue
        if latitude is None or longitude is None or answers.text("consent_share") != "yes":
            left_out["n_herds_unplaced"] += 1
            continue
        household = answers.code("household_g/household_code") or answers.code("household_code")
        near = grid.ring(_cell(latitude, longitude, grid))
        for cell in near:
            mine = shares.setdefault(cell, {})
            household = UNKNOWN if household in NO_CODE else household
            mine[household] = mine.get(household, 0.0) + amount / len(near)
    amounts = {cell: sum(shares[cell].values()) for cell in sorted(shares)}
    return Source(amounts, shares)


def _months(arrive: date | None, leave: date | None, window: Window) -> float:
    """The part of a stay that lies in the window, in months of 30.4375 days."""
    if arrive is None or leave is None:
        return 0.0
    days = (min(leave, window.end + timedelta(days=1)) - max(arrive, window.start)).days
    return max(0, days) / DAYS_PER_MONTH


def _asked(
    connection: Connection, access: Access, window: Window, left_out: dict[str, int], grid: Grid
) -> tuple[Source, frozenset[tuple[str, str]]]:
    """The households asked, month by month, spread evenly over the cells of the study area that a report of nothing names."""
    query = select(StudyArea.code, StudyArea.geometry).filter_by(project_id=access.project_id)
    areas = {folded(code): geometry for code, geometry in connection.execute(query)}
    asked: dict[str, float] = {}
    months: set[tuple[str, str]] = set()
    for _, _, answers in _records(connection, access, PATROL):
        month, households = answers.day("month"), answers.count("households_asked")
        if answers.text("zero_month") != "yes" or month is None or not window.start <= month <= window.end:
            continue
        months.add((answers.text("country")[:2], f"{month:%Y-%m}"))
        if not households:
            continue
        code = answers.code("area_code")
        if code in areas:
            asked[code] = asked.get(code, 0.0) + households
        else:
            left_out["n_areas_unknown"] += 1
    amounts: dict[int, float] = {}
    for code, total in sorted(asked.items()):
        cells = _cells_within(areas[code], grid)
        for cell in cells:
            amounts[cell] = amounts.get(cell, 0.0) + total / len(cells)
    return Source(amounts, {}), frozenset(months)


def _cells_within(geometry: dict[str, Any], grid: Grid) -> Sequence[int]:
    if not geometry:
        return []
    point = shapely.geometry.shape(geometry).representative_point()
    return grid.within(geometry) or [_cell(point.y, point.x, grid)]


def _cell(latitude: float, longitude: float, grid: Grid) -> int:
    return int(grid.cells_of(np.array([latitude]), np.array([longitude]))[0])
