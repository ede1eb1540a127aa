"""Cells, neighbourhoods and land."""

import re

import h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from exports.equal_area import EASE10
from exports.grid import H3, Grid, merge
from exports.land import Land
from exports.regions import Region, region_of

MAZANDARAN = H3.cells_of(np.array([36.6]), np.array([52.4]))
points = st.lists(st.tuples(st.floats(36, 36.4), st.floats(52, 52.4)), max_size=60)


@given(points, st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_counting_in_parts_equals_counting_at_once(sent: list[tuple[float, float]], cut: int) -> None:
    every = np.array(sent).reshape(-1, 2)
    parts = [H3.part(batch[:, 0], batch[:, 1]) for batch in (every[:cut], every[cut:])]
    whole = H3.part(every[:, 0], every[:, 1])
    assert [column.tolist() for column in merge(parts)] == [column.tolist() for column in whole]
    assert merge(reversed(parts)).counts.sum() == len(sent)


def test_cells_equal_those_of_h3_itself() -> None:
    assert H3.name_of(int(MAZANDARAN[0])) == h3.latlng_to_cell(36.6, 52.4, 6)
    assert H3.name_of(int(H3.parents(MAZANDARAN, 2)[0])) == h3.latlng_to_cell(36.6, 52.4, 4)


def test_a_neighbourhood_is_the_cell_and_those_of_its_ring_that_are_studied() -> None:
    cells = H3.with_ring(MAZANDARAN)
    assert len(cells) == 7
    pairs = H3.neighbourhoods(cells)
    counts = np.bincount(pairs.cells)
    assert counts[np.searchsorted(cells, MAZANDARAN[0])] == 7
    assert sorted(counts.tolist()) == [4] * 6 + [7]
    assert set(zip(pairs.cells, pairs.neighbours, strict=True)) == set(zip(pairs.neighbours, pairs.cells, strict=True))


def test_no_cells_have_no_neighbourhoods() -> None:
    assert H3.neighbourhoods(np.empty(0, np.uint64)).size == 0
    assert len(H3.with_ring(np.empty(0, np.uint64))) == 0


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("grid", [H3, EASE10], ids=["h3", "ease10"])
def test_no_cell_of_the_region_reaches_farther_than_its_row_says(grid: Grid, level: int) -> None:
    latitudes, longitudes = np.meshgrid(np.arange(23.0, 55.0, 2), np.arange(26.0, 87.0, 3))
    cells = np.unique(grid.cells_of(latitudes.ravel(), longitudes.ravel(), level))
    touched = cells[region_of().touched(cells, grid)]
    farthest = max(
        h3.great_circle_distance(centre, (latitude, longitude), unit="m")
        for cell, centre in zip(touched.tolist(), zip(*grid.centres(touched), strict=True), strict=True)
        for longitude, latitude in grid.outline(cell)
    )
    assert 0.9 * grid.farthest_m[level] < farthest <= grid.farthest_m[level]


def test_the_region_is_the_thirteen_states_with_iso_codes() -> None:
    region = region_of()
    assert region.countries == ["AF", "AM", "AZ", "GE", "IQ", "IR", "KZ", "PK", "RU", "TJ", "TM", "TR", "UZ"]
    assert all(re.fullmatch("[A-Z]{2}-[A-Z0-9]{1,3}", code) for code in region.codes)


@pytest.mark.parametrize(
    ("latitude", "longitude", "code"),
    [
        (36.47, 52.35, "IR-02"),  # Amol, Mazandaran: Natural Earth numbers it otherwise
        (38.08, 46.29, "IR-03"),  # Tabriz
        (37.95, 58.38, "TM-A"),  # Ashgabat stands inside Ahal
        (35.56, 45.43, "IQ-SU"),  # Sulaymaniyah
        (42.98, 47.50, "RU-DA"),  # Makhachkala
    ],
)
def test_cities_lie_in_their_units(latitude: float, longitude: float, code: str) -> None:
    region = region_of()
    unit = region.units_of(H3.cells_of(np.array([latitude]), np.array([longitude])))[0]
    assert region.codes[unit] == code
    assert region.countries[region.country_of_unit[unit]] == code[:2]


def test_the_sea_and_other_countries_are_outside_and_the_coast_inside() -> None:
    caspian, berlin, coast = H3.cells_of(np.array([39.0, 52.5, 36.70]), np.array([51.0, 13.4, 52.65]))
    cells = np.array([caspian, berlin, coast], np.uint64)
    assert region_of().touched(cells).tolist() == [False, False, True]


def test_a_cell_that_only_touches_land_belongs_to_the_nearest_unit() -> None:
    longitude = h3.cell_to_latlng(H3.name_of(int(MAZANDARAN[0])))[1]
    shore = Region({"IR-02": box(longitude + 0.02, 36, longitude + 1, 37), "TM-B": box(50, 36, 51, 37)})
    assert shore.touched(MAZANDARAN).tolist() == [True]
    assert shore.codes[shore.units_of(MAZANDARAN)[0]] == "IR-02"


def test_the_study_area_is_the_footprint_and_its_ring_on_land() -> None:
    latitude = h3.cell_to_latlng(H3.name_of(int(MAZANDARAN[0])))[0]
    everywhere = Region({"IR-02": box(50, 35, 55, 39)})
    south = Region({"IR-02": box(50, 35, 55, latitude - 0.05)})
    assert Land(everywhere).around(MAZANDARAN).tolist() == H3.with_ring(MAZANDARAN).tolist()
    assert 0 < len(Land(south).around(MAZANDARAN)) < 7
