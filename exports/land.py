"""A region as the cells of a grid: every cell is looked up once, however often it is asked for."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exports.grid import H3, Cells, Grid
from exports.regions import Region
from exports.statistics import Floats, Ints


class Remembered:
    """What is known of cells; only those that were not asked for before are looked up. The values of each are a row."""

    def __init__(self, look_up: Callable[[Cells], NDArray[Any]]) -> None:
        self._look_up = look_up
        self._cells = np.empty(0, np.uint64)
        self._values = look_up(self._cells)

    def __call__(self, cells: Cells) -> NDArray[Any]:
        """Give the value of each cell."""
        position = np.searchsorted(self._cells, cells)
        is_new = np.append(self._cells, 0)[position] != cells
        if is_new.any():
            new = np.unique(cells[is_new])
            place = np.searchsorted(self._cells, new)
            self._values = np.insert(self._values, place, self._look_up(new), axis=0)
            self._cells = np.insert(self._cells, place, new)
            position = np.searchsorted(self._cells, cells)
        return self._values[position]


class RememberingGrid(Grid):
    """A grid that remembers its answers."""

    def __init__(self, grid: Grid) -> None:
        self.name, self.levels, self.farthest_m = grid.name, grid.levels, grid.farthest_m
        self._grid = grid
        self._around, self._areas_km2 = Remembered(grid.around), Remembered(grid.areas_km2)
        self._centres = Remembered(lambda cells: np.column_stack(grid.centres(cells)))

    def cells_of(self, latitudes: Floats, longitudes: Floats, level: int = 0) -> Cells:
        return self._grid.cells_of(latitudes, longitudes, level)

    def parents(self, cells: Cells, level: int) -> Cells:
        return self._grid.parents(cells, level)

    def around(self, cells: Cells) -> Cells:
        return self._around(cells)

    def areas_km2(self, cells: Cells) -> Floats:
        return self._areas_km2(cells)

    def centres(self, cells: Cells) -> tuple[Floats, Floats]:
        points = self._centres(cells)
        return points[:, 0], points[:, 1]

    def outline(self, cell: int) -> list[tuple[float, float]]:
        return self._grid.outline(cell)

    def within(self, geometry: dict[str, Any]) -> Sequence[int]:
        return self._grid.within(geometry)

    def name_of(self, cell: int) -> str:
        return self._grid.name_of(cell)

    def named(self, name: str) -> int:
        return self._grid.named(name)


class Land:
    """The cells of a region."""

    def __init__(self, region: Region, grid: Grid = H3) -> None:
        self.region, self.grid = region, RememberingGrid(grid)
        self._units = Remembered(lambda cells: region.units_touched(cells, self.grid))

    def units_touched(self, cells: Cells) -> Ints:
        """The unit of the region that each cell belongs to; -1 for one without any land of it."""
        return self._units(cells)

    def units_of(self, cells: Cells) -> Ints:
        """The unit of the region that each cell belongs to, or is nearest to."""
        units = self._units(cells)
        beside = units < 0
        units[beside] = self.region.units_of(cells[beside], self.grid)
        return units

    def around(self, cells: Cells) -> Cells:
        """The cells with land of the region among these and their neighbours, distinct, ascending."""
        every = self.grid.with_ring(cells)
        return every[self.units_touched(every) >= 0]
