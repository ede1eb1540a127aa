"""Land and its first-level administrative units: which of them a point lies in."""

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from forms.problems import Problem
from records.outlines import Outline

SHIPPED = Path(__file__).parent / "data" / "admin1.geojson"
EARTH_KM = 6371.0
KM_PER_DEGREE = math.radians(1) * EARTH_KM
"""Of latitude, on a sphere."""


class Boundaries:
    """Administrative units with ISO 3166-2 codes and the two-letter codes of their countries, in ascending order of code."""

    def __init__(self, units: Mapping[str, Outline]) -> None:
        self.codes = sorted(units)
        self.countries = sorted({code[:2] for code in self.codes})
        self._units = [units[code] for code in self.codes]
        self._squares: dict[tuple[int, int], list[int]] = defaultdict(list)
        """Which units may have a part in a square of one degree."""
        for number, unit in enumerate(self._units):
            for square in _squares(*unit.box):
                self._squares[square].append(number)

    def units_at(self, latitudes: Sequence[float], longitudes: Sequence[float]) -> list[str | None]:
        """The unit that holds each point (degrees, WGS 84), the first by code if several do; None outside all of them."""
        return [self._unit_at(*point) for point in zip(latitudes, longitudes, strict=True)]

    def countries_within(self, latitude: float, longitude: float, km: float) -> set[str]:
        """The countries with land nearer than `km` to a point, its own included. Distances are those on a plane at its latitude."""
        return {self.codes[unit][:2] for _, unit in self._near(latitude, longitude, km)}

    def unit_near(self, latitude: float, longitude: float, km: float) -> str | None:
        """The unit that holds a point, or the nearest one at most `km` beside it; None without one."""
        return min(((distance, self.codes[unit]) for distance, unit in self._near(latitude, longitude, km)), default=(0.0, None))[1]

    def _unit_at(self, latitude: float, longitude: float) -> str | None:
        here = self._squares.get((math.floor(latitude), math.floor(longitude)), ())
        return next((self.codes[unit] for unit in here if self._units[unit].holds(longitude, latitude)), None)

    def _near(self, latitude: float, longitude: float, km: float) -> list[tuple[float, int]]:
        """(distance in km, position) of the units at most `km` away."""
        most = km / KM_PER_DEGREE
        across = most / _stretch(latitude)
        around = _squares(longitude - across, latitude - most, longitude + across, latitude + most)
        asked = {unit for square in around for unit in self._squares.get(square, ())}
        beyond = math.nextafter(most, math.inf)
        found = [(self._units[unit].distance(longitude, latitude, _stretch(latitude), beyond), unit) for unit in asked]
        return [(distance * KM_PER_DEGREE, unit) for distance, unit in found if distance <= most]


def _squares(west: float, south: float, east: float, north: float) -> Iterator[tuple[int, int]]:
    """The squares of one degree that a box touches, by the whole degrees of latitude and longitude in their corners."""
    return product(range(math.floor(south), math.floor(north) + 1), range(math.floor(west), math.floor(east) + 1))


def distance_km(area: Outline, latitude: float, longitude: float) -> float:
    """How far a point lies from an area, in km on a plane at the latitude of the point; zero inside."""
    return area.distance(longitude, latitude, _stretch(latitude)) * KM_PER_DEGREE


def km_between(first: tuple[float, float], second: tuple[float, float]) -> float:
    """The length of the great circle between two points (latitude, longitude) in degrees, on a sphere of 6,371 km."""
    (south, west), (north, east) = (map(math.radians, point) for point in (first, second))
    haversine = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin((east - west) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, haversine)))


def _stretch(latitude: float) -> float:
    """How long a degree of longitude is there, compared with one of latitude."""
    return max(math.cos(math.radians(latitude)), 0.01)


@lru_cache(maxsize=2)
def boundaries(path: Path | None = None) -> Boundaries:
    """The units of a file; without one those of the 13 states of the Persian leopard's range (Russia: the North Caucasus only).

    Raises `Problem("settings_invalid")` for a file that has none.
    """
    polygons: dict[str, list[Any]] = defaultdict(list)
    try:
        for feature in _features(path):
            polygons[feature["properties"]["code"]] += feature["geometry"].polygons
        return Boundaries({code: Outline(found) for code, found in polygons.items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"TULLIANA_BOUNDARIES: {path} is no GeoJSON file of areas with a property code: {error}."
        raise Problem("settings_invalid", message) from error


def _features(path: Path | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((path or SHIPPED).read_text(encoding="utf-8"), object_hook=_outlined)["features"]
    return found


def _outlined(found: dict[str, Any]) -> dict[str, Any] | Outline:
    """Geometries as outlines as soon as they are read: all their numbers at once would take ten times the memory."""
    return Outline.of(found) if "coordinates" in found else found


@lru_cache(maxsize=8)
def unit_names(language: str, path: Path | None = None) -> dict[str, str]:
    """The names of the units by their codes, in a language where the file has it as `name_xx`, else as it has them."""
    known = [feature["properties"] for feature in _features(path)]
    return {each["code"]: each.get(f"name_{language}") or each.get("name") or each["code"] for each in known}
