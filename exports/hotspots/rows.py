"""The rows of a hotspot table as people read them: a value for each column of the data dictionary that is known."""

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np

from exports.episodes import RULE
from exports.hotspots.assessment import HOT_95, HOT_99, INSUFFICIENT, METHOD, METHOD_VERSION, NONE
from exports.hotspots.release import Release, Table
from exports.places import COARSE_M, UNPLACED
from exports.privacy import ADMIN1, CELL_LEVELS, COUNTRY, band, distinct_households
from exports.reports import STRICT, Flags
from exports.statistics import Ints, garwood_interval

Value: TypeAlias = str | int | float | None
Row: TypeAlias = dict[str, Value]

STRONGLY_CLUSTERED = 2.0
SELDOM = 0.5
"""A country is heard of too seldom when fewer of the months have a report, or a report of nothing."""


class TableRows:
    """Reads the rows of one table of a release: cells in the order of their index, then units in the order of their code."""

    def __init__(self, release: Release, table: Table, event_set: str) -> None:
        self._release, self._table, self._event_set = release, table, event_set
        self._found, self._grid, self._assessment = release.found, release.grid, table.assessment
        levels, paths = table.partition.levels, table.partition.paths
        self._size = len(levels)
        self._order = np.lexsort((paths[np.arange(self._size), levels], levels))
        self._level, self._path = levels[self._order], paths[self._order]
        number = np.empty(self._size, np.int64)
        number[self._order] = np.arange(self._size)
        self._counted = np.flatnonzero(table.row >= 0)
        self._row = number[table.row[self._counted]]
        self._number = number
        self._own = np.flatnonzero(self._level == table.level.finest)
        self._position = np.searchsorted(self._assessment.cells, self._path[self._own, table.level.finest])
        self._has_rates, self._has_nearby = (
            self._is_among(each[table.level]) for each in (release.shown.rates, release.shown.nearby)
        )

    def _is_among(self, cells: set[int]) -> Flags:
        """Which rows are those of these cells."""
        found = np.zeros(self._size, bool)
        found[self._own] = [cell in cells for cell in self._path[self._own, self._table.level.finest].tolist()]
        return found

    def __iter__(self) -> Iterator[Row]:
        """Give the rows, with None for what is not known or not told."""
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, values, strict=True))

    @cached_property
    def columns(self) -> dict[str, Sequence[Value]]:
        """The values of every column, one for each row."""
        return {
            **self._constants(),
            **(places := self._places()),
            **self._counts(),
            **self._sums(),
            **self._losses(),
            **self._rates(),
            **self._neighbourhoods(),
            **self._judgements(places["country"]),
        }

    def _constants(self) -> dict[str, Sequence[Value]]:
        exposure, window = self._assessment.exposure, self._release.window
        constants = {
            "period_start": window.start.isoformat(),
            "period_end": window.end.isoformat(),
            "event_set": self._event_set,
            "exposure_unit": exposure.unit,
            "exposure_basis": exposure.basis,
            "rate_unit": exposure.rate_unit,
            "method": METHOD,
            "method_version": METHOD_VERSION,
            "attack_rule": RULE,
        }
        return {name: [value] * self._size for name, value in constants.items()}

    def _places(self) -> dict[str, Sequence[Value]]:
        """Cells come before units."""
        in_cell = self._level < ADMIN1
        cells = self._path[in_cell, self._level[in_cell]]
        grid, codes = self._grid, self._release.region.codes
        numbers = (each.tolist() for each in (*grid.centres(cells), grid.areas_km2(cells)))
        latitudes, longitudes, areas = (
            [round(value, digits) for value in each] for each, digits in zip(numbers, (4, 4, 3), strict=True)
        )
        admin1 = [codes[unit] for unit in self._release.land.units_of(cells).tolist()]
        units = [self._unit(*each) for each in zip(self._level[~in_cell].tolist(), self._path[~in_cell].tolist(), strict=True)]
        no_cell: list[Value] = [None] * len(units)
        return {
            "cell_id": [*map(grid.name_of, cells.tolist()), *(unit[0] for unit in units)],
            "cell_level": [(*grid.levels, *CELL_LEVELS[ADMIN1:])[level] for level in self._level.tolist()],
            "coordinate_uncertainty_m": [*(grid.farthest_m[level] for level in self._level[in_cell].tolist()), *no_cell],
            "lat": latitudes + no_cell,
            "lon": longitudes + no_cell,
            "area_km2": areas + no_cell,
            "country": [*(code[:2] for code in admin1), *(unit[1] for unit in units)],
            "admin1": [*admin1, *(unit[2] for unit in units)],
        }

    def _unit(self, level: int, path: list[int]) -> tuple[str, str, str | None]:
        """Name, country and code of a unit that is no cell."""
        region = self._release.region
        country = region.countries[path[COUNTRY] % UNPLACED - 1]
        code = country if level == COUNTRY else region.codes[path[ADMIN1] % UNPLACED - 1]
        unplaced = ":unplaced" if path[COUNTRY] >= UNPLACED else ""
        return f"{CELL_LEVELS[level]}:{code}{unplaced}", country, code if level == ADMIN1 else None

    def _number_of(self, chosen: Flags) -> Ints:
        """How many of the chosen attacks each row counts."""
        return np.bincount(self._row[chosen[self._counted]], minlength=self._size)

    def _counts(self) -> dict[str, Sequence[Value]]:
        attacks, struck = self._found.attacks, self._release.struck[self._event_set]
        events = np.bincount(self._row, minlength=self._size)
        strict = self._number_of(attacks.certainty == STRICT)
        row_of_atom = self._table.partition.row_of_place
        households = distinct_households(row_of_atom, struck, self._size)[self._order].tolist()
        return {
            "n_events": events.tolist(),
            "n_reports": np.bincount(self._row, attacks.n_reports[self._counted], self._size).astype(np.int64).tolist(),
            "n_events_strict": strict.tolist(),
            "n_households": [band(number) for number in households] if self._table.level.bands else households,
            "verified_share": [round(share, 4) for share in (strict / events).tolist()],
        }

    def _sums(self) -> dict[str, Sequence[Value]]:
        names = ("killed", "killed_small", "killed_large", "injured", "missing")
        killed, small, large, injured, missing = (self._told(name) for name in names)
        parts = zip(killed, small, large, strict=True)  # one part alone would give the other away
        both = [(few, many) if None not in (whole, few, many) else (None, None) for whole, few, many in parts]
        return {
            "n_killed": killed,
            "n_killed_small": [few for few, _ in both],
            "n_killed_large": [many for _, many in both],
            "n_injured": injured,
            "n_missing": missing,
        }

    def _told(self, name: str) -> Sequence[int | None]:
        """The sum of each row, where it may be told."""
        values = np.nan_to_num(self._release.sums[name][self._counted])
        shown = {int(self._number[row]) for row in self._release.shown.sums[self._table.level, self._event_set, name]}
        totals = np.bincount(self._row, values, self._size).tolist()
        return [round(total) if row in shown else None for row, total in enumerate(totals)]

    def _losses(self) -> dict[str, Sequence[Value]]:
        """The value of what was lost, where it is all in one currency."""
        attacks = self._found.attacks
        known = np.isfinite(attacks.loss[self._counted])
        names, currency = np.unique(attacks.currency[self._counted[known]], return_inverse=True)
        lowest, highest = np.full(self._size, len(names)), np.full(self._size, -1)
        np.minimum.at(lowest, self._row[known], currency)
        np.maximum.at(highest, self._row[known], currency)
        one = np.where(lowest == highest, lowest, -1).tolist()
        told = [
            (None, None) if loss is None or code < 0 else (loss, str(names[code]))
            for loss, code in zip(self._told("loss"), one, strict=True)
        ]
        return {"loss_local": [loss for loss, _ in told], "loss_currency": [code for _, code in told]}

    def _spread(self, rows: Ints, names: Sequence[str], values: Iterable[Sequence[Value]]) -> dict[str, Sequence[Value]]:
        """Columns that are known of some rows only: these values for each of them."""
        columns: dict[str, Sequence[Value]] = {}
        for name, column in zip(names, values, strict=True):
            full: list[Value] = [None] * self._size
            for row, value in zip(rows.tolist(), column, strict=True):
                full[row] = value
            columns[name] = full
        return columns

    def _rates(self) -> dict[str, Sequence[Value]]:
        exposure = self._assessment.exposure
        shown = self._has_rates[self._own]
        position = self._position[shown]
        values, events = exposure.values[position], self._assessment.events[position]
        per = (exposure.rate_per / values).tolist()
        limits = [garwood_interval(number) for number in events.tolist()]
        names = ("exposure", "rate", "rate_lo", "rate_hi", "rate_eb")
        columns = (
            [digits(value) for value in values.tolist()],
            [digits(number * each) for number, each in zip(events.tolist(), per, strict=True)],
            [digits(lower * each) for (lower, _), each in zip(limits, per, strict=True)],
            [digits(upper * each) for (_, upper), each in zip(limits, per, strict=True)],
            [digits(rate * exposure.rate_per, 3) for rate in self._assessment.rate_eb[position].tolist()],
        )
        return self._spread(self._own[shown], names, columns)

    def _neighbourhoods(self) -> dict[str, Sequence[Value]]:
        result = self._assessment
        shown = self._has_nearby[self._own]
        position = self._position[shown]
        figures = (result.expected, result.relative_risk, result.p, result.q)
        columns = (
            result.nearby[position].tolist(),
            *([digits(value) for value in figure[position].tolist()] for figure in figures),
            [None if math.isnan(z) else round(z, 2) for z in result.gi_star_z[position].tolist()],
        )
        names = ("nb_events", "nb_expected", "rr_nb", "p_value", "q_value", "gi_star_z")
        return self._spread(self._own[shown], names, columns)

    def _judgements(self, countries: Sequence[Value]) -> dict[str, Sequence[Value]]:
        """What is said of each row in words, and how seldom anybody told of its country."""
        history = [str(told) or None for told in self._release.history(self._table.level).classes[self._position].tolist()]
        completeness = [self._release.completeness(str(country)) for country in countries]
        return {
            "hotspot_class": self._strongest(),
            **self._spread(self._own, ("history_class",), (history,)),
            "completeness": [round(share, 2) for share in completeness],
            "suppression": self._suppressions(),
            "quality_flags": self._flags(completeness),
        }

    def _strongest(self) -> list[Value]:
        """The strongest class of the cells that each row counts attacks in; one that is not published is none."""
        assessment, found = self._assessment, self._found
        if not assessment.sufficient:
            return [INSUFFICIENT] * self._size
        rank_of_cell = np.select([assessment.classes == HOT_99, assessment.classes == HOT_95], [0, 1], 2)
        place = found.place[self._counted]
        in_cell = np.flatnonzero(place < found.cell_places)
        at = np.searchsorted(assessment.cells, found.paths[: found.cell_places, self._table.level.finest])
        rank = np.full(self._size, 2)
        np.minimum.at(rank, self._row[in_cell], rank_of_cell[at][place[in_cell]])
        return [(HOT_99, HOT_95, NONE)[one] for one in rank.tolist()]

    def _suppressions(self) -> list[Value]:
        partition = self._table.partition
        whole = (self._level == self._table.level.finest) | self._table.unplaced[self._order]
        words = np.where(partition.merged[self._order], "merged", np.where(whole, "none", "rolled_up"))
        return list(words.tolist())

    def _flags(self, completeness: Sequence[float]) -> list[Value]:
        """What to beware of in each row, separated by semicolons."""
        assessment, is_own = self._assessment, np.zeros(self._size, bool)
        is_own[self._own] = True
        floored = np.zeros(self._size, bool)
        if assessment.exposure.floored is not None:
            floored[self._own] = assessment.exposure.floored[self._position]
        clustered = assessment.sufficient and assessment.dispersion > STRONGLY_CLUSTERED
        every = np.ones(self._size, bool)
        flags = {
            "coarse_location": self._number_of(self._found.attacks.accuracy_m > COARSE_M) > 0,
            "insufficient": every & (not assessment.sufficient),
            "overdispersed": every & clustered,
            "nearby_withheld": is_own & ~self._has_nearby & assessment.sufficient,
            "exposure_floor": floored,
            "exposure_withheld": is_own & ~self._has_rates,
            "under_reported": np.array(completeness) < SELDOM,
        }
        columns = [[name if flag else "" for flag in which.tolist()] for name, which in flags.items()]
        return [";".join(filter(None, each)) for each in zip(*columns, strict=True)]


def digits(value: float, number: int = 6) -> float | None:
    """Round to so many digits; None for what is no number."""
    return float(f"{value:.{number}g}") if math.isfinite(value) else None
