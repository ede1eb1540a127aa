"""GeoParquet 1.1: one file per table, WGS 84 as OGC:CRS84 (longitude first, the format's default), geometries as WKB.

Needs pyarrow, which is larger than everything else together and so no part of what a station installs.
"""

from collections.abc import Iterator
from datetime import date
from importlib import import_module
from typing import Any

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from exports.csvfile import Cell
from exports.data.columns import Table
from exports.data.places import place_of
from exports.data.source import Row, Source
from exports.data.typed import columns_with, typing
from exports.zipped import Sink
from forms.problems import Problem

_GEOMETRY = "geometry"
_MOST_COLUMNS = 10_000
_GROUP = 20  # batches of `Source.batches` in a row group
Bounds = tuple[float, float, float, float]


def library() -> Any:
    """pyarrow. Raises `Problem("not_supported")` where it is not installed."""
    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ImportError:
        detail = "Parquet needs pyarrow, which is not installed here."
        raise Problem("not_supported", detail, hint="On the server: pip install 'tulliana[parquet]'. Or take GeoPackage.") from None


def parquet(source: Source, table: Table) -> Iterator[bytes]:
    """One table. Raises `Problem("not_supported")`."""
    arrow = library()
    columns = columns_with(table.columns, [_GEOMETRY], _MOST_COLUMNS, "Parquet")
    kinds = {"text": arrow.string(), "int": arrow.int64(), "decimal": arrow.float64(), "date": arrow.date32()}
    schema = [arrow.field(column.header, kinds[column.kind]) for column in columns]
    schema += [arrow.field(_GEOMETRY, arrow.binary())] if table.places else []
    sink, found, typed = Sink(), _Found(), typing(columns)
    with arrow.parquet.ParquetWriter(arrow.PythonFile(sink, mode="w"), arrow.schema(schema), compression="zstd") as writer:
        waiting: list[list[Any]] = []
        for number, batch in enumerate(source.batches(table), start=1):
            waiting += (_values(row, typed, columns, found) for row in batch)
            if number % _GROUP == 0:
                writer.write_table(_group(arrow, writer.schema, waiting))
                waiting = []
            yield sink.take()
        if waiting:
            writer.write_table(_group(arrow, writer.schema, waiting))
        if table.places:
            writer.add_key_value_metadata({"geo": orjson.dumps(found.metadata()).decode()})
    yield sink.take()


class _Found:
    """What the metadata tell of the geometries: kinds and bounds in degrees."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.bounds: Bounds | None = None

    def take(self, place: BaseGeometry | None) -> bytes | None:
        """A geometry as WKB."""
        if place is None:
            return None
        own, more = self.bounds, place.bounds
        self.kinds.add(place.geom_type)
        self.bounds = more if own is None else (*map(min, own[:2], more[:2]), *map(max, own[2:], more[2:]))  # type: ignore[assignment]
        wkb: bytes = shapely.to_wkb(place, byte_order=1)
        return wkb

    def metadata(self) -> dict[str, Any]:
        """GeoParquet's own."""
        column: dict[str, Any] = {"encoding": "WKB", "geometry_types": sorted(self.kinds)}
        if self.bounds is not None:
            column["bbox"] = self.bounds
        return {"version": "1.1.0", "primary_column": _GEOMETRY, "columns": {_GEOMETRY: column}}


def _values(row: Row[Cell], typed: Any, columns: list[Any], found: _Found) -> list[Any]:
    cells: list[Any] = typed(row.cells)
    for index, column in enumerate(columns):
        if cells[index] is None:
            continue
        if column.kind == "date":
            cells[index] = date.fromisoformat(cells[index])
        elif column.kind == "decimal":
            cells[index] = float(cells[index])
    if row.table.places:
        cells.append(found.take(place_of(row.answers, row.table.places)))
    return cells


def _group(arrow: Any, schema: Any, rows: list[list[Any]]) -> Any:
    columns = zip(*rows, strict=True)
    arrays = [arrow.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
    return arrow.Table.from_arrays(arrays, schema=schema)
