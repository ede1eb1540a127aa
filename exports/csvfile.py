"""CSV that opens rightly everywhere: UTF-8 with byte order mark, CRLF, RFC 4180, and no cell that a spreadsheet would run."""

import csv
from collections.abc import Iterable
from typing import TextIO

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe(value: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula."""
    return "'" + value if value.startswith(FORMULA_STARTS) else value


def write_table(stream: TextIO, header: Iterable[str], rows: Iterable[Iterable[str | int | float | None]]) -> int:
    """Write header and rows to a stream opened with `newline=""`; give the number of rows.

    Only text is guarded: the number -5 stays a number.
    """
    stream.write("\ufeff")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(header)
    count = 0
    for row in rows:
        writer.writerow([safe(value) if isinstance(value, str) else value for value in row])
        count += 1
    return count
