"""Answers as rows of OData: every property is there, null where nothing was answered or where it is not of its type."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson

from exports.odata.model import ROOT, Property, Table
from forms.datatypes import calendar_day, instant, normal_offset, read_point

Row = dict[str, Any]
Writer = Callable[[Mapping[str, Any], Row, str, str], None]
"""Puts one property of the answers into a row; the last two are the address and the id of the row."""
Converter = Callable[[Any], Any]
_INT64 = 2**63
_NOTHING: Mapping[str, Any] = {}


def moment(value: datetime | None) -> str | None:
    """An instant in UTC with milliseconds."""
    return None if value is None else value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Shape:
    """How the answers of a table become rows. `expand` puts the rows of repeats in place of their addresses."""

    def __init__(self, table: Table, *, wkt: bool = False, expand: bool = False) -> None:
        self.table = table
        self._convert = _converters(wkt=wkt)
        self._expand = expand
        self._write = self._writer(table.properties)

    def rows(self, instance_id: str, answers: Mapping[str, Any]) -> Iterator[Row]:
        """The rows of one record: the record itself, or those of the repeat."""
        address = f"{ROOT}('{quote(instance_id, safe='')}')"
        if not self.table.repeats:
            row: Row = {"__id": instance_id}
            self._write(answers, row, address, instance_id)
            yield row
            return
        yield from self._rounds(answers, instance_id, address, 0)

    def _rounds(self, answers: Mapping[str, Any], above: str, address: str, level: int) -> Iterator[Row]:
        """Go down through the repeats around the table."""
        repeats = self.table.repeats
        here, depth = repeats[level], len(repeats[level - 1].path) if level else 0
        for own, own_address, content in _contents(here, answers, above, address, depth):
            if level + 1 < len(repeats):
                yield from self._rounds(content, own, own_address, level + 1)
            else:
                row: Row = {"__id": own, self.table.parent_key: above}
                self._write(content, row, own_address, own)
                yield row

    def _writer(self, properties: Sequence[Property]) -> Writer:
        writers = [self._property(item) for item in properties]

        def write(answers: Mapping[str, Any], row: Row, address: str, own: str) -> None:
            for writer in writers:
                writer(answers, row, address, own)

        return write

    def _property(self, item: Property) -> Writer:
        name, key = item.name, item.field.name
        if item.field.kind == "question":
            convert: Converter = self._convert.get(item.field.type, _text)

            def question(answers: Mapping[str, Any], row: Row, _address: str, _own: str) -> None:
                value = answers.get(key)
                row[name] = None if value is None else convert(value)

            return question
        inside = self._writer(item.children)
        if item.field.kind == "group":

            def group(answers: Mapping[str, Any], row: Row, address: str, own: str) -> None:
                found = answers.get(key)
                content: Row = {}
                row[name] = content
                inside(found if isinstance(found, dict) else _NOTHING, content, f"{address}/{name}", own)

            return group

        def link(_answers: Mapping[str, Any], row: Row, address: str, _own: str) -> None:
            row[f"{name}@odata.navigationLink"] = f"{address}/{name}"

        def expanded(answers: Mapping[str, Any], row: Row, address: str, own: str) -> None:
            row[name] = []
            for each, its_address, content in _contents(item, answers, own, address, len(item.path) - 1):
                row[name].append({"__id": each})
                inside(content, row[name][-1], its_address, each)

        return expanded if self._expand else link


def _contents(
    item: Property, answers: Mapping[str, Any], above: str, address: str, depth: int
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(id, address, answers) of the rows of a repeat, from the answers `depth` levels down."""
    found: Any = answers
    for name in item.field.path[depth:]:
        found = found.get(name) if isinstance(found, dict) else None
    path = "/".join(item.path)
    for number, content in enumerate(found if isinstance(found, list) else (), start=1):
        own = hashlib.sha256(f"{above}/{path}[{number}]".encode()).hexdigest()[:40]
        inner = "/".join(item.path[depth:])
        yield own, f"{address}/{inner}('{own}')", content if isinstance(content, dict) else _NOTHING


def _converters(*, wkt: bool) -> dict[str, Converter]:
    shapes = _WKT if wkt else _GEOJSON
    return {
        "int": _whole,
        "integer": _whole,
        "decimal": _number,
        "boolean": lambda value: value if value.__class__ is bool else None,
        "date": lambda value: calendar_day(value) if value.__class__ is str else None,
        "dateTime": _instant,
        "geopoint": lambda value: shapes[0](_points(value, 1, most=1)),
        "geotrace": lambda value: shapes[1](_points(value, 2)),
        "geoshape": lambda value: shapes[2](_ring(_points(value, 3))),
    }


def _text(value: Any) -> str:
    return value if value.__class__ is str else orjson.dumps(value).decode()


def _whole(value: Any) -> int | None:
    return value if value.__class__ is int and -_INT64 <= value < _INT64 else None


def _number(value: Any) -> float | None:
    return value if value.__class__ in {int, float} else None


def _instant(value: Any) -> str | None:
    found = instant(value) if value.__class__ is str else None
    return None if found is None or found.tzinfo is None else normal_offset(value)


Point = tuple[float, float, float | None, float | None]


def _points(value: Any, fewest: int, *, most: int | None = None) -> list[Point]:
    """The positions of a geometry; none if one cannot be read or their number is no geometry."""
    try:
        points = [read_point(part) for part in value.strip().strip(";").split(";")] if value.__class__ is str else []
    except ValueError:
        return []
    return points if len(points) >= fewest and (most is None or len(points) <= most) else []


def _ring(points: list[Point]) -> list[Point]:
    """The same positions, ending where they begin; none if that encloses nothing."""
    if points and points[0][:2] != points[-1][:2]:
        points = [*points, points[0]]
    return points if len(points) >= 4 else []


def _position(point: Point) -> list[float]:
    latitude, longitude, altitude, _ = point
    return [longitude, latitude] if altitude is None else [longitude, latitude, altitude]


def _geojson(kind: str, coordinates: Any, points: list[Point]) -> Row | None:
    if not points:
        return None
    accuracies = [point[3] for point in points]
    about = accuracies[0] if kind == "Point" else accuracies
    known = any(accuracy is not None for accuracy in accuracies)
    return {"type": kind, "coordinates": coordinates, **({"properties": {"accuracy": about}} if known else {})}


def _wkt(kind: str, points: list[Point], opening: str = "(", closing: str = ")") -> str | None:
    if not points:
        return None
    return f"{kind} {opening}{','.join(' '.join(f'{number:.12g}' for number in _position(point)) for point in points)}{closing}"


_GEOJSON: tuple[Callable[[list[Point]], Any], ...] = (
    lambda points: _geojson("Point", _position(points[0]) if points else (), points),
    lambda points: _geojson("LineString", [_position(point) for point in points], points),
    lambda points: _geojson("Polygon", [[_position(point) for point in points]], points),
)
_WKT: tuple[Callable[[list[Point]], Any], ...] = (
    lambda points: _wkt("POINT", points),
    lambda points: _wkt("LINESTRING", points),
    lambda points: _wkt("POLYGON", points, "((", "))"),
)
