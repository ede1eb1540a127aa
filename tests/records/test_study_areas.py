"""Study areas: taken in from a file, found from a point, and every record looked at again when they change."""

import json
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import Point, box, mapping
from sqlalchemy import select, update

from forms.problems import Problem
from records import study_areas
from records.models import Submission
from records.store import Store
from records.study_areas import KnownAreas, StudyAreas
from tests.support.commands import Run
from tests.support.conflict import insert_record
from tests.support.stores import PROJECT

BIG, SMALL = box(51, 35, 53, 37), box(51.4, 35.6, 51.6, 35.8)


def feature(code: Any = "KH-1", geometry: Any = BIG, **properties: Any) -> dict[str, Any]:
    given = {"code": code, "name": f"Area {code}", "country": "IR", "metapopulation": 2, "transboundary": False} | properties
    return {"type": "Feature", "properties": given, "geometry": mapping(geometry) if hasattr(geometry, "geom_type") else geometry}


def written(folder: Path, *features: Any) -> Path:
    path = folder / "areas.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def test_a_point_lies_in_the_smallest_area_that_holds_it() -> None:
    areas = StudyAreas({"A-big": mapping(BIG), "B-small": mapping(SMALL)})
    assert [areas.at(35.7, 51.5), areas.at(36.5, 52.5), areas.at(30.0, 52.5)] == ["B-small", "A-big", None]


def test_an_office_holds_nothing_and_is_near() -> None:
    areas = StudyAreas({"office": mapping(Point(51.5, 35.7))})
    assert (areas.at(35.7, 51.5), areas.is_at_office(35.708, 51.5, 1.0), areas.is_at_office(35.71, 51.5, 1.0)) == (
        None,
        True,
        False,
    )


def test_the_distance_is_that_to_the_area_however_its_code_is_spelt() -> None:
    areas = StudyAreas({"KH-1": mapping(BIG)})
    assert areas.km_from("kh ۱", 36, 52) == 0
    assert areas.km_from("KH1", 38, 52) == pytest.approx(111.2, abs=0.1)
    assert areas.km_from("KH-2", 38, 52) is None


def test_areas_are_taken_in_replaced_and_removed_and_records_looked_at_again(cli: Run, store: Store, tmp_path: Path) -> None:
    store.write(lambda connection: insert_record(connection, "uuid:1", {}))
    done = update(Submission).values(checked=1)
    assert "2 areas: KH-1, KH-2" in cli("area", "import", str(written(tmp_path, feature(), feature("KH-2", SMALL)))).output
    assert checked(store) == 0
    known = KnownAreas()
    assert at(store, known) == "KH-2"
    store.write(lambda connection: connection.execute(done))
    cli("area", "import", str(written(tmp_path, feature("KH-2", box(60, 30, 61, 31), name="کویر", transboundary=True))))
    assert (checked(store), at(store, known)) == (0, "KH-1")
    assert cli("area", "list").output == "KH-1\tArea KH-1\tIR\t2\nKH-2\tکویر\tIR\t2\ttransboundary\n"
    cli("area", "remove", "KH-1")
    assert at(store, known) is None
    cli("area", "remove", "KH-1", code="not_found")


def checked(store: Store) -> Any:
    with store.read() as connection:
        return connection.execute(select(Submission.checked)).scalar()


def at(store: Store, known: KnownAreas) -> str | None:
    with store.read() as connection:
        return known.of(connection, PROJECT).at(35.7, 51.5)


BOW_TIE = {"type": "Polygon", "coordinates": [[[51, 35], [52, 36], [52, 35], [51, 36], [51, 35]]]}


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ([], "no GeoJSON file"),
        (["x"], "code of 1 to 64"),
        ([feature(code="")], "code of 1 to 64"),
        ([feature(code="A" * 65)], "code of 1 to 64"),
        ([feature(code="–")], "code of 1 to 64"),
        ([feature(country="Iran")], "two letters"),
        ([feature(metapopulation=5)], "metapopulation"),
        ([feature(metapopulation="2")], "metapopulation"),
        ([feature(transboundary="yes")], "transboundary"),
        ([feature(), feature(code="kh_1")], "same code"),
        ([feature(geometry=BOW_TIE)], "not valid"),
        ([feature(geometry=None)], "geometry"),
        ([feature(geometry={"type": "Polygon", "coordinates": [[1, 2]]})], "geometry"),
        ([feature(geometry=box(500_000, 3_900_000, 510_000, 3_910_000))], "degrees"),
    ],
)
def test_a_file_that_cannot_be_used_says_why_and_changes_nothing(
    sqlite_store: Store, tmp_path: Path, features: list[Any], said: str
) -> None:
    with pytest.raises(Problem, match=said):
        study_areas.import_file(sqlite_store, PROJECT, written(tmp_path, *features))
    with sqlite_store.read() as connection:
        assert study_areas.listed(connection, PROJECT) == []


def test_a_file_that_is_no_json_says_so(sqlite_store: Store, tmp_path: Path) -> None:
    path = tmp_path / "areas.geojson"
    path.write_bytes(b"\xff\xd8")
    with pytest.raises(Problem, match="no GeoJSON"):
        study_areas.import_file(sqlite_store, PROJECT, path)
