"""The made-up years: the same for everybody, valid as phones send it, and like the field; and the command that shows it."""

import csv
import json
import os
import subprocess
from collections import Counter
from datetime import date
from itertools import islice
from pathlib import Path

import h3.api.basic_int as h3
import numpy as np
import pytest
from sqlalchemy import select

from exports.recipes import RECIPES
from exports.regions import region_of
from forms.definition import FormDefinition
from forms.entities import asked
from forms.library import workbook
from forms.problems import Problem
from forms.schema import FormSchema, Reading
from forms.submission import case_number, identify
from forms.xlsform import convert_workbooks
from records.models import Submission
from server.demo.filling import Filler
from server.demo.landscapes import COUNTRIES, LANDSCAPES, WORDS
from server.demo.pictures import mountains
from server.demo.reports import Report, reports
from server.demo.run import configure, environment, is_filled
from server.demo.world import RESENT, SECOND_REPORT, SHARES, SWAPPED, TEST, Event, events
from tests.support.servers import COMMAND, Server, free_port

TODAY = date(2026, 11, 22)
PLANTED = {SWAPPED: "location_swapped", TEST: "test"}
SOME = 150
"""Reports that are made anew: a hundred take a second, most of it for their pictures."""
FOUND = {"location_map", "location_named", "picture_reused", "twin_proposed", *PLANTED.values()}
"""What the checks find in 60 reports of it: places set on a map, and what is planted."""


@pytest.fixture(scope="module")
def definitions() -> dict[str, FormDefinition]:
    made = convert_workbooks([workbook(form_id) for form_id in SHARES])
    return {form_id: FormDefinition.from_xform(each.xform) for form_id, each in zip(SHARES, made, strict=True)}


@pytest.fixture(scope="module")
def outbox(definitions: dict[str, FormDefinition]) -> list[Report]:
    return list(reports(events(1, TODAY, 600), definitions, 1))


@pytest.fixture(scope="module")
def read(definitions: dict[str, FormDefinition], outbox: list[Report]) -> list[tuple[Event, Reading]]:
    """Each report once, as the server reads it."""
    schemas = {form_id: FormSchema(definition) for form_id, definition in definitions.items()}
    once = {report.event.number: report for report in outbox}.values()
    return [(report.event, schemas[report.event.form_id].read(identify(report.xml))) for report in once]


@pytest.fixture(scope="module")
def attacks(read: list[tuple[Event, Reading]]) -> list[tuple[Event, Reading]]:
    return [(event, reading) for event, reading in read if event.form_id == "conflict_livestock"]


def test_the_same_seed_and_day_give_the_same_bytes(outbox: list[Report], definitions: dict[str, FormDefinition]) -> None:
    again = islice(reports(events(1, TODAY, 600), definitions, 1), SOME)
    assert [(report.xml, report.files) for report in again] == [(report.xml, report.files) for report in outbox[:SOME]]


def test_another_seed_gives_other_years(outbox: list[Report], definitions: dict[str, FormDefinition]) -> None:
    other = {report.xml for report in islice(reports(events(2, TODAY, 600), definitions, 2), SOME)}
    assert other.isdisjoint({report.xml for report in outbox})


def test_every_report_is_valid_and_says_that_it_is_made_up(read: list[tuple[Event, Reading]], outbox: list[Report]) -> None:
    assert [reading.violations for _, reading in read if reading.violations] == []
    assert all(b"synthetic" in report.xml for report in outbox)


def test_a_real_attack_goes_on_the_list_of_cases_under_the_number_of_its_receipt(
    outbox: list[Report], definitions: dict[str, FormDefinition]
) -> None:
    for report in outbox:
        if report.event.form_id == "conflict_livestock":
            record = identify(report.xml)
            [request] = asked(record.root, definitions["conflict_livestock"]) or [None]
            assert (request is None) == (report.event.planted == TEST)
            if request is not None:
                assert (request.label or "").startswith(f"{case_number(record.instance_id)} {request.data['event_date']}")
                assert (request.problem, request.data["report"]) == ("", record.instance_id)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_other_years_are_valid_too(definitions: dict[str, FormDefinition], seed: int) -> None:
    schemas = {form_id: FormSchema(definition) for form_id, definition in definitions.items()}
    made = reports(events(seed, TODAY, 200), definitions, seed)
    assert [found for report in made for found in schemas[report.event.form_id].read(identify(report.xml)).violations] == []


def test_what_a_phone_does_not_ask_is_left_out(attacks: list[tuple[Event, Reading]]) -> None:
    for _, reading in attacks:
        answers = reading.answers
        assert ("wall_cm" in answers["husbandry"]) == (answers["husbandry"]["enclosure"] not in {"none", "cave"})
        assert ("reporter" in answers) == ("consent_share" in answers) == (answers["consent"] == "yes")
        lost = [answers["losses_g"][name] for name in ("total_killed", "total_injured", "total_missing")]
        rows = answers["losses_g"]["loss"]
        assert lost == [str(sum(row[name] for row in rows)) for name in ("n_killed", "n_injured", "n_missing")]


def test_a_question_that_the_form_does_not_ask_is_an_error(definitions: dict[str, FormDefinition]) -> None:
    with pytest.raises(KeyError, match="dog_impact does not ask brads"):
        Filler(definitions["dog_impact"]).fill({"brads": 1}, "uuid:1", "en")


def test_the_years_have_the_number_of_reports_and_the_mistakes_they_should_have(outbox: list[Report]) -> None:
    happened = events(1, TODAY, 600)
    assert Counter(event.form_id for event in happened) == {
        "conflict_livestock": 396,
        "prey_transect": 72,
        "prey_block": 42,
        "dog_impact": 60,
        "camera_station": 30,
    }
    planted = Counter(event.planted for event in happened)
    assert {name: planted[name] for name in (TEST, SWAPPED, SECOND_REPORT, RESENT)} == {
        TEST: 12,
        SWAPPED: 6,
        SECOND_REPORT: 9,
        RESENT: 9,
    }
    assert len(outbox) == 600 + 9
    assert len({report.xml for report in outbox}) == 600


def test_a_second_report_tells_of_the_same_attack_in_other_words(attacks: list[tuple[Event, Reading]]) -> None:
    first = {event.story: (event, reading) for event, reading in attacks if event.planted != SECOND_REPORT}
    for event, reading in attacks:
        if event.planted == SECOND_REPORT:
            other, told = first[event.story]
            assert (event.day, event.household) == (other.day, other.household)
            animals = [[(row["species"], row["n_killed"]) for row in one.answers["losses_g"]["loss"]] for one in (reading, told)]
            assert animals[0] == animals[1]
            assert reading.answers["meta"]["instanceID"] != told.answers["meta"]["instanceID"]


def test_attacks_are_as_in_the_field(attacks: list[tuple[Event, Reading]]) -> None:
    def share(answer: str, *path: str) -> float:
        found = [reading.answers for _, reading in attacks]
        for name in path:
            found = [one[name] for one in found]
        return found.count(answer) / len(found)

    killed = sorted(int(reading.answers["losses_g"]["total_killed"]) for _, reading in attacks)
    dark = share("night", "when", "time_of_day") + share("dawn", "when", "time_of_day")
    assert dark == pytest.approx(0.70, abs=0.06)
    assert share("corral", "place_more", "setting") == pytest.approx(0.55, abs=0.06)
    assert share("map", "where", "loc_method") == pytest.approx(0.12, abs=0.04)
    assert killed[len(killed) // 2] <= 2
    assert sum(number >= 5 for number in killed) / len(killed) == pytest.approx(0.05 + 0.06, abs=0.05)
    assert killed[-1] >= 15


def test_the_days_go_back_to_the_year_that_is_told_of_and_nowruz_is_busy() -> None:
    days = [event.day for seed in range(4) for event in events(seed, TODAY, 600)]
    assert date(2025, 1, 1) <= min(days) < date(2025, 1, 5)
    assert max(days) <= date(2026, 11, 20)
    assert all(event.day <= event.reported < TODAY for event in events(1, TODAY, 600))
    around_nowruz = sum(date(2026, 3, 10) <= day <= date(2026, 3, 30) for day in days)
    assert around_nowruz > 1.3 * sum(date(2026, 1, 10) <= day <= date(2026, 1, 30) for day in days)


def test_everything_happens_on_land_of_the_country_it_names() -> None:
    region = region_of()
    happened = [event for seed in range(4) for event in events(seed, TODAY, 400)]
    cells = np.array([h3.latlng_to_cell(event.latitude, event.longitude, 9) for event in happened], np.uint64)
    assert region.touched(cells).all()
    assert [region.codes[unit][:2] for unit in region.units_of(cells)] == [event.landscape.country for event in happened]


def test_landscapes_countries_and_languages_fit_together() -> None:
    assert {landscape.country for landscape in LANDSCAPES} == COUNTRIES.keys()
    assert {landscape.language for landscape in LANDSCAPES} == WORDS.keys()
    assert len({landscape.code for landscape in LANDSCAPES}) == len(LANDSCAPES)


def test_photos_are_small_and_named_in_the_record(outbox: list[Report]) -> None:
    with_photos = [report for report in outbox if report.files]
    assert 0.2 < len(with_photos) / len(outbox) < 0.6
    for report in with_photos:
        assert all(name.encode() in report.xml and len(data) < 10_000 for name, data in report.files.items())
    assert mountains(1) == mountains(1) != mountains(2)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tulliana.sqlite3").write_bytes(b"somebody's year of work")
    with pytest.raises(Problem, match="Name an empty folder"):
        configure(tmp_path, None, None)


def test_the_settings_of_a_real_server_are_not_those_of_the_demonstration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TULLIANA_DATABASE_URL", "postgresql+psycopg://real@localhost/real")
    monkeypatch.setenv("TULLIANA_DATA", "/real")
    config = configure(tmp_path / "new", "127.0.0.1", None)
    assert (config.database_url, config.data) == ("", tmp_path / "new")
    given = environment(config)
    assert given["TULLIANA_DATA"] == str(tmp_path / "new")
    assert "TULLIANA_DATABASE_URL" not in given


def test_the_command_fills_a_folder_and_makes_releases(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    options = ("--data", str(data), "--port", str(free_port()), "--host", "127.0.0.1", "--reports", "60", "--no-serve")
    environment = {**os.environ, "TULLIANA_DATA": str(tmp_path / "real"), "TULLIANA_EXPORT_SCHEDULE": "nonsense"}
    done = subprocess.run([COMMAND, "demo", *options], capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    assert "with the password" in done.stdout
    assert not (tmp_path / "real").exists()
    kept = _kept(data)
    assert len(kept) == 60
    assert {code for codes in kept.values() for code in codes} <= FOUND
    mark = json.loads((data / "demo.json").read_text())
    planted = Counter(PLANTED[each.planted] for each in events(1, date.fromisoformat(mark["day"]), 60) if each.planted in PLANTED)
    assert planted == Counter(code for codes in kept.values() for code in set(codes) & set(PLANTED.values()))
    folders = [Path(folder) for folder in mark["releases"].values()]
    assert list(mark["releases"]) == list(RECIPES)
    for folder in (folder for folder in folders if "hotspots" in folder.name):
        (table,) = folder.rglob("*standard*.csv")
        rows = csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines())
        assert sum(int(row["n_events"]) for row in rows) > 0
    for folder in folders:
        assert "Made up: " in (folder / "README.txt").read_text(encoding="utf-8")[:200]
        assert "ساختگی: " in (folder / "README.fa.txt").read_text(encoding="utf-8")[:300]
        about = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        assert "made up" in f"{about['title']} {about.get('description')}".lower()
        assert "Demonstration (made up)" in (folder / "CITATION.cff").read_text(encoding="utf-8")
    assert all("ساختگی: " in path.read_text(encoding="utf-8") for path in data.rglob("METHOD.fa.txt"))
    pages = {path.name[-7:-5]: path.read_text(encoding="utf-8") for path in data.rglob("report_*_range_*.html")}
    assert "(made up)</h1>" in pages["en"]
    assert "(ساختگی)</h1>" in pages["fa"]
    assert is_filled(configure(data, "127.0.0.1", free_port()))


def _kept(data: Path) -> dict[str, list[str]]:
    with Server(data)._reading() as connection:
        rows = connection.execute(select(Submission.instance_id, Submission.flags)).all()
    return {row.instance_id: [item["code"] for item in row.flags] for row in rows}
