"""A release from the records to the files: complete, readable everywhere, the same bytes again, without what it must not say."""

import csv
import hashlib
import io
import json
import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import h3
import pytest
import shapely
from sqlalchemy import Connection, Engine

from exports.csvfile import write_table
from exports.hotspots.columns import COLUMNS
from exports.hotspots.export import run_hotspots
from exports.package.contents import ExportResult
from exports.package.release import Made, make
from exports.recipes import RECIPES, Recipe
from forms.problems import Problem
from records.access import Access
from records.models import Base
from records.store import open_engine
from tests.support.conflict import answers, insert_record
from tests.support.stores import EVERYTHING

AS_OF = date(2026, 9, 28)
"""The first day on which both levels release the quarter that ended on 30 June."""
SECRET = "Mahmoud, Siahkal"


def fill(connection: Connection) -> None:
    """A hot valley, sparse attacks around it, and reports that may not be in any cell."""
    chance = random.Random(4)
    middle = (36.6, 52.4)
    for number in range(160):
        spread = 0.03 if number < 90 else 0.5
        place = (middle[0] - abs(chance.gauss(0, spread)), middle[1] + chance.gauss(0, spread), 12.0)
        content = answers(f"H{chance.randrange(60)}", confidence=chance.choice(["certain", "probable"]))
        content |= {"where": {"place_name": SECRET}, "reporter": {**content["reporter"], "owner_contact": SECRET}}
        insert_record(connection, f"uuid:{number}", content, place=place, day=date(2024, 8, 1) + timedelta(days=4 * number))
    for number in range(30):
        content = answers(f"R{number}", share="no")
        insert_record(connection, f"uuid:r{number}", content, day=date(2025, 1, 1) + timedelta(days=number))
    for number in range(70):
        visit = {"incident_ref": f"uuid:{number}", "predator_final": "leopard", "verification_status": "confirmed"}
        insert_record(connection, f"uuid:v{number}", visit, form_id="conflict_verification")
    for number in range(400):
        place = (36.6 - chance.random(), 51.9 + chance.random(), 5.0)
        insert_record(connection, f"uuid:e{number}", {}, place=place, form_id="dog_impact")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('records') / 'records.db'}")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        fill(connection)
        yield connection
    engine.dispose()


@pytest.fixture(scope="module", params=["partner", "public"])
def result(records: Connection, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ExportResult:
    return run_hotspots(records, EVERYTHING, request.param, AS_OF, tmp_path_factory.mktemp(request.param))


def table(result: ExportResult, event_set: str = "standard") -> list[dict[str, str]]:
    path = next(result.folder.glob(f"*_{event_set}_*.csv"))
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def test_every_listed_file_is_there_with_its_digest(result: ExportResult) -> None:
    assert sorted(file.name for file in result.files) == sorted(path.name for path in result.folder.iterdir())
    for file in result.files:
        content = (result.folder / file.name).read_bytes()
        assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_names_say_predator_set_window_and_level(result: ExportResult) -> None:
    level = result.summary["level"]
    assert f"conflict_hotspots_leopard_strict_2024Q3-2026Q2_{level}.csv" in {file.name for file in result.files}


def test_the_table_has_the_columns_of_the_dictionary(result: ExportResult) -> None:
    raw = next(result.folder.glob("*_standard_*.csv")).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfrelease_id,cell_id,")
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert list(table(result)[0]) == [column.name for column in COLUMNS]


def test_a_hot_valley_is_found(result: ExportResult) -> None:
    hot = [row for row in table(result) if row["hotspot_class"] == "hot_99"]
    assert hot
    for row in hot:
        assert row["exposure_basis"] == "area"
        if row["q_value"]:
            assert float(row["q_value"]) <= 0.01
            assert int(row["nb_events"]) > float(row["nb_expected"])


def test_every_attack_is_counted_once(result: ExportResult) -> None:
    rows = table(result)
    assert sum(int(row["n_events"]) for row in rows) == result.summary["sets"]["standard"]["n_events"] == 190
    assert sum(int(row["n_events"]) for row in rows if row["cell_id"].endswith(":unplaced")) == 30


def test_the_strict_table_holds_the_verified_attacks(result: ExportResult) -> None:
    standard, strict = table(result), table(result, "strict")
    assert sum(int(row["n_events_strict"]) for row in standard) == sum(int(row["n_events"]) for row in strict) == 70
    assert {row["verified_share"] for row in strict} == {"1.0"}


def test_numbers_and_dates_have_the_types_of_the_dictionary(result: ExportResult) -> None:
    read = {"integer": int, "number": float, "date": date.fromisoformat, "string": str}
    for row in table(result):
        for column in COLUMNS:
            if row[column.name]:
                read[column.type](row[column.name])
        assert row["n_events"]
        assert row["hotspot_class"] in {"hot_99", "hot_95", "none", "insufficient"}
        assert row["rate_lo"] == "" or float(row["rate_lo"]) < float(row["rate"]) < float(row["rate_hi"])


def test_the_public_table_has_bands_and_no_fine_cells(result: ExportResult) -> None:
    rows = table(result)
    if result.summary["level"] == "public":
        assert {row["n_households"] for row in rows} <= {"5-9", "10+"}
        assert "h3_6" not in {row["cell_level"] for row in rows}
    else:
        assert min(int(row["n_households"]) for row in rows) >= 5
        assert "h3_6" in {row["cell_level"] for row in rows}


def test_the_map_has_valid_outlines_wound_to_the_right(result: ExportResult) -> None:
    content = json.loads(next(result.folder.glob("*_standard_*.geojson")).read_bytes())
    assert content["metadata"]["release_id"] == "2026Q2-r1"
    for feature, row in zip(content["features"], table(result), strict=True):
        assert feature["id"] == row["cell_id"]
        if feature["geometry"] is None:
            assert row["cell_level"] in {"adm1", "country"}
            continue
        outline = shapely.geometry.shape(feature["geometry"])
        assert outline.is_valid
        assert outline.exterior.is_ccw
        assert outline.contains(shapely.Point(float(row["lon"]), float(row["lat"])))
        assert outline.equals_exact(shapely.Polygon([(x, y) for y, x in h3.cell_to_boundary(row["cell_id"])]), 1e-5)


@pytest.mark.parametrize("level", ["partner", "public"])
def test_squares_of_one_area_count_the_same_attacks_and_say_what_they_are(level: str, records: Connection, tmp_path: Path) -> None:
    recipe = Recipe("hotspots", level, "exports.hotspots.export:run_hotspots", {"grid": "ease10"})
    made = make(records, EVERYTHING, recipe, AS_OF, tmp_path)
    assert isinstance(made, Made)
    path = next(made.folder.glob("*_standard_*.csv"))
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    assert sum(int(row["n_events"]) for row in rows) == 190
    assert any(row["hotspot_class"] == "hot_99" for row in rows)
    side = {"ease_10": 10, "ease_20": 20, "ease_40": 40}
    cells = [row for row in rows if row["lat"]]
    assert len({row["cell_level"] for row in cells}) > (level == "partner")
    for row in cells:
        assert row["cell_id"].startswith(f"{row['cell_level']}:E")
        assert float(row["area_km2"]) == side[row["cell_level"]] ** 2
    features = json.loads(path.with_suffix(".geojson").read_text())["features"]
    outlines = [shapely.geometry.shape(one["geometry"]) for one in features if one["geometry"]]
    assert len(outlines) == len(cells)
    for outline, row in zip(outlines, cells, strict=True):
        assert outline.exterior.is_ccw
        assert outline.contains(shapely.Point(float(row["lon"]), float(row["lat"])))
    assert json.loads((made.folder / "provenance.json").read_text())["methods"]["grid"] == "ease10"
    assert "EPSG:6933" in (made.folder / "METHOD.txt").read_text("utf-8")


def test_nothing_typed_by_people_and_no_day_of_an_attack_is_in_any_file(
    result: ExportResult, records: Connection, tmp_path: Path
) -> None:
    made = make(records, EVERYTHING, RECIPES[f"hotspots-{result.summary['level']}"], AS_OF, tmp_path)
    assert isinstance(made, Made)
    for file in made.files:
        content = (made.folder / file.name).read_text("utf-8").replace(made.summary["period_start"], "")
        for word in ("Mahmoud", "Siahkal", "H12", "uuid:", "2024-08", "2025-0"):
            assert word not in content, (file.name, word)


def test_the_same_records_give_the_same_bytes(result: ExportResult, records: Connection, tmp_path: Path) -> None:
    again = run_hotspots(records, EVERYTHING, result.summary["level"], AS_OF, tmp_path)
    assert again.files == result.files


def test_no_release_is_overwritten(result: ExportResult, records: Connection) -> None:
    with pytest.raises(Problem, match="already"):
        run_hotspots(records, EVERYTHING, result.summary["level"], AS_OF, result.folder.parent)


def test_both_databases_give_the_same_bytes(engine: Engine, records: Connection, tmp_path: Path) -> None:
    with engine.begin() as connection:
        fill(connection)
        mine = run_hotspots(connection, EVERYTHING, "partner", AS_OF, tmp_path / "mine")
    assert mine.files == run_hotspots(records, EVERYTHING, "partner", AS_OF, tmp_path / "theirs").files


def test_an_empty_project_makes_a_release_without_rows(records: Connection, tmp_path: Path) -> None:
    result = run_hotspots(records, Access.everything(77, "test"), "public", AS_OF, tmp_path)
    assert [file.rows for file in result.files if file.name.startswith("conflict")] == [0, 0, 0, 0, 0]


def test_a_wrong_level_predator_or_grid_is_a_problem(records: Connection, tmp_path: Path) -> None:
    for level, predator, grid in (("raw", "leopard", "h3"), ("public", "../leopard", "h3"), ("public", "leopard", "s2")):
        with pytest.raises(Problem):
            run_hotspots(records, EVERYTHING, level, AS_OF, tmp_path, predator=predator, grid=grid)
    assert not list(tmp_path.iterdir())


def test_text_that_a_spreadsheet_would_run_is_disarmed_and_numbers_are_not() -> None:
    stream = io.StringIO(newline="")
    assert write_table(stream, ["a", "b"], [["=1+1", -5], ["\tx", None], ['say "hi", you', 1.5577e-20], ["", "ok"]]) == 4
    assert stream.getvalue() == '\ufeffa,b\r\n\'=1+1,-5\r\n\'\tx,\r\n"say ""hi"", you",1.5577e-20\r\n,ok\r\n'
