"""What both standards share: the quarter a release ends with, ids that say nothing, plain tables, and an archive of its own."""

import uuid
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from exports.csvfile import Cell, write_rows
from exports.data.grouping import is_open, last_day, quarter_name, quarter_of
from exports.package.contents import ExportedFile, described
from exports.policy import CLOSING_DAYS, LEVELS, Policy
from exports.zipped import timeless_entry
from forms.problems import Problem
from records.access import Access, Right
from records.models import Form, Project

WILDLIFE_NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "https://rs.tdwg.org/dwc")


Box = tuple[float, float, float, float]
"""West, south, east and north, in degrees."""


class Edition(NamedTuple):
    """What is told on a day: of which circle, up to which quarter, and whose it is."""

    policy: Policy
    quarter: int
    revision: int
    publisher: str

    @property
    def release_id(self) -> str:
        """The quarter and the revision, such as 2026Q2-r1."""
        return f"{quarter_name(self.quarter)}-r{self.revision}"

    @property
    def end(self) -> date:
        """The last day that is told of."""
        return last_day(self.quarter)

    @property
    def day(self) -> date:
        """The first day on which the quarter is told of: the date of the release, whenever it is made."""
        return self.end + timedelta(days=max(CLOSING_DAYS, self.policy.embargo_days) + 1)

    def name(self, kind: str) -> str:
        """The name of the folder."""
        return f"{kind}_{quarter_name(self.quarter)}_{self.policy.name}_r{self.revision}"

    def summary(self, first: date | None) -> dict[str, Any]:
        """What every release says of itself; `first` is the first day that is told of."""
        start = first or last_day(self.quarter - 1) + timedelta(days=1)
        about = {"release_id": self.release_id, "level": self.policy.name}
        return {**about, "period_start": start.isoformat(), "period_end": self.end.isoformat()}

    def id_of(self, kind: str, instance_id: str) -> str:
        """An id for a record that stays the same. Nobody can tell the record from it, since phones draw theirs at random.

        It differs by circle, so that rows of two circles cannot be put side by side.
        """
        return str(uuid.uuid5(WILDLIFE_NAMES, f"{self.policy.name} {kind} {instance_id}"))


def edition(connection: Connection, access: Access, level: str, as_of: date, revision: int = 1) -> Edition:
    """What is due on a day. Raises `Problem` not_allowed, or value_invalid for another level than "partner" and "public"."""
    access.require(Right.SEE)
    if level not in LEVELS:
        raise Problem("value_invalid", f"There is no level {level}: choose {' or '.join(LEVELS)}.")
    quarter, policy = quarter_of(as_of), LEVELS[level]
    while is_open(quarter, policy, as_of):
        quarter -= 1
    publisher = connection.execute(select(Project.name).filter_by(id=access.project_id)).scalar() or "tulliana"
    return Edition(policy, quarter, revision, publisher)


def may_be_told(connection: Connection, access: Access, form_id: str) -> bool:
    """Whether the project has this survey and has not made it confidential. Raises `Problem("not_allowed")`."""
    access.require(Right.SEE)
    own = select(Form.confidential).filter_by(project_id=access.project_id, form_id=form_id)
    return connection.execute(own).scalar() is False


def write_plain(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> ExportedFile:
    """Write a table for programs of the standard: as `write_csv`, but without the mark at the start that spreadsheets want."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_rows(stream, [header])
        number = write_rows(stream, rows)
    return described(path, number)


def archive(folder: Path, name: str, files: Iterable[ExportedFile]) -> ExportedFile:
    """Put the files into a ZIP without a folder, as programs of the standard want it. The same files make the same archive."""
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as target:
        for file in files:
            target.writestr(timeless_entry(file.name), (folder / file.name).read_bytes())
    return described(folder / name)


def truth(value: bool) -> str:
    """True or false, as both standards write it."""
    return "true" if value else "false"


def box_around(cells: Sequence[tuple[float, float]], size: float) -> Box | None:
    """The box around cells of this size, given by their middles (latitude, longitude)."""
    if not cells:
        return None
    latitudes, longitudes = zip(*cells, strict=True)
    edges = (min(longitudes) - size / 2, min(latitudes) - size / 2, max(longitudes) + size / 2, max(latitudes) + size / 2)
    west, south, east, north = (round(edge, 4) for edge in edges)
    return west, south, east, north
