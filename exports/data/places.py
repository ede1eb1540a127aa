"""The places people answered with, as geometries: longitude before latitude, WGS 84, flat (altitudes stay in their columns)."""

from collections.abc import Mapping, Sequence
from typing import Any

from shapely import LinearRing, LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from exports.tables import Path
from forms.datatypes import read_point


def place_of(answers: Mapping[str, Any], questions: Sequence[tuple[Path, str]]) -> BaseGeometry | None:
    """The geometry of the first of these questions that was answered and can be read."""
    for path, kind in questions:
        found: Any = answers
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, str) and found and (geometry := geometry_of(found, kind)) is not None:
            return geometry
    return None


def geometry_of(text: str, kind: str) -> BaseGeometry | None:
    """A geopoint, geotrace or geoshape as a geometry, None where it cannot be read.

    Outer rings are anticlockwise (RFC 7946). A line of one place is a point, a ring of fewer than three places a line.
    """
    try:
        points = [read_point(part)[1::-1] for part in text.strip().rstrip(";").split(";")]
    except ValueError:
        return None
    points = [each for index, each in enumerate(points) if not index or each != points[index - 1]]
    if len(points) == 1:
        return Point(points[0])
    if kind == "geoshape" and len(set(points)) > 2:
        ring = LinearRing(points)
        return Polygon(ring if ring.is_ccw else ring.reverse())
    return LineString(points)
