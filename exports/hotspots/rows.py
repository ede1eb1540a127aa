"""The rows of a hotspot table as people read them: a value for each column of the data dictionary that is known."""

import math
from collections.abc import Iterator
from functools import cached_property
from typing import TypeAlias

import numpy as np

from exports.episodes import RULE
from exports.hotspots.assessment import HOT_95, HOT_99, INSUFFICIENT, METHOD, METHOD_VERSION, NONE
from exports.hotspots.release import Release, Table
from exports.places import COARSE_M, UNPLACED
from exports.privacy import ADMIN1, CELL_LEVELS, COUNTRY, band
from exports.reports import STRICT
from exports.statistics import Ints, garwood_interval

Value: TypeAlias = str | int | float | None
Row: TypeAlias = dict[str, Value]

STRONGLY_CLUSTERED = 2.0
SELDOM = 0.5
"""A country is heard of too seldom when fewer of the months have a report, or a report of nothing."""
PUBLISHED_CLASSES = (HOT_99, HOT_95, NONE, INSUFFICIENT)


class TableRows:
    """Reads the rows of one table of a release, from fine to coarse."""

    def __init__(self, release: Release, table: Table, event_set: str) -> None:
        self._release, self._table, self._event_set = release, table, event_set
        self._found, self._grid = release.found, release.grid
        self._assessment = table.assessment
        self._own = {row: cell for cell, row in table.cells.items()}
        self._members = np.split(
            np.argsort(table.row, kind="stable"), np.searchsorted(np.sort(table.row), range(len(table.partition.levels)))
        )[1:]

    @cached_property
    def _cells(self) -> dict[int, Row]:
        """What is known of each cell that has a row."""
        partition, codes = self._table.partition, self._release.region.codes
        is_cell = np.flatnonzero(partition.levels < ADMIN1)
        cells = partition.paths[is_cell, partition.levels[is_cell]]
        grid = self._grid
        columns = (*grid.centres(cells), grid.areas_km2(cells), self._release.region.units_of(cells, grid))
        return {
            cell: {
                "cell_id": grid.name_of(cell),
                "lat": round(latitude, 4),
                "lon": round(longitude, 4),
                "area_km2": round(area, 3),
                "country": codes[unit][:2],
                "admin1": codes[unit],
            }
            for cell, latitude, longitude, area, unit in zip(*(column.tolist() for column in (cells, *columns)), strict=True)
        }

    def __iter__(self) -> Iterator[Row]:
        """Give the rows; cells in the order of their index, units in the order of their code."""
        partition = self._table.partition
        units = partition.paths[np.arange(len(partition.levels)), partition.levels]
        for number in np.lexsort((units, partition.levels)).tolist():
            yield self._row(number, self._members[number])

    def _row(self, number: int, members: Ints) -> Row:
        row = self._constants() | self._place(number) | self._counts(members) | self._sums(number, members)
        cell = self._own.get(number)
        position = None if cell is None else int(np.searchsorted(self._assessment.cells, cell))
        level = self._table.level
        exposed = cell is None or self._release.exposure_shown(level, cell)
        if position is not None and exposed:
            row |= self._rates(position)
        shown = cell is not None and self._assessment.sufficient and self._release.nearby_shown(level, cell)
        if position is not None and shown:
            row |= self._neighbourhood(position)
        row["hotspot_class"] = self._strongest(members, number)
        if position is not None:
            row["history_class"] = str(self._release.history(level).classes[position]) or None
        completeness = self._release.completeness(str(row["country"]))
        row["completeness"] = round(completeness, 2)
        row["suppression"] = self._suppression(number)
        flags = [*self._flags(members, withheld=cell is not None and not shown), *self._exposure_flags(position, exposed=exposed)]
        row["quality_flags"] = ";".join([*flags, "under_reported"] if completeness < SELDOM else flags)
        return row

    def _constants(self) -> Row:
        exposure = self._assessment.exposure
        window = self._release.window
        return {
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

    def _place(self, number: int) -> Row:
        region = self._release.region
        level = int(self._table.partition.levels[number])
        path = self._table.partition.paths[number]
        if level < ADMIN1:
            about: Row = {"cell_level": self._grid.levels[level], "coordinate_uncertainty_m": self._grid.farthest_m[level]}
            return about | self._cells[int(path[level])]
        row: Row = {"cell_level": CELL_LEVELS[level]}
        country = region.countries[int(path[COUNTRY]) % UNPLACED - 1]
        code = country if level == COUNTRY else region.codes[int(path[ADMIN1]) % UNPLACED - 1]
        unplaced = ":unplaced" if self._table.unplaced[number] else ""
        row["cell_id"] = f"{CELL_LEVELS[level]}:{code}{unplaced}"
        row["country"] = country
        row["admin1"] = code if level == ADMIN1 else None
        return row

    def _counts(self, members: Ints) -> Row:
        attacks = self._found.attacks
        strict = int((attacks.certainty[members] == STRICT).sum())
        households = len(set(attacks.household[members].tolist()) - {-1})
        return {
            "n_events": len(members),
            "n_reports": int(attacks.n_reports[members].sum()),
            "n_events_strict": strict,
            "n_households": band(households) if self._table.level.bands else households,
            "verified_share": round(strict / len(members), 4),
        }

    @cached_property
    def _totals(self) -> dict[str, list[float]]:
        """The sums of every row."""
        rows, size = self._table.row, len(self._table.partition.levels)
        counted = rows >= 0
        return {
            name: np.bincount(rows[counted], np.nan_to_num(values[counted]), size).tolist()
            for name, values in self._release.sums.items()
        }

    def _sums(self, number: int, members: Ints) -> Row:
        killed, injured, missing, small, large, loss = (
            self._totals[name][number] if self._shown(name, number) else None
            for name in ("killed", "injured", "missing", "killed_small", "killed_large", "loss")
        )
        row: Row = {
            name: int(value)
            for name, value in (("n_killed", killed), ("n_injured", injured), ("n_missing", missing))
            if value is not None
        }
        if killed is not None and small is not None and large is not None:
            row |= {"n_killed_small": int(small), "n_killed_large": int(large)}
        attacks = self._found.attacks
        currencies = set(attacks.currency[members[np.isfinite(attacks.loss[members])]].tolist())
        if loss is not None and len(currencies) == 1:
            row |= {"loss_local": round(loss), "loss_currency": currencies.pop()}
        return row

    def _shown(self, name: str, number: int) -> bool:
        return self._release.sum_shown(self._table.level, self._event_set, name, number)

    def _rates(self, position: int) -> Row:
        exposure = self._assessment.exposure
        events = int(self._assessment.events[position])
        per = exposure.rate_per / float(exposure.values[position])
        lower, upper = garwood_interval(events)
        return {
            "exposure": digits(float(exposure.values[position])),
            "rate": digits(events * per),
            "rate_lo": digits(lower * per),
            "rate_hi": digits(upper * per),
            "rate_eb": digits(float(self._assessment.rate_eb[position]) * exposure.rate_per, 3),
        }

    def _neighbourhood(self, position: int) -> Row:
        result = self._assessment
        z = float(result.gi_star_z[position])
        return {
            "nb_events": int(result.nearby[position]),
            "nb_expected": digits(float(result.expected[position])),
            "rr_nb": digits(float(result.relative_risk[position])),
            "p_value": digits(float(result.p[position])),
            "q_value": digits(float(result.q[position])),
            "gi_star_z": None if math.isnan(z) else round(z, 2),
        }

    def _strongest(self, members: Ints, number: int) -> str:
        if self._table.unplaced[number]:
            return NONE if self._assessment.sufficient else INSUFFICIENT
        cells = self._found.paths[self._found.place[members], self._table.level.finest]
        classes = set(self._assessment.classes[np.searchsorted(self._assessment.cells, cells)].tolist())
        return next((name for name in PUBLISHED_CLASSES if name in classes), NONE)

    def _suppression(self, number: int) -> str:
        if self._table.partition.merged[number]:
            return "merged"
        return "none" if number in self._own or self._table.unplaced[number] else "rolled_up"

    def _flags(self, members: Ints, *, withheld: bool) -> Iterator[str]:
        if np.any(self._found.attacks.accuracy_m[members] > COARSE_M):
            yield "coarse_location"
        if not self._assessment.sufficient:
            yield "insufficient"
        elif self._assessment.dispersion > STRONGLY_CLUSTERED:
            yield "overdispersed"
        if withheld and self._assessment.sufficient:
            yield "nearby_withheld"

    def _exposure_flags(self, position: int | None, *, exposed: bool) -> Iterator[str]:
        floored = self._assessment.exposure.floored
        if position is not None and floored is not None and floored[position]:
            yield "exposure_floor"
        if not exposed:
            yield "exposure_withheld"


def digits(value: float, number: int = 6) -> float | None:
    """Round to so many digits; None for what is no number."""
    return float(f"{value:.{number}g}") if math.isfinite(value) else None
