"""GeoParquet, read by pyarrow as analysts read it; and where the library is not installed, a problem that says what to do."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import shapely
from sqlalchemy import Engine

from exports.data import formats
from exports.data.typed import OTHERS
from forms.problems import Problem
from tests.support.tables import answers, opened, send

WALK = "35.0 51.0 0 0; 35.1 51.1 0 0; 35.2 51.0 0 0"


def written(engine: Engine, folder: Path, table: str = "herds") -> Any:
    target = folder / f"{table}.parquet"
    with opened(engine) as source:
        target.write_bytes(b"".join(formats.stream(source, formats.format_of("parquet"), open, table=table)))  # type: ignore[arg-type]
    return pq.read_table(target)


def test_pyarrow_reads_every_record_with_its_types_and_what_does_not_fit_beside(herds: Engine, tmp_path: Path) -> None:
    send(herds, "uuid:a", answers())
    send(herds, "uuid:b", answers(n="many", place="over there", remarks="=1+1"))
    send(herds, "uuid:c", {})
    table = written(herds, tmp_path)
    assert [str(table.schema.field(name).type) for name in ("camp-n", "camp-price", "day", "KEY")] == [
        *("int64", "double", "date32[day]", "string")
    ]
    first, second, third = table.to_pylist()
    assert (first["camp-n"], first["camp-price"], first["day"], first["camp-place-Latitude"]) == (3, 1.5, date(2026, 5, 1), 35.7)
    assert (second["camp-n"], json.loads(second[OTHERS])["camp-n"], second["camp-remarks"]) == (None, "many", "=1+1")
    assert [row["KEY"] for row in (first, second, third)] == ["uuid:a", "uuid:b", "uuid:c"]


def test_geometries_and_their_metadata_are_those_of_geoparquet(herds: Engine, tmp_path: Path) -> None:
    send(herds, "uuid:a", answers())
    send(herds, "uuid:b", answers(place=None, walk=WALK))
    send(herds, "uuid:c", {})
    table = written(herds, tmp_path)
    found = [shapely.from_wkb(wkb) if wkb else None for wkb in table["geometry"].to_pylist()]
    assert [each.wkt if each else None for each in found] == [
        *("POINT (51.4 35.7)", "LINESTRING (51 35, 51.1 35.1, 51 35.2)", None)
    ]
    geo = json.loads(pq.read_metadata(tmp_path / "herds.parquet").metadata[b"geo"])  # where readers of GeoParquet look
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    column = geo["columns"]["geometry"]
    assert (column["encoding"], column["geometry_types"]) == ("WKB", ["LineString", "Point"])
    assert column["bbox"] == pytest.approx([51.0, 35.0, 51.4, 35.7])


def test_repeats_lead_to_the_row_around_them(herds: Engine, tmp_path: Path) -> None:
    send(herds, "uuid:a", answers())
    assert [(row["tone"], row["PARENT_KEY"]) for row in written(herds, tmp_path, "herds-herd-bell").to_pylist()] == [
        *((1, "uuid:a/herd[1]"), (2, "uuid:a/herd[1]"), (3, "uuid:a/herd[2]"))
    ]


def test_without_its_library_parquet_is_a_problem_that_says_what_to_do(herds: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with opened(herds) as source, pytest.raises(Problem) as caught:
        next(formats.stream(source, formats.format_of("parquet"), open, table="herds"))  # type: ignore[arg-type]
    assert caught.value.kind.code == "not_supported"
    assert "tulliana[parquet]" in caught.value.hint
