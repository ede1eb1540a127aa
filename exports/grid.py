"""Grids of cells: points to cells, cells to neighbourhoods, areas and outlines. H3 is the usual grid; `equal_area` has squares.

Counting is two pure functions, `Grid.part` (points to counts) and `merge` (counts to counts), so that batches, processes or
machines can share the work. Cells are unsigned 64-bit numbers above zero, which say their size.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, NamedTuple, TypeAlias

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from exports.statistics import Floats, Ints, Pairs
from records.counted import CELLS

Cells: TypeAlias = NDArray[np.uint64]


class CellCounts(NamedTuple):
    """Distinct cells in ascending order and how many points lie in each."""

    cells: Cells
    counts: Ints


class Grid(ABC):
    """Cells of three sizes, by level: 0 the finest, which partners see, 1 for the public, 2 around both."""

    name: str
    levels: tuple[str, str, str]
    """What a cell of each level is called in tables."""
    farthest_m: tuple[int, int, int]
    """Largest distance from the centre of a cell of each level to its corners anywhere in the region, in metres."""

    @abstractmethod
    def cells_of(self, latitudes: Floats, longitudes: Floats, level: int = 0) -> Cells:
        """Give the cell of each point (degrees, WGS 84)."""

    @abstractmethod
    def parents(self, cells: Cells, level: int) -> Cells:
        """Give the cell of a level that each cell belongs to."""

    @abstractmethod
    def around(self, cells: Cells) -> Cells:
        """Give every cell and its neighbours: a row for each cell, with 0 where it has fewer neighbours than others."""

    @abstractmethod
    def areas_km2(self, cells: Cells) -> Floats:
        """Give the true area of each cell."""

    @abstractmethod
    def centres(self, cells: Cells) -> tuple[Floats, Floats]:
        """Give latitude and longitude of each cell's centre in degrees."""

    @abstractmethod
    def outline(self, cell: int) -> list[tuple[float, float]]:
        """Give the corners of a cell as (longitude, latitude), counter-clockwise, closed."""

    @abstractmethod
    def within(self, geometry: dict[str, Any]) -> Sequence[int]:
        """Give the finest cells with their centre in a GeoJSON polygon, ascending."""

    @abstractmethod
    def name_of(self, cell: int) -> str:
        """Give the text that tables have for a cell."""

    @abstractmethod
    def named(self, name: str) -> int:
        """Give the cell of such a text."""

    def part(self, latitudes: Floats, longitudes: Floats) -> CellCounts:
        """Count the points of one batch by finest cell."""
        return CellCounts(*np.unique(self.cells_of(latitudes, longitudes), return_counts=True))

    def ring(self, cell: int) -> list[int]:
        """Give a cell and its neighbours."""
        near = self.around(np.array([cell], np.uint64))
        found: list[int] = near[near > 0].tolist()
        return found

    def with_ring(self, cells: Cells) -> Cells:
        """Give the cells and all their neighbours, distinct, ascending."""
        near = self.around(cells)
        return np.unique(near[near > 0])

    def neighbourhoods(self, cells: Cells) -> Pairs:
        """Pair each cell with itself and with those of its neighbours that are among the cells (ascending, distinct)."""
        near = self.around(cells)
        position = np.minimum(np.searchsorted(cells, near), max(len(cells) - 1, 0))
        owners, place = np.nonzero(cells[position] == near)
        return Pairs(len(cells), owners, position[owners, place])


class _H3(Grid):
    """Hexagons of Uber H3, version 4: six neighbours each, not all of one area; a child may stick out of its parent a little."""

    name = "h3"
    levels = ("h3_6", "h3_5", "h3_4")
    farthest_m = (4100, 10850, 28700)
    _FINEST, _NEAR = CELLS, 7

    def cells_of(self, latitudes: Floats, longitudes: Floats, level: int = 0) -> Cells:
        found = map(h3.latlng_to_cell, latitudes.tolist(), longitudes.tolist(), repeat(self._FINEST - level))
        return np.fromiter(found, np.uint64, len(latitudes))

    def parents(self, cells: Cells, level: int) -> Cells:
        return np.fromiter(map(h3.cell_to_parent, cells.tolist(), repeat(self._FINEST - level)), np.uint64, len(cells))

    def around(self, cells: Cells) -> Cells:
        disks = [h3.grid_disk(cell, 1) for cell in cells.tolist()]
        full = [disk if len(disk) == self._NEAR else [*disk, 0] for disk in disks]  # around a pentagon there are but six
        return np.array(full, np.uint64).reshape(-1, self._NEAR)

    def areas_km2(self, cells: Cells) -> Floats:
        return np.fromiter(map(h3.cell_area, cells.tolist(), repeat("km^2")), np.float64, len(cells))

    def centres(self, cells: Cells) -> tuple[Floats, Floats]:
        points = np.array([h3.cell_to_latlng(cell) for cell in cells.tolist()]).reshape(-1, 2)
        return points[:, 0], points[:, 1]

    def outline(self, cell: int) -> list[tuple[float, float]]:
        corners = [(longitude, latitude) for latitude, longitude in h3.cell_to_boundary(cell)]
        return [*corners, corners[0]]

    def within(self, geometry: dict[str, Any]) -> Sequence[int]:
        return sorted(h3.geo_to_cells(geometry, self._FINEST))

    def name_of(self, cell: int) -> str:
        return str(h3.int_to_str(cell))

    def named(self, name: str) -> int:
        return int(h3.str_to_int(name))


H3 = _H3()


def merge(parts: Iterable[CellCounts]) -> CellCounts:
    """Add the counts of several batches."""
    every = list(parts)
    if not every:
        return CellCounts(np.empty(0, np.uint64), np.empty(0, np.int64))
    cells, position = np.unique(np.concatenate([one.cells for one in every]), return_inverse=True)
    counts = np.bincount(position, weights=np.concatenate([one.counts for one in every]), minlength=len(cells))
    return CellCounts(cells, counts.astype(np.int64))
