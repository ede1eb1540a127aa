"""XLSForm -> XForm: what is taken, what is refused and with which words, and what a hostile file cannot do."""

import csv
import subprocess
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO, StringIO
from unittest.mock import Mock
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from forms import xlsform_child
from forms.problems import Problem
from forms.workbook import Sheet, Workbook
from forms.xlsform import Conversion, Limits, convert, convert_workbook, convert_workbooks
from tests.support.xls import compound_file, xls

SHEETS = {
    "survey": [
        ["type", "name", "label::English (en)", "label::فارسی (fa)"],
        ["select_one yes_no", "seen", "Seen?", "دیده شد؟"],
        ["barcode", "tag", "Tag", "برچسب"],
    ],
    "choices": [
        ["list_name", "name", "label::English (en)", "label::فارسی (fa)"],
        ["yes_no", "yes", "Yes", "بله"],
        ["yes_no", "no", "No", "نه"],
    ],
    "settings": [
        ["form_title", "form_id", "version", "default_language"],
        ["Leopard seen", "leopard_seen", "2026112201", "English (en)"],
    ],
}


def as_markdown(sheets: dict[str, list[list[str]]] = SHEETS) -> bytes:
    lines = []
    for name, rows in sheets.items():
        lines += [f"| {name} |", *(f"| | {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines).encode()


def as_csv() -> bytes:
    file = StringIO()
    writer = csv.writer(file)
    for name, rows in SHEETS.items():
        writer.writerow([name])
        writer.writerows([["", *row] for row in rows])
    return file.getvalue().encode()


def as_workbook() -> Workbook:
    header_and_rows = [Sheet(tuple(rows[0]), tuple(map(tuple, rows[1:]))) for rows in SHEETS.values()]
    return Workbook(*header_and_rows)


def as_xlsx() -> bytes:
    return as_workbook().to_xlsx()


def as_xls() -> bytes:
    return xls(SHEETS)


def survey(*rows: str, head: str = "type | name | label | relevant") -> bytes:
    """A survey sheet in Markdown; each row is its cells joined by bars."""
    return "\n".join(["| survey |", f"| | {head} |", *(f"| | {row} |" for row in rows)]).encode()


def refusal(data: bytes, file_name: str = "form.md") -> str:
    """What the child process answers, without the second that starting a process takes."""
    return str(xlsform_child.convert(data, file_name)["error"])


def changed(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The .xlsx file `data` with one of its parts changed."""
    file = BytesIO()
    with ZipFile(BytesIO(data)) as old, ZipFile(file, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return file.getvalue()


@pytest.fixture(scope="module")
def converted() -> Conversion:
    return convert_workbook(as_workbook())


# what is taken


@pytest.mark.parametrize(
    ("make", "name"),
    [(as_xlsx, "f.xlsx"), (as_xlsx, "renamed.xls"), (as_xls, "f.xls"), (as_csv, "f.csv"), (as_markdown, "f.md")],
)
def test_every_kind_of_xlsform_gives_the_same_bytes_every_time(make: Callable[[], bytes], name: str, converted: Conversion) -> None:
    assert convert(make(), name) == converted


def test_several_workbooks_are_converted_in_one_process(monkeypatch: pytest.MonkeyPatch, converted: Conversion) -> None:
    second = dict(zip(as_workbook().settings.header, as_workbook().settings.rows[0], strict=True)) | {"form_id": "lynx_seen"}
    other = replace(as_workbook(), settings=Sheet.of(tuple(second), [second]))
    started = Mock(side_effect=subprocess.run)
    monkeypatch.setattr(subprocess, "run", started)
    first, lynx, last = convert_workbooks([as_workbook(), other, as_workbook()])
    assert (first, lynx.form_id, last) == (converted, "lynx_seen", converted)
    assert started.call_count == 1


def test_a_conversion_says_what_the_form_is(converted: Conversion) -> None:
    assert (converted.form_id, converted.version) == ("leopard_seen", "2026112201")
    assert converted.title == "Leopard seen"
    assert converted.warnings == []
    assert converted.media == []
    assert "دیده شد؟" in converted.xform.decode()


def test_an_xform_is_taken_byte_for_byte(converted: Conversion) -> None:
    xform = b"\xef\xbb\xbf" + converted.xform + b"\n"
    conversion = convert(xform, "anything.xml")
    assert conversion.xform == xform
    assert (conversion.form_id, conversion.version, conversion.title) == ("leopard_seen", "2026112201", "Leopard seen")


def test_csv_with_the_byte_order_mark_of_excel_is_taken() -> None:
    assert convert(b"\xef\xbb\xbf" + as_csv(), "f.csv").form_id == "leopard_seen"


def test_a_form_without_settings_is_named_after_its_file() -> None:
    conversion = convert(survey("text | a | A | "), "/tmp/snow leopard.md")
    assert (conversion.form_id, conversion.title, conversion.version) == ("snow leopard", "snow leopard", "")


def test_media_are_the_files_the_form_names_but_not_the_phones_own() -> None:
    data = survey(
        "text | p | P | m.jpg | s.mp3 | ${last-saved#p}",
        "select_one_from_file households.csv | h | H | | |",
        "csv-external | areas | | | |",
        head="type | name | label::English (en) | media::image::English (en) | media::audio::English (en) | default",
    )
    conversion = convert(data, "f.md")
    assert conversion.media == ["areas.csv", "households.csv", "m.jpg", "s.mp3"]
    assert b"jr://instance/last-saved" in conversion.xform


def test_itemsets_of_an_external_choices_sheet_come_with_the_form() -> None:
    rows = ["| external_choices |", "| | list_name | name | label | area |", "| | h | h1 | House 1 | north |"]
    data = survey("select_one_external h | h | House | area='north'", head="type | name | label | choice_filter")
    conversion = convert(data + "\n".join(["", *rows]).encode(), "f.md")
    assert conversion.media == ["itemsets.csv"]
    assert conversion.itemsets is not None
    assert conversion.itemsets.decode().splitlines()[1] == '"h","h1","House 1","north"'


def test_the_warnings_of_pyxform_are_passed_on() -> None:
    conversion = convert(survey("text | a | A", head="type | name | label::Persian"), "f.md")
    assert ["Persian" in warning for warning in conversion.warnings] == [True]


def as_people_keep_them() -> bytes:
    """The same form with blanks around words, numbers as numbers, joined cells, notes, a chart, a thousand empty rows."""
    from xlsxwriter import Workbook as File

    file = BytesIO()
    with File(file, {"in_memory": True}) as book:
        book.add_worksheet("Notes").write("A1", "not part of the form")
        for name, rows in SHEETS.items():
            page = book.add_worksheet(name.capitalize())
            for line, row in enumerate(rows):
                for column, cell in enumerate(row):
                    page.write_string(line, column, f" {cell.replace(' yes', chr(0xA0) + ' yes')} ")
            page.set_row(1500, 20)
            page.write_blank(1500, 3, None, book.add_format({"bold": True}))
            page.merge_range(1200, 0, 1201, 2, "")
            if name == "settings":
                page.write_number(1, 2, 2026112201)
        chart = book.add_chart({"type": "bar"})
        chart.add_series({"values": "=Settings!$C$2"})
        book.add_chartsheet("Chart").set_chart(chart)
    return file.getvalue()


@pytest.mark.parametrize("name", ["f.xlsx", "f.xlsm", "پرسش‌نامه ۱.xlsx"])
def test_a_workbook_as_people_keep_them_is_the_same_form(converted: Conversion, name: str) -> None:
    assert xlsform_child.convert(as_people_keep_them(), name)["xform"] == converted.xform.decode()


# what is refused, and the words that help

TAGGED = "type | name | label | instance::tag"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (survey("txt | a | A | "), ["row : 2", "'survey' sheet", "type 'txt' is unknown", "xlsform.org"]),
        (survey("text\u200f | a | A | "), ["row : 2", "cannot be seen", "type it anew"]),
        (survey("text | a | A | ", "text | a | B | "), ["row : 3", "'survey' sheet", "'a'", "unique"]),
        (survey("text | a | A | ${b} = 1"), ["row : 2", "'survey' sheet", "'relevant'", "'b'"]),
        (survey("text | a | | "), ["row : 2", "'survey' sheet", "'a' has no text", "label"]),
        (survey("text | | A | "), ["row : 2", "'survey' sheet", "no name"]),
        (survey("text | a b | A | "), ["row : 2", "'survey' sheet", "'name'", "letters, digits"]),
        (survey("begin group | g | G | ", "text | a | A | "), ["row : 2", "'survey' sheet", "end_group", "'g'"]),
        (survey("select_one fur | a | A | "), ["choices sheet", "list_name"]),
        (
            survey("select_one fur | a | A | ") + b"\n| choices |\n| | list_name | name | label |\n| | x | y | Y |",
            ["row : 2", "'survey' sheet", "'fur'", "Add rows with the list_name fur"],
        ),
        (survey("include | other | | "), ["row : 2", "'survey' sheet", "'include' is not supported", "Copy the rows"]),
        (
            survey("begin group | g | G | x", "text | a | A | ", "end group | | | ", head=TAGGED),
            ["breaks the conversion", "instance::tag"],
        ),
        (survey("text | a | A | x", head="type | name | label | hint::A (a)hint::B (b)"), ["hint::A (a)hint::B (b)."]),
        (
            survey("select_one fur | a | A | ") + b"\n| choices |\n| | list_name | name | label |" + b"\n| | fur | y | Y |" * 9,
            ["row : 3", "'choices' sheet", "allow_choice_duplicates", "And 3 more like these."],
        ),
        (b"| surveys |\n| | type | name | label |\n| settings |\n| | form_id |", ["sheet named 'survey'", "'surveys'"]),
        (survey("a | A", head="name | label"), ["'survey'", "'type'"]),
        (survey(*[f"begin group | g{n} | G | " for n in range(500)], "text | a | A | "), ["end_group"]),
    ],
)
def test_a_faulty_form_is_refused_with_sheet_row_and_remedy(data: bytes, words: list[str]) -> None:
    detail = refusal(data)
    assert [word for word in words if word not in detail] == [], detail


def test_a_refusal_names_the_file() -> None:
    with pytest.raises(Problem, match=r"The form cannot be used\. form\.md: \[row : 2\] .* Correct the place") as caught:
        convert(survey("txt | a | A | "), "form.md")
    assert caught.value.kind.code == "form_invalid"


def test_deeply_nested_groups_are_refused_with_a_reason() -> None:
    depth = 1500
    rows = [f"begin group | g{n} | G | " for n in range(depth)] + ["text | a | A | "] + ["end group | | | "] * depth
    assert "nested too deeply" in refusal(survey(*rows))


def zipped(*names: str) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "f.xlsx", "not a workbook"),
        (b"%PDF-1.7", "f.pdf", "not a workbook"),
        (b"", "f.csv", "damaged, empty or protected"),
        ("a,b,c,d,ä".encode("latin-1"), "f.csv", "encoding UTF-8"),
        (zipped("word/document.xml"), "f.docx", "not an Excel workbook"),
        (zipped("content.xml", "mimetype"), "f.ods", "save it as .xlsx"),
        (zipped("xl/workbook.xml"), "f.xlsx", "damaged"),
        (as_xlsx()[:2000], "f.xlsx", "damaged"),
        (compound_file("WordDocument", b"x"), "f.doc", "Word document"),
        (compound_file("EncryptedPackage", b"x"), "f.xlsx", "Remove the password"),
        (compound_file("Other", b"x"), "f.xls", "damaged, empty or protected"),
    ],
)
def test_what_is_no_workbook_is_refused_by_what_it_is(data: bytes, name: str, words: str) -> None:
    assert words in refusal(data, name)


def test_xml_that_is_no_xform_is_refused() -> None:
    with pytest.raises(Problem, match="not an XForm"):
        convert(b"<html><head/><body/></html>", "f.xml")


def test_an_xform_with_a_doctype_is_refused(converted: Conversion) -> None:
    xform = converted.xform.replace(
        b'<?xml version="1.0"?>', b'<?xml version="1.0"?><!DOCTYPE h [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    )
    with pytest.raises(Problem) as caught:
        convert(xform, "f.xml")
    assert caught.value.kind.code == "xml_unreadable"


# what a hostile workbook cannot do


def test_a_file_above_the_limit_is_not_even_opened() -> None:
    with pytest.raises(Problem) as caught:
        convert(as_xlsx(), "f.xlsx", limits=Limits(file=1000))
    assert caught.value.kind.code == "too_large"


def test_a_zip_bomb_is_refused_by_its_declared_size(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = changed(as_xlsx(), "xl/worksheets/sheet1.xml", lambda old: old + b" " * 20_000_000)
    assert len(bomb) < 50_000
    monkeypatch.setattr(xlsform_child, "MAX_UNPACKED", 10_000_000)
    assert "10000000 are allowed" in refusal(bomb, "bomb.xlsx")


def test_a_workbook_that_needs_too_much_memory_is_stopped() -> None:
    bomb = changed(as_xlsx(), "xl/sharedStrings.xml", lambda old: old.replace(b"Seen?", b"A" * (20 * 1024**2)))
    with pytest.raises(Problem, match="needed more than 60 s or 190 MiB"):
        convert(bomb, "bomb.xlsx", limits=Limits(memory=190 * 1024**2))


def test_a_workbook_that_takes_too_long_is_stopped() -> None:
    rows = [f"text | q{number} | ${{q{number}}} | " for number in range(20_000)]
    with pytest.raises(Problem, match="needed more than 1 s"):
        convert(survey(*rows), "slow.md", limits=Limits(seconds=1))


def test_cells_at_the_far_corner_of_a_sheet_cost_nothing(converted: Conversion) -> None:
    far = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    corner = changed(as_xlsx(), "xl/worksheets/sheet1.xml", lambda old: old.replace(b"</sheetData>", far))
    limits = Limits(memory=512 * 1024**2, seconds=20)
    assert convert(corner, "f.xlsx", limits=limits) == converted


FILE, LAUGHS = b'SYSTEM "file:///etc/hostname"', b'"' + b"lol" * 1000 + b'"'


@pytest.mark.parametrize(
    ("part", "entity"),
    [
        ("xl/worksheets/sheet1.xml", FILE),
        ("xl/worksheets/sheet1.xml", LAUGHS),
        ("xl/sharedStrings.xml", FILE),
        ("xl/sharedStrings.xml", LAUGHS),
        ("xl/workbook.xml", FILE),
    ],
)
def test_entities_inside_a_workbook_are_refused(part: str, entity: bytes) -> None:
    def poison(old: bytes) -> bytes:
        declaration, _, rest = old.partition(b"?>")
        doctype = b"?><!DOCTYPE x [<!ENTITY e " + entity + b">]>"
        return declaration + doctype + rest.replace(b"Seen?", b"&e;").replace(b'name="survey"', b'name="&e;"')

    assert "cannot be read" in refusal(changed(as_xlsx(), part, poison), "f.xlsx")
