"""$filter and $orderby: the part of OData's expressions that ODK Central has, turned into SQL with bound values.

Names are looked up in a table of columns and values are bound, so nothing a client writes becomes part of a statement.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Integer, and_, false, func, literal, not_, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from forms.datatypes import normal_offset
from forms.problems import Problem

Kind = Literal["text", "number", "moment", "null"]
MOST_TOKENS, MOST_DEPTH = 300, 25
_TOKEN = re.compile(
    r"\s*(?:(?P<moment>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+\- ]\d\d:?\d\d)?)?)"
    r"|(?P<number>-?\d{1,18})(?![\w.])|'(?P<text>(?:[^']|'')*)'|(?P<name>[$A-Za-z_][\w$/]*)|(?P<sign>[(),]))"
)
_PARTS = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S"}
_COMPARISONS = ("lt", "le", "eq", "ne", "ge", "gt")


@dataclass(frozen=True, slots=True)
class Column:
    """A column that may be named. `is_unique` ends an order; `low` stands for null there."""

    expression: ColumnElement[Any]
    kind: Kind
    low: Any = None
    is_unique: bool = False


Columns = Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Order:
    """One part of an order; `field` is the name of the column."""

    field: str
    column: Column
    descending: bool

    @property
    def expression(self) -> ColumnElement[Any]:
        """What is ordered by: never null."""
        return self.column.expression if self.column.low is None else _or_low(self.column)


@dataclass(frozen=True, slots=True)
class _Value:
    """A part of an expression: `sql` is a column, a function of one, or a bound literal."""

    sql: Any
    kind: Kind
    is_literal: bool = False


def condition(text: str, columns: Columns) -> ColumnElement[bool]:
    """The condition that a $filter states. Raises `Problem` "value_invalid" or "not_supported"."""
    return _Parser(text, columns).parse()


def order(text: str, columns: Columns) -> list[Order]:
    """The order that an $orderby states. Raises `Problem` "value_invalid" or "not_supported"."""
    made = []
    for part in text.split(","):
        name, _, direction = part.strip().partition(" ")
        if direction.strip() not in {"", "asc", "desc"}:
            raise Problem("value_invalid", f"$orderby: {part.strip()}: a direction is asc or desc.")
        made.append(Order(name, _named(name, columns), direction.strip() == "desc"))
    if len(made) > len(columns):
        raise Problem("value_invalid", "$orderby: too long.")
    return made


def _or_low(column: Column) -> ColumnElement[Any]:
    return func.coalesce(column.expression, literal(column.low, column.expression.type))


def _named(name: str, columns: Columns) -> Column:
    if name not in columns:
        raise Problem("not_supported", f"{name[:80]} cannot be filtered or ordered by, only {', '.join(columns)}.")
    return columns[name]


class _PartOfMoment(FunctionElement[int]):
    """The year, the hour ... of an instant in UTC, whatever the time zone of the database's session."""

    type = Integer()
    inherit_cache = False

    def __init__(self, part: str, moment: ColumnElement[Any]) -> None:
        super().__init__(moment)
        self.part = part


@compiles(_PartOfMoment)
def _on_postgresql(element: _PartOfMoment, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(floor(extract({element.part} FROM {compiler.process(element.clauses, **options)} AT TIME ZONE 'UTC')) AS integer)"


@compiles(_PartOfMoment, "sqlite")
def _on_sqlite(element: _PartOfMoment, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(strftime('{_PARTS[element.part]}', {compiler.process(element.clauses, **options)}) AS INTEGER)"


class _Parser:
    """Recursive descent over: or, and, not, comparison."""

    def __init__(self, text: str, columns: Columns) -> None:
        self._columns = columns
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0

    def parse(self) -> ColumnElement[bool]:
        found = self._any()
        if self._next < len(self._tokens):
            raise _unreadable(self._tokens[self._next][1])
        return found

    def _any(self) -> ColumnElement[bool]:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise Problem("value_invalid", "$filter: nested too deeply.")
        found = [self._all()]
        while self._take("name", "or"):
            found.append(self._all())
        self._depth -= 1
        return or_(*found)

    def _all(self) -> ColumnElement[bool]:
        found = [self._one()]
        while self._take("name", "and"):
            found.append(self._one())
        return and_(*found)

    def _one(self) -> ColumnElement[bool]:
        negations = 0
        while self._take("name", "not"):
            negations += 1
        if self._take("sign", "("):
            found = self._any()
            self._require(")")
        else:
            found = self._comparison()
        return not_(func.coalesce(found, false())) if negations % 2 else found  # what is unknown is not so

    def _comparison(self) -> ColumnElement[bool]:
        left = self._value()
        kind, sign = self._take_any()
        if kind != "name" or sign not in _COMPARISONS:
            raise _unreadable(sign)
        return _compare(left, sign, self._value())

    def _value(self) -> _Value:
        kind, text = self._take_any()
        if kind == "text":
            return _Value(text.replace("''", "'"), "text", is_literal=True)
        if kind == "number":
            return _Value(int(text), "number", is_literal=True)
        if kind == "moment":
            return _Value(_moment(text), "moment", is_literal=True)
        if kind != "name":
            raise _unreadable(text)
        if text == "null":
            return _Value(None, "null", is_literal=True)
        return self._function(text) if self._take("sign", "(") else self._column(text)

    def _function(self, name: str) -> _Value:
        if name == "now":
            self._require(")")
            return _Value(datetime.now(UTC), "moment", is_literal=True)
        if name not in _PARTS:
            raise Problem("not_supported", f"$filter: the function {name[:80]} is not supported.")
        inner = self._value()
        self._require(")")
        if inner.kind != "moment" or inner.is_literal:
            raise Problem("value_invalid", f"$filter: {name}() takes a column with a time.")
        return _Value(_PartOfMoment(name, inner.sql), "number")

    def _column(self, name: str) -> _Value:
        column = _named(name, self._columns)
        return _Value(column.expression, column.kind)

    def _take(self, kind: str, text: str) -> bool:
        is_next = self._next < len(self._tokens) and self._tokens[self._next] == (kind, text)
        self._next += is_next
        return is_next

    def _take_any(self) -> tuple[str, str]:
        if self._next >= len(self._tokens):
            raise Problem("value_invalid", "$filter: something is missing at the end.")
        self._next += 1
        return self._tokens[self._next - 1]

    def _require(self, sign: str) -> None:
        if not self._take("sign", sign):
            raise Problem("value_invalid", f"$filter: {sign} is missing.")


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    text, position = text.strip(), 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None or len(found) >= MOST_TOKENS:
            raise _unreadable(text[position:]) if token is None else Problem("value_invalid", "$filter: too long.")
        found.append((token.lastgroup or "", token[token.lastgroup or 0]))
        position = token.end()
    return found


def _compare(left: _Value, sign: str, right: _Value) -> ColumnElement[bool]:
    if left.is_literal and right.is_literal:
        raise Problem("value_invalid", "$filter: a comparison names a column.")
    left, right = _alike(left, right), _alike(right, left)
    if "null" in {left.kind, right.kind}:
        return _with_null(left.sql if right.kind == "null" else right.sql, sign)
    if left.kind != right.kind:
        raise Problem("value_invalid", f"$filter: a {left.kind} cannot be compared with a {right.kind}.")
    sides = [_bound(left, right), _bound(right, left)]
    compared: ColumnElement[bool] = {
        "lt": lambda one, other: one < other,
        "le": lambda one, other: one <= other,
        "eq": lambda one, other: one == other,
        "ne": lambda one, other: one.is_distinct_from(other),
        "ge": lambda one, other: one >= other,
        "gt": lambda one, other: one > other,
    }[sign](*sides)
    return compared


def _with_null(column: ColumnElement[Any], sign: str) -> ColumnElement[bool]:
    if sign not in {"eq", "ne"}:
        raise Problem("value_invalid", "$filter: null is compared with eq or ne.")
    return column.is_(None) if sign == "eq" else column.is_not(None)


def _alike(value: _Value, other: _Value) -> _Value:
    """A number may be written as text, as OData shows the ids of submitters."""
    is_number = value.is_literal and value.kind == "text" and other.kind == "number"
    return _Value(int(value.sql), "number", is_literal=True) if is_number and re.fullmatch("[0-9]{1,18}", value.sql) else value


def _bound(value: _Value, other: _Value) -> Any:
    return literal(value.sql, other.sql.type) if value.is_literal else value.sql


def _moment(text: str) -> datetime:
    """A literal; a day is its first moment in UTC, and a blank was a plus sign before an address was read."""
    try:
        moment = datetime.fromisoformat(normal_offset(text.replace(" ", "+")))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _unreadable(text) from None


def _unreadable(text: str) -> Problem:
    return Problem("value_invalid", f"$filter: cannot be read at {text[:80]}")
