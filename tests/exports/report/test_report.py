"""The report from the records to the files: what it says is in the releases, what they keep back is not in it, same bytes again."""

import csv
import hashlib
import html as entities
import re
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection

from exports.package.contents import ExportResult
from exports.package.release import Made, Standing, make
from exports.policy import FEWEST
from exports.recipes import RECIPES
from exports.report.chapters import written
from exports.report.document import Figure, Table
from exports.report.files import run_report
from exports.report.labels import FEW, NONE_OR_FEW
from exports.report.language import Language
from exports.report.numbers import Numbers
from forms.problems import Problem
from records.access import Access
from records.models import Base
from records.store import open_engine
from tests.support.conflict import answers, insert_record
from tests.support.reported import AS_OF, KILLED, fill
from tests.support.stores import EVERYTHING

ENGLISH, PERSIAN = Language("en"), Language("fa")


def text_of(path: Path) -> str:
    """What a reader of an HTML file sees, but for drawings."""
    page = path.read_text(encoding="utf-8")
    body = re.sub(r"<svg.*?</svg>|<style>.*?</style>", "", page, flags=re.DOTALL)
    return entities.unescape(re.sub(r"<[^>]+>", " ", body))


def named(report: ExportResult, end: str) -> Path:
    return next(report.folder / file.name for file in report.files if file.name.endswith(end))


def test_there_is_a_file_for_the_range_and_each_country_in_both_languages_and_forms(report: ExportResult) -> None:
    stem = "report_2025Q1-2025Q4_public"
    areas = ("range", "AM", "IR", "TM")
    assert {file.name for file in report.files} == {
        *(f"{stem}_{area}_{language}.{kind}" for area in areas for language in ("en", "fa") for kind in ("html", "pdf")),
        *("conflict_hotspots_leopard_standard_2025Q1-2025Q4_public.csv", "conflict_clusters_leopard_2025Q1-2025Q4_public.csv"),
        "indicators.csv",
    }
    for file in report.files:
        content = (report.folder / file.name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file.sha256, file.size)
    assert report.folder.name == f"{stem}_r1"
    assert report.summary["release_id"] == "2025-r1"


def test_the_same_records_give_the_same_bytes(report: ExportResult, filled: Connection, tmp_path: Path) -> None:
    again = run_report(filled, EVERYTHING, "public", AS_OF, tmp_path)
    assert [(file.name, file.sha256) for file in again.files] == [(file.name, file.sha256) for file in report.files]


def test_a_correction_of_the_public_report_that_tells_of_one_household_is_held_back(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'records.db'}")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        fill(connection)
        first = make(connection, EVERYTHING, RECIPES["report-public"], AS_OF, tmp_path / "out")
        assert isinstance(first, Made)
        insert_record(connection, "uuid:late", answers("H1"), place=(36.59, 52.4, 12.0), day=date(2026, 5, 1))
        again = make(connection, EVERYTHING, RECIPES["report-public"], AS_OF, tmp_path / "out", past=[first.folder.name])
    engine.dispose()
    assert again == Standing(first.folder.name, is_same=False)


def test_no_release_is_overwritten(report: ExportResult, filled: Connection) -> None:
    with pytest.raises(Problem):
        run_report(filled, EVERYTHING, "public", AS_OF, report.folder.parent)


def test_a_level_that_does_not_exist_and_a_person_without_rights_are_refused(filled: Connection, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="There is no level secret"):
        run_report(filled, EVERYTHING, "secret", AS_OF, tmp_path)
    with pytest.raises(Problem) as caught:
        run_report(filled, Access(1, "x", frozenset()), "public", AS_OF, tmp_path)
    assert caught.value.kind.code == "not_allowed"
    assert list(tmp_path.iterdir()) == []


def test_sentences_are_made_from_the_rows(report: ExportResult, numbers: Numbers) -> None:
    text = text_of(named(report, "_range_en.html"))
    attacks, reports = (sum(values) for values in zip(*((one.attacks, one.reports) for one in numbers.places), strict=True))
    assert f"Attacks by leopards on livestock: {attacks}, counted from {reports} reports, in 2 countries." in text
    inside = sum(place.attacks for place in numbers.hotspots)
    assert inside
    assert f"Hotspots: {len(numbers.hotspots)} cells, with {inside} of the {attacks} attacks" in text
    verified = sum(place.verified for place in numbers.places)
    assert verified > FEWEST
    assert f"A visit found {verified} of these attacks confirmed or probable" in text


def test_a_country_of_four_households_is_told_nowhere(report: ExportResult, numbers: Numbers) -> None:
    assert not any(place.country == "AM" for place in numbers.places)
    for file in report.files:
        if file.name.endswith("_en.html"):
            text = text_of(report.folder / file.name)
            assert str(KILLED) not in text, file.name
            assert str(8 * KILLED) not in text, file.name
    tables = [block for block in written(numbers, ENGLISH).blocks if isinstance(block, Table)]
    countries = next(table for table in tables if table.caption.startswith("Countries"))
    row = next(row for row in countries.rows if row[0] == "Armenia")
    assert row[1:3] == (NONE_OR_FEW, "–")


def test_words_of_few_households_stand_where_a_number_is_kept_back(numbers: Numbers) -> None:
    withheld = [value for value in numbers.of("AM").values if value.reason == "few_households"]
    assert withheld
    assert not any(value.is_told for value in withheld)
    assert str(FEWEST) in FEW


def test_rows_of_every_table_add_up_to_the_attacks(numbers: Numbers) -> None:
    tables = [block for block in written(numbers, ENGLISH).blocks if isinstance(block, Table)]
    for start in ("Countries", "Provinces"):
        rows = next(table for table in tables if table.caption.startswith(start)).rows
        assert sum(int(row[1]) for row in rows if row[1].isdigit()) == numbers.attacks


def test_only_cells_of_the_release_are_drawn_and_no_point(numbers: Numbers) -> None:
    drawing = next(block for block in written(numbers, ENGLISH).blocks if isinstance(block, Figure))
    cells = [place for place in numbers.places if place.is_cell]
    assert drawing.svg.count('fill-opacity="0.9"') == len(cells)
    assert "<circle" not in drawing.svg


def test_every_page_leads_to_the_others_that_are_there(report: ExportResult) -> None:
    names = {file.name for file in report.files}
    for file in report.files:
        if file.name.endswith(".html"):
            links = re.findall(r'href="([^"]+)"', (report.folder / file.name).read_text(encoding="utf-8"))
            assert len(links) == 5  # the PDF, the other language, three other areas
            assert set(links) <= names - {file.name}


@pytest.mark.parametrize("level", ["public", "partner"])
def test_an_empty_database_gives_a_report_that_says_so(tmp_path: Path, level: str) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'records.db'}")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        report = run_report(connection, EVERYTHING, level, AS_OF, tmp_path)
    engine.dispose()
    assert len(report.files) == 7
    text = text_of(named(report, "_range_en.html"))
    assert "There is nothing to tell yet" in text
    assert "Method and limits" in text
    assert "هنوز چیزی برای گفتن نیست" in text_of(named(report, "_range_fa.html"))
    assert ("Do not publish this report" in text) == (level == "partner")


def test_partners_are_told_on_every_page_not_to_pass_it_on(filled: Connection, tmp_path: Path) -> None:
    report = run_report(filled, EVERYTHING, "partner", AS_OF, tmp_path)
    for file in report.files:
        if file.name.endswith("_en.html"):
            assert "For partners only, not to be passed on" in text_of(report.folder / file.name)


def test_persian_has_persian_digits_and_both_calendars(report: ExportResult) -> None:
    text = text_of(named(report, "_IR_fa.html"))
    assert "۱۲ دی ۱۴۰۳ (۱ ژانویهٔ ۲۰۲۵) تا ۱۰ دی ۱۴۰۴ (۳۱ دسامبر ۲۰۲۵)" in text
    outside = re.sub(
        r"\d{4}(Q\d)?-r\d|I-[A-Z]+(-\d)?|\d+(\.\d+)+[ab]?|exact-nb-1|incident-episode-1|CC BY 4\.0|License 1\.1", "", text
    )
    assert re.findall("[0-9]+", outside) == []


def test_the_package_says_how_the_report_was_made_and_what_each_column_of_its_tables_is(filled: Connection, tmp_path: Path) -> None:
    made = make(filled, EVERYTHING, RECIPES["report-public"], AS_OF, tmp_path)
    assert isinstance(made, Made)
    for name, heading in (("README.txt", "WHAT IT DOES NOT SAY"), ("README.fa.txt", "چه چیزی را نمی‌گوید")):
        readme = (made.folder / name).read_text(encoding="utf-8")
        assert heading in readme
        assert "{" not in readme
    with (made.folder / "data_dictionary.csv").open(encoding="utf-8-sig", newline="") as stream:
        known = [(row["name"], table) for row in csv.DictReader(stream) for table in row["table"].split(";")]
    for file in made.folder.glob("*.csv"):
        if file.name != "data_dictionary.csv":
            columns = file.read_text(encoding="utf-8-sig").splitlines()[0].split(",")
            assert [name for name, table in known if table == file.name] == columns
