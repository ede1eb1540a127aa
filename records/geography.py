"""Land and its first-level administrative units: which of them a point lies in."""

import json
import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from forms.problems import Problem

SHIPPED = Path(__file__).parent / "data" / "admin1.geojson"
EARTH_KM = 6371.0
KM_PER_DEGREE = math.radians(1) * EARTH_KM
"""Of latitude, on a sphere."""


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
        return {self.codes[unit][:2] for _, unit in self._near(latitude, longitude, km)}

    def unit_near(self, latitude: float, longitude: float, km: float) -> str | None:
        """The unit that holds a point, or the nearest one at most `km` beside it; None without one."""
        return min(((distance, self.codes[unit]) for distance, unit in self._near(latitude, longitude, km)), default=(0.0, None))[1]

    def _near(self, latitude: float, longitude: float, km: float) -> list[tuple[float, int]]:
        """(distance in km, position) of the units at most `km` away."""
        up, across = km / KM_PER_DEGREE, km / KM_PER_DEGREE / _stretch(latitude)
        box = shapely.box(longitude - across, latitude - up, longitude + across, latitude + up)
        asked: NDArray[np.int64] = self._tree.query(box, predicate="intersects")
        parts = ((int(unit), shapely.clip_by_rect(self._units[unit], *box.bounds)) for unit in asked)
        found = [(distance_km(part, latitude, longitude), unit) for unit, part in parts]
        return [(distance, unit) for distance, unit in found if distance <= km]


def distance_km(area: BaseGeometry, latitude: float, longitude: float) -> float:
    """How far a point lies from an area, in km on a plane at the latitude of the point; zero inside, infinite from nothing."""
    if area.is_empty:
        return math.inf
    scale = np.array([_stretch(latitude), 1.0])
    plane = shapely.transform(area, lambda points: points * scale)
    return float(plane.distance(shapely.Point(longitude * scale[0], latitude))) * KM_PER_DEGREE


def km_between(first: tuple[float, float], second: tuple[float, float]) -> float:
    """The length of the great circle between two points (latitude, longitude) in degrees, on a sphere of 6,371 km."""
    (south, west), (north, east) = (map(math.radians, point) for point in (first, second))
    haversine = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin((east - west) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, haversine)))


def _stretch(latitude: float) -> float:
    """How long a degree of longitude is there, compared with one of latitude."""
    return max(math.cos(math.radians(latitude)), 0.01)


def read_units(path: Path = SHIPPED) -> dict[str, BaseGeometry]:
    """The units of a GeoJSON file whose features have a `code`."""
    parts: dict[str, list[BaseGeometry]] = {}
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        parts.setdefault(feature["properties"]["code"], []).append(shape(feature["geometry"]))
    return {code: shapely.union_all(polygons) for code, polygons in parts.items()}


@lru_cache(maxsize=2)
def boundaries(path: Path | None = None) -> Boundaries:
    """The units of a file; without one those of the 13 states of the Persian leopard's range (Russia: the North Caucasus only).

    Raises `Problem("settings_invalid")` for a file that has none.
    """
    try:
        return Boundaries(read_units(path or SHIPPED))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, shapely.errors.ShapelyError) as error:
        message = f"TULLIANA_BOUNDARIES: {path} is no GeoJSON file of areas with a property code: {error}."
        raise Problem("settings_invalid", message) from error


@lru_cache(maxsize=8)
def unit_names(language: str, path: Path | None = None) -> dict[str, str]:
    """The names of the units by their codes, in a language where the file has it as `name_xx`, else as it has them."""
    features = json.loads((path or SHIPPED).read_text(encoding="utf-8"))["features"]
    known = [feature["properties"] for feature in features]
    return {each["code"]: each.get(f"name_{language}") or each.get("name") or each["code"] for each in known}
