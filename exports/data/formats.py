"""The formats by their names, and how each is written: while it is read, or into a file that is ready at the end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from exports.archive import Open
from exports.data.csvs import csv, zipped
from exports.data.source import Source
from forms.problems import Problem

ZIP = "application/zip"


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name, the ending of its files, and their media type. `is_built`: nothing can be sent before all is read."""

    name: str
    extension: str
    media_type: str
    is_built: bool = False


FORMATS = {
    each.name: each
    for each in (
        Format("csv", "csv", "text/csv; charset=utf-8"),
        Format("xlsx", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", is_built=True),
        Format("geojson", "geojson", "application/geo+json"),
        Format("gpkg", "gpkg", "application/geopackage+sqlite3", is_built=True),
        Format("parquet", "parquet", "application/vnd.apache.parquet"),
        Format("zip", "zip", ZIP),
    )
}
_PER_TABLE = {"csv", "parquet"}


def format_of(name: str) -> Format:
    """The format of this name. Raises `Problem("value_invalid")`."""
    if name not in FORMATS:
        raise Problem("value_invalid", f"format: one of {', '.join(FORMATS)}.")
    return FORMATS[name]


def file_of(source: Source, chosen: Format, table: str = "") -> tuple[str, str]:
    """(file name, media type). CSV and Parquet hold one table a file: a form with repeats is a ZIP, unless one `table` is named.

    Raises `Problem("not_found")` for a table that is not there.
    """
    name = source.table(table).name if table else source.tables[0].name
    if chosen.name == "zip":
        return f"{name}-media.zip", ZIP
    if chosen.name in _PER_TABLE and not table and len(source.tables) > 1:
        return f"{name}-{chosen.name}.zip", ZIP
    return f"{name}.{chosen.extension}", chosen.media_type


def passes(source: Source, chosen: Format, table: str = "") -> int:
    """How often all records are read: once for each file of one table."""
    return len(source.tables) if chosen.name in _PER_TABLE and not table else 1


def stream(source: Source, chosen: Format, open_blob: Open, *, table: str = "", names: str = "") -> Iterator[bytes]:
    """The bytes of a format that is not built, some at a time. Raises `Problem` value_invalid, not_found or not_supported."""
    if chosen.name == "zip":
        from exports.data import media

        return media.media(source, open_blob, names or media.NAMES)
    if chosen.name == "geojson":
        from exports.data.geojson import geojson

        return geojson(source)
    write = csv
    if chosen.name == "parquet":
        from exports.data.parquet import parquet as write
    if table or len(source.tables) == 1:
        return write(source, source.table(table) if table else source.tables[0])
    return zipped(source, write, chosen.extension)


def build(source: Source, chosen: Format, target: Path) -> Iterator[None]:
    """Write a format that is built to a file in a folder of its own; give way now and then. Raises `Problem("not_supported")`."""
    writer: Callable[[Source, Path], Iterator[None]]
    if chosen.name == "xlsx":
        from exports.data.xlsx import build as writer
    else:
        from exports.data.geopackage import build as writer
    return writer(source, target)
