"""From reports to tables: attacks, places, the test, and which figures may be shown at which level.

The test counts every attack whose household shares its place; what is then published of it is decided here by the rules of
`exports/privacy.py`. All tables of a window are worked out together, from the finest on: public rows are unions of partner rows,
and a figure is kept back when it would set apart fewer than five households from all figures before it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import numpy as np

from exports.grid import H3, Cells, Grid
from exports.hotspots.assessment import Assessment, Exposure, assess
from exports.hotspots.exposure import Exposures, Shares, Source, exposure_of
from exports.hotspots.history import FEWEST_PERIODS, MOST_PERIODS, History, half_years, history_of, years
from exports.hotspots.shown import Shown
from exports.land import Land
from exports.places import UNPLACED, Placed, placed
from exports.privacy import COUNTRY, PARTNER, Level, Pairs, Partition, coarsen, distinct_pairs
from exports.regions import Region
from exports.reports import STRICT, Flags, Reports
from exports.statistics import Floats, Ints
from exports.windows import EPOCH, Window


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
        self.land = Land(region, grid)
        self.region, self.grid = region, self.land.grid
        self._footprint = footprint
        self._reports, self._months, self.fdr = reports, months, fdr
        self.found: Placed = placed(reports, window, self.land)
        self._tables: dict[tuple[Level, str], Table] = {}
        self._histories: dict[Level, History] = {}

    @cached_property
    def households(self) -> Pairs:
        """Which households were struck in each place."""
        return distinct_pairs(self.found.place, self.found.attacks.household)

    @cached_property
    def atoms(self) -> Partition:
        """The partner's rows of standard attacks: no figure about a place may say more than these rows do."""
        return coarsen(self.found.paths, self.households.keys, self.households.values, PARTNER.finest)

    @cached_property
    def atom(self) -> Ints:
        """The row of the partner's that counts each attack; -1 where none may."""
        return self.atoms.row_of_place[self.found.place]

    @cached_property
    def struck(self) -> dict[str, Pairs]:
        """Which households were struck in each atom, by event set."""
        atom = self.atoms.row_of_place[self.households.keys]
        strict = (self.atom >= 0) & (self.found.attacks.certainty == STRICT)
        return {
            "standard": distinct_pairs(atom[atom >= 0], self.households.values[atom >= 0]),
            "strict": distinct_pairs(self.atom[strict], self.found.attacks.household[strict]),
        }

    def table(self, level: Level, event_set: str) -> Table:
        """Give the rows and the test of one event set at one level."""
        if (level, event_set) not in self._tables:
            self._tables[level, event_set] = self._table(level, event_set)
        return self._tables[level, event_set]

    def _table(self, level: Level, event_set: str) -> Table:
        attacks, atoms, struck = self.found.attacks, self.atoms, self.struck[event_set]
        partition = coarsen(atoms.paths, struck.keys, struck.values, level.finest)
        merged_rows = partition.row_of_place[np.flatnonzero(atoms.merged)]
        partition.merged[merged_rows[merged_rows >= 0]] = True
        row = np.append(partition.row_of_place, -1)[self.atom]
        if event_set == "strict":
            row[attacks.certainty != STRICT] = -1
        tested = np.flatnonzero((row >= 0) & (self.found.place < self.found.cell_places))
        cells = self._study_area(level)
        attacked = self.found.paths[self.found.place[tested], level.finest]
        return Table(
            level,
            partition,
            row,
            assess(cells, attacked, attacks.household[tested], self._exposure(cells, level), self.fdr, self.grid),
        )

    @cached_property
    def basis(self) -> tuple[str, Source]:
        """What all tables of the release take as exposure."""
        in_cell = np.flatnonzero((self.atom >= 0) & (self.found.place < self.found.cell_places))
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
        basis, source = self.basis
        return exposure_of(basis, source, cells, level.finest, self.grid)

    def _study_area(self, level: Level) -> Cells:
        attacked = self.found.paths[: self.found.cell_places, level.finest]
        touched = np.unique(self.grid.parents(self._footprint, level.finest))
        return np.union1d(self.land.around(touched), attacked)

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
        found = placed(self._reports, period, self.land)
        place = found.place[found.place < found.cell_places]
        attacked = found.paths[place, level.finest]
        inside = np.isin(attacked, cells)
        households = found.attacks.household[found.place < found.cell_places]
        return assess(cells, attacked[inside], households[inside], exposure, self.fdr, self.grid)

    @cached_property
    def shown(self) -> Shown:
        """What of all this may be published."""
        return Shown(self)

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
