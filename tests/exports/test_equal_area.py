"""Squares of EASE-Grid 2.0: the projection is the published one, every cell has its area, and cells nest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box, mapping

from exports.equal_area import EASE10, to_degrees, to_metres

points = st.tuples(st.floats(-84, 84), st.floats(-179.9, 179.9))
MAZANDARAN = EASE10.cells_of(np.array([36.6]), np.array([52.4]))


def one(point: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(point[:1]), np.array(point[1:])


def test_the_corner_of_the_map_is_where_the_definition_of_the_grid_has_it() -> None:
    """Upper left corner of the 1 km to 36 km grids: Brodzik et al. 2014, and nsidc.org/ease/ease-grid-projection-gt."""
    eastings, northings = to_metres(*one((85.0445664, -180.0)))
    assert eastings[0] == pytest.approx(-17367530.45, abs=0.005)
    assert northings[0] == pytest.approx(7314540.83, abs=0.005)
    latitudes, longitudes = to_degrees(np.array([-17367530.44516138]), np.array([7314540.83063856]))
    assert (latitudes[0], longitudes[0]) == pytest.approx((85.0445664, -180.0), abs=5e-8)


@given(points)
@settings(max_examples=200, deadline=None)
def test_metres_and_degrees_go_both_ways(point: tuple[float, float]) -> None:
    latitudes, longitudes = to_degrees(*to_metres(*one(point)))
    assert (latitudes[0], longitudes[0]) == pytest.approx(point, abs=1e-10)


def surface(west: float, south: float, east: float, north: float) -> float:
    """The area of part of the ellipsoid WGS 84 in km2, summed up (Gauss-Legendre) from the radii of its curvature."""
    a, e2 = 6378.137, 0.0066943799901413165
    nodes, weights = np.polynomial.legendre.leggauss(12)
    latitudes = np.radians((north + south) / 2 + (north - south) / 2 * nodes)
    across = np.cos(latitudes) * a**2 * (1 - e2) / (1 - e2 * np.sin(latitudes) ** 2) ** 2
    return float(np.radians(east - west) * np.radians(north - south) / 2 * (weights @ across))


@given(points, st.integers(0, 2))
@settings(max_examples=100, deadline=None)
def test_every_cell_has_the_same_area_on_the_ground(point: tuple[float, float], level: int) -> None:
    cells = EASE10.cells_of(*one(point), level)
    corners = np.array(EASE10.outline(int(cells[0])))
    area = surface(*corners.min(axis=0), *corners.max(axis=0))
    assert area == pytest.approx((10 * 2**level) ** 2, rel=1e-9)
    assert EASE10.areas_km2(cells).tolist() == [(10 * 2**level) ** 2]


@given(points, st.integers(0, 2))
@settings(max_examples=100, deadline=None)
def test_a_point_lies_in_its_cell_and_cells_nest(point: tuple[float, float], level: int) -> None:
    cell = EASE10.cells_of(*one(point), level)
    corners = np.array(EASE10.outline(int(cell[0])))
    (west, south), (east, north) = corners.min(axis=0) - 1e-9, corners.max(axis=0) + 1e-9
    assert west <= point[1] <= east
    assert south <= point[0] <= north
    assert EASE10.parents(EASE10.cells_of(*one(point)), level).tolist() == cell.tolist()
    assert EASE10.cells_of(*EASE10.centres(cell), level).tolist() == cell.tolist()
    assert EASE10.named(EASE10.name_of(int(cell[0]))) == cell[0]


def test_names_say_the_size_and_count_columns_and_rows_from_the_middle_of_the_map() -> None:
    cells = EASE10.cells_of(np.array([36.6, -0.01, -0.01]), np.array([52.4, -0.01, 0.01]), 1)
    assert [EASE10.name_of(int(cell)) for cell in cells] == ["ease_20:E252N218", "ease_20:W1S1", "ease_20:E0S1"]
    with pytest.raises(ValueError, match="no cell of this grid"):
        EASE10.named("861f9d75fffffff")


def test_eight_squares_lie_around_each() -> None:
    cells = EASE10.with_ring(MAZANDARAN)
    columns, rows = to_metres(*EASE10.centres(cells))
    middle = to_metres(*EASE10.centres(MAZANDARAN))
    steps = {(round(x), round(y)) for x, y in zip((columns - middle[0]) / 10_000, (rows - middle[1]) / 10_000, strict=True)}
    assert steps == {(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)}
    pairs = EASE10.neighbourhoods(cells)
    assert sorted(np.bincount(pairs.cells).tolist()) == [4] * 4 + [6] * 4 + [9]
    assert set(zip(pairs.cells, pairs.neighbours, strict=True)) == set(zip(pairs.neighbours, pairs.cells, strict=True))


def test_the_cells_of_an_area_are_those_with_their_centre_in_it() -> None:
    area = box(52, 36, 53, 37)
    cells = np.array(EASE10.within(mapping(area)), np.uint64)
    latitudes, longitudes = EASE10.centres(cells)
    assert len(cells) == len(set(cells.tolist())) == 99
    assert cells.tolist() == sorted(cells.tolist())
    assert (np.abs(latitudes - 36.5) < 0.5).all()
    assert (np.abs(longitudes - 52.5) < 0.5).all()
