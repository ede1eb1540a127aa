"""Squares of one area: EASE-Grid 2.0 (EPSG:6933), the cylindrical equal-area projection of WGS 84 that is true at 30 degrees.

Brodzik et al. 2012 and 2014 (doi:10.3390/ijgi1010032, doi:10.3390/ijgi3031154) define the projection; its formulas are those of
Snyder 1987 (USGS Professional Paper 1395, pages 76 to 82). Squares begin where Greenwich meets the equator and nest exactly; their
sides are parallels and meridians. The map ends at the 180th meridian, over which nothing is a neighbour.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from exports.grid import Cells, Grid
from exports.statistics import Floats, Ints

_A, _F = 6378137.0, 1 / 298.257223563
_E2 = _F * (2 - _F)
_E = math.sqrt(_E2)
_TRUE_AT = math.radians(30)
_K0 = math.cos(_TRUE_AT) / math.sqrt(1 - _E2 * math.sin(_TRUE_AT) ** 2)
_STEPS = 6
"""Enough to find a latitude to 1e-12 degrees, up to 86 degrees; the map of EASE-Grid 2.0 ends at 85."""
_MIDDLE = 1 << 15
"""Added to columns and rows, which count from the middle of the map, so that none is negative."""
_NAME = re.compile("ease_([0-9]+):([EW])([0-9]+)([NS])([0-9]+)")


def _q(latitude: Floats | float) -> Floats:
    """How much of the ellipsoid lies south of a latitude (radians): Snyder 3-12."""
    sine = np.sin(latitude)
    told: Floats = (1 - _E2) * (sine / (1 - _E2 * sine**2) + np.arctanh(_E * sine) / _E)
    return told


def to_metres(latitudes: Floats, longitudes: Floats) -> tuple[Floats, Floats]:
    """Easting and northing (EPSG:6933) of points in degrees."""
    return _A * _K0 * np.radians(longitudes), _A * _q(np.radians(latitudes)) / (2 * _K0)


def to_degrees(eastings: Floats, northings: Floats) -> tuple[Floats, Floats]:
    """Latitude and longitude of points on the map: Snyder 3-16."""
    q = 2 * _K0 * northings / _A
    latitude: Floats = np.arcsin(np.clip(q / _q(math.pi / 2), -1, 1))
    for _ in range(_STEPS):
        sine = np.sin(latitude)
        latitude = latitude + (1 - _E2 * sine**2) ** 2 / (2 * (1 - _E2) * np.cos(latitude)) * (q - _q(latitude))
    return np.degrees(latitude), np.degrees(eastings / (_A * _K0))


class _Squares(Grid):
    """Squares of 10, 20 and 40 km; each has eight neighbours. Away from 30 degrees they are narrower or wider on the ground."""

    name = "ease10"
    levels = ("ease_10", "ease_20", "ease_40")
    farthest_m = (8300, 16600, 33200)
    _KM = (10, 20, 40)

    def cells_of(self, latitudes: Floats, longitudes: Floats, level: int = 0) -> Cells:
        return self._numbered(level, *(np.floor(each / self._KM[level] / 1000) for each in to_metres(latitudes, longitudes)))

    def parents(self, cells: Cells, level: int) -> Cells:
        columns, rows, km = self._read(cells)
        return self._numbered(level, columns * km // self._KM[level], rows * km // self._KM[level])

    def around(self, cells: Cells) -> Cells:
        steps = np.array([(row << 16) + column for row in (-1, 0, 1) for column in (-1, 0, 1)], np.int64)
        return (cells.astype(np.int64)[:, None] + steps).astype(np.uint64)

    def areas_km2(self, cells: Cells) -> Floats:
        return self._read(cells)[2].astype(np.float64) ** 2

    def centres(self, cells: Cells) -> tuple[Floats, Floats]:
        columns, rows, km = self._read(cells)
        return to_degrees(*((side.astype(np.float64) + 0.5) * km * 1000 for side in (columns, rows)))

    def outline(self, cell: int) -> list[tuple[float, float]]:
        column, row, km = (each[0] for each in self._read(np.array([cell], np.uint64)))
        sides = (np.array([side, side + 1], np.float64) * km * 1000 for side in (column, row))
        (south, north), (west, east) = (each.tolist() for each in to_degrees(*sides))
        return [(west, south), (east, south), (east, north), (west, north), (west, south)]

    def within(self, geometry: dict[str, Any]) -> Sequence[int]:
        shape = shapely.geometry.shape(geometry)
        west, south, east, north = shape.bounds
        corners = self.cells_of(np.array([south, north]), np.array([west, east]))
        columns, rows, _ = self._read(corners)
        every = self._numbered(0, *np.meshgrid(*(np.arange(first, last + 1) for first, last in (columns, rows)))).reshape(-1)
        latitudes, longitudes = self.centres(every)
        found: list[int] = every[shapely.contains_xy(shape, longitudes, latitudes)].tolist()
        return found

    def name_of(self, cell: int) -> str:
        column, row, km = (int(each[0]) for each in self._read(np.array([cell], np.uint64)))
        return f"ease_{km}:{'W' if column < 0 else 'E'}{abs(column)}{'S' if row < 0 else 'N'}{abs(row)}"

    def named(self, name: str) -> int:
        if not (told := _NAME.fullmatch(name)):
            raise ValueError(f"{name} is no cell of this grid")
        km, east, column, north, row = told.groups()
        sides = (int(column) * (-1 if east == "W" else 1), int(row) * (-1 if north == "S" else 1))
        return int(self._numbered(self._KM.index(int(km)), *(np.array([side]) for side in sides))[0])

    def _numbered(self, level: int, columns: Floats | Ints, rows: Floats | Ints) -> Cells:
        """Level, row and column in one number, from 1."""
        low = (rows.astype(np.int64) + _MIDDLE << 16) + columns.astype(np.int64) + _MIDDLE
        return (low + (level + 1 << 32)).astype(np.uint64)

    def _read(self, cells: Cells) -> tuple[Ints, Ints, Ints]:
        """Columns and rows, counted from the middle of the map, and the length of the sides in kilometres."""
        numbers = cells.astype(np.int64)
        columns, rows = (numbers & 0xFFFF) - _MIDDLE, (numbers >> 16 & 0xFFFF) - _MIDDLE
        return columns, rows, np.array(self._KM, np.int64)[(numbers >> 32) - 1]


EASE10 = _Squares()
