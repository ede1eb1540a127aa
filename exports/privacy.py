"""The rule of five households at work, and what several tables give away together. `exports/policy.py` says who is told what.

Minimum frequency and dominance follow Hundepool et al., Handbook on Statistical Disclosure Control. docs/privacy.md and
docs/hotspots.md say what is promised and what is not.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from exports.grid import Cells
from exports.policy import ADMIN1, CELL_LEVELS, COUNTRY, FEWEST, LARGEST_SHARE, LEVELS, PARTNER, PUBLIC, Policy
from exports.reports import Flags
from exports.statistics import Ints

__all__ = ["ADMIN1", "CELL_LEVELS", "COUNTRY", "LARGEST_SHARE", "LEVELS", "PARTNER", "PUBLIC"]
Level = Policy
FEWEST_HOUSEHOLDS = FEWEST


@dataclass(frozen=True)
class Partition:
    """Rows of a table that share no attack. `paths` is (rows, 5): the unit at each of `CELL_LEVELS`, 0 where finer than the row."""

    row_of_place: Ints
    """The row that counts each place; -1 where none may."""
    levels: Ints
    paths: Cells
    merged: Flags


class Pairs(NamedTuple):
    """Different pairs of a key and a value; `position` is the pair of each entry they were made from."""

    keys: Ints
    values: Ints
    position: Ints


def coarsen(paths: Cells, place: Ints, household: Ints, finest: int) -> Partition:
    """Count every place in the finest unit that holds five households in places not yet counted.

    `paths` is (places, 5), 0 where a place has no unit of that level; `place` and `household` (-1: unknown, never counted) have one
    entry per attack. What is left at the end joins the smallest row of its country, which then stands for the country; where there
    is none, it is left out.
    """
    row = np.full(len(paths), -1, np.int64)
    pending: Flags = np.bincount(place, minlength=len(paths)) > 0
    pairs = distinct_pairs(place, household)
    levels: list[int] = []
    for level in range(finest, len(CELL_LEVELS)):
        ready = np.flatnonzero(pending & (paths[:, level] > 0))
        units, unit = np.unique(paths[ready, level], return_inverse=True)
        unit_of_place = np.full(len(paths), -1, np.int64)
        unit_of_place[ready] = unit
        passed = np.flatnonzero(distinct_households(unit_of_place, pairs, len(units)) >= FEWEST_HOUSEHOLDS)
        number = np.full(len(units) + 1, -1, np.int64)
        number[passed] = np.arange(len(levels), len(levels) + len(passed))
        row[ready] = number[unit]
        levels.extend([level] * len(passed))
        pending[row >= 0] = False
    merged = _merge_leftovers(row, pending, paths[:, COUNTRY], pairs, len(levels))
    return _numbered(row, np.array(levels, np.int64), merged, paths)


def distinct_pairs(keys: Ints, values: Ints) -> Pairs:
    """Give the different pairs in ascending order, and for each entry the position of its pair. Keys are numbers from 0 on."""
    if not len(keys):
        return Pairs(keys, values, np.empty(0, np.int64))
    lowest = int(values.min())
    span = int(values.max()) - lowest + 1
    codes = keys * span + (values - lowest)
    if (np.diff(codes) > 0).all():
        return Pairs(keys, values, np.arange(len(keys)))
    codes, position = np.unique(codes, return_inverse=True)
    key, value = np.divmod(codes, span)
    return Pairs(key, value + lowest, position)


def distinct_households(group_of_place: Ints, pairs: Pairs, size: int) -> Ints:
    """Count the different known households of each of `size` groups of places (-1: in none), given those of each place."""
    groups = group_of_place[pairs.keys]
    chosen = (groups >= 0) & (pairs.values >= 0)
    return np.bincount(distinct_pairs(groups[chosen], pairs.values[chosen]).keys, minlength=size)


def _merge_leftovers(row: Ints, pending: Flags, country: Cells, pairs: Pairs, rows: int) -> set[int]:
    """Give what is left of a country to the smallest row that lies in it whole. Changes `row`."""
    merged: set[int] = set()
    if not pending.any():
        return merged
    households = distinct_households(row, pairs, rows)
    for one in np.unique(country[pending]).tolist():
        inside = set(row[(row >= 0) & (country == one)].tolist()) - set(row[(row >= 0) & (country != one)].tolist())
        if inside:
            smallest = min(inside, key=lambda number: (households[number], number))
            row[pending & (country == one)] = smallest
            merged.add(smallest)
    return merged


def _numbered(row: Ints, levels: Ints, merged: set[int], paths: Cells) -> Partition:
    is_merged = np.isin(np.arange(len(levels)), list(merged))
    levels = np.where(is_merged, COUNTRY, levels)
    numbers, first = np.unique(row, return_index=True)
    row_paths = paths[first[numbers >= 0]]
    row_paths[np.arange(len(CELL_LEVELS))[None, :] < levels[:, None]] = 0
    return Partition(row, levels, row_paths, is_merged)


class Ledger:
    """What readers of everything published can tell apart, and the refusal to publish what would set apart too little.

    Items fall into groups: two items are in one group when every figure published so far holds both or neither. Whatever anybody
    adds and subtracts, the result is made of whole groups; so every group must be `safe`.
    """

    def __init__(self, safe: Callable[[set[int]], bool]) -> None:
        self._safe = safe
        self._groups: dict[int, set[int]] = {}

    def publish(self, items: Iterable[int]) -> bool:
        """Note a figure over these items as published, or answer False where it must be kept back."""
        wanted = set(items)
        new = wanted.difference(self._groups)
        touched = {id(group): group for group in map(self._groups.__getitem__, wanted - new)}.values()
        parts = [part for group in touched if not group <= wanted for part in (group & wanted, group - wanted)]
        if new:
            parts.append(new)
        if not all(map(self._safe, parts)):
            return False
        for part in parts:
            self._groups.update(dict.fromkeys(part, part))
        return True


def enough_households(households: Iterable[int]) -> bool:
    """Tell whether these are five known households or more (-1: unknown)."""
    return len(set(households) - {-1}) >= FEWEST_HOUSEHOLDS


def nobody_dominates(shares: Mapping[int, float]) -> bool:
    """Tell whether a sum, given by household, may be published: five households, none of them more than 70 percent of it."""
    whole = sum(shares.values())
    return enough_households(shares) and max(shares.values()) <= LARGEST_SHARE * whole if whole else enough_households(shares)


def band(households: int) -> str:
    """Give a number of households the public may see."""
    return "10+" if households >= 10 else "5-9"


def told_by_difference(before: Iterable[Mapping[str, str]], after: Iterable[Mapping[str, str]], key: Iterable[str]) -> list[str]:
    """The rows by which two releases of one window, taken from each other, tell of fewer than five households; none: give it.

    Rows are those of the public tables, `key` the columns that say what a row is about. What is counted (`n`, `n_...`) is compared;
    rates and tests depend on all rows at once and are not. A difference is allowed where it is shown to concern five households: by
    their exact numbers. A row that only one of the two has is never allowed, since what was too small before is told by it.
    """
    names = tuple(key)
    old, new = ({tuple(row.get(name, "") for name in names): row for row in rows} for rows in (before, after))
    return ["/".join(filter(None, one)) for one in sorted({*old, *new}) if _tells_of_few(old.get(one), new.get(one))]


def _tells_of_few(before: Mapping[str, str] | None, after: Mapping[str, str] | None) -> bool:
    if before is None or after is None:
        return True
    counted = [name for name in {*before, *after} if name == "n" or name.startswith("n_")]
    if all(before.get(name) == after.get(name) for name in counted):
        return False
    households = [row.get("n_households", "") for row in (before, after)]
    return not all(map(str.isdecimal, households)) or abs(int(households[0]) - int(households[1])) < FEWEST_HOUSEHOLDS
