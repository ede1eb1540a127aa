"""GeoJSON (RFC 7946): each record is a feature, with a place or without, and so is each round of a repeat that asks for one."""

from collections.abc import Iterator

import orjson
from shapely.geometry import mapping

from exports.csvfile import Cell
from exports.data.columns import Table
from exports.data.places import place_of
from exports.data.source import Row, Source


def geojson(source: Source) -> Iterator[bytes]:
    """The features, some at a time. `table` is a property where there are several."""
    tables = with_places(source)
    yield b'{"type":"FeatureCollection","name":' + orjson.dumps(source.tables[0].name) + b',"features":['
    between = b"\n"
    for batch in source.batches(*tables):
        yield between + b",\n".join(orjson.dumps(_feature(row, named=len(tables) > 1)) for row in batch)
        between = b",\n"
    yield b"\n]}\n"


def with_places(source: Source) -> list[Table]:
    """The table of the form, and those of repeats that ask for places: points in repeats belong on the map too."""
    root, *repeats = source.tables
    return [root, *(table for table in repeats if table.places)]


def _feature(row: Row[Cell], *, named: bool) -> dict[str, object]:
    place = place_of(row.answers, row.table.places)
    properties = {column.header: cell for column, cell in zip(row.table.columns, row.cells, strict=True) if cell is not None}
    own = {"table": row.table.name} if named else {}
    return {
        "type": "Feature",
        "id": row.key,
        "geometry": None if place is None else mapping(place),
        "properties": {**properties, **own},
    }
