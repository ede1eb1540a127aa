"""The places of wildlife, in cells of a tenth of a degree: category 2 of Chapman (GBIF, 2020), chapter on generalisation."""

import math
from datetime import date, timedelta

import numpy as np

from exports.data.grouping import Gathered, Group, Grouping, period_of, quarter_of
from exports.grid import H3
from exports.policy import Policy
from exports.regions import Region
from exports.windows import EPOCH

FARTHEST_M = 15_691
"""Added to the uncertainty of a position that is rounded to a tenth of a degree: the longest diagonal (Chapman 2020)."""
UNKNOWN_ACCURACY_M = 30
_HUNDRED = 100


def group_wildlife(found: Gathered, policy: Policy, region: Region) -> Grouping:
    """Put each record into its cell and its month or quarter. Without a place, or outside the region, nothing is told."""
    located = np.flatnonzero(np.isfinite(found.latitude))
    cells = H3.cells_of(found.latitude[located], found.longitude[located])
    distinct, position = np.unique(cells, return_inverse=True)
    on_land = region.touched(distinct)[position]
    codes = [region.codes[unit] for unit in region.units_of(distinct).tolist()]
    group = np.full(len(found.day), -1, np.int64)
    numbers: dict[Group, int] = {}
    for record, cell, is_inside in zip(located.tolist(), position.tolist(), on_land.tolist(), strict=True):
        if is_inside:
            group[record] = numbers.setdefault(_group(found, record, codes[cell][:2], policy), len(numbers))
    return Grouping(group, list(numbers))


def _group(found: Gathered, record: int, country: str, policy: Policy) -> Group:
    latitude, longitude = (centre(float(each[record]), policy.degrees) for each in (found.latitude, found.longitude))
    place = f"{latitude:.2f} {longitude:.2f}"
    accuracy = float(found.accuracy_m[record]) if np.isfinite(found.accuracy_m[record]) else UNKNOWN_ACCURACY_M
    uncertainty = math.ceil((FARTHEST_M + accuracy) / _HUNDRED) * _HUNDRED
    day, quarter = EPOCH + timedelta(days=int(found.day[record])), int(found.quarter[record])
    time = period_around(day, policy)
    return Group(country, None, place, f"degrees_{policy.degrees}", latitude, longitude, uncertainty, *time, quarter)


def period_around(day: date, policy: Policy) -> tuple[str, date | None, date]:
    """Name, first and last day of the month or quarter in which these readers are told that a day lies."""
    months = day.year * 12 + day.month - 1
    return period_of(policy.period, months if policy.period == "month" else months // 3, quarter_of(day))


def centre(degrees: float, size: float) -> float:
    """The middle of the cell of this size in which a coordinate lies."""
    return round((math.floor(degrees / size) + 0.5) * size, 4)
