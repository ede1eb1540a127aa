"""Land and its first-level administrative units: where a cell lies, and whether it lies in the region at all."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from exports.grid import H3, Cells, Grid
from exports.statistics import Ints
from records.geography import SHIPPED


class Region:
    """The boundaries of the study region, asked for whole cells. `codes` and `countries` are in ascending order."""

    def __init__(self, units: dict[str, BaseGeometry]) -> None:
        self.codes = sorted(units)
        self.countries = sorted({code[:2] for code in self.codes})
        self.country_of_unit: Ints = np.array([self.countries.index(code[:2]) for code in self.codes], np.int64)
        shapes = [units[code] for code in self.codes]
        shapely.prepare(shapes)
        self._tree = shapely.STRtree(shapes)

    def touched(self, cells: Cells, grid: Grid = H3) -> NDArray[np.bool_]:
        """Tell which cells have land of the region inside their outline."""
        return self.units_touched(cells, grid) >= 0

    def units_touched(self, cells: Cells, grid: Grid = H3) -> Ints:
        """Give the unit of each cell, as `units_of`; -1 where no land of the region is inside its outline."""
        points, units = self._at_centres(cells, grid)
        beside = np.flatnonzero(units < 0)
        outlines = np.array([shapely.Polygon(grid.outline(cell)) for cell in cells[beside].tolist()], object)
        beside = beside[np.unique(self._tree.query(outlines, predicate="intersects")[0])]
        units[beside] = self._tree.nearest(points[beside])
        return units

    def units_of(self, cells: Cells, grid: Grid = H3) -> Ints:
        """Give for each cell the position in `codes` of the unit that holds its centre, or of the nearest one."""
        points, units = self._at_centres(cells, grid)
        beside = np.flatnonzero(units < 0)
        units[beside] = self._tree.nearest(points[beside])
        return units

    def _at_centres(self, cells: Cells, grid: Grid) -> tuple[NDArray[np.object_], Ints]:
        """The centres of cells, and the unit that holds each of them (-1: none)."""
        latitudes, longitudes = grid.centres(cells)
        points = np.array(shapely.points(longitudes, latitudes), object)
        units = np.full(len(cells), -1, np.int64)
        inside, unit = self._tree.query(points, predicate="intersects")
        units[inside] = unit
        return points, units


def read_units(path: Path = SHIPPED) -> dict[str, BaseGeometry]:
    """Read the units of a GeoJSON file whose features have a `code`."""
    parts: dict[str, list[BaseGeometry]] = {}
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        parts.setdefault(feature["properties"]["code"], []).append(shape(feature["geometry"]))
    return {code: shapely.union_all(polygons) for code, polygons in parts.items()}


@lru_cache(maxsize=2)
def region_of(boundaries: Path | None = None) -> Region:
    """Give the region of a file of boundaries, else that of the shipped one: the 13 states of the Persian leopard's range."""
    return Region(read_units(boundaries or SHIPPED))
