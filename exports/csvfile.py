"""CSV that opens rightly everywhere: UTF-8 with byte order mark, CRLF, RFC 4180, and no cell that a spreadsheet would run."""

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TextIO

FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")
"""Those of OWASP, "CSV Injection", with the wide forms that East Asian spreadsheets read alike."""
_NUMBERS = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]\d+|(?:[ ;]+-?\d+(?:\.\d+)?)*;?)", re.ASCII)
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


def as_texts(cells: Iterable[Cell]) -> list[str]:
    """Cells as they are written, but for quotes."""
    return ["" if cell is None else cell if type(cell) is str else str(cell) for cell in cells]


def write_table(stream: TextIO, header: Iterable[str], rows: Iterable[Iterable[Cell]], dialect: type[csv.excel] = Plain) -> int:
    """Write header and rows to a stream opened with `newline=""`; give the number of rows. No cell and no heading is a formula."""
    stream.write("\ufeff")
    write_rows(stream, [header], dialect)
    return write_rows(stream, rows, dialect)


def write_rows(stream: TextIO, rows: Iterable[Iterable[Cell]], dialect: type[csv.excel] = Plain) -> int:
    """Write more rows; give their number."""
    return write_texts(stream, map(as_texts, rows), dialect)


def write_texts(stream: TextIO, rows: Iterable[Sequence[str]], dialect: type[csv.excel] = Plain) -> int:
    """The same for rows of `as_texts`.

    `csv` looks at every character. Most rows hold none that matters, which a few searches in the whole line tell much sooner.
    """
    writer, is_simple = csv.writer(stream, dialect), _simple(dialect)
    quote = '"' if dialect.quoting == csv.QUOTE_ALL else ""
    between, end = f"{quote}{dialect.delimiter}{quote}", f"{quote}\r\n"
    count = 0
    for texts in rows:
        line = f"{quote}{between.join(texts)}"
        if is_simple(line, len(texts)) and texts[0][:1] not in FORMULA_STARTS:
            stream.write(f"{line}{end}")
        else:
            writer.writerow([*map(disarmed, texts)])
        count += 1
    return count


def _simple(dialect: type[csv.excel]) -> Callable[[str, int], bool]:
    """Make the test whether this many cells, put together, need no quotes of their own, and none but the first begins a formula."""
    sign, is_quoted = dialect.delimiter, dialect.quoting == csv.QUOTE_ALL
    starts = [(start, f'{sign}"{start}' if is_quoted else f"{sign}{start}") for start in sorted(FORMULA_STARTS)]
    ascii_starts = [each for each in starts if each[0].isascii()]

    def test(line: str, cells: int) -> bool:
        if is_quoted and line.count('"') != 2 * cells - 1:
            return False
        if not is_quoted and (line.count(sign) != cells - 1 or cells == 1 or '"' in line or "\n" in line or "\r" in line):
            return False
        looked_for = ascii_starts if line.isascii() else starts
        return not [start for start, begun in looked_for if start in line and begun in line]

    return test
