"""Where points lie: units, the nearest within a distance, distances; the seas; boundaries of one's own."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box, mapping, shape

from forms.problems import Problem
from records.geography import Boundaries, boundaries, distance_km, km_between, unit_names
from records.outlines import Outline
from records.seas import is_sea
from tests.support.commands import Run

ORACLES = Path(__file__).parents[1] / "oracles"
POINTS = st.tuples(st.floats(-89, 89), st.floats(-179, 179))


def square(*bounds: float) -> Outline:
    return Outline.of(mapping(box(*bounds)))


def test_a_point_beside_a_unit_belongs_to_the_nearest_within_the_distance() -> None:
    land = Boundaries({"AA-1": square(50, 35, 51, 36), "BB-1": square(51.03, 35, 52, 36)})
    assert land.unit_near(35.5, 50.5, 2.0) == "AA-1"
    assert land.unit_near(35.5, 51.01, 2.0) == "AA-1"
    assert land.unit_near(35.5, 51.02, 2.0) == "BB-1"
    assert land.unit_near(36.02, 50.5, 2.0) is None
    assert land.countries_within(35.5, 51.015, 2.0) == {"AA", "BB"}


@given(one=POINTS, other=POINTS)
def test_distances_are_the_same_both_ways_and_at_most_half_way_round(one: tuple[float, float], other: tuple[float, float]) -> None:
    assert km_between(one, other) == pytest.approx(km_between(other, one))
    assert 0 <= km_between(one, other) <= 20_016


def test_distances_are_those_of_the_sphere() -> None:
    assert km_between((35.7, 51.4), (36.3, 59.6)) == pytest.approx(740, abs=2)  # Tehran to Mashhad
    assert distance_km(square(51, 35, 52, 36), 37, 51.5) == pytest.approx(111.2, abs=0.1)


@pytest.mark.parametrize(
    ("name", "point"),
    [("Caspian", (39.5, 50.5)), ("Black Sea", (43.0, 35.0)), ("Azov", (46.0, 36.5)), ("Persian Gulf", (26.5, 52.5)),
     ("Oman", (24.8, 58.5)), ("Aegean", (38.5, 25.5)), ("Marmara", (40.7, 28.2)), ("Levant", (35.5, 33.0))],
)  # fmt: skip
def test_seas_are_seas(name: str, point: tuple[float, float]) -> None:
    assert is_sea(*point), name


@pytest.mark.parametrize(
    "point", [(33.5, 36.3), (29.4, 47.9), (25.3, 51.5), (45.0, 34.1), (46.35, 48.0), (44.4, 26.1), (42.9, 74.6), (46.0, 8.9)]
)
def test_the_land_of_other_states_is_no_sea(point: tuple[float, float]) -> None:
    assert not is_sea(*point)


def test_units_are_named_in_the_readers_language() -> None:
    assert (unit_names("en")["IR-23"], unit_names("fa")["IR-23"]) == ("Tehran", "استان تهران")


def test_boundaries_may_come_from_a_file_of_ones_own(tmp_path: Path) -> None:
    canton = json.loads((ORACLES / "canton_ticino.geojson").read_text())["geometry"]
    path = tmp_path / "own.geojson"
    named = {"type": "Feature", "properties": {"code": "CH-TI", "name": "Ticino"}, "geometry": canton}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [named]}))
    inside = shape(canton).representative_point()
    land = boundaries(path)
    assert land.units_at([inside.y], [inside.x]) == ["CH-TI"]
    assert (land.countries, unit_names("fa", path)) == (["CH"], {"CH-TI": "Ticino"})


def test_a_file_without_units_is_a_wrong_setting(tmp_path: Path, cli: Run) -> None:
    path = tmp_path / "broken.geojson"
    path.write_text('{"features": [{"properties": {}, "geometry": null}]}')
    with pytest.raises(Problem, match="TULLIANA_BOUNDARIES"):
        boundaries(path)
    cli("check", code="settings_invalid", TULLIANA_BOUNDARIES=str(path))
    cli("check", code="settings_invalid", TULLIANA_BOUNDARIES=str(tmp_path / "none.geojson"))
