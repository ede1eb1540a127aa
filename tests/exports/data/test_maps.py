"""GeoJSON and GeoPackage, read back by GDAL's `ogrinfo` as QGIS reads them."""

import csv
import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from exports.data import formats
from exports.data.places import geometry_of
from exports.data.typed import OTHERS
from exports.data.wanted import Layout
from tests.support.tables import answers, opened, send

WALK = "35.0 51.0 0 0; 35.1 51.1 0 0; 35.2 51.0 0 0"


def ogrinfo(file: Path, *layers: str) -> str:
    assert shutil.which("ogrinfo"), "GDAL is missing: sudo apt-get install gdal-bin"
    done = subprocess.run(
        ["ogrinfo", "-ro", *([] if layers else ["-al"]), str(file), *layers], capture_output=True, text=True, check=True
    )
    assert not done.stderr, done.stderr
    return done.stdout


def geopackage(engine: Engine, folder: Path, **layout: Any) -> Path:
    target = folder / "herds.gpkg"
    with opened(engine, layout=Layout(**layout)) as source:
        for _ in formats.build(source, formats.format_of("gpkg"), target):
            pass
    return target


def geojson(engine: Engine, **layout: Any) -> bytes:
    with opened(engine, layout=Layout(**layout)) as source:
        return b"".join(formats.stream(source, formats.format_of("geojson"), open))  # type: ignore[arg-type]


@pytest.fixture
def filled(herds: Engine) -> Engine:
    send(herds, "uuid:a", answers())
    send(herds, "uuid:b", answers(place="over there", walk=WALK, n="many", remarks='"; DROP TABLE x --'))
    send(herds, "uuid:c", {"camp": {}})
    return herds


def test_gdal_reads_every_record_with_or_without_a_place(filled: Engine, tmp_path: Path) -> None:
    said = ogrinfo(geopackage(filled, tmp_path))
    assert "Layer name: herds\n" in said
    assert "Feature Count: 3" in said
    assert "POINT (51.4 35.7)" in said
    assert "LINESTRING (51 35,51.1 35.1,51.0 35.2)" in said
    assert 'ID["EPSG",4326]' in said
    assert "Extent: (51.000000, 35.000000) - (51.400000, 35.700000)" in said
    assert "camp-n: Integer64" in said
    assert "camp-price: Real" in said
    assert "day: Date" in said


def test_repeats_are_layers_and_those_without_places_tables(filled: Engine, tmp_path: Path) -> None:
    file = geopackage(filled, tmp_path)
    assert "POINT (51.5 35.8)" in ogrinfo(file, "herds-herd")
    with closing(sqlite3.connect(file)) as made:
        kinds = dict(made.execute("SELECT table_name, data_type FROM gpkg_contents"))
        assert kinds == {"herds": "features", "herds-herd": "features", "herds-herd-bell": "attributes"}
        bells = made.execute('SELECT tone, "PARENT_KEY" FROM "herds-herd-bell" ORDER BY fid').fetchall()
        assert bells[:3] == [(1, "uuid:a/herd[1]"), (2, "uuid:a/herd[1]"), (3, "uuid:a/herd[2]")]
        assert made.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert made.execute("PRAGMA foreign_key_check").fetchall() == []
        others = made.execute(f'SELECT "camp-n", "{OTHERS}" FROM herds WHERE KEY = ?', ("uuid:b",)).fetchone()
    assert (others[0], json.loads(others[1])["camp-n"]) == (None, "many")


def test_gdal_reads_the_geojson_and_every_round_with_a_place_is_a_feature(filled: Engine, tmp_path: Path) -> None:
    file = tmp_path / "herds.geojson"
    file.write_bytes(geojson(filled))
    said = ogrinfo(file)
    assert "Feature Count: 7" in said
    assert "camp-n" in said
    features = json.loads(file.read_bytes())["features"]
    assert [(each["id"], each["properties"]["table"]) for each in features[:3]] == [
        *(("uuid:a", "herds"), ("uuid:a/herd[1]", "herds-herd"), ("uuid:a/herd[2]", "herds-herd"))
    ]
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [51.4, 35.7]}
    assert (features[-1]["id"], features[-1]["geometry"]) == ("uuid:c", None)


@pytest.mark.parametrize("name", ["gpkg", "geojson"])
def test_gdal_turns_it_into_other_formats_without_a_word(filled: Engine, tmp_path: Path, name: str) -> None:
    assert shutil.which("ogr2ogr"), "GDAL is missing: sudo apt-get install gdal-bin"
    file = geopackage(filled, tmp_path) if name == "gpkg" else tmp_path / "herds.geojson"
    if name == "geojson":
        file.write_bytes(geojson(filled))
    command = ["ogr2ogr", "-f", "CSV", "-lco", "GEOMETRY=AS_XY", str(tmp_path / "out.csv"), str(file), "herds"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not done.stderr, done.stderr
    first = next(csv.DictReader((tmp_path / "out.csv").read_text("utf-8").splitlines()))
    assert (float(first["X"]), float(first["Y"]), first["KEY"], first["camp-n"]) == (51.4, 35.7, "uuid:a", "3")


def test_the_question_of_the_place_can_be_chosen(filled: Engine) -> None:
    features = json.loads(geojson(filled, place="camp-walk"))["features"]
    kinds = {each["id"]: each["geometry"] and each["geometry"]["type"] for each in features if "/" not in each["id"]}
    assert kinds == {"uuid:a": None, "uuid:b": "LineString", "uuid:c": None}


@pytest.mark.parametrize(
    ("text", "kind", "wanted"),
    [
        ("1 2 3 4", "geopoint", "POINT (2 1)"),
        ("1 2;1 2;", "geotrace", "POINT (2 1)"),
        ("0 0; 0 1; 1 1; 0 0", "geoshape", "POLYGON ((0 0, 1 0, 1 1, 0 0))"),
        ("0 0; 1 1; 0 1; 0 0", "geoshape", "POLYGON ((0 0, 1 0, 1 1, 0 0))"),
        ("0 0; 1 1; 0 0", "geoshape", "LINESTRING (0 0, 1 1, 0 0)"),
        ("91 0", "geopoint", None),
        ("", "geopoint", None),
    ],
)
def test_places_are_read_as_phones_write_them(text: str, kind: str, wanted: str | None) -> None:
    found = geometry_of(text, kind)
    assert (found.wkt if found else None) == wanted


def test_a_file_that_is_given_up_is_closed(filled: Engine, tmp_path: Path) -> None:
    with opened(filled) as source:
        steps = formats.build(source, formats.format_of("gpkg"), tmp_path / "x.gpkg")
        next(steps)
        steps.close()  # type: ignore[attr-defined]
    (tmp_path / "x.gpkg").unlink()
