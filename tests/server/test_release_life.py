"""The life of releases on a server: tried again when they fail, kept as long as the settings say, told to who waits for them."""

import hashlib
import hmac
import json
import smtplib
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select

from records import export_runs
from records.export_runs import SCHEDULE, ReleasedFile
from records.models import AuditEvent
from server import notices, releases, schedule
from server.config import Config
from tests.support.pages import Site

NAME = "indicators-partner"
SECRET = "a secret of both"
FIRST = datetime(2026, 5, 1, 2, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with closing(Site(tmp_path / "data", EXPORT_KEEP="2", EXPORT_SCHEDULE="0 2 * * *")) as opened:
        yield opened


def release(site: Site, slot: datetime, name: str = NAME, origin: str = "test", **more: Any) -> Row[Any]:
    """Release as of the day of the slot; the run."""
    releases.run(site.services, 1, name, slot, origin=origin, **more)
    return newest(site, name)


def newest(site: Site, name: str = NAME) -> Row[Any]:
    with site.services.store.read() as connection:
        return export_runs.listed(connection, 1, name=name)[0]


def quarter(number: int) -> datetime:
    """A slot in a quarter of its own."""
    return FIRST + timedelta(days=92 * number)


def test_a_run_without_news_gives_the_release_that_stands(site: Site) -> None:
    first, second = (release(site, FIRST + timedelta(days=day)) for day in (0, 1))
    assert (first.about["outcome"], second.about["outcome"]) == ("new", "same")
    assert (second.folder, second.files) == (first.folder, first.files)
    assert second.id != first.id
    assert len(list(releases.release_folder(site.services, first.folder).parent.iterdir())) == 2  # the folder and its archive


@pytest.mark.parametrize("name", ["hotspots-public", "hotspots-partner"])
def test_the_schedule_leaves_alone_what_was_given_out_and_a_person_may_correct_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    first = release(site, FIRST, name, origin=SCHEDULE)
    monkeypatch.setattr("exports.hotspots.export.FEWEST_EVENTS", 21)  # so that the files say something else
    held = release(site, FIRST + timedelta(days=1), name, origin=SCHEDULE)
    assert (held.about["outcome"], held.folder) == ("held", first.folder)
    asked = release(site, FIRST + timedelta(days=2), name)  # by a person, who does not say why
    assert (asked.about["outcome"], asked.folder) == ("held", first.folder)
    corrected = release(site, FIRST + timedelta(days=3), name, note="It was wrong.")
    assert (corrected.about["outcome"], corrected.about["release"]) == ("new", first.about["release"].replace("r1", "r2"))
    text = (releases.release_folder(site.services, corrected.folder) / "CHANGES.txt").read_text()
    assert "It was wrong." in text
    with site.services.store.read() as connection:
        event = connection.execute(select(AuditEvent.detail).filter_by(action="export.run").order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert event.detail == {"reason": "It was wrong."}


def test_only_as_many_releases_are_kept_as_the_settings_say_and_their_runs_all(site: Site) -> None:
    runs = [release(site, quarter(number)) for number in range(4)]
    folders = [releases.release_folder(site.services, run.folder) for run in runs]
    assert [folder.is_dir() for folder in folders] == [False, False, True, True]
    assert [folder.with_name(f"{folder.name}.zip").is_file() for folder in folders] == [False, False, True, True]
    with site.services.store.read() as connection:
        kept = export_runs.finished(connection, 1, NAME)
    assert [run.removed_at is None for run in kept] == [True, True, False, False]
    assert len(kept) == 4


def test_all_are_kept_where_the_settings_say_so(site: Site) -> None:
    run = release(site, FIRST)
    assert export_runs.outlived([run] * 3, 0) == []
    assert export_runs.outlived([run] * 3, 1) == []


def test_a_failed_slot_is_tried_again_later_and_later_and_not_forever(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("exports.package.release.make", broken)
    tried = []
    for _ in range(len(schedule.BACK_OFF) + 1):
        with pytest.raises(OSError, match="space"):
            releases.run(site.services, 1, NAME, FIRST, origin=SCHEDULE)
        run = newest(site)
        assert run.error.startswith("The disk is full.")
        again = schedule.again_at(run)
        tried.append(again - run.finished_at if again else None)
    assert tried == [*schedule.BACK_OFF, None]
    assert newest(site).attempt == len(tried)
    monkeypatch.undo()
    assert release(site, FIRST, origin=SCHEDULE).state == "done"


def test_the_slot_that_failed_is_due_again_only_when_its_pause_is_over(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    slot = datetime.now(UTC) + timedelta(days=400)
    monkeypatch.setattr("exports.package.release.make", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        releases.run(site.services, 1, NAME, slot, origin=SCHEDULE)
    failed_at = newest(site).finished_at
    assert schedule.due(site.services, 1, NAME, failed_at + schedule.BACK_OFF[0] - timedelta(seconds=1)) is None
    assert schedule.due(site.services, 1, NAME, failed_at + schedule.BACK_OFF[0]) == slot


def test_a_run_whose_process_died_is_told_as_failed(site: Site) -> None:
    store = site.services.store
    store.write(lambda connection: export_runs.claim(connection, 1, NAME, FIRST, origin=SCHEDULE, now=FIRST))
    store.write(lambda connection: export_runs.fail_stopped(connection, 1, NAME, FIRST, "It stopped.", now=FIRST))
    assert (newest(site).state, newest(site).error) == ("failed", "It stopped.")


def test_the_page_tells_a_coordinator_what_failed_what_stands_and_what_changed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    release(site, FIRST)
    release(site, FIRST + timedelta(days=1))
    hotspots = "hotspots-partner"
    made = release(site, FIRST, hotspots)
    monkeypatch.setattr("exports.package.release.make", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        releases.run(site.services, 1, "indicators-public", FIRST, origin=SCHEDULE)
    page = site.browser("coordinator").get("/projects/1/exports").text
    for words in ("division by zero", "It is tried again by itself:", "Nothing changed.", "The first release.", f"{NAME}.zip"):
        assert words in page
    assert "the next time:" in page
    browser = site.browser("analyst")
    got = browser.get(f"/projects/1/exports/{NAME}/latest/{NAME}.zip")
    assert (got.status_code, got.data[:2]) == (200, b"PK")
    [table] = [each["name"] for each in made.files if "_strict_" in each["name"] and each["name"].endswith("csv")]
    by_name = browser.get(f"/projects/1/exports/{hotspots}/{made.about['release']}/{table}")
    assert by_name.data == browser.get(f"/projects/1/exports/{hotspots}/latest/conflict_hotspots_leopard_strict_partner.csv").data
    assert browser.get(f"/projects/1/exports/{hotspots}/1999Q1-r1/{table}").status_code == 404


class Listener(HTTPServer):
    """A real server that writes down what is posted to it, and answers with the next status of `answers`."""

    def __init__(self, answers: list[int]) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers = answers
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.got.append(({key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response(listener.answers.pop(0) if listener.answers else 204)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        super().__init__(("127.0.0.1", 0), Handler)


@contextmanager
def listening(*answers: int) -> Iterator[Listener]:
    server = Listener(list(answers))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def config(**settings: str) -> Config:
    return Config.load(settings, environ={})


def hooked(server: Listener) -> Config:
    return config(EXPORT_WEBHOOK=f"http://127.0.0.1:{server.server_port}/hook", EXPORT_WEBHOOK_SECRET=SECRET)


ABOUT = {
    "release": "2026Q2-r1", "level": "partner", "period_start": "2024-07-01", "period_end": "2026-06-30", "outcome": "new",
    "archive": {"name": "a.zip", "size": 3, "sha256": "3"}, "note": "",
    "changes": {"a.csv": {"added": 1, "removed": 0, "changed": 2}},
}  # fmt: skip
FILES = [ReleasedFile("a.csv", 7, 9, "f" * 64)]


def test_a_webhook_gets_what_is_ready_signed() -> None:
    with listening() as server:
        settings = hooked(server)
        assert notices.send(settings, notices.ready(settings, 4, NAME, ABOUT, FILES)) == ""
    [(headers, body)] = server.got
    expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-tulliana-signature"] == f"sha256={expected}"
    told = json.loads(body)
    assert (told["event"], headers["x-tulliana-event"]) == ("release.ready", "release.ready")
    assert (told["project"], told["name"], told["period_end"]) == (4, NAME, "2026-06-30")
    [file] = told["files"]
    assert (file["sha256"], file["rows"]) == ("f" * 64, 7)
    assert file["url"].endswith(f"/projects/4/exports/{NAME}/2026Q2-r1/a.csv")
    assert told["changes"] == ABOUT["changes"]


def test_a_webhook_that_stumbles_is_asked_again_a_few_times_only() -> None:
    pauses: list[float] = []
    with listening(500, 204) as server:
        assert notices.send(hooked(server), notices.failed(1, NAME, "x"), sleep=pauses.append) == ""
        assert len(server.got) == 2
        server.answers += [500, 500, 302]
        trouble = notices.send(hooked(server), notices.failed(1, NAME, "x"), sleep=pauses.append)
    assert "302" in trouble
    assert len(server.got) == 5
    assert pauses == [notices.PAUSES[0], *notices.PAUSES]


def test_a_webhook_hears_of_new_releases_and_failures_only_and_a_dead_one_stops_no_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "PAUSES", ())
    with listening() as server, closing(Site(tmp_path / "data", EXPORT_WEBHOOK=hooked(server).export_webhook)) as site:
        release(site, FIRST)
        release(site, FIRST + timedelta(days=1))
        with monkeypatch.context() as patch:
            patch.setattr("exports.package.release.make", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                release(site, FIRST + timedelta(days=2))
        events = [json.loads(body)["event"] for _, body in server.got]
        assert events == ["release.ready", "release.failed"]
        assert "x-tulliana-signature" not in server.got[0][0]
        server.answers += [500]
        done = release(site, quarter(1))
    assert done.state == "done"
    assert "webhook" in done.about["remark"]


def test_a_mail_says_what_is_ready_and_where(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[EmailMessage] = []
    asked: list[Any] = []

    class Post:
        def __init__(self, host: str, port: int, timeout: float) -> None:
            asked.append((host, port))

        def __enter__(self) -> "Post":
            return self

        def __exit__(self, *_: object) -> None:
            return

        def ehlo(self) -> None:
            asked.append("ehlo")

        def has_extn(self, name: str) -> bool:
            return name == "starttls"

        def starttls(self) -> None:
            asked.append("starttls")

        def login(self, user: str, password: str) -> None:
            asked.append((user, password))

        def send_message(self, mail: EmailMessage) -> None:
            sent.append(mail)

    monkeypatch.setattr(smtplib, "SMTP", Post)
    settings = config(EXPORT_EMAIL="a@example.org, b@example.org", SMTP_URL="smtp://who%40example.org:p%3Aw@mail.example.org:587")
    assert notices.send(settings, notices.ready(settings, 1, NAME, ABOUT, FILES)) == ""
    [mail] = sent
    assert asked == [("mail.example.org", 587), "ehlo", "starttls", ("who@example.org", "p:w")]
    assert (mail["From"], mail["To"]) == ("who@example.org", "a@example.org, b@example.org")
    assert "2026Q2-r1" in mail.get_content()


def test_nothing_is_sent_where_no_address_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "_post", lambda *_: 1 / 0)
    monkeypatch.setattr(notices, "_mail", lambda *_: 1 / 0)
    assert notices.send(config(), notices.failed(1, NAME, "x")) == ""
