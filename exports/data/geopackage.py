"""GeoPackage 1.3 (OGC 12-128r17): a layer of the records, and one of each repeat; those without places are plain tables.

Written with `sqlite3` into a new file. There is no spatial index: a million points are read without one in seconds, and to write it
takes longer than everything else; QGIS makes one on demand.
"""

import sqlite3
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import shapely
from shapely.geometry.base import BaseGeometry

from exports.csvfile import Cell
from exports.data.places import place_of
from exports.data.source import Row, Source
from exports.data.typed import columns_with, typing

_APPLICATION, _VERSION = 0x47504B47, 10300
_SRS = 4326
_HEADER = struct.pack("<2sBBi", b"GP", 0, 1, _SRS)
"""Of a geometry: version 0, least byte first, no envelope, and its reference system."""
_TYPES = {"text": "TEXT", "int": "INTEGER", "decimal": "REAL", "date": "DATE"}
_MOST_COLUMNS = 1_990  # SQLite's own limit is 2,000
_OWN = ("fid", "geom")
_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],'
    'PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],'
    'AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]'
)
_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
    organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
    description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
    min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
    CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
    srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
    CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name),
    CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
    CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
"""


@dataclass
class _Layer:
    """A table of the file while it is written. `bounds` are those of its geometries in degrees."""

    name: str
    typed: Callable[[Sequence[Cell]], list[Cell]]
    insert: str
    has_places: bool
    bounds: tuple[float, float, float, float] = (180.0, 90.0, -180.0, -90.0)

    def values(self, row: Row[Cell]) -> list[object]:
        cells: list[object] = [*self.typed(row.cells)]
        if self.has_places:
            place = place_of(row.answers, row.table.places)
            cells.append(None if place is None else self._blob(place))
        return cells

    def _blob(self, place: BaseGeometry) -> bytes:
        west, south, east, north = place.bounds
        own = self.bounds
        self.bounds = (min(own[0], west), min(own[1], south), max(own[2], east), max(own[3], north))
        return _HEADER + shapely.to_wkb(place, byte_order=1)


def build(source: Source, target: Path) -> Iterator[None]:
    """Write the file; give way after every batch. Raises `Problem("not_supported")` for too many columns."""
    with closing(sqlite3.connect(target, isolation_level=None)) as file:
        file.executescript(f"PRAGMA application_id={_APPLICATION}; PRAGMA user_version={_VERSION};")
        file.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;")  # a file that is not whole is thrown away
        _begin(file)
        layers = {table.path: _layer(file, source, index) for index, table in enumerate(source.tables)}
        for batch in source.batches():
            waiting: dict[tuple[str, ...], list[list[object]]] = {}
            for row in batch:
                waiting.setdefault(row.table.path, []).append(layers[row.table.path].values(row))
            for path, rows in waiting.items():
                file.executemany(layers[path].insert, rows)
            yield
        for layer in layers.values():
            _finish(file, layer)
        file.execute("COMMIT")


def _begin(file: sqlite3.Connection) -> None:
    for statement in filter(str.strip, _TABLES.split(";")):
        file.execute(statement)
    systems = [
        ("Undefined Cartesian SRS", -1, "NONE", -1, "undefined", "undefined Cartesian coordinate reference system"),
        ("Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic coordinate reference system"),
        ("WGS 84 geodetic", _SRS, "EPSG", _SRS, _WGS84, "longitude and latitude in degrees on the WGS 84 spheroid"),
    ]
    file.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", systems)


def _layer(file: sqlite3.Connection, source: Source, index: int) -> _Layer:
    table = source.tables[index]
    columns = columns_with(table.columns, _OWN, _MOST_COLUMNS, "GeoPackage")
    names = [*(_quoted(column.header) for column in columns), *(["geom"] if table.places else [])]
    kinds = [*(_TYPES[column.kind] for column in columns), *(["GEOMETRY"] if table.places else [])]
    declared = ", ".join(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True))
    file.execute(f"CREATE TABLE {_quoted(table.name)} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, {declared})")
    marks = ", ".join("?" * len(names))
    insert = f"INSERT INTO {_quoted(table.name)} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - quoted
    return _Layer(table.name, typing(columns), insert, bool(table.places))


def _finish(file: sqlite3.Connection, layer: _Layer) -> None:
    """Enter the table into the contents, with the bounds of its geometries."""
    changed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:23] + "Z"
    bounds = layer.bounds if layer.bounds[0] <= layer.bounds[2] else (None,) * 4
    kind, srs = ("features", _SRS) if layer.has_places else ("attributes", None)
    contents = "(table_name, data_type, identifier, last_change, min_x, min_y, max_x, max_y, srs_id)"
    file.execute(
        f"INSERT INTO gpkg_contents {contents} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - its own column names
        (layer.name, kind, layer.name, changed, *bounds, srs),
    )
    if layer.has_places:
        file.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'GEOMETRY', ?, 0, 0)", (layer.name, _SRS))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
