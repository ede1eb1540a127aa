"""Cells for formats whose columns have types. What is not of its column's type is kept too, in a column of its own."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from exports.csvfile import Cell
from exports.data.columns import Column
from exports.tables import as_text
from forms.problems import Problem

OTHERS = "OtherAnswers"
"""A JSON object in a column at the end: what was answered, by heading, where it is not what the column holds."""
_SURE = {"text": str, "decimal": float}
"""Classes whose every value fits."""
_MOST_WHOLE, _MOST_EXACT = 2**63, 2**53


def columns_with(columns: Sequence[Column], own: Iterable[str], most: int, format_name: str) -> list[Column]:
    """The columns and `OTHERS`, none named as the format's `own`. Raises `Problem("not_supported")` above `most` columns."""
    taken = {name.lower() for name in own}
    found = [*columns, Column(OTHERS, "text")]
    if len(found) > most:
        raise Problem("not_supported", f"{format_name} holds {most} columns; this has {len(found)}.", hint="Take CSV.")
    return [Column(f"{each.header} (2)", each.kind) if each.header.lower() in taken else each for each in found]


def typing(columns: Sequence[Column]) -> Callable[[Sequence[Cell]], list[Cell]]:
    """Make the function that puts the cells of a row into the types of `columns`, and the others as JSON into the last."""
    about = [(column, _SURE.get(column.kind)) for column in columns[:-1]]

    def typed(cells: Sequence[Cell]) -> list[Cell]:
        row: list[Cell] = []
        others: dict[str, Cell] = {}
        for (column, sure), cell in zip(about, cells, strict=True):
            if cell is None or cell.__class__ is sure or fits(column.kind, cell):
                row.append(cell)
            elif column.kind == "text":
                row.append(as_text(cell))
            else:
                row.append(None)
                others[column.header] = cell
        row.append(as_text(others) if others else None)
        return row

    return typed


def fits(kind: str, cell: Any) -> bool:
    """Whether a cell is of this kind and nothing of it is lost in one of 64 bits."""
    if kind == "text":
        return isinstance(cell, str)
    if kind == "int":
        return type(cell) is int and -_MOST_WHOLE <= cell < _MOST_WHOLE
    if kind == "decimal":
        return type(cell) is float or (type(cell) is int and abs(cell) <= _MOST_EXACT)
    return isinstance(cell, str) and is_day(cell)


def is_day(text: str) -> bool:
    """Whether this is a day as YYYY-MM-DD and nothing else."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
