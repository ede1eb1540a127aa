"""An XLSForm workbook as a value: its sheets, and the .xlsx file people open.

The sheets and columns are those of the XLSForm specification (https://xlsform.org).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # a fixed date inside the file: the same workbook is always the same bytes
_WIDTHS = {"type": 26, "name": 20, "label": 48, "hint": 36, "constraint_message": 36, "required": 9, "default": 10}
_OTHER_WIDTH = 24  # characters


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its column names and its rows, every row as long as the header. An empty text is an empty cell."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, header: Sequence[str], rows: Sequence[dict[str, str]]) -> "Sheet":
        """A sheet of `rows`, without the columns in which no row has a value."""
        used = tuple(name for name in header if any(row.get(name) for row in rows))
        return cls(used, tuple(tuple(row.get(name, "") for name in used) for row in rows))


@dataclass(frozen=True, slots=True)
class Workbook:
    """The sheets of one form; entities is empty where the form makes none."""

    survey: Sheet
    choices: Sheet
    settings: Sheet
    entities: Sheet = Sheet((), ())

    def to_xlsx(self) -> bytes:
        """The workbook as an .xlsx file. Every cell is text, so nothing in it can run as a formula."""
        from xlsxwriter import Workbook as XlsxFile

        file = BytesIO()
        with XlsxFile(file, {"in_memory": True}) as book:
            book.set_properties({"created": _EPOCH})
            bold = book.add_format({"bold": True, "valign": "top"})
            wrapped = book.add_format({"text_wrap": True, "valign": "top"})
            sheets = {"survey": self.survey, "choices": self.choices, "settings": self.settings}
            if self.entities.header:
                sheets["entities"] = self.entities
            for name, sheet in sheets.items():
                page = book.add_worksheet(name)
                page.freeze_panes(1, 0)
                for column, title in enumerate(sheet.header):
                    page.set_column(column, column, _WIDTHS.get(title.partition("::")[0], _OTHER_WIDTH))
                    page.write_string(0, column, title, bold)
                for line, row in enumerate(sheet.rows, start=1):
                    for column, cell in enumerate(row):
                        if cell:
                            page.write_string(line, column, cell, wrapped)
        return file.getvalue()
