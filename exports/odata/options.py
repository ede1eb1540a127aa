"""The options of an OData request: what is asked for, how much, and where a page before it ended."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from exports.odata.model import Property, Table
from exports.odata.rows import Row
from forms.problems import Problem

_KNOWN = ("$top", "$skip", "$skiptoken", "$count", "$filter", "$orderby", "$select", "$expand", "$wkt")
_MOST_CHARACTERS = 8000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the values that rows are ordered by, how many rows of that record were given, and the count of all."""

    at: list[Any]
    rows: int = 0
    count: int | None = None

    def token(self) -> str:
        """As a $skiptoken."""
        return base64.urlsafe_b64encode(orjson.dumps([self.at, self.rows, self.count])).decode().rstrip("=")

    @classmethod
    def of_token(cls, token: str) -> "Place":
        """From a $skiptoken. Raises `Problem("value_invalid")`."""
        try:
            at, rows, count = orjson.loads(base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4)))
        except (ValueError, binascii.Error):
            raise _invalid("$skiptoken", "take it from a nextLink of this server") from None
        if not isinstance(at, list) or not isinstance(rows, int) or not isinstance(count, int | None) or rows < 0:
            raise _invalid("$skiptoken", "take it from a nextLink of this server")
        return cls(at, rows, count)


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for, by the names OData gives it; `place` is what its $skiptoken says."""

    top: int | None = None
    skip: int = 0
    place: Place | None = None
    count: bool = False
    filter: str = ""
    orderby: str = ""
    select: tuple[str, ...] = ()
    expand: bool = False
    wkt: bool = False

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Options":
        """From the query of a request. Raises `Problem` "value_invalid", or "not_supported" for what this server cannot do."""
        for name, value in given.items():
            if name.startswith("$") and name not in _KNOWN:
                raise Problem("not_supported", f"{name[:80]} is none of {', '.join(_KNOWN)}.")
            if len(value) > _MOST_CHARACTERS or "\0" in value:
                raise _invalid(name[:80], "too long, or with characters that no text has")
        if given.get("$expand", "*") != "*":
            raise Problem("not_supported", "$expand takes * only.")
        select = tuple(part.strip() for part in given.get("$select", "").split(",") if part.strip() not in {"", "*"})
        if select and "$expand" in given:
            raise Problem("not_supported", "$select and $expand cannot be combined.")
        token = given.get("$skiptoken")
        return cls(
            top=_whole(given, "$top"),
            skip=_whole(given, "$skip") or 0,
            place=Place.of_token(token) if token else None,
            count=_flag(given, "$count"),
            filter=given.get("$filter", ""),
            orderby=given.get("$orderby", ""),
            select=select,
            expand="$expand" in given,
            wkt=_flag(given, "$wkt"),
        )


Paths = frozenset[tuple[str, ...]]


def selected(table: Table, select: tuple[str, ...]) -> Paths:
    """The properties that $select names; none for all. Raises `Problem("value_invalid")` for a name the table does not have."""
    own = {"__id", table.parent_key} if table.repeats else {"__id", "__system"}
    for name in select:
        if name.partition("/")[0] not in own:
            _check(name, table.properties)
    return frozenset(tuple(name.split("/")) for name in select)


def part_of(row: Row, wanted: Paths, above: tuple[str, ...] = ()) -> Row:
    """The wanted part of a row."""
    if not wanted:
        return row
    made: Row = {}
    for name, value in row.items():
        path = (*above, name.partition("@")[0])
        if path in wanted:
            made[name] = value
        elif isinstance(value, dict) and any(each[: len(path)] == path for each in wanted):
            made[name] = part_of(value, wanted, path)
    return made


def _check(name: str, properties: tuple[Property, ...]) -> None:
    for part in name.split("/"):
        found = next((item for item in properties if item.name == part), None)
        if found is None:
            raise _invalid("$select", f"there is no property {name[:80]}")
        properties = found.children


def _whole(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _invalid(name, "a whole number, 0 or more")
    return int(text)


def _flag(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "false").lower()
    if text not in {"true", "false"}:
        raise _invalid(name, "true or false")
    return text == "true"


def _invalid(name: str, what: str) -> Problem:
    return Problem("value_invalid", f"{name}: {what}.")
