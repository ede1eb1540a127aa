"""Where attacks are counted: the smallest place each may be counted in, and all the larger ones around it."""

from dataclasses import dataclass

import numpy as np

from exports.episodes import attacks_of
from exports.grid import H3, Cells, Grid
from exports.privacy import ADMIN1
from exports.regions import Region
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


def placed(reports: Reports, window: Window, region: Region, grid: Grid = H3) -> Placed:
    """Join the counted reports of the window into attacks and find their places. Attacks outside the region are left out."""
    first, last = window.days
    in_window = (reports.day >= first) & (reports.day <= last)
    counted = in_window & (reports.certainty > NOT_COUNTED)
    attacks = attacks_of(reports.where(counted))
    cell, unit, country = located(attacks.latitude, attacks.longitude, attacks.country, region, grid)
    outside = (cell > 0) & (unit < 0)
    kept = ~outside & (country >= 0)
    unlocated = (cell == 0) | (attacks.accuracy_m > WORST_ACCURACY_M)
    in_cell = kept & ~unlocated & attacks.shared
    left_out = {
        "n_uncertain": in_window & ~counted,
        "n_outside": outside,
        "n_no_country": ~outside & (country < 0),
        "n_unlocated": kept & unlocated,
        "n_not_shared": kept & ~unlocated & ~attacks.shared,
        "n_coarse": in_cell & (attacks.accuracy_m > COARSE_M),
    }
    place, paths, cell_places = _places(cell[kept], unit[kept], country[kept], in_cell[kept], grid)
    counts = {reason: int(which.sum()) for reason, which in left_out.items()}
    return Placed(attacks.where(kept), place, paths, cell_places, counts)


def located(latitude: Floats, longitude: Floats, named: Codes, region: Region, grid: Grid = H3) -> tuple[Cells, Ints, Ints]:
    """Cell (0: no point), administrative unit (-1: none) and country (-1: none) of points and of the countries that were named."""
    known = np.isfinite(latitude)
    cell = np.zeros(len(latitude), np.uint64)
    cell[known] = grid.cells_of(latitude[known], longitude[known])
    cells, position = np.unique(cell, return_inverse=True)
    units = np.full(len(cells), -1, np.int64)
    on_land = np.flatnonzero(cells)
    on_land = on_land[region.touched(cells[on_land], grid)]
    units[on_land] = region.units_of(cells[on_land], grid)
    unit = units[position]
    names, name = np.unique(named, return_inverse=True)
    countries = {code: number for number, code in enumerate(region.countries)}
    said = np.array([countries.get(code, -1) for code in names.tolist()], np.int64)[name]
    return cell, unit, np.where(unit >= 0, region.country_of_unit[unit], said)


def _places(cell: Cells, unit: Ints, country: Ints, in_cell: Flags, grid: Grid) -> tuple[Ints, Cells, int]:
    around = np.column_stack([unit + 1, country + 1]).astype(np.uint64)
    cells, first, cell_place = np.unique(cell[in_cell], return_index=True, return_inverse=True)
    cell_paths = np.column_stack([cells, grid.parents(cells, 1), grid.parents(cells, 2), around[in_cell][first]])
    unplaced, unplaced_place = np.unique(around[~in_cell], axis=0, return_inverse=True)
    no_cell = np.zeros((len(unplaced), ADMIN1), np.uint64)
    unplaced_paths = np.column_stack([no_cell, np.where(unplaced > 0, unplaced + UNPLACED, 0)]).astype(np.uint64)
    place = np.empty(len(cell), np.int64)
    place[in_cell] = cell_place
    place[~in_cell] = len(cells) + unplaced_place.reshape(-1)
    return place, np.concatenate([cell_paths, unplaced_paths]), len(cells)
