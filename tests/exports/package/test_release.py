"""A release as a package: valid for programs, readable for people, the same again, never overwritten, and what changed is told."""

import csv
import hashlib
import json
import os
import re
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from frictionless import Package
from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from exports.dataset import read_conflicts
from exports.hotspots.files import LEFT_OUT
from exports.indicators.files import FLAGS
from exports.package import inputs
from exports.package.contents import Column, ExportResult, Table, write_csv
from exports.package.release import Made, Standing, make, pack
from exports.package.words import LANGUAGES, in_language
from exports.recipes import RECIPES, Recipe
from exports.windows import Window
from forms.problems import Problem
from records.access import ROLES, Access
from records.models import Base, FormVersion, Project, Submission
from records.store import open_engine
from tests.support.conflict import answers, insert_record
from tests.support.stores import EVERYTHING

AS_OF = date(2026, 9, 28)
WINDOW = Window(date(2024, 7, 1), date(2026, 6, 30))
LEFT = {"deleted": 6, "encrypted": 5, "rejected": 7, "duplicate": 5, "error": 8, "test": 9, "other_days": 10}


def fill(connection: Connection) -> None:
    """Attacks at two places, and records of every kind that does not count."""
    for number in range(40):
        place = (36.6, 52.4, 8.0) if number % 2 else (35.9, 51.2, 8.0)
        insert_record(connection, f"uuid:{number}", answers(f"H{number % 16}", share="yes"), place=place, day=date(2025, 3, 1))
    for reason, number in LEFT.items():
        for each in range(number):
            key = f"uuid:{reason}{each}"
            day = date(2022, 1, 1) if reason == "other_days" else date(2025, 3, 1)
            state = reason if reason in {"rejected", "duplicate"} else "received"
            purpose = "test" if reason == "test" else "real"
            insert_record(connection, key, answers(f"Z{each}", purpose=purpose), day=day, review_state=state)
    connection.execute(update(Project).values(name="Tulliana"))
    version = {"project_id": 1, "form_id": "conflict_livestock", "version": "1", "title": "", "md5": "", "sha256": "", "xform": b""}
    connection.execute(insert(FormVersion).values(**version, published_at=datetime.now(UTC), source_name=""))
    one = func.substr(Submission.instance_id, 6)
    connection.execute(update(Submission).where(one.like("deleted%")).values(deleted_at=func.current_timestamp()))
    connection.execute(update(Submission).where(one.like("encrypted%")).values(encrypted=True))
    connection.execute(update(Submission).where(one.like("error%")).values(excluded=True))


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Connection]:
    engine = open_engine(f"sqlite:///{tmp_path / 'records.db'}")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        fill(connection)
        yield connection
    engine.dispose()


def made(records: Connection, out: Path, name: str = "hotspots-public", **more: Any) -> Made:
    found = make(records, EVERYTHING, RECIPES[name], AS_OF, out, **more)
    assert isinstance(found, Made)
    return found


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith(("hotspots", "indicators"))])
def test_a_package_is_valid_and_its_checksums_hold(records: Connection, tmp_path: Path, name: str) -> None:
    release = made(records, tmp_path / "out", name)
    report = Package(str(release.folder / "datapackage.json")).validate()
    assert report.valid, report.flatten(["title", "note"])
    done = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=release.folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    listed = {line.split("  ")[1] for line in (release.folder / "SHA256SUMS").read_text().splitlines()}
    assert listed == {path.name for path in release.folder.iterdir()} - {"SHA256SUMS"}
    assert [file.name for file in release.files if not (release.folder / file.name).is_file()] == []


def test_a_wrong_code_in_a_table_makes_a_package_invalid(records: Connection, tmp_path: Path) -> None:
    release = made(records, tmp_path / "out")
    table = next(release.folder.glob("*_standard_*.csv"))
    table.chmod(0o644)
    table.write_text(table.read_text("utf-8-sig").replace("insufficient", "certain"), encoding="utf-8")
    report = Package(str(release.folder / "datapackage.json")).validate()
    assert "Constraint Error" in {title for (title,) in report.flatten(["title"])}


def test_the_same_records_give_the_same_bytes_whatever_the_time(
    records: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(records, tmp_path / "one")
    for path in (tmp_path / "one").rglob("*"):
        os.utime(path, (1, 1))
    second = made(records, tmp_path / "two")
    assert content(first.folder) == content(second.folder)
    assert first.archive == second.archive


def test_both_databases_give_the_same_package(engine: Engine, records: Connection, tmp_path: Path) -> None:
    with engine.begin() as connection:
        fill(connection)
        mine = made(connection, tmp_path / "mine")
    assert content(mine.folder) == content(made(records, tmp_path / "theirs").folder)


def test_the_archive_holds_the_folder(records: Connection, tmp_path: Path) -> None:
    release = made(records, tmp_path / "out")
    with zipfile.ZipFile(release.folder.with_name(release.archive.name)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    assert held == {f"{release.folder.name}/{name}": data for name, data in content(release.folder).items()}


def test_a_release_that_stands_is_neither_overwritten_nor_made_again(records: Connection, tmp_path: Path) -> None:
    first = made(records, tmp_path / "out")
    before = content(first.folder)
    assert {path.stat().st_mode & 0o222 for path in first.folder.iterdir()} == {0}
    again = make(records, EVERYTHING, RECIPES["hotspots-public"], AS_OF, tmp_path / "out", past=[first.folder.name])
    assert again == Standing(first.folder.name, is_same=True)
    forgotten = made(records, tmp_path / "out")  # as after a run that was cut off before it could say so
    assert forgotten.folder.name == first.folder.name.replace("_r1", "_r2")
    assert content(first.folder) == before
    assert [path.name for path in (tmp_path / "out").glob(".making*")] == []


def test_a_correction_is_a_release_of_its_own_and_says_what_changed(records: Connection, tmp_path: Path) -> None:
    first = made(records, tmp_path / "out", "hotspots-partner")
    for number in range(8):
        more = answers(f"M{number}", share="yes")
        insert_record(records, f"uuid:more{number}", more, place=(36.6, 52.4, 8.0), day=date(2025, 3, 1))
    past = [first.folder.name]
    held = make(records, EVERYTHING, RECIPES["hotspots-partner"], AS_OF, tmp_path / "out", past=past, may_correct=False)
    assert held == Standing(first.folder.name, is_same=False)
    second = made(records, tmp_path / "out", "hotspots-partner", past=past, note="Eight households were forgotten.")
    assert second.folder.name == first.folder.name.replace("_r1", "_r2")
    text = (second.folder / "CHANGES.txt").read_text()
    assert "Note: Eight households were forgotten." in text
    assert f"Compared with {first.folder.name}." in text
    name = next(file.name for file in second.files if "_standard_" in file.name)
    assert second.changed[name]["changed"] >= 1
    (line,) = re.findall(rf"^{name} .*: (\d+) new, (\d+) gone, (\d+) changed$", text, re.M)
    assert dict(zip(("added", "removed", "changed"), map(int, line), strict=True)) == second.changed[name]
    assert re.search(r"^~ .+ / standard: .*n_reports", text, re.M)
    assert "release_id" not in text.partition("~")[2]
    assert first.folder.is_dir()


def test_a_new_window_is_compared_with_the_one_before(records: Connection, tmp_path: Path) -> None:
    for number in range(40):
        insert_record(records, f"uuid:next{number}", answers(f"H{number % 8}", share="yes"), day=date(2026, 3, 1))
    first = made(records, tmp_path / "out")
    later = make(records, EVERYTHING, RECIPES["hotspots-public"], date(2027, 4, 5), tmp_path / "out", past=[first.folder.name])
    assert isinstance(later, Made)
    assert later.summary["release_id"] == "2026-r1"
    assert f"Compared with {first.folder.name}." in (later.folder / "CHANGES.txt").read_text()
    assert max(each["removed"] for each in later.changed.values()) == 2  # where the attacks were the year before


def test_the_numbers_of_records_add_up_to_those_of_the_database(records: Connection, tmp_path: Path) -> None:
    release = made(records, tmp_path / "out")
    told = json.loads((release.folder / "provenance.json").read_bytes())["inputs"]["surveys"]["conflict_livestock"]
    assert told["left_out"] == LEFT
    in_database = records.execute(select(func.count()).select_from(Submission)).scalar()
    assert told["read"] == in_database == told["used"] + sum(told["left_out"].values())
    assert told["used"] == len(read_conflicts(records, EVERYTHING, "leopard", WINDOW).reports)
    assert sum(told["used_by_review_state"].values()) == told["used"]
    assert told["form_versions"] == ["1"]


def test_neither_a_version_that_a_phone_made_up_nor_a_form_of_the_projects_own_is_told_of(
    records: Connection, tmp_path: Path
) -> None:
    records.execute(update(Submission).where(Submission.instance_id == "uuid:1").values(version="Ali, Siahkal"))
    insert_record(records, "uuid:own", {}, form_id="dens_of_2026", day=date(2025, 3, 1))
    for name in ("hotspots-public", "indicators-public"):
        release = made(records, tmp_path / name, name)
        told = json.loads((release.folder / "provenance.json").read_bytes())["inputs"]["surveys"]
        assert told["conflict_livestock"]["form_versions"] == ["1"]
        assert "dens_of_2026" not in told
        assert not any(b"Siahkal" in path.read_bytes() for path in release.folder.iterdir())


def test_the_digest_of_the_records_changes_with_any_of_them(records: Connection) -> None:
    def digest() -> str:
        return inputs.read_inputs(records, EVERYTHING, WINDOW)[1]

    before = digest()
    records.execute(update(Submission).where(Submission.instance_id == "uuid:test1").values(current_sha256="f" * 64))
    assert digest() == before  # it is not used
    records.execute(update(Submission).where(Submission.instance_id == "uuid:1").values(current_sha256="f" * 64))
    assert digest() != before


@pytest.mark.parametrize(("small", "used"), list(product([0, 1, 4, 5, 20], repeat=2)))
def test_no_number_below_five_can_be_had_from_those_that_are_told(small: int, used: int) -> None:
    found = inputs.Inputs()
    found.states.update({"test": small, "deleted": 5, inputs.COUNTED: used})
    told = found.told()
    exact = [number for number in (told["read"], told["used"], *told["left_out"].values()) if isinstance(number, int)]
    assert all(number == 0 or number >= 5 for number in exact)
    if told["read"] is not None:
        assert told["read"] == told["used"] + sum(told["left_out"].values()) == small + 5 + used


def test_small_numbers_are_told_together() -> None:
    assert inputs.add_up({"a": 3, "b": 12, "c": 40}) == {"c": 40, "other": 15}
    assert inputs.add_up({"a": 3, "b": 2}) == {"other": 5}
    assert inputs.add_up({"a": 3}) == {"other": "1-4"}
    assert inputs.add_up({"a": 0}) == {}


@pytest.mark.parametrize("name", ["hotspots-public", "indicators-partner"])
def test_people_read_it_in_every_language(records: Connection, tmp_path: Path, name: str) -> None:
    release = made(records, tmp_path / "out", name)
    rows = list(csv.DictReader((release.folder / "data_dictionary.csv").read_text("utf-8-sig").splitlines()))
    tables = [resource for resource in _package(release)["resources"] if "schema" in resource]
    assert {row["name"] for row in rows} == {field["name"] for table in tables for field in table["schema"]["fields"]}
    assert all(row["description"] and row["description_fa"] != row["description"] for row in rows)
    english, persian = ((release.folder / each).read_text("utf-8") for each in ("README.txt", "README.fa.txt"))
    for row in rows:
        assert f"\n{row['name']} (" in english
        assert row["description_fa"] in persian
    told = LEFT_OUT if name.startswith("hotspots") else FLAGS
    assert all(words in english and in_language("fa", words) in persian for words in told.values())
    assert set(re.findall(r"\b[a-z]+_[a-z_0-9]+\b", english)) <= set(re.findall(r"\b[a-z]+_[a-z_0-9]+\b", persian + english))
    assert "{" not in english + persian


def test_every_word_of_a_package_is_there_in_every_language() -> None:
    from exports.hotspots.columns import COLUMNS as HOTSPOTS
    from exports.indicators.files import DEFINED
    from exports.indicators.table import COLUMNS as INDICATORS

    columns = [column.description for column in (*HOTSPOTS, *INDICATORS, *DEFINED)]
    for language, text in product([each for each in LANGUAGES if each != "en"], [*columns, *LEFT_OUT.values(), *FLAGS.values()]):
        assert in_language(language, text) != text, text


def test_it_says_who_may_use_it_and_how_to_cite_it(records: Connection, tmp_path: Path) -> None:
    public, partner = (made(records, tmp_path / level, f"hotspots-{level}") for level in ("public", "partner"))
    assert _package(public)["licenses"][0]["name"] == "CC-BY-4.0"
    assert "agreement" in _package(partner)["licenses"][0]["title"]
    assert not any("made up" in text.read_text(encoding="utf-8").lower() for text in public.folder.glob("*.txt"))
    assert 'license: "CC-BY-4.0"' in (public.folder / "CITATION.cff").read_text()
    assert "license:" not in (partner.folder / "CITATION.cff").read_text()
    origin = json.loads((public.folder / "provenance.json").read_bytes())
    assert origin["methods"]["method"] == "exact-nb-1"
    assert origin["software"]["version"]
    for name, about in origin["files"].items():
        assert hashlib.sha256((public.folder / name).read_bytes()).hexdigest() == about["sha256"]


def test_a_recipe_that_fails_leaves_nothing_behind(records: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exports.package.release.citation", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        made(records, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_who_may_not_see_records_makes_no_release(records: Connection, tmp_path: Path) -> None:
    analyst = Access(1, "analyst", ROLES["analyst"])
    result = ExportResult(tmp_path, [], {})
    for attempt in (
        lambda: make(records, analyst, RECIPES["hotspots-public"], AS_OF, tmp_path),
        lambda: pack(records, analyst, result, ""),
        lambda: inputs.read_inputs(records, analyst, WINDOW),
    ):
        with pytest.raises(Problem):
            attempt()


def test_what_a_column_keeps_to_follows_from_its_unit_or_its_codes(tmp_path: Path) -> None:
    assert Column("a", "number", "0 to 1", "").constraints == {"minimum": 0, "maximum": 1}
    assert Column("a", "string", "", "", ("x", "y")).constraints == {"enum": ["x", "y"]}
    assert Column("a", "string", "", "").constraints == {}
    file = write_csv(tmp_path / "a.csv", ["a"], [["x"]])
    assert (file.rows, file.size) == (1, len((tmp_path / "a.csv").read_bytes()))
    assert Table((), ()).naming == ()


def _package(release: Made) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((release.folder / "datapackage.json").read_bytes())
    return found


@pytest.mark.parametrize("name", ["hotspots-public", "hotspots-partner", "indicators-partner"])
def test_a_correction_is_held_back_where_it_would_tell_of_few_households(records: Connection, tmp_path: Path, name: str) -> None:
    first = made(records, tmp_path / "out", name)
    shown = records.execute(select(Submission.instance_id).limit(1).order_by(Submission.instance_id)).scalar()
    records.execute(delete(Submission).where(Submission.instance_id == shown))
    past = [first.folder.name]
    held = make(records, EVERYTHING, RECIPES[name], AS_OF, tmp_path / "out", past=past, note="One was made up.")
    assert held == Standing(first.folder.name, is_same=False)


def test_a_recipe_is_run_once_to_see_that_a_release_stands_and_twice_for_a_correction(
    records: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    plain = Recipe.run

    def counted(recipe: Recipe, *given: Any, revision: int, **more: Any) -> ExportResult:
        runs.append(revision)
        return plain(recipe, *given, revision=revision, **more)

    monkeypatch.setattr(Recipe, "run", counted)
    first = made(records, tmp_path / "out")
    past = [first.folder.name]
    make(records, EVERYTHING, RECIPES["hotspots-public"], AS_OF, tmp_path / "out", past=past)
    assert runs == [1, 1]
    monkeypatch.setattr("exports.hotspots.export.FEWEST_EVENTS", 21)
    second = made(records, tmp_path / "out", past=past)
    assert runs == [1, 1, 1, 2]
    make(records, EVERYTHING, RECIPES["hotspots-public"], AS_OF, tmp_path / "out", past=[second.folder.name, *past])
    assert runs == [1, 1, 1, 2, 2]
