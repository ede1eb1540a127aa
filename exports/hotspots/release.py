"""From reports to tables: attacks, places, the test, and which figures may be shown at which level.

The test counts every attack whose household shares its place; what is then published of it is decided here by the rules of
`exports/privacy.py`. All tables of a window are worked out together, from the finest on: public rows are unions of partner rows,
and a figure is kept back when it would set apart fewer than five households from all figures before it.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import numpy as np

from exports.grid import H3, Cells, Grid
from exports.hotspots.assessment import Assessment, Exposure, assess, study_area
from exports.hotspots.exposure import Exposures, Shares, Source, exposure_of, safe
from exports.hotspots.history import FEWEST_PERIODS, MOST_PERIODS, History, half_years, history_of, years
from exports.places import UNPLACED, Placed, placed
from exports.privacy import (
    COUNTRY,
    FEWEST_HOUSEHOLDS,
    LARGEST_SHARE,
    PARTNER,
    PUBLIC,
    Ledger,
    Level,
    Partition,
    coarsen,
    distinct_pairs,
    enough_households,
    nobody_dominates,
)
from exports.regions import Region
from exports.reports import STRICT, Flags, Reports
from exports.statistics import Floats, Ints
from exports.windows import EPOCH, Window

EVENT_SETS = ("standard", "strict")


@dataclass(frozen=True)
class Table:
    """One event set at one level. `row` gives the row of each attack, -1 where it is not in the table."""

    level: Level
    partition: Partition
    row: Ints
    assessment: Assessment

    @cached_property
    def unplaced(self) -> Flags:
        """Whether each row counts attacks without a cell."""
        return self.partition.paths[:, COUNTRY] >= UNPLACED

    @cached_property
    def cells(self) -> dict[int, int]:
        """The tested cells that have a row of their own, and that row."""
        own = np.flatnonzero(self.partition.levels == self.level.finest)
        return dict(zip(self.partition.paths[own, self.level.finest].tolist(), own.tolist(), strict=True))


class Release:
    """Everything that both levels show of one window.

    `footprint` are the finest cells of the grid in which any form has a record in the window; `exposures` are what surveys tell of
    herds and households (None: nothing), `months` those in which there was any report from a country, `fdr` as in `assess`.
    """

    def __init__(
        self,
        reports: Reports,
        footprint: Cells,
        window: Window,
        region: Region,
        exposures: Exposures | None = None,
        *,
        months: frozenset[tuple[str, str]] = frozenset(),
        fdr: str = "bh",
        grid: Grid = H3,
    ) -> None:
        self.window = window
        self.exposures = exposures or Exposures()
        self.region, self.grid = region, grid
        self._footprint = footprint
        self._reports, self._months, self.fdr = reports, months, fdr
        self.found: Placed = placed(reports, window, region, grid)
        self._tables: dict[tuple[Level, str], Table] = {}
        self._histories: dict[Level, History] = {}

    @cached_property
    def _atoms(self) -> Partition:
        """The partner's rows of standard attacks: no figure about a place may say more than these rows do."""
        return coarsen(self.found.paths, self.found.place, self.found.attacks.household, PARTNER.finest)

    @cached_property
    def _atom(self) -> Ints:
        return self._atoms.row_of_place[self.found.place]

    def table(self, level: Level, event_set: str) -> Table:
        """Give the rows and the test of one event set at one level."""
        if (level, event_set) not in self._tables:
            self._tables[level, event_set] = self._table(level, event_set)
        return self._tables[level, event_set]

    def _table(self, level: Level, event_set: str) -> Table:
        attacks, atoms = self.found.attacks, self._atoms
        chosen = self._atom >= 0
        if event_set == "strict":
            chosen &= attacks.certainty == STRICT
        partition = coarsen(atoms.paths, self._atom[chosen], attacks.household[chosen], level.finest)
        merged_rows = partition.row_of_place[np.flatnonzero(atoms.merged)]
        partition.merged[merged_rows[merged_rows >= 0]] = True
        row = np.full(len(attacks), -1, np.int64)
        row[chosen] = partition.row_of_place[self._atom[chosen]]
        tested = (row >= 0) & (self.found.place < self.found.cell_places)
        cells = self._study_area(level)
        attacked = self.found.paths[self.found.place[tested], level.finest]
        return Table(
            level,
            partition,
            row,
            assess(cells, attacked, attacks.household[tested], self._exposure(cells, level), self.fdr, self.grid),
        )

    @cached_property
    def _basis(self) -> tuple[str, Source]:
        """What all tables of the release take as exposure."""
        in_cell = np.flatnonzero((self._atom >= 0) & (self.found.place < self.found.cell_places))
        cells = self.found.paths[self.found.place[in_cell], 0]
        households, days = self.found.attacks.household[in_cell], self.found.attacks.day[in_cell]
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        reporting: dict[int, Shares] = {}
        if self.exposures.asked.amounts:
            for cell, household, _ in sorted(set(zip(cells.tolist(), households.tolist(), months.tolist(), strict=True))):
                if household >= 0:
                    mine = reporting.setdefault(cell, {})
                    mine[str(household)] = mine.get(str(household), 0.0) + 1
        return self.exposures.chosen(reporting, cells)

    def _exposure(self, cells: Cells, level: Level) -> Exposure:
        basis, source = self._basis
        return exposure_of(basis, source, cells, level.finest, self.grid)

    def _study_area(self, level: Level) -> Cells:
        attacked = self.found.paths[: self.found.cell_places, level.finest]
        touched = np.unique(self.grid.parents(self._footprint, level.finest))
        return np.union1d(study_area(touched, self.region, self.grid), attacked)

    def completeness(self, country: str) -> float:
        """The share of the months of the window in which there was a report, or a report of nothing, from a country."""
        return self._months_told[country] / self.window.months

    @cached_property
    def _months_told(self) -> Counter[str]:
        return Counter(country for country, _ in self._months | self.exposures.months)

    def history(self, level: Level) -> History:
        """Tell how the hotspots of a level came about: by half-years, or by years where these have too few attacks."""
        if level not in self._histories:
            found = self._history(half_years(self.window.end, MOST_PERIODS), 6, level)
            by_year = self._history(years(half_years(self.window.end, MOST_PERIODS)), 12, level) if found.refused else found
            self._histories[level] = found if by_year.refused else by_year
        return self._histories[level]

    def _history(self, periods: Sequence[Window], months: int, level: Level) -> History:
        found = self.table(level, "standard").assessment
        start = EPOCH + timedelta(days=int(self._reports.day.min(initial=self.window.days[0])))
        known = [period for period in periods if period.start >= start]
        tested = known if len(known) >= FEWEST_PERIODS else []
        return history_of(
            [self._period(period, level, found.cells, found.exposure) for period in tested], len(known), months, len(found.cells)
        )

    def _period(self, period: Window, level: Level, cells: Cells, exposure: Exposure) -> Assessment:
        """Test the attacks of a period that lie in the study area of today."""
        found = placed(self._reports, period, self.region, self.grid)
        place = found.place[found.place < found.cell_places]
        attacked = found.paths[place, level.finest]
        inside = np.isin(attacked, cells)
        households = found.attacks.household[found.place < found.cell_places]
        return assess(cells, attacked[inside], households[inside], exposure, self.fdr, self.grid)

    @cached_property
    def _attacked(self) -> Ints:
        """The cells with attacks in any row, as places."""
        return np.unique(self.found.place[(self._atom >= 0) & (self.found.place < self.found.cell_places)])

    @cached_property
    def _place_ledger(self) -> Ledger:
        households = _by_key(self.found.place, self.found.attacks.household)
        return Ledger(lambda places: enough_households(who for place in places for who in households[place]))

    @cached_property
    def _nearby_shown(self) -> dict[Level, set[int]]:
        """The cells whose neighbourhood figures are published, hottest first, the partner's before the public's."""
        ledger = self._place_ledger
        attacked = self._attacked
        _ = self._exposure_shown  # rates are more useful than figures of neighbourhoods: they come first
        for row in _by_key(self._atoms.row_of_place[attacked], attacked).values():
            ledger.publish(row)
        shown: dict[Level, set[int]] = {}
        for level in (PARTNER, PUBLIC):
            table = self.table(level, "standard")
            places = _by_key(self.found.paths[attacked, level.finest].astype(np.int64), attacked)
            exposed = self._exposed[level]
            hottest_first = table.assessment.cells[np.argsort(table.assessment.p, kind="stable")].tolist()
            shown[level] = {
                cell
                for cell in hottest_first
                if table.assessment.sufficient
                and cell in table.cells
                and self._exposure_ledger.publish(self._around(cell, exposed))
                and ledger.publish(self._around(cell, places))
            }
        return shown

    def _around(self, cell: int, places: dict[int, list[int]]) -> list[int]:
        """Give what lies in a cell and its ring."""
        return [place for near in self.grid.ring(cell) for place in places.get(near, ())]

    @cached_property
    def _exposed(self) -> dict[Level, dict[int, list[int]]]:
        """The finest cells with an exposure that tells of households, by the cell of each level that holds them."""
        cells = np.array(sorted(self._basis[1].amounts), np.uint64)
        levels = {PARTNER: cells, PUBLIC: self.grid.parents(cells, PUBLIC.finest)}
        return {level: _by_key(units.astype(np.int64), cells.astype(np.int64)) for level, units in levels.items()}

    @cached_property
    def _exposure_ledger(self) -> Ledger:
        source = self._basis[1]
        return Ledger(lambda cells: safe(source, cells))

    @cached_property
    def _exposure_shown(self) -> dict[Level, set[int]]:
        """The cells whose exposure and rates are published, by index, the partner's before the public's."""
        return {
            level: {
                cell
                for cell in sorted(self.table(level, "standard").cells)
                if self._is_known(level, cell) and self._exposure_ledger.publish(self._exposed[level].get(cell, ()))
            }
            for level in (PARTNER, PUBLIC)
        }

    def _is_known(self, level: Level, cell: int) -> bool:
        """Whether the exposure of a cell was not made up: half of the smallest would tell the smallest."""
        found = self.table(level, "standard").assessment
        return found.exposure.floored is None or not found.exposure.floored[np.searchsorted(found.cells, cell)]

    def exposure_shown(self, level: Level, cell: int) -> bool:
        """Tell whether exposure and rates of a cell with its own row may be published: they tell how much its households have."""
        return cell in self._exposure_shown[level]

    def figure_shown(self, level: Level, cells: Iterable[int]) -> bool:
        """Tell whether attacks and exposure of these cells of a level may be summed and published; then it counts as published.

        To be asked in the same order always, the partner's before the public's, after everything else.
        """
        _ = self._nearby_shown
        cells, attacked = set(cells), self._attacked
        inside = attacked[np.isin(self.found.paths[attacked, level.finest], np.array(sorted(cells), np.uint64))]
        exposed = [one for cell in cells for one in self._exposed[level].get(cell, ())]
        return self._exposure_ledger.publish(exposed) and self._place_ledger.publish(inside.tolist())

    def nearby_shown(self, level: Level, cell: int) -> bool:
        """Tell whether the neighbourhood figures of a cell with its own row may be published."""
        return cell in self._nearby_shown[level]

    @cached_property
    def _sums_shown(self) -> dict[tuple[Level, str, str], set[int]]:
        """The rows whose sum is published, by level, event set and name of the sum; the partner's come before the public's."""
        strict = self.found.attacks.certainty == STRICT
        item = np.where(self._atom >= 0, self._atom * 2 + strict, -1)
        items_of_rows = {}
        for level in (PARTNER, PUBLIC):
            for event_set in EVENT_SETS:
                row = self.table(level, event_set).row
                items_of_rows[level, event_set] = _by_key(row[row >= 0], item[row >= 0])
        contributions = _Contributions(item, self.found.attacks.household)
        shown = {}
        for name, values in self.sums.items():
            ledger = Ledger(contributions.rule(values))
            for table, rows in items_of_rows.items():
                shown[(*table, name)] = {row for row, items in rows.items() if ledger.publish(items)}
        return shown

    @cached_property
    def sums(self) -> dict[str, Floats]:
        """The sums a table may give, by name: a value per attack, not-a-number where unknown."""
        attacks = self.found.attacks
        return {
            "killed": (attacks.killed_small + attacks.killed_large).astype(np.float64),
            "killed_small": attacks.killed_small.astype(np.float64),
            "killed_large": attacks.killed_large.astype(np.float64),
            "injured": attacks.injured.astype(np.float64),
            "missing": attacks.missing.astype(np.float64),
            "loss": attacks.loss,
        }

    def sum_shown(self, level: Level, event_set: str, name: str, row: int) -> bool:
        """Tell whether a sum may be published in a row."""
        return row in self._sums_shown[level, event_set, name]


class _Contributions:
    """Which households stand behind each item, and how much of a sum each of them makes up."""

    def __init__(self, item: Ints, household: Ints) -> None:
        self._known = item >= 0
        self._pairs = distinct_pairs(item[self._known], household[self._known])
        items, first = np.unique(self._pairs.keys, return_index=True)
        ends = [*first[1:].tolist(), len(self._pairs.keys)]
        self._spans = {one: slice(*span) for one, *span in zip(items.tolist(), first.tolist(), ends, strict=True)}
        self._households = self._pairs.values.tolist()

    def rule(self, values: Floats) -> Callable[[Iterable[int]], bool]:
        """Make the test whether the sum over some items may be published; unknown values make no contribution."""
        known = np.isfinite(values[self._known])
        position, size = self._pairs.position, len(self._pairs.keys)
        sums = np.bincount(position[known], weights=values[self._known][known], minlength=size)
        counted = np.bincount(position[known], minlength=size) > 0
        amounts = np.where(counted, sums, np.nan).tolist()
        plain = self._plain(sums.astype(np.float64), counted)

        def safe(items: Iterable[int]) -> bool:
            parts = [plain[item] for item in items]
            if any(enough for enough, *_ in parts) and sum(one[1] for one in parts) <= LARGEST_SHARE * sum(one[2] for one in parts):
                return True  # nobody has more of the sum than the largest of each item together
            shares: dict[int, float] = {}
            for item in items:
                span = self._spans[item]
                for who, amount in zip(self._households[span], amounts[span], strict=True):
                    if not math.isnan(amount):
                        shares[who] = shares.get(who, 0.0) + amount
            return nobody_dominates(shares)

        return safe

    def _plain(self, sums: Floats, counted: Flags) -> dict[int, tuple[bool, float, float]]:
        """What can be said of each item alone: whether it has five known households, the largest amount of one, and the sum."""
        items = np.unique(self._pairs.keys)
        group = np.searchsorted(items, self._pairs.keys)
        households = np.bincount(group[counted & (self._pairs.values >= 0)], minlength=len(items))
        largest = np.zeros(len(items))
        np.maximum.at(largest, group, sums)
        told = zip(households >= FEWEST_HOUSEHOLDS, largest, np.bincount(group, sums, len(items)), strict=True)
        return {
            item: (bool(enough), float(most), float(whole))
            for item, (enough, most, whole) in zip(items.tolist(), told, strict=True)
        }


def _by_key(keys: Ints, values: Ints) -> dict[int, list[int]]:
    """Gather the distinct values of each key, keys in ascending order."""
    gathered: dict[int, list[int]] = {}
    pairs = distinct_pairs(keys, values)
    for key, value in zip(pairs.keys.tolist(), pairs.values.tolist(), strict=True):
        gathered.setdefault(key, []).append(value)
    return gathered
