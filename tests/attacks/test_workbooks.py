"""Attacks by way of the form that somebody publishes. Numbers are those of the list in README.md; more are in tests/forms."""

import struct
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import xlsxwriter

from forms import xlsform_child
from forms.problems import Problem
from forms.xlsform import Conversion, Limits, convert
from forms.xml import MAX_XML_BYTES
from tests.support.small import xform

SURVEY = "xl/worksheets/sheet1.xml"
LIMITS = Limits(memory=512 * 1024**2, seconds=20)
SHEETS = {
    "survey": [["type", "name", "label"], ["text", "a", "A"]],
    "settings": [["form_title", "form_id", "version"], ["Small", "small", "1"]],
}


@pytest.fixture(scope="module")
def workbook() -> bytes:
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        for name, rows in SHEETS.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return file.getvalue()


@pytest.fixture(scope="module")
def form(workbook: bytes) -> Conversion:
    return convert(workbook, "f.xlsx")


def changed(workbook: bytes, change: Callable[[bytes], bytes], **more: bytes) -> bytes:
    """The workbook with another survey sheet, and with more entries."""
    file = BytesIO()
    with ZipFile(BytesIO(workbook)) as old, ZipFile(file, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == SURVEY else old.read(name))
        for name, content in more.items():
            new.writestr(name, content)
    return file.getvalue()


def end_of_sheet(more: bytes) -> Callable[[bytes], bytes]:
    return lambda sheet: sheet.replace(b"</sheetData>", b"</sheetData>" + more)


def declaring(workbook: bytes, name: str, size: int) -> bytes:
    """The same file, in which the entry claims to be so small when unpacked."""
    data = bytearray(workbook)
    entry = next(found for found in ZipFile(BytesIO(workbook)).infolist() if found.filename == name)
    struct.pack_into("<I", data, entry.header_offset + 22, size)
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        length = struct.unpack_from("<H", data, at + 28)[0]
        if data[at + 46 : at + 46 + length] == name.encode():
            struct.pack_into("<I", data, at + 24, size)
    return bytes(data)


def overlapping(workbook: bytes) -> bytes:
    """The same file, in which every entry begins where the first one does."""
    data, at = bytearray(workbook), -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        struct.pack_into("<I", data, at + 42, 0)
    return bytes(data)


def refusal(data: bytes, file_name: str = "f.xlsx") -> str:
    with pytest.raises(Problem) as caught:
        convert(data, file_name, limits=LIMITS)
    assert caught.value.kind.code in {"form_invalid", "too_large"}
    return caught.value.detail


def test_a19_an_entry_that_is_larger_than_it_says_is_not_unpacked(workbook: bytes) -> None:
    bomb = changed(workbook, lambda sheet: sheet + b" " * 250_000_000)
    assert "damaged" in refusal(declaring(bomb, SURVEY, 1000))
    assert "are allowed" in refusal(bomb)


def test_a19_entries_that_overlap_or_repeat_are_refused(workbook: bytes) -> None:
    assert refusal(overlapping(workbook))
    twice = BytesIO(workbook)
    with warnings.catch_warnings(), ZipFile(twice, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(SURVEY, b"<worksheet/>")
    assert refusal(twice.getvalue())


def test_a19_a_20_entry_names_that_lead_elsewhere_and_archives_inside_are_only_passed_over(
    workbook: bytes, form: Conversion, tmp_path: Path
) -> None:
    outside = {
        f"../../../../../..{tmp_path}/slipped": b"x",
        f"{tmp_path}/slipped": b"x",
        "C:\\slipped": b"x",
        "inner.zip": workbook,
    }
    assert convert(changed(workbook, bytes, **outside), "f.xlsx") == form
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "more",
    [
        b'<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>',
        b"<mergeCells>" + b'<mergeCell ref="A1:C1048576"/>' * 1000 + b"</mergeCells>",
        b'<dataValidations count="1"><dataValidation sqref="A1:XFD1048576"/></dataValidations>',
        b'<hyperlinks><hyperlink ref="A1:XFD1048576" xmlns:r="urn:r" r:id="rId99"/></hyperlinks>',
    ],
    ids=["all cells merged", "a thousand merges", "a rule for all cells", "a link for all cells"],
)
def test_a21_ranges_as_large_as_the_sheet_cost_nothing(workbook: bytes, form: Conversion, more: bytes) -> None:
    assert convert(changed(workbook, end_of_sheet(more)), "f.xlsx", limits=LIMITS) == form


def test_a21_a_sheet_that_claims_to_be_as_large_as_can_be_costs_nothing(workbook: bytes, form: Conversion) -> None:
    claim = b'<dimension ref="A1:XFD1048576"/>'
    whole = changed(workbook, lambda sheet: sheet.replace(b'<dimension ref="A1:C2"/>', claim))
    assert claim in ZipFile(BytesIO(whole)).read(SURVEY)
    assert convert(whole, "f.xlsx", limits=LIMITS) == form


def test_a21_links_to_other_files_and_macros_are_never_followed(workbook: bytes, form: Conversion) -> None:
    more = {
        "xl/externalLinks/externalLink1.xml": b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>',
        "xl/externalLinks/_rels/externalLink1.xml.rels": b'<Relationships><Relationship Target="http://192.0.2.1/x"/></Relationships>',
        "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0",
        "xl/connections.xml": b'<connections><connection sourceFile="http://192.0.2.1/"/></connections>',
    }
    assert convert(changed(workbook, bytes, **more), "f.xlsm") == form


def test_a22_a_form_that_grows_beyond_what_can_be_kept_is_refused_in_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list in many languages is written once for every language."""
    monkeypatch.setattr(xlsform_child, "MAX_XML_BYTES", 50_000)
    languages = [f"label::L{number}" for number in range(30)]
    rows = [["list_name", "name", *languages], *(["a", f"n{number}", *["x"] * 30] for number in range(100))]
    sheets = {"survey": [["type", "name", *languages], ["select_one a", "q", *["x"] * 30]], "choices": rows}
    lines = [line for name, sheet in sheets.items() for line in (f"| {name} |", *(f"| | {' | '.join(row)} |" for row in sheet))]
    assert "50000 are allowed" in str(xlsform_child.convert("\n".join(lines).encode(), "f.md")["error"])
    assert Limits().file // 2 == MAX_XML_BYTES


@pytest.mark.parametrize(
    "rows",
    [
        "".join("| | begin group | g | G |\n" for _ in range(300)),
        "| | text | a | " + "${" * 100_000 + " |\n",
        "| | " + "select_one " * 20_000 + " | a | A |\n",
        "| | calculate | a | " + "( " * 50_000 + " |\n",
        "|" * 2_000_000,
        "| | text | a |" + " " * 2_000_000 + "x",
    ],
    ids=["groups", "references", "types", "brackets", "bars", "blanks"],
)
def test_a22_texts_made_to_be_read_again_and_again_are_read_in_time(rows: str) -> None:
    answer = xlsform_child.convert(f"| survey |\n| | type | name | label |\n{rows}".encode(), "f.md")
    assert answer.get("error") or answer.get("xform")


def test_a22_a_form_of_endless_references_is_stopped_and_leaves_the_server_alone() -> None:
    groups = "".join(f"| | begin group | {'g' * 60}{number} | G | |\n" for number in range(50))
    questions = "".join(f"| | text | q{number} | A | {' + '.join(['${q0}'] * 500)} |\n" for number in range(1, 500))
    form = (
        f"| survey |\n| | type | name | label | relevant |\n{groups}| | text | q0 | A | |\n{questions}"
        + "| | end group | | | |\n" * 50
    )
    with pytest.raises(Problem, match="needed more than 5 s or 512 MiB"):
        convert(form.encode(), "f.md", limits=Limits(memory=512 * 1024**2, seconds=5))


def test_a24_addresses_in_a_form_are_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no publishing by address; what a form names is asked of who publishes it."""

    def connect(*_: object) -> None:
        raise AssertionError("somebody opened a connection")

    monkeypatch.setattr("socket.socket.connect", connect)
    monkeypatch.setattr("socket.getaddrinfo", connect)
    sources = (
        "http://192.0.2.1/a.csv",
        "http://[::ffff:127.0.0.1]/a",
        "file:///etc/passwd",
        "jr://file-csv/http://192.0.2.1/a.csv",
    )
    lists = "".join(f'<instance id="i{number}" src="{source}"/>' for number, source in enumerate(sources))
    form = convert(xform("<q/>", lists + '<submission action="http://169.254.169.254/"/>'), "f.xml")
    assert b"169.254" not in form.xform
    assert "http://192.0.2.1/a.csv" in form.media  # so publishing it fails for want of a file of that name
