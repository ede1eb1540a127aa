"""Downloading the records of a form: the page, the addresses for programs, the command, and that nothing stays behind."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from records.models import AuditEvent, Submission
from server.cli import cli
from tests.support.pages import Site
from tests.support.records import flock, new_id

PAGE = "/projects/1/forms/flock_count/data"
INSTANCE = new_id()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("data") / "data")) as opened:
        assert opened.send(flock(INSTANCE)).status_code == 201
        yield opened


def unfinished(site: Site) -> list[Path]:
    return list((site.services.config.data / "unfinished").iterdir())


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize(("purpose", "name"), [("excel", "xlsx"), ("r", "csv"), ("qgis", "gpkg"), ("photos", "zip")])
def test_the_page_offers_what_somebody_needs_and_the_address_that_stays(site: Site, language: str, purpose: str, name: str) -> None:
    html = site.browser("reviewer", language=language).get(f"{PAGE}?for={purpose}").get_data(as_text=True)
    assert f'<option value="{name}" selected>' in html
    assert f"/v1/projects/1/forms/flock_count/data?format={name}" in html
    for other in ("csv", "xlsx", "geojson", "gpkg", "parquet", "zip"):
        assert f'<option value="{other}"' in html


def test_countries_have_their_names_in_the_language_of_the_reader(site: Site) -> None:
    place = update(Submission).where(Submission.instance_id == INSTANCE)
    site.services.store.write(lambda connection: connection.execute(place.values(country="IR")))
    html = site.browser("reviewer", language="fa").get(PAGE).get_data(as_text=True)
    assert re.search('name="country" value="IR">\\s*<bdi>ایران</bdi>', html)
    site.services.store.write(lambda connection: connection.execute(place.values(country=None)))


def test_the_page_counts_what_was_chosen_and_gives_its_address(site: Site) -> None:
    browser = site.browser("reviewer")
    chosen = {"for": "r", "until": "2000-01-01", "state": ["received", "approved"], "language": "", "format": "geojson"}
    html = browser.get(PAGE, query_string=chosen).get_data(as_text=True)
    assert "Reports: 0" in html
    (address,) = set(re.findall(r"/v1/projects/1/forms/flock_count/data\?(?:(?!&#34;)[^<\s])*", html))
    assert address.endswith("?format=geojson&amp;checks=true&amp;until=2000-01-01&amp;state=received,approved")
    assert browser.get(address.replace("&amp;", "&")).get_json()["features"] == []
    assert "Reports: 1" in browser.get(f"{PAGE}?for=r").get_data(as_text=True)
    assert browser.get(f"{PAGE}?until=x").status_code == 400


def test_what_is_chosen_on_the_page_is_downloaded(site: Site) -> None:
    chosen = "?format=csv&language=&since=&until=&state=received&state=edited&selects=&style=central&box="
    got = site.browser("reviewer").get(f"{PAGE}/file{chosen}")
    assert (got.status_code, "attachment" in got.headers["Content-Disposition"]) == (200, True)
    assert INSTANCE in got.get_data(as_text=True) or zipfile.is_zipfile(io.BytesIO(got.data))
    assert site.browser("reviewer").get(f"{PAGE}/file?format=doc").status_code == 400
    assert site.browser("reviewer").get(f"{PAGE}/file?colour=red").status_code == 400


@pytest.mark.parametrize(("name", "start"), [("xlsx", b"PK"), ("gpkg", b"SQLite format 3")])
def test_what_is_built_has_its_length_and_leaves_nothing_behind(site: Site, name: str, start: bytes) -> None:
    got = site.browser("reviewer").get(f"{PAGE}/file?format={name}")
    assert int(got.headers["Content-Length"]) == len(got.data)
    assert got.data.startswith(start)
    assert unfinished(site) == []


def test_a_download_that_is_cancelled_gives_its_place_back(site: Site) -> None:
    for name in ("csv", "geojson", "xlsx", "zip") * 3:
        site.browser("reviewer").get(f"{PAGE}/file?format={name}", buffered=False).close()
    assert unfinished(site) == []


def test_programs_read_the_root_table_at_the_address_of_central(site: Site) -> None:
    got = site.browser("reviewer").get("/v1/projects/1/forms/flock_count/submissions.csv?groups=false")
    rows = list(csv.DictReader(io.StringIO(got.data.decode("utf-8-sig"), newline="")))
    assert [row["KEY"] for row in rows] == [INSTANCE]


def test_the_log_says_who_took_exact_data_out(site: Site) -> None:
    site.browser("reviewer").get(f"{PAGE}/file?format=geojson&country=IR")
    with site.services.store.read() as connection:
        events = connection.execute(select(AuditEvent.actor, AuditEvent.target, AuditEvent.detail).filter_by(action="data.export"))
        assert ("reviewer", "flock_count", {"format": "geojson", "countries": ["IR"], "rows": 0}) in [tuple(row) for row in events]


def test_the_command_writes_a_whole_file_or_none(site: Site, tmp_path: Path) -> None:
    environ = {"TULLIANA_DATA": str(site.services.config.data)}

    def run(*arguments: str) -> int:
        return CliRunner().invoke(cli, ["export", "data", "flock_count", *arguments], env=environ).exit_code

    assert run("--format", "gpkg", "--to", str(tmp_path / "a.gpkg")) == 0
    assert run("--format", "csv", "--state", "good", "--to", str(tmp_path / "b.csv")) != 0
    assert run("--format", "zip", "--names", "{nothing}", "--to", str(tmp_path / "c.zip")) != 0
    assert [file.name for file in tmp_path.iterdir()] == ["a.gpkg"]
