"""CSV that opens rightly everywhere: UTF-8 with byte order mark, CRLF, RFC 4180, and no cell that a spreadsheet would run."""

import csv
from collections.abc import Iterable
from typing import TextIO

FORMULA_STARTS = frozenset("=+-@\t\r")


def write_table(stream: TextIO, header: Iterable[str], rows: Iterable[Iterable[str | int | float | None]]) -> int:
    """Write header and rows to a stream opened with `newline=""`; give the number of rows.

    Text that a spreadsheet would take for a formula gets an apostrophe; the number -5 stays a number.
    """
    stream.write("\ufeff")
    csv.writer(stream, lineterminator="\r\n").writerow(header)
    return write_rows(stream, rows)


def write_rows(stream: TextIO, rows: Iterable[Iterable[str | int | float | None]]) -> int:
    """Write more rows; give their number."""
    writer = csv.writer(stream, lineterminator="\r\n")
    count = 0
    for row in rows:
        writer.writerow([f"'{cell}" if cell.__class__ is str and cell[:1] in FORMULA_STARTS else cell for cell in row])
        count += 1
    return count
