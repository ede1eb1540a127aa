"""The shipped outline on a flat sheet: an equal-area projection for one map, and outlines as fine as the map can show.

Albers' conic projection on a sphere (Snyder, Map Projections: A Working Manual, USGS 1987, section 14), so that areas compare.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from exports.grid import H3
from exports.regions import read_units
from records.geography import EARTH_KM, SHIPPED

Box = tuple[float, float, float, float]
Line = Sequence[tuple[float, float]]
_SMALLEST_KM = 300.0
"""A map shows at least so much across."""
_MARGIN = 0.08


@lru_cache(maxsize=2)
def units(boundaries: Path | None) -> dict[str, BaseGeometry]:
    """The first-level units by code."""
    return read_units(boundaries or SHIPPED)


@lru_cache(maxsize=2)
def countries(boundaries: Path | None) -> dict[str, BaseGeometry]:
    """The countries by code, from their units."""
    parts: dict[str, list[BaseGeometry]] = {}
    for code, unit in sorted(units(boundaries).items()):
        parts.setdefault(code[:2], []).append(unit)
    return {code: shapely.union_all(found) for code, found in parts.items()}


@dataclass(frozen=True)
class Sheet:
    """A map of a region: `box` is what it shows (degrees: west, south, east, north), `width` its size in units of the drawing."""

    box: Box
    width: float

    def _cone(self) -> tuple[float, float, float, float]:
        west, south, east, north = (math.radians(each) for each in self.box)
        first, second = south + (north - south) / 6, north - (north - south) / 6
        n = (math.sin(first) + math.sin(second)) / 2
        c = math.cos(first) ** 2 + 2 * n * math.sin(first)
        middle = (south + north) / 2
        return n, c, math.sqrt(c - 2 * n * math.sin(middle)) / n, (west + east) / 2

    def _km(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        n, c, origin, meridian = self._cone()
        angle = n * (np.radians(points[:, 0]) - meridian)
        radius = np.sqrt(np.maximum(c - 2 * n * np.sin(np.radians(points[:, 1])), 0)) / n
        return EARTH_KM * np.column_stack([radius * np.sin(angle), radius * np.cos(angle) - origin])

    @property
    def _frame(self) -> tuple[float, float, float, float]:
        """Least and largest x and y in km."""
        edge = shapely.get_coordinates(shapely.segmentize(shapely.box(*self.box), 0.5))
        (left, top), (right, bottom) = self._km(edge).min(axis=0), self._km(edge).max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    @property
    def per_km(self) -> float:
        """Units of the drawing for one kilometre."""
        left, _, right, _ = self._frame
        return self.width / (right - left)

    @property
    def height(self) -> float:
        """The height of the map in units of the drawing."""
        _, top, _, bottom = self._frame
        return (bottom - top) * self.per_km

    def flat(self, shape: BaseGeometry) -> BaseGeometry:
        """A shape on the sheet, cut at its edge and as fine as can be seen."""
        cut = shapely.clip_by_rect(shape, *self.box)
        left, top, _, _ = self._frame
        scale = self.per_km
        drawn = shapely.transform(cut, lambda points: (self._km(points) - (left, top)) * scale)
        return drawn.simplify(0.4)

    def cell(self, cell_id: str, least: float) -> list[tuple[float, float]]:
        """The outline of a cell; one smaller than `least` across is drawn larger."""
        corners = np.array(H3.outline(H3.named(cell_id)), np.float64)
        left, top, _, _ = self._frame
        points = (self._km(corners) - (left, top)) * self.per_km
        middle = points[:-1].mean(axis=0)
        points = middle + (points - middle) * max(1.0, least / float(np.ptp(points[:, 0])))
        return [(float(x), float(y)) for x, y in points]

    def ring(self, centre: tuple[float, float], radius_km: float, least: float) -> list[tuple[float, float]]:
        """A circle around a place (latitude, longitude); one with a radius below `least` is drawn larger."""
        left, top, _, _ = self._frame
        middle = (self._km(np.array([centre[::-1]], np.float64))[0] - (left, top)) * self.per_km
        radius = max(radius_km * self.per_km + 4, least)
        angles = np.linspace(0, 2 * math.pi, 37)
        return [(float(middle[0] + radius * math.cos(one)), float(middle[1] + radius * math.sin(one))) for one in angles]


def lines(shape: BaseGeometry) -> Iterator[Line]:
    """The rings of a flat shape."""
    for part in shapely.get_parts(shape):
        if isinstance(part, shapely.Polygon):
            for ring in (part.exterior, *part.interiors):
                yield [(float(x), float(y)) for x, y in ring.coords]


def cell_shape(cell_id: str) -> BaseGeometry:
    """The outline of a cell in degrees."""
    return shapely.Polygon(H3.outline(H3.named(cell_id)))


def box_around(shapes: Sequence[BaseGeometry]) -> Box:
    """What a map of these shapes shows: all of them with a margin, and some land around small ones."""
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    stretch = math.cos(math.radians((south + north) / 2))
    least = _SMALLEST_KM / (EARTH_KM * math.radians(1))
    wide = max((east - west) * (1 + 2 * _MARGIN), least / stretch)
    high = max((north - south) * (1 + 2 * _MARGIN), least, wide * stretch * 0.55)
    wide = max(wide, high / stretch * 0.9)
    x, y = (west + east) / 2, (south + north) / 2
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2
