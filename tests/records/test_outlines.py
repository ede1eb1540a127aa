"""What lies in an area and how far beside it: the same as GEOS says, for polygons with holes, of several parts and of any shape."""

import math

import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point, Polygon, mapping

from exports.regions import read_units
from records.geography import boundaries
from records.outlines import Outline

DEGREES = st.floats(-3, 3, allow_subnormal=False)
RINGS = st.lists(st.tuples(DEGREES, DEGREES), min_size=3, max_size=9, unique=True)
HOLE = [(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)]


@given(corners=RINGS, x=DEGREES, y=DEGREES, stretch=st.floats(0.3, 1))
def test_any_ring_holds_what_geos_says_and_is_as_far(
    corners: list[tuple[float, float]], x: float, y: float, stretch: float
) -> None:
    polygon = Polygon(corners)
    assume(polygon.is_valid and polygon.area > 1e-3 and polygon.exterior.distance(Point(x, y)) > 1e-6)
    outline = Outline.of(mapping(polygon))
    assert outline.holds(x, y) == polygon.covers(Point(x, y))
    assert outline.size == pytest.approx(polygon.area)
    plane = shapely.transform(polygon, lambda points: points * [stretch, 1])
    assert outline.distance(x, y, stretch) == pytest.approx(plane.distance(Point(x * stretch, y)), abs=1e-9)
    assert outline.distance(x, y, stretch, 0.01) == pytest.approx(min(0.01, plane.distance(Point(x * stretch, y))), abs=1e-9)


def test_a_hole_is_no_part_of_an_area_nor_is_what_lies_between_its_parts() -> None:
    island = Polygon([(0.45, 0.45), (0.55, 0.45), (0.55, 0.55), (0.45, 0.55)])
    outline = Outline.of(mapping(MultiPolygon([Polygon([(0, 0), (1, 0), (1, 1), (0, 1)], [HOLE]), island])))
    assert [outline.holds(x, 0.5) for x in (0.2, 0.42, 0.5, 0.58, 0.8, 1.2)] == [True, False, True, False, True, False]
    assert outline.distance(0.42, 0.5, 1.0) == pytest.approx(0.02)
    assert outline.size == pytest.approx(1 - 0.04 + 0.01)


def test_points_of_the_region_lie_where_geos_has_them() -> None:
    land, units = boundaries(), read_units()
    codes = sorted(units)
    tree = shapely.STRtree([units[code] for code in codes])
    places = [(25 + 0.11 * step % 20, 44 + 0.37 * step % 26) for step in range(2000)]
    asked, found = tree.query(shapely.points([(x, y) for y, x in places]), predicate="intersects")
    assert len(found) > 1000
    expected = dict(zip(asked.tolist(), (codes[unit] for unit in found), strict=True))
    assert land.units_at(*zip(*places, strict=True)) == [expected.get(number) for number in range(len(places))]


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [51, 35]},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[]]},
        {"type": "Polygon", "coordinates": [[["a", "b"]]]},
        {"type": "Polygon", "coordinates": [[[1, math.inf]]]},
        {"type": "Polygon", "coordinates": [[1, 2], [3, 4]]},
    ],
)
def test_what_is_no_area_is_refused(geometry: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Outline.of(geometry)


def test_a_ring_that_repeats_its_corners_has_an_end() -> None:
    outline = Outline.of({"type": "Polygon", "coordinates": [[(0, 0), (0, 0), (1, 0), (1, 1), (1, 1), (0, 0)]]})
    assert (outline.holds(0.7, 0.3), outline.holds(0.3, 0.7)) == (True, False)
    assert outline.distance(2, 1, 1.0) == pytest.approx(1)
    assert outline.distance(-1, -1, 1.0) == pytest.approx(math.sqrt(2))
