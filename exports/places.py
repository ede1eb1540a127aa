"""Where attacks are counted: the smallest place each may be counted in, and all the larger ones around it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from exports.episodes import attacks_of
from exports.grid import Cells
from exports.land import Land
from exports.privacy import ADMIN1
from exports.reports import NOT_COUNTED, Codes, Flags, Reports
from exports.statistics import Floats, Ints
from exports.windows import Window

WORST_ACCURACY_M = 2000.0
"""A point less certain than this lies in no cell."""
COARSE_M = 500.0

UNPLACED = 1 << 32
"""Added to the number of a unit for the attacks in it without a cell: they are never in one row with the others."""


@dataclass(frozen=True)
class Placed:
    """Attacks, the place of each, and the units around each place. The first `cell_places` places are cells.

    `paths` is (places, 5): the unit at each of `privacy.CELL_LEVELS` (or cells of another grid), 0 where there is none.
    Administrative units and countries count from 1 in the order of the region.
    """

    attacks: Reports
    place: Ints
    paths: Cells
    cell_places: int
    left_out: dict[str, int]
    """How many reports and attacks were left out, or kept out of cells, by reason."""


def placed(reports: Reports, window: Window, land: Land) -> Placed:
    """Join the counted reports of the window into attacks and find their places. Attacks outside the region are left out."""
    first, last = window.days
    in_window = (reports.day >= first) & (reports.day <= last)
    counted = in_window & (reports.certainty > NOT_COUNTED)
    attacks = attacks_of(reports if counted.all() else reports.where(np.flatnonzero(counted)))
    cells, of_cell, unit, country = located(attacks.latitude, attacks.longitude, attacks.country, land, attacks.cell)
    has_cell = (cells > 0)[of_cell]
    outside = has_cell & (unit < 0)
    kept = ~outside & (country >= 0)
    unlocated = ~has_cell | (attacks.accuracy_m > WORST_ACCURACY_M)
    in_cell = kept & ~unlocated & attacks.shared
    left_out = {
        "n_uncertain": in_window & ~counted,
        "n_outside": outside,
        "n_no_country": ~outside & (country < 0),
        "n_unlocated": kept & unlocated,
        "n_not_shared": kept & ~unlocated & ~attacks.shared,
        "n_coarse": in_cell & (attacks.accuracy_m > COARSE_M),
    }
    counts = {reason: int(which.sum()) for reason, which in left_out.items()}
    if not kept.all():
        attacks, in_cell = attacks.where(np.flatnonzero(kept)), in_cell[kept]
        of_cell, unit, country = (each[kept] for each in (of_cell, unit, country))
    return Placed(attacks, *_places(cells, of_cell, unit, country, in_cell, land), counts)


class Located(NamedTuple):
    """Where points lie. `cells` are distinct (0: none), `of_cell` the position of that of each point among them.

    `unit` and `country` are -1 where there is none; the country is the one that was named where there is no unit.
    """

    cells: Cells
    of_cell: Ints
    unit: Ints
    country: Ints


def located(latitude: Floats, longitude: Floats, named: Codes, land: Land, cell: Cells | None = None) -> Located:
    """Locate points (degrees; not-a-number: none), each with the country that was named; `cell` where it is known (0: not yet)."""
    cell = np.zeros(len(latitude), np.uint64) if cell is None else cell.copy()
    asked = np.flatnonzero((cell == 0) & np.isfinite(latitude))
    cell[asked] = land.grid.cells_of(latitude[asked], longitude[asked])
    cells, of_cell = np.unique(cell, return_inverse=True)
    units = np.full(len(cells), -1, np.int64)
    units[cells > 0] = land.units_touched(cells[cells > 0])
    unit = units[of_cell]
    country = np.where(unit >= 0, land.region.country_of_unit[unit], -1)
    elsewhere = np.flatnonzero(unit < 0)
    names, name = np.unique(named[elsewhere], return_inverse=True)
    countries = {code: number for number, code in enumerate(land.region.countries)}
    country[elsewhere] = np.array([countries.get(code, -1) for code in names.tolist()], np.int64)[name]
    return Located(cells, of_cell, unit, country)


def _places(cells: Cells, of_cell: Ints, unit: Ints, country: Ints, in_cell: Flags, land: Land) -> tuple[Ints, Cells, int]:
    is_used = np.bincount(of_cell[in_cell], minlength=len(cells)) > 0
    cells = cells[is_used]
    units = land.units_touched(cells)
    around = (land.grid.parents(cells, 1), land.grid.parents(cells, 2), units + 1, land.region.country_of_unit[units] + 1)
    elsewhere = np.column_stack([unit[~in_cell] + 1, country[~in_cell] + 1]).astype(np.uint64)
    unplaced, unplaced_place = np.unique(elsewhere, axis=0, return_inverse=True)
    no_cell = np.zeros((len(unplaced), ADMIN1), np.uint64)
    unplaced_paths = np.column_stack([no_cell, np.where(unplaced > 0, unplaced + UNPLACED, 0)])
    place = (np.cumsum(is_used) - 1)[of_cell]
    place[~in_cell] = len(cells) + unplaced_place.reshape(-1)
    paths = np.concatenate(
        [np.column_stack([each.astype(np.uint64) for each in (cells, *around)]), unplaced_paths.astype(np.uint64)]
    )
    return place, paths, len(cells)
