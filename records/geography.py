"""Land and its first-level administrative units: which of them a point lies in."""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

SHIPPED = Path(__file__).parent / "data" / "admin1.geojson"
KM_PER_DEGREE = 111.195
"""Of latitude, on a sphere of 6,371 km."""


class Boundaries:
    """Administrative units with ISO 3166-2 codes and the two-letter codes of their countries, in ascending order of code."""

    def __init__(self, units: dict[str, BaseGeometry]) -> None:
        self.codes = sorted(units)
        self.countries = sorted({code[:2] for code in self.codes})
        self._units = [units[code] for code in self.codes]
        shapely.prepare(self._units)
        self._tree = shapely.STRtree(self._units)

    def units_at(self, latitudes: Sequence[float], longitudes: Sequence[float]) -> list[str | None]:
        """The unit that holds each point (degrees, WGS 84); None outside all of them. A point on a border has the first by code."""
        points = shapely.points(longitudes, latitudes)
        found: list[str | None] = [None] * len(latitudes)
        asked, units = self._tree.query(points, predicate="intersects")
        for position, unit in sorted(zip(asked.tolist(), units.tolist(), strict=True), reverse=True):
            found[position] = self.codes[unit]
        return found

    def countries_within(self, latitude: float, longitude: float, km: float) -> set[str]:
        """The countries with land nearer than `km` to a point, its own included. Distances are those on a plane at its latitude."""
        return {self.codes[unit][:2] for unit in self._near(latitude, longitude, km)}

    def is_on_land(self, latitude: float, longitude: float, km: float = 0.0) -> bool:
        """Whether the point lies in a unit or at most `km` beside one."""
        return bool(self._near(latitude, longitude, km))

    def box(self) -> tuple[float, float, float, float]:
        """West, south, east and north of everything, in degrees."""
        west, south, east, north = shapely.total_bounds(np.array(self._units, object))
        return float(west), float(south), float(east), float(north)

    def _near(self, latitude: float, longitude: float, km: float) -> list[int]:
        stretch = float(np.cos(np.radians(latitude)))  # a degree of longitude is shorter
        up, across = km / KM_PER_DEGREE, km / KM_PER_DEGREE / max(stretch, 0.01)
        box = shapely.box(longitude - across, latitude - up, longitude + across, latitude + up)
        inside: NDArray[np.int64] = self._tree.query(box, predicate="intersects")
        if km == 0:
            return [int(unit) for unit in inside]
        point = shapely.Point(longitude * stretch, latitude)
        return [
            int(unit)
            for unit in inside
            if point.distance(shapely.transform(shapely.clip_by_rect(self._units[unit], *box.bounds), _scaled(stretch))) <= up
        ]


def _scaled(stretch: float) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    return lambda points: points * np.array([stretch, 1.0])


def read_units(path: Path = SHIPPED) -> dict[str, BaseGeometry]:
    """The units of a GeoJSON file whose features have a `code`."""
    parts: dict[str, list[BaseGeometry]] = {}
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        parts.setdefault(feature["properties"]["code"], []).append(shape(feature["geometry"]))
    return {code: shapely.union_all(polygons) for code, polygons in parts.items()}


@lru_cache(maxsize=1)
def shipped_boundaries() -> Boundaries:
    """The 13 states of the Persian leopard's range (Russia: the North Caucasus only), Natural Earth 10m."""
    return Boundaries(read_units())
