"""What of a release may be published beside its counts: rates, figures of neighbourhoods and sums, so that none gives others away.

All levels are decided together, the partner's before the public's: a figure is kept back when it would set apart fewer than five
households from all figures before it, or one of them that has most of a sum.
"""

from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from exports.grid import Cells
from exports.hotspots.exposure import safe
from exports.privacy import (
    FEWEST_HOUSEHOLDS,
    LARGEST_SHARE,
    PARTNER,
    PUBLIC,
    Ledger,
    Level,
    Pairs,
    distinct_pairs,
    nobody_dominates,
)
from exports.reports import STRICT, Flags
from exports.statistics import Floats, Ints

if TYPE_CHECKING:
    from exports.hotspots.release import Release

EVENT_SETS = ("standard", "strict")
_BOTH = (PARTNER, PUBLIC)


class Shown:
    """What may be published of a release.

    By level, `rates` are the cells with a row of their own whose exposure and rates may be told: they say how much their households
    have. `nearby` are those whose figures of the neighbourhood may be.
    """

    def __init__(self, release: "Release") -> None:
        self._release = release
        self._households = _Households(release.households)
        self._places = Ledger(self._households.are_enough)
        source = release.basis[1]
        self._exposures = Ledger(lambda cells: safe(source, cells))
        exposed = np.array(sorted(source.amounts), np.uint64)
        paths, row_of_place = release.found.paths, release.atoms.row_of_place
        attacked = np.flatnonzero(row_of_place[: release.found.cell_places] >= 0)
        row = row_of_place[attacked]
        beside_others = np.bincount(row)[row] > 1  # one that is a row of its own is told of: no figure sets it apart any further
        together = attacked[beside_others]
        self._attacked = {level: _gathered(paths[attacked, level.finest], attacked) for level in _BOTH}
        self._together = {level: _gathered(paths[together, level.finest], together) for level in _BOTH}
        self._exposed = {level: _gathered(release.grid.parents(exposed, level.finest), exposed) for level in _BOTH}
        for places in _gathered(row[beside_others], together).values():
            self._places.publish(places)
        self.rates = {level: set(self._shown_rates(level)) for level in _BOTH}
        self.nearby = {level: set(self._shown_nearby(level)) for level in _BOTH}  # rates are more useful: they come first

    def households_in(self, level: Level, cells: Iterable[int]) -> int:
        """How many known households were struck in cells of a level."""
        return self._households.number(place for cell in cells for place in self._attacked[level].get(cell, ()))

    def figure(self, level: Level, cells: Iterable[int]) -> bool:
        """Tell whether attacks and exposure of these cells of a level may be summed and published; then it counts as published.

        To be asked in the same order always, the partner's before the public's, after everything else.
        """
        inside, exposed = (
            [one for cell in cells for one in by_cell[level].get(cell, ())] for by_cell in (self._together, self._exposed)
        )
        return self._exposures.publish(exposed) and self._places.publish(inside)

    def _shown_rates(self, level: Level) -> Iterable[int]:
        """The cells whose exposure was not made up (half of the smallest would tell the smallest) and tells of nobody."""
        found = self._release.table(level, "standard")
        floored = found.assessment.exposure.floored
        made_up = set() if floored is None else set(found.assessment.cells[floored].tolist())
        exposed = self._exposed[level]
        for cell in sorted(found.cells):
            if cell not in made_up and (cell not in exposed or self._exposures.publish(exposed[cell])):
                yield cell

    def _shown_nearby(self, level: Level) -> Iterable[int]:
        """The cells whose neighbourhood tells of nobody, hottest first."""
        found = self._release.table(level, "standard")
        if not found.assessment.sufficient:
            return
        cells = found.assessment.cells[np.argsort(found.assessment.p, kind="stable")]
        cells = cells[np.isin(cells, np.array([*found.cells], np.uint64))]
        rings = self._release.grid.around(cells)
        tells = np.isin(rings, np.array([*self._together[level], *self._exposed[level]], np.uint64)).any(axis=1)
        yield from cells[~tells].tolist()
        for cell, ring in zip(cells[tells].tolist(), rings[tells].tolist(), strict=True):
            if self.figure(level, ring):
                yield cell

    @cached_property
    def sums(self) -> dict[tuple[Level, str, str], set[int]]:
        """The rows whose sum is published, by level, event set and name of the sum."""
        release = self._release
        strict = release.found.attacks.certainty == STRICT
        item = np.where(release.atom >= 0, release.atom * 2 + strict, -1)
        contributions = _Contributions(item, release.found.attacks.household)
        items = contributions.items
        rows = {}
        for level in _BOTH:
            for event_set in EVENT_SETS:
                row = release.table(level, event_set).partition.row_of_place[items // 2]
                rows[level, event_set] = np.where(items % 2 == 1, row, -1) if event_set == "strict" else row
        return {
            (*table, name): shown
            for name, values in release.sums.items()
            for table, shown in self._shown_sums(contributions, values, rows).items()
        }

    def _shown_sums(
        self, contributions: "_Contributions", values: Floats, rows: dict[tuple[Level, str], Ints]
    ) -> dict[tuple[Level, str], set[int]]:
        """The rows whose sum of the values is published. An item that was published alone is set apart: it matters no more."""
        safe, is_safe = contributions.rule(values)
        ledger, items = Ledger(safe), contributions.items
        first = next(iter(rows.values()))
        settled = is_safe[items] & (np.append(np.bincount(first[first >= 0]), 0)[first] == 1)
        shown = {}
        for table, row in rows.items():
            open_to = (row >= 0) & ~settled
            asked = _gathered(row[open_to], items[open_to])
            shown[table] = set(row[row >= 0].tolist()) - asked.keys()
            shown[table] |= {number for number, some in asked.items() if ledger.publish(some)}
        return shown


class _Households:
    """The households of each place."""

    def __init__(self, pairs: Pairs) -> None:
        known = pairs.values >= 0
        self._values = pairs.values[known]
        number = np.bincount(pairs.keys[known])
        self._ends = np.cumsum(number).tolist()
        self._are_enough = (number >= FEWEST_HOUSEHOLDS).tolist()

    def of(self, place: int) -> Ints:
        """The known households of a place."""
        return (
            self._values[self._ends[place - 1] if place else 0 : self._ends[place]] if place < len(self._ends) else self._values[:0]
        )

    def number(self, places: Iterable[int]) -> int:
        """How many there are in some places."""
        return len(set().union(*(self.of(place).tolist() for place in places)))

    def are_enough(self, places: Iterable[int]) -> bool:
        """Tell whether these are five or more."""
        return (
            any(place < len(self._ends) and self._are_enough[place] for place in places) or self.number(places) >= FEWEST_HOUSEHOLDS
        )


class _Contributions:
    """Which households stand behind each item, and how much of a sum each of them makes up."""

    def __init__(self, item: Ints, household: Ints) -> None:
        self._counted = np.flatnonzero(item >= 0)
        self._pairs = distinct_pairs(item[self._counted], household[self._counted])
        number = np.bincount(self._pairs.keys)
        self.items = np.flatnonzero(number)
        self._ends = np.cumsum(number).tolist()

    def rule(self, values: Floats) -> tuple[Callable[[Collection[int]], bool], Flags]:
        """Make the test whether the sum over some items may be published, and its answers for each item alone.

        Unknown values make no contribution.
        """
        values = values[self._counted]
        known = np.flatnonzero(np.isfinite(values))
        position, size = self._pairs.position[known], len(self._pairs.keys)
        sums = np.bincount(position, weights=values[known], minlength=size).astype(np.float64)
        has_sum = np.bincount(position, minlength=size) > 0
        enough, most, whole = self._alone(sums, has_sum)
        is_safe = enough & ((whole == 0) | (most <= LARGEST_SHARE * whole))
        is_enough, largest, total = enough.tolist(), most.tolist(), whole.tolist()

        def safe(items: Collection[int]) -> bool:
            if any(is_enough[one] for one in items) and sum(largest[one] for one in items) <= LARGEST_SHARE * sum(
                total[one] for one in items
            ):
                return True  # nobody has more of the sum than the largest of each item together
            shares: dict[int, float] = {}
            for item in items:
                span = slice(self._ends[item - 1] if item else 0, self._ends[item])
                here = has_sum[span]
                for who, amount in zip(self._pairs.values[span][here].tolist(), sums[span][here].tolist(), strict=True):
                    shares[who] = shares.get(who, 0.0) + amount
            return nobody_dominates(shares)

        return safe, is_safe

    def _alone(self, sums: Floats, has_sum: Flags) -> tuple[Flags, Floats, Floats]:
        """What can be said of each item alone: whether it has five known households, the largest amount of one, and the sum."""
        items, size = self._pairs.keys, len(self._ends)
        enough = np.bincount(items[has_sum & (self._pairs.values >= 0)], minlength=size) >= FEWEST_HOUSEHOLDS
        largest = np.zeros(size)
        np.maximum.at(largest, items, sums)
        return enough, largest, np.bincount(items, sums, size).astype(np.float64)


def _gathered(keys: Ints | Cells, values: Ints | Cells) -> dict[int, list[int]]:
    """Gather the values of each key, keys in ascending order."""
    order = np.lexsort((values, keys))
    found, first = np.unique(keys[order], return_index=True)
    ordered, ends = values[order].tolist(), np.append(first, len(order))[1:].tolist()
    return {key: ordered[start:end] for key, start, end in zip(found.tolist(), first.tolist(), ends, strict=True)}
