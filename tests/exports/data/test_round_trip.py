"""Whatever people answered comes back from every format as it was, and memory does not grow with the number of records."""

import csv
import io
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from sqlalchemy import Engine, delete, text

from exports.csvfile import Plain, Quoted, disarmed, write_rows
from exports.data import formats, xlsx
from exports.data.typed import OTHERS
from records.models import Submission
from tests.support.tables import FORM, opened, send

_NOT_IN_XML = [*map(chr, range(9)), *map(chr, range(11, 32)), "\ufffe", "\uffff"]
XML_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=_NOT_IN_XML), max_size=30)
NUMBERS = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.none() | XML_TEXT | NUMBERS | st.just({"a": [1]})
ANSWERS = st.fixed_dictionaries(dict.fromkeys(("n", "price", "remarks", "dog", "measures", "walk"), VALUES))
NAMES = ("n", "price", "remarks", "dog", "measures", "walk")


def as_one(value: Any) -> Any:
    """An answer as one cell holds it."""
    return orjson.dumps(value).decode() if isinstance(value, dict) else value


def as_written(value: Any) -> str:
    """An answer as CSV holds it."""
    return disarmed(value) if isinstance(value, str) else "" if value is None else str(value)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(camps=st.lists(ANSWERS, min_size=1, max_size=4))
def test_any_answers_survive_every_format(herds: Engine, tmp_path: Path, camps: list[dict[str, Any]]) -> None:
    with herds.begin() as connection:
        connection.execute(delete(Submission))
    for number, camp in enumerate(camps):
        send(herds, f"uuid:{number}", {"camp": camp})
    with opened(herds) as source:
        written = b"".join(formats.stream(source, formats.format_of("csv"), open, table=FORM)).decode("utf-8-sig")  # type: ignore[arg-type]
        features = json.loads(b"".join(formats.stream(source, formats.format_of("geojson"), open)))["features"]  # type: ignore[arg-type]
        for name in ("gpkg", "xlsx"):
            (tmp_path / f"x.{name}").unlink(missing_ok=True)
            list(formats.build(source, formats.format_of(name), tmp_path / f"x.{name}"))
    table = list(csv.DictReader(io.StringIO(written, newline="")))
    with closing(sqlite3.connect(tmp_path / "x.gpkg")) as file:
        columns = ", ".join(f'"camp-{name}"' for name in NAMES)
        packed = file.execute(f"SELECT {columns}, {OTHERS} FROM {FORM} ORDER BY KEY").fetchall()
    header, *sheet = openpyxl.load_workbook(tmp_path / "x.xlsx")[FORM].iter_rows(values_only=True)
    for camp, line, feature, row, cells in zip(camps, table, features, packed, sheet, strict=True):
        others = json.loads(row[-1] or "{}")
        for index, name in enumerate(NAMES):
            wanted, shown = as_one(camp[name]), dict(zip(header, cells, strict=True))[f"camp-{name}"]
            assert line[f"camp-{name}"] == as_written(wanted)
            assert feature["properties"].get(f"camp-{name}") == wanted
            kept = others.get(f"camp-{name}", row[index])
            assert kept == wanted if name in {"n", "price"} or isinstance(wanted, str) else kept == _as_text(wanted)
            _same_in_sheet(shown, wanted)


def _as_text(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _same_in_sheet(shown: Any, wanted: Any) -> None:
    if wanted is None or wanted == "":
        assert shown is None
    elif isinstance(wanted, str):
        assert unescape(shown or "").replace("\r\n", "\n") == wanted.replace("\r\n", "\n")
    elif abs(wanted) <= 2**53:
        assert shown == pytest.approx(wanted, rel=1e-15)
    else:
        assert shown == str(wanted)


_CHILD = """
import re, sys
from pathlib import Path
from exports.data import formats
from exports.data.source import Source
from records.access import Access
from records.store import open_engine
name, url, target = sys.argv[1:]
chosen = formats.format_of(name)
with open_engine(url).connect() as connection, Path(target).open("wb") as file:
    source = Source(connection, Access.everything(1, "test"), "herds")
    if chosen.is_built:
        for _ in formats.build(source, chosen, Path(target + ".built")): pass
    else:
        for chunk in formats.stream(source, chosen, open): file.write(chunk)
print(source.done, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""
MANY, MOST_MIB_MORE = 20_000, 32


@pytest.mark.parametrize("name", ["csv", "gpkg", "xlsx"])
def test_a_hundred_megabytes_of_records_need_no_more_memory_than_one_record(herds: Engine, tmp_path: Path, name: str) -> None:
    def peak() -> tuple[int, float]:
        (tmp_path / "out.built").unlink(missing_ok=True)
        arguments = [name, str(herds.url), str(tmp_path / "out")]
        done = subprocess.run([sys.executable, "-c", _CHILD, *arguments], capture_output=True, text=True, check=True)
        count, kibibytes = done.stdout.split()
        return int(count), int(kibibytes) / 1024

    send(herds, "uuid:first", {"camp": {"place": "35 51 0 0", "n": 3, "remarks": "x" * 5000}})
    few = peak()
    names = [column.name for column in Submission.__table__.columns if column.name != "instance_id"]
    numbers = f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {MANY})"
    own = ", ".join(names)
    with herds.begin() as connection:
        copies = f"{numbers} SELECT 'uuid:' || n, {own} FROM submission, numbers"
        connection.execute(text(f"INSERT INTO submission (instance_id, {own}) {copies}"))
    many = peak()
    assert (few[0], many[0]) == (1, MANY + 1)
    assert many[1] - few[1] < MOST_MIB_MORE


CELLS = XML_TEXT | st.text("=+-@\t\r\n＝;,\"' a1", max_size=5) | NUMBERS | st.none() | st.booleans()


@example([["a\rb", "x"], ["a\nb", "x"], ['a"b', "x"], ["a,b;c", "x"], ["x", "=1"], ["=1", "x"], [""], [None, None]], Plain)
@example([["a\rb", "x"], ['a"b', "x"], ["a,b;c", "x"], ["x", "=1"], ["=1", "x"], [""], [None, None]], Quoted)
@given(rows=st.lists(st.lists(CELLS, min_size=1, max_size=6)), dialect=st.sampled_from([Plain, Quoted]))
def test_csv_is_what_the_library_writes_of_cells_that_are_no_formulas(rows: list[list[Any]], dialect: type[csv.excel]) -> None:
    own, wanted = io.StringIO(newline=""), io.StringIO(newline="")
    assert write_rows(own, map(iter, rows), dialect) == len(rows)
    csv.writer(wanted, dialect).writerows([disarmed(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    assert own.getvalue() == wanted.getvalue()
    read = list(csv.reader(io.StringIO(own.getvalue(), newline=""), dialect))
    assert [[as_written(cell) for cell in row] for row in rows] == read


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        *(
            ("=1", "'=1"),
            ("-1+1", "'-1+1"),
            ("+98912", "'+98912"),
            ("@x", "'@x"),
            ("\t=1", "'\t=1"),
            ("\n=1", "'\n=1"),
            ("＝1", "'＝1"),
        ),
        *((same, same) for same in ("-5", "-5.25", "-1.26 36.79 0 30", "-1 2;-3 4", "a=1")),
    ],
)
def test_text_is_disarmed_and_numbers_are_left(answer: str, shown: str) -> None:
    assert disarmed(answer) == shown


def test_the_largest_sheet_is_excels() -> None:
    assert (xlsx.MOST_ROWS, xlsx.MOST_COLUMNS, xlsx.MOST_CHARACTERS) == (1_048_576, 16_384, 32_767)
