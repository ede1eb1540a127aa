"""XLSX: one sheet per table and one about the file; nothing in it is a formula or a link, and numbers are numbers.

Excel's limits ("specifications and limits"): 1,048,576 rows of 16,384 columns, 32,767 characters (UTF-16 units) in a cell, 31 in
the name of a sheet. Rows that do not fit go on in a further sheet; text that does not is cut. The last sheet tells both.
"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import xlsxwriter
from babel import Locale, UnknownLocaleError

from exports.csvfile import FORMULA_STARTS, Cell
from exports.data.columns import Table
from exports.data.source import Row, Source
from exports.data.typed import is_day
from exports.data.wanted import told
from forms.problems import Problem

MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS, MOST_NAME = 1_048_576, 16_384, 32_767, 31
_MOST_EXACT = 2**53
_FIRST_DAY = "1900-03-01"  # before it, Excel counts a day that never was
_WIDTH = 16  # characters
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_MARKUP = re.compile(r"<r>.*</r>", re.DOTALL)
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def build(source: Source, target: Path, *, most_rows: int = MOST_ROWS) -> Iterator[None]:
    """Write the file; give way after every batch. Temporary files stay beside it. Raises `Problem("not_supported")`."""
    for table in source.tables:
        if len(table.columns) > MOST_COLUMNS:
            detail = f"A sheet holds {MOST_COLUMNS} columns; {table.name} has {len(table.columns)}."
            raise Problem("not_supported", detail, hint="Take CSV.")
    book = xlsxwriter.Workbook(target, {**_OPTIONS, "tmpdir": str(target.parent)})
    try:
        writer = _Book(book, source, most_rows)
        for batch in source.batches():
            for row in batch:
                writer.write(row)
            yield
        writer.finish()
        book.close()
    finally:
        for sheet in book.worksheets():  # of a workbook that is given up, too
            if sheet.row_data_fh is not None:
                sheet.row_data_fh.close()


class _Book:
    """The sheets of a workbook while rows come in for all of them."""

    def __init__(self, book: Any, source: Source, most_rows: int) -> None:
        self.book, self.source, self.most_rows = book, source, most_rows
        self.names: set[str] = {"history"}  # Excel keeps this one to itself
        self.bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self.day = book.add_format({"num_format": "yyyy-mm-dd"})
        self.cut = 0
        self.parts: dict[tuple[str, ...], list[tuple[str, int]]] = {}
        """(sheet, rows) of each table."""
        self.sheets = {table.path: self._sheet(table) for table in source.tables}

    def write(self, row: Row[Cell]) -> None:
        """Write a row below the others of its table."""
        name, rows = self.parts[row.table.path][-1]
        if rows + 1 == self.most_rows:
            self.sheets[row.table.path] = self._sheet(row.table)
            name, rows = self.parts[row.table.path][-1]
        sheet = self.sheets[row.table.path]
        for column, (about, cell) in enumerate(zip(row.table.columns, row.cells, strict=True)):
            if cell is not None and cell != "":
                self._cell(sheet, rows + 1, column, cell, is_date=about.kind == "date")
        self.parts[row.table.path][-1] = (name, rows + 1)

    def finish(self) -> None:
        """The sheet that tells what is in the others."""
        lines: list[tuple[str, Cell]] = [("Form", self.source.form_id), ("Title", self.source.definition.title)]
        lines += [("Records", self.source.done), *((name, str(value)) for name, value in told(self.source.filters).items())]
        lines += [(f"Rows of {table.name}", rows) for table in self.source.tables for _, rows in self.parts[table.path]]
        for path, parts in self.parts.items():
            if len(parts) > 1:
                table = next(each for each in self.source.tables if each.path == path)
                lines.append((f"{table.name} goes on", ", ".join(name for name, _ in parts)))
        if self.cut:
            lines.append((f"Texts cut after {MOST_CHARACTERS} characters (whole in CSV)", self.cut))
        sheet = self.book.add_worksheet(sheet_name("About", self.names))
        sheet.set_column(0, 1, 3 * _WIDTH)
        for number, line in enumerate(lines):
            for column, cell in enumerate(line):
                self._cell(sheet, number, column, cell)

    def _sheet(self, table: Table) -> Any:
        sheet = self.book.add_worksheet(sheet_name(table.path[-1] if table.path else table.name, self.names))
        self.parts.setdefault(table.path, []).append((sheet.get_name(), 0))
        sheet.set_column(0, len(table.columns) - 1, _WIDTH)
        sheet.freeze_panes(1, 0)
        if is_right_to_left(self.source.layout.language):
            sheet.right_to_left()
        for column, header in enumerate(table.headers):
            sheet.write_string(0, column, self._text(header), self.bold)
        return sheet

    def _cell(self, sheet: Any, row: int, column: int, cell: Cell, *, is_date: bool = False) -> None:
        if isinstance(cell, bool):
            sheet.write_boolean(row, column, cell)
        elif isinstance(cell, int | float) and abs(cell) <= _MOST_EXACT:
            sheet.write_number(row, column, cell)
        elif is_date and isinstance(cell, str) and is_day(cell) and cell >= _FIRST_DAY:
            sheet.write_datetime(row, column, date.fromisoformat(cell), self.day)
        else:
            sheet.write_string(row, column, self._text(str(cell)))

    def _text(self, text: str) -> str:
        if len(text) > MOST_CHARACTERS // 2 and (short := shortened(text)) != text:
            self.cut += 1
            text = short
        if _MARKUP.fullmatch(text):  # the library would take it for markup of its own
            text = f"{text[: MOST_CHARACTERS - 1]} "
        return text


def shortened(text: str) -> str:
    """As much of a text as a cell holds; no character is cut in two."""
    units = text.encode("utf-16-le", "surrogatepass")
    return text if len(units) <= 2 * MOST_CHARACTERS else units[: 2 * MOST_CHARACTERS].decode("utf-16-le", "ignore")


def sheet_name(wanted: str, taken: set[str]) -> str:
    """A name that Excel allows and that no sheet has, whatever its capitals; it is added to `taken`."""
    plain = _FORBIDDEN.sub("_", wanted).strip("' ") or "_"
    plain = f"_{plain[1:]}" if plain[0] in FORMULA_STARTS else plain
    name, number = _fitting(plain, ""), 1
    while name.lower() in taken:
        number += 1
        name = _fitting(plain, f" ({number})")
    taken.add(name.lower())
    return name


def _fitting(text: str, end: str) -> str:
    units = text.encode("utf-16-le", "replace")[: 2 * (MOST_NAME - len(end))]
    return units.decode("utf-16-le", "ignore").rstrip("' ") + end


def is_right_to_left(language: str) -> bool:
    """Whether a form's language ("فارسی (fa)", "fa") is written from right to left."""
    code = re.search(r"\(([\w-]+)\)$", language)
    try:
        return str(Locale.parse(code[1] if code else language, sep="-").text_direction) == "rtl"
    except (UnknownLocaleError, ValueError, TypeError):
        return False
