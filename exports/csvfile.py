"""CSV that opens rightly everywhere: UTF-8 with byte order mark, CRLF, RFC 4180, and no cell that a spreadsheet would run."""

import csv
import re
from collections.abc import Iterable
from typing import TextIO

FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")
"""Those of OWASP, "CSV Injection", with the wide forms that East Asian spreadsheets read alike."""
_NUMBERS = re.compile(r"-?\d+(?:\.\d+)?(?:[ ;]+-?\d+(?:\.\d+)?)*;?", re.ASCII)
"""One number, or several apart by blanks as in a position: a spreadsheet computes nothing with them."""
Cell = str | int | float | None


class Plain(csv.excel):
    """Commas, and quotes where they are needed: RFC 4180."""


class Quoted(csv.excel):
    """Semicolons, and everything in quotes, as KoBoToolbox writes it."""

    delimiter = ";"
    quoting = csv.QUOTE_ALL


def disarmed(text: str) -> str:
    """Text that no spreadsheet takes for a formula: with an apostrophe where it could. The number -5 stays a number."""
    return f"'{text}" if text[:1] in FORMULA_STARTS and not _NUMBERS.fullmatch(text) else text


def write_table(stream: TextIO, header: Iterable[str], rows: Iterable[Iterable[Cell]], dialect: type[csv.excel] = Plain) -> int:
    """Write header and rows to a stream opened with `newline=""`; give the number of rows. No cell and no heading is a formula."""
    stream.write("\ufeff")
    write_rows(stream, [header], dialect)
    return write_rows(stream, rows, dialect)


def write_rows(stream: TextIO, rows: Iterable[Iterable[Cell]], dialect: type[csv.excel] = Plain) -> int:
    """Write more rows; give their number."""
    writer = csv.writer(stream, dialect)
    count = 0
    for row in rows:
        writer.writerow([disarmed(cell) if cell.__class__ is str and cell[:1] in FORMULA_STARTS else cell for cell in row])
        count += 1
    return count
