"""The H3 grid: points to cells, cells to neighbourhoods, areas and outlines.

Counting is two pure functions, `part` (points to counts) and `merge` (counts to counts), so that batches, processes or machines
can share the work. Cells are H3 indexes as unsigned 64-bit numbers (Uber H3, version 4).
"""

from collections.abc import Iterable
from itertools import repeat
from typing import NamedTuple, TypeAlias

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from exports.statistics import Floats, Ints, Pairs

Cells: TypeAlias = NDArray[np.uint64]


class CellCounts(NamedTuple):
    """Distinct cells in ascending order and how many points lie in each."""

    cells: Cells
    counts: Ints


def cells_of(latitudes: Floats, longitudes: Floats, resolution: int) -> Cells:
    """Give the cell of each point (degrees, WGS 84)."""
    found = map(h3.latlng_to_cell, latitudes.tolist(), longitudes.tolist(), repeat(resolution))
    return np.fromiter(found, np.uint64, len(latitudes))


def part(latitudes: Floats, longitudes: Floats, resolution: int) -> CellCounts:
    """Count the points of one batch by cell."""
    return CellCounts(*np.unique(cells_of(latitudes, longitudes, resolution), return_counts=True))


def merge(parts: Iterable[CellCounts]) -> CellCounts:
    """Add the counts of several batches."""
    every = list(parts)
    if not every:
        return CellCounts(np.empty(0, np.uint64), np.empty(0, np.int64))
    cells, position = np.unique(np.concatenate([one.cells for one in every]), return_inverse=True)
    counts = np.bincount(position, weights=np.concatenate([one.counts for one in every]), minlength=len(cells))
    return CellCounts(cells, counts.astype(np.int64))


def parents(cells: Cells, resolution: int) -> Cells:
    """Give the ancestor of each cell by index. A child may stick out of its parent's outline a little."""
    return np.fromiter(map(h3.cell_to_parent, cells.tolist(), repeat(resolution)), np.uint64, len(cells))


def ring(cell: int) -> list[int]:
    """Give a cell and its neighbours."""
    return list(h3.grid_disk(cell, 1))


def with_ring(cells: Cells) -> Cells:
    """Give the cells and all their neighbours, distinct, ascending."""
    near = [neighbour for cell in cells.tolist() for neighbour in h3.grid_disk(cell, 1)]
    return np.unique(np.array(near, np.uint64))


def neighbourhoods(cells: Cells) -> Pairs:
    """Pair each cell with itself and with those of its six neighbours that are among the cells (ascending, distinct)."""
    disks = [h3.grid_disk(cell, 1) for cell in cells.tolist()]
    owners = np.repeat(np.arange(len(cells)), [len(disk) for disk in disks])
    near = np.array([neighbour for disk in disks for neighbour in disk], np.uint64)
    position = np.minimum(np.searchsorted(cells, near), max(len(cells) - 1, 0))
    here = cells[position] == near if len(cells) else np.empty(0, bool)
    return Pairs(len(cells), owners[here], position[here])


def areas_km2(cells: Cells) -> Floats:
    """Give the true area of each cell."""
    return np.fromiter(map(h3.cell_area, cells.tolist(), repeat("km^2")), np.float64, len(cells))


def centres(cells: Cells) -> tuple[Floats, Floats]:
    """Give latitude and longitude of each cell's centre in degrees."""
    points = np.array([h3.cell_to_latlng(cell) for cell in cells.tolist()]).reshape(-1, 2)
    return points[:, 0], points[:, 1]


def outline(cell: int) -> list[tuple[float, float]]:
    """Give the corners of a cell as (longitude, latitude), counter-clockwise, closed."""
    corners = [(longitude, latitude) for latitude, longitude in h3.cell_to_boundary(cell)]
    return [*corners, corners[0]]


def name_of(cell: int) -> str:
    """Give the usual text of an H3 index, such as 861f9d75fffffff."""
    return str(h3.int_to_str(cell))
