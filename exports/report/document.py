"""What a report is made of, whatever it is shown as: headings, paragraphs, lists, facts, tables, figures, page breaks.

Text is plain, in one language and direction. Codes and names in the other direction are isolated (Unicode Standard Annex 9), so
that every renderer puts them in their right order.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, TypeAlias

FIRST_STRONG, POP = "\u2068", "\u2069"


def isolated(text: str) -> str:
    """A code or name whose own direction must not turn what stands around it."""
    return f"{FIRST_STRONG}{text}{POP}"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 2 begins a chapter, level 3 a part of it."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph. `tone` is "" or "lead" (stands out), "warning" (must not be missed) or "note" (small)."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they stand for, one below the other."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Links:
    """Other files of the folder under a title: what they are, and their names. Only shown where links work."""

    title: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table. A row with one cell is a heading over the rows that follow it. `numeric` columns are set flush, digit under digit.

    `widths` are shares of the page for print. Raises ValueError for a row that has neither one cell nor one for each column.
    """

    caption: str
    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        sizes = {len(row) for row in self.rows} | {len(self.numeric), len(self.widths)}
        if not sizes <= {1, len(self.columns)}:
            raise ValueError(f"Rows of {sorted(sizes)} cells in a table of {len(self.columns)} columns.")

    def without(self, columns: Collection[int]) -> "Table":
        """The same without some columns, by their place from 0; rows that are headings stay."""
        kept = [number for number in range(len(self.columns)) if number not in columns]
        return replace(
            self,
            columns=tuple(self.columns[number] for number in kept),
            numeric=tuple(self.numeric[number] for number in kept),
            widths=tuple(self.widths[number] for number in kept),
            rows=tuple(row if len(row) == 1 else tuple(row[number] for number in kept) for row in self.rows),
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing as SVG with its own light ground, what it shows, and the same in words for who cannot see it.

    `width` is how much of the page it takes in print, in percent.
    """

    svg: str
    caption: str
    alt: str
    width: int = 70


@dataclass(frozen=True, slots=True)
class PageBreak:
    """Where print begins a new page."""


Block: TypeAlias = Heading | Paragraph | Bullets | Facts | Links | Table | Figure | PageBreak


@dataclass(frozen=True, slots=True)
class Document:
    """A report in one language (BCP 47). `day` is the day it tells up to, `footer` stands on every page."""

    language: str
    right_to_left: bool
    title: str
    subtitle: str
    footer: str
    day: date
    blocks: tuple[Block, ...]

    def as_json(self) -> dict[str, Any]:
        """The same for programs: every block with its kind."""
        blocks = [{"kind": type(block).__name__, **asdict(block)} for block in self.blocks]
        return asdict(self) | {"day": self.day.isoformat(), "blocks": blocks}
