"""Whoever takes exact data out leaves one line in the log for each download, whatever the door."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing

import pytest
from click.testing import CliRunner

from server.api import kobo
from server.cli import cli
from tests.support.pages import PASSWORD, Site
from tests.support.records import flock, new_id

AS_REVIEWER = f"Basic {b64encode(f'reviewer:{PASSWORD}'.encode()).decode()}"
FORM = "/v1/projects/1/forms/flock_count"
TABLE = f"{FORM}.svc/Submissions"
ASSET = f"/api/v2/assets/{kobo.uid_of(1, 'flock_count')}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("taken") / "data")) as opened:
        for _ in range(3):
            assert opened.send(flock(new_id())).status_code == 201
        yield opened


def lines(site: Site) -> list[dict[str, object]]:
    environ = {"TULLIANA_DATA": str(site.services.config.data)}
    done = CliRunner().invoke(cli, ["log", "--action", "data.export", "--json"], env=environ)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.output.splitlines()]


def get(site: Site, path: str) -> bytes:
    answer = site.browser().get(path, headers={"Authorization": AS_REVIEWER, "Accept": "*/*"})
    assert answer.status_code == 200, (path, answer.data)
    return bytes(answer.data)


@pytest.mark.parametrize(
    ("path", "way", "rows"),
    [
        (f"{FORM}/data?format=csv", "csv", 3),
        (f"{FORM}/data?format=xlsx&state=approved", "xlsx", 0),
        (f"{FORM}/data?format=zip", "zip", 3),
        (f"{FORM}/submissions.geojson", "geojson", 3),
        (f"{FORM}/submissions.csv", "csv", 3),
        (f"{FORM}/submissions.csv.zip", "csv.zip", None),
        (TABLE, "odata", 3),
        (f"{TABLE}?$filter=__system/reviewState eq 'approved'", "odata", 0),
        (f"{ASSET}/data.json", "kobo", 3),
        ("/view/submissionList?formId=flock_count", "briefcase", None),
        ("/project1/view/submissionList?formId=flock_count", "briefcase", None),
    ],
)
def test_every_door_leaves_one_line(site: Site, path: str, way: str, rows: int | None) -> None:
    before = len(lines(site))
    get(site, path)
    newest, *others = lines(site)
    assert len(others) == before
    detail = newest["detail"]
    assert isinstance(detail, dict)
    assert (newest["actor"], newest["target"], detail["format"], detail.get("rows")) == ("reviewer", "flock_count", way, rows)


def test_further_pages_of_a_download_leave_no_further_line(site: Site) -> None:
    before = len(lines(site))
    first = json.loads(get(site, f"{TABLE}?$top=9&$count=true"))
    assert first["@odata.count"] == 3
    page = json.loads(get(site, f"{ASSET}/data.json?limit=2"))
    get(site, page["next"].removeprefix("http://192.168.7.5:8080"))
    assert len(lines(site)) == before + 2


def test_who_has_the_newest_already_takes_nothing_out(site: Site) -> None:
    answer = site.browser().get(TABLE, headers={"Authorization": AS_REVIEWER, "Accept": "*/*"})
    before = len(lines(site))
    asked = {"Authorization": AS_REVIEWER, "Accept": "*/*", "If-None-Match": answer.headers["ETag"]}
    assert site.browser().get(TABLE, headers=asked).status_code == 304
    assert len(lines(site)) == before


def test_the_page_tells_it_in_words(site: Site) -> None:
    get(site, f"{FORM}/data?format=csv&country=IR")
    html = site.browser("coordinator").get("/projects/1/log").get_data(as_text=True)
    assert "downloaded the exact data of flock_count" in html
    assert "Reports: 0" in html
