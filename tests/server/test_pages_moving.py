"""The page of the servers that are pulled from: kept, pulled from by a process of its own, told in the reader's words, gone."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from records.models import PullServer
from server import pulling
from server.i18n import translator
from sync.pull import servers
from tests.support.pages import Site
from tests.support.recorded import Answer, playing
from tests.support.small import xform
from tests.support.stores import EVERYTHING, PROJECT

HERE = f"/projects/{PROJECT}/moving"
SECRET = "leopards of Touran"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The servers that the page began to pull from."""
    numbers: list[int] = []
    monkeypatch.setattr(pulling, "run_soon", lambda services, project_id, number: numbers.append(number))
    return numbers


def fields(**more: str) -> dict[str, str]:
    given = {"kind": "central", "address": "https://central.example.org", "user": "me@example.org", "secret": SECRET}
    return given | {"source_project": "7", "forms": "loss household", "every": "24"} | more


def text(site: Site, language: str = "en") -> str:
    return html.unescape(site.browser("coordinator").get(f"{HERE}?lang={language}").text)


def done(site: Site, **values: Any) -> None:
    site.services.store.write(lambda connection: connection.execute(update(PullServer).values(begun_at=None, **values)))


def test_a_server_is_kept_pulled_from_and_forgotten(site: Site, begun: list[int]) -> None:
    browser = site.browser("coordinator")
    assert browser.post(HERE, data=fields()).status_code == 303
    shown = text(site)
    assert "https://central.example.org" in shown
    assert "project 7" in shown
    assert "loss, household" in shown
    assert re.search(r"<option value=\"24\" selected>every day", shown)
    assert SECRET not in shown
    [number] = begun
    assert browser.post(f"{HERE}/{number}/pull").status_code == 303
    assert begun == [number, number]
    browser.post(f"{HERE}/{number}/hours", data={"every": "6"})
    assert re.search(r"<option value=\"6\" selected>every 6 hours", text(site))
    browser.post(f"{HERE}/{number}/forget")
    assert "No other server yet." in text(site)


def test_what_came_and_what_failed_is_told_in_the_readers_words(site: Site, begun: list[int]) -> None:
    site.browser("coordinator").post(HERE, data=fields())
    moment = datetime.now(UTC)
    done(site, tried_at=moment, met_at=moment, outcome={"counts": {"created": 12, "told": 1}, "told": ["uuid:1: it is gone there"]})
    assert "12 new records" in text(site)
    assert "uuid:1: it is gone there" in text(site)
    assert translator("fa")("{n} new records").format(n="۱۲") in text(site, "fa")
    done(site, outcome={"counts": {}, "told": []})
    assert "The last time brought nothing new." in text(site)
    done(site, outcome={"counts": {}, "told": [], "failure": {"code": "source_failed", "detail": "https://x: it answered 401."}})
    assert "https://x: it answered 401." in text(site)
    assert "nothing new" not in text(site).partition("Take over from another server")[0]
    assert translator("fa")("The other server did not give what was asked for.") in text(site, "fa")


def test_what_cannot_be_kept_is_told_and_the_password_is_not_shown_again(site: Site, begun: list[int]) -> None:
    browser = site.browser("coordinator", language="fa")
    answer = browser.post(HERE, data=fields(address="ftp://central.example.org"))
    assert answer.status_code == 400
    shown = html.unescape(answer.text)
    assert "ftp://central.example.org" in shown
    assert "me@example.org" in shown
    assert SECRET not in shown
    assert translator("fa")("Give the address of the other server as in https://central.example.org, without a name.") in shown
    assert not begun


def test_a_pull_of_the_page_is_a_command_in_a_process_of_its_own(site: Site) -> None:
    answers = {
        "/v1/sessions": [Answer({"token": "tok"})],
        "/v1/projects/7/forms": [Answer([{"xmlFormId": "moved", "publishedAt": "2026-01-01T00:00:00.000Z"}])],
        "/v1/projects/7/datasets": [Answer([])],
        "/v1/projects/7/forms/moved/versions": [Answer([{"version": "1"}])],
        "/v1/projects/7/forms/moved/versions/1.xml": [Answer(xform("<q/>", form_id="moved"))],
        "/v1/projects/7/forms/moved.svc/Submissions": [Answer({"value": []})],
    }
    with playing(answers) as played:
        server = servers.Server("central", played.url, "me", SECRET, source_project=7, every_hours=1)
        number = servers.add(site.services.store, EVERYTHING, server)
        pulling.run_due(site.services)
        assert "1 versions of forms" in text(site)
        asked = len(played.asked)
        pulling.run_due(site.services)
        assert len(played.asked) == asked
        assert number in [row.id for row in rows(site)]
    assert SECRET not in text(site)


def test_a_process_that_dies_leaves_a_reason(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    number = servers.add(site.services.store, EVERYTHING, servers.Server("kobo", "https://kf.example.org", secret="k"))
    monkeypatch.setattr(pulling.sys, "executable", "/bin/false")
    done(site)
    site.services.store.write(lambda connection: connection.execute(update(PullServer).values(begun_at=datetime.now(UTC))))
    assert not pulling.run(site.services, PROJECT, number)
    [row] = rows(site)
    assert row.begun_at is None
    assert row.outcome["failure"] == {"code": "source_failed", "detail": "It stopped without a word (1)."}


def rows(site: Site) -> Any:
    with site.services.store.read() as connection:
        return servers.listed(connection, EVERYTHING)
