"""Records put together until nobody can be told from four others: which place and time each may be told with.

Places are made coarser until five households share one (`exports.privacy.coarsen`), then times inside each place by the same rule.
A quarter is closed once and for all: what comes too late for it is told with a later one, in groups of its own. So two files made
at different times differ by whole groups, and each of these stands for five households.
"""

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from exports.grid import H3, Cells
from exports.land import Land
from exports.places import UNPLACED, WORST_ACCURACY_M, located
from exports.policy import ADMIN1, CELL_LEVELS, CLOSING_DAYS, COUNTRY, PARTNER, TIME_LEVELS, Policy
from exports.privacy import coarsen
from exports.regions import Region
from exports.reports import Codes, Flags
from exports.statistics import Floats, Ints
from exports.windows import EPOCH

_ROOM = 10**7
"""More than there are times: a group of a place has this much room for the numbers of its times."""
Where = tuple[str, str | None, str, str, float | None, float | None, int | None]
"""Country, first-level unit, place, level, latitude, longitude and uncertainty of a `Group`."""
_FINEST_TIME = {"month": 0, "quarter": 1, "year": 2}


class Gathered(NamedTuple):
    """What the grouping needs of each record. `day` counts from 1970-01-01, `quarter` is the number of the one it is told with.

    Latitude and longitude are not-a-number without a place; `household` is -1 where unknown, `country` may be empty.
    """

    latitude: Floats
    longitude: Floats
    accuracy_m: Floats
    shared: Flags
    day: Ints
    quarter: Ints
    country: Codes
    household: Ints


class Group(NamedTuple):
    """The place and the time that records are told with, as it is written; `quarter` is the one they are told with.

    `latitude` and `longitude` are those of the centre of a cell, `uncertainty` is in metres; all three are None for a unit.
    """

    country: str
    admin1: str | None
    place: str
    level: str
    latitude: float | None
    longitude: float | None
    uncertainty: int | None
    period: str
    first: date | None
    last: date
    quarter: int


class Grouping(NamedTuple):
    """`group` is the position in `groups` of each record; -1 where nothing may be told."""

    group: Ints
    groups: list[Group]


class _Parts(NamedTuple):
    """A division of records: the group of each (-1: none), and units and times of each group, 0 below what is told."""

    group: Ints
    places: Cells
    place_levels: Ints
    times: Cells
    time_levels: Ints


def quarter_of(day: date) -> int:
    """The number of a quarter."""
    return day.year * 4 + (day.month - 1) // 3


def told_with(happened: date, came: date) -> int:
    """The quarter that a record is told with: its own, or the one that was still open when it came."""
    return max(quarter_of(happened), quarter_of(came - timedelta(days=CLOSING_DAYS)))


def last_day(quarter: int) -> date:
    """The last day of a quarter."""
    return _first_day(quarter + 1) - timedelta(days=1)


def is_open(quarter: int, policy: Policy, as_of: date) -> bool:
    """Whether a quarter is not yet told of on a day."""
    return last_day(quarter) + timedelta(days=max(CLOSING_DAYS, policy.embargo_days)) >= as_of


def group_households(found: Gathered, policy: Policy, region: Region) -> Grouping:
    """Group the records so that each group has five known households. Public groups are made of whole partner groups."""
    places, times = _places(found, region), _times(found.day)
    group = np.full(len(found.day), -1, np.int64)
    groups: list[Group] = []
    for quarter in np.unique(found.quarter).tolist():
        here = np.flatnonzero((found.quarter == quarter) & (places[:, -1] > 0))
        parts = _divided(places[here], times[here], found.household[here], PARTNER)
        if policy.finest > PARTNER.finest:
            here, of_atom = here[parts.group >= 0], parts.group[parts.group >= 0]
            parts = _divided(parts.places[of_atom], parts.times[of_atom], found.household[here], policy)
        group[here] = np.where(parts.group >= 0, parts.group + len(groups), -1)
        groups += _groups(parts, quarter, region)
    return Grouping(group, groups)


def _divided(places: Cells, times: Cells, household: Ints, policy: Policy) -> _Parts:
    paths, place = _distinct(places)
    by_place = coarsen(paths, place, household, policy.finest)
    row = by_place.row_of_place[place]
    told = np.flatnonzero(row >= 0)
    first = (row[told, None].astype(np.uint64) + 1) * np.uint64(_ROOM)
    time_paths, time = _distinct(np.where(times[told] > 0, first + times[told], 0))
    by_time = coarsen(time_paths, time, household[told], _FINEST_TIME[policy.period])
    group = np.full(len(row), -1, np.int64)
    group[told] = by_time.row_of_place[time]
    row_of_group = (by_time.paths[:, -1] // _ROOM).astype(np.int64) - 1
    return _Parts(group, by_place.paths[row_of_group], by_place.levels[row_of_group], by_time.paths % _ROOM, by_time.levels)


def _distinct(paths: Cells) -> tuple[Cells, Ints]:
    found, position = np.unique(paths, axis=0, return_inverse=True)
    return found.astype(np.uint64), position.reshape(-1)


def _groups(parts: _Parts, quarter: int, region: Region) -> list[Group]:
    found = []
    for number, (place_level, time_level) in enumerate(zip(parts.place_levels.tolist(), parts.time_levels.tolist(), strict=True)):
        path, time = parts.places[number].tolist(), int(parts.times[number, time_level])
        where = _unit(path, place_level, region) if place_level >= ADMIN1 else _cell(path[place_level], place_level, region)
        found.append(Group(*where, *period_of(TIME_LEVELS[time_level], time - 1, quarter), quarter))
    return found


def _cell(cell: int, level: int, region: Region) -> Where:
    own = np.array([cell], np.uint64)
    code = region.codes[int(region.units_of(own)[0])]
    latitude, longitude = (round(float(each[0]), 4) for each in H3.centres(own))
    return code[:2], code, H3.name_of(cell), CELL_LEVELS[level], latitude, longitude, H3.farthest_m[level]


def _unit(path: list[int], level: int, region: Region) -> Where:
    country = region.countries[path[COUNTRY] % UNPLACED - 1]
    code = region.codes[path[ADMIN1] % UNPLACED - 1] if level == ADMIN1 else country
    unplaced = ":unplaced" if path[COUNTRY] >= UNPLACED else ""
    admin1 = code if level == ADMIN1 else None
    return country, admin1, f"{CELL_LEVELS[level]}:{code}{unplaced}", CELL_LEVELS[level], None, None, None


def _places(found: Gathered, region: Region) -> Cells:
    """The units around each record, one for each of `CELL_LEVELS`; nothing at all outside the region."""
    distinct, of_cell, unit, country = located(found.latitude, found.longitude, found.country, Land(region))
    cells = distinct[of_cell]
    country[(cells > 0) & (unit < 0)] = -1
    in_cell = (unit >= 0) & found.shared & ~(found.accuracy_m > WORST_ACCURACY_M)
    cells = np.where(in_cell, cells, 0).astype(np.uint64)
    own, of_record = np.unique(cells, return_inverse=True)
    known = own > 0
    finer = np.zeros((len(own), ADMIN1), np.uint64)
    finer[known] = np.column_stack([own[known], H3.parents(own[known], 1), H3.parents(own[known], 2)])
    around = np.column_stack([unit + 1, country + 1])
    around = np.where((around > 0) & ~in_cell[:, None], around + UNPLACED, around).astype(np.uint64)
    return np.column_stack([finer[of_record], around])


def _times(days: Ints) -> Cells:
    """Month, quarter, year and the whole of each day, as numbers from 1."""
    months = (np.datetime64(EPOCH, "D") + days).astype("datetime64[M]").astype(np.int64) + 1970 * 12
    whole = np.ones(len(days), np.int64)
    return np.column_stack([months + 1, months // 3 + 1, months // 12 + 1, whole, whole]).astype(np.uint64)


def period_of(level: str, number: int, quarter: int) -> tuple[str, date | None, date]:
    """Name, first and last day of a month, quarter or year; of all that is told with a quarter, it is not said when it began."""
    if level == "month":
        year, month = divmod(number, 12)
        first = date(year, month + 1, 1)
        return f"{first:%Y-%m}", first, (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    if level == "quarter":
        return quarter_name(number), _first_day(number), last_day(number)
    if level == "year":
        return str(number), date(number, 1, 1), date(number, 12, 31)
    return f"to {quarter_name(quarter)}", None, last_day(quarter)


def _first_day(quarter: int) -> date:
    return date(quarter // 4, quarter % 4 * 3 + 1, 1)


def quarter_name(quarter: int) -> str:
    """A quarter as people write it, 2026Q1."""
    return f"{quarter // 4}Q{quarter % 4 + 1}"
