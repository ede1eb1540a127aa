"""What happens in bad moments: outages, restarts, strangers' keys. These tests have a server of their own."""

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conformance.conftest import Site, make_site
from tests.conftest import NewServer
from tests.support.collect import Record, encode
from tests.support.openrosa import Refused, parse_message
from tests.support.postgres import Cluster
from tests.support.processes import peak_memory
from tests.support.raw import exchange, head, in_pieces
from tests.support.records import FLOCK, flock, new_id, parts, renamed
from tests.support.servers import Server

WATCH = """
import sys
def note(event, arguments, path={path!r}):
    if event in ("socket.connect", "socket.getaddrinfo"):
        target = arguments[1] if event == "socket.connect" else arguments[0]
        name = target[0] if isinstance(target, tuple) else target
        if name not in (None, "127.0.0.1", "::1", "localhost", "0.0.0.0") and not str(name).startswith(("/", "@")):
            with open(path, "a") as file:
                file.write(f"{{event}} {{target}} {{sys.argv}}\\n")
sys.addaudithook(note)
"""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def lone(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, new_server: NewServer, village_form: Path
) -> Site:
    """A server nobody else uses with two forms, behind a trusted proxy, every outgoing connection of it noted."""
    folder = tmp_path_factory.mktemp("watch")
    (folder / "sitecustomize.py").write_text(WATCH.format(path=str(folder / "outgoing.txt")))
    settings = {
        "TULLIANA_TRUSTED_PROXIES": "127.0.0.0/8",
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
    }
    server = new_server(request.param, settings)
    server.execute("UPDATE form SET state = 'closed'")
    for form in (FLOCK, village_form):
        server.publish(form)
    return make_site(server, "lone ranger")


_LIST_CHANGED = "UPDATE project SET forms_revision = forms_revision + 1"


def test_t034_a_closed_form_is_not_listed_and_the_others_are(lone: Site) -> None:
    assert [form.form_id for form in lone.phone().form_list()] == ["flock_count", "village_visit"]


def test_t038_a_project_without_open_forms_is_a_valid_empty_list(lone: Site) -> None:
    listed = [form.form_id for form in lone.phone().form_list()]
    try:
        for form_id in listed:
            lone.server.here("form", "close", form_id)
        assert lone.phone().form_list() == []
    finally:
        for form_id in listed:
            lone.server.here("form", "reopen", form_id)


def test_t121_a_closed_form_still_relieves_late_phones_of_their_records(lone: Site, tmp_path: Path) -> None:
    (tmp_path / "form.xml").write_bytes(renamed(FLOCK, "closing"))
    lone.server.publish(tmp_path / "form.xml")
    lone.server.execute("UPDATE form SET state = 'closed' WHERE form_id = 'closing'")
    instance = new_id()
    assert lone.post(parts(flock(instance, form_id="closing"))).status in {201, 202}
    assert "after_close" in lone.flags("closing", instance)


def test_t014_a_trusted_proxy_is_believed(lone: Site) -> None:
    body = lone.get(X_Forwarded_Host="data.example.org", X_Forwarded_Proto="https").body
    assert body.count(b"Url>https://data.example.org/v1/key/") == 3


def test_t049_t085_a_restart_changes_nothing(lone: Site) -> None:
    instance = new_id()
    phone = lone.phone()
    phone.match_exactly()
    phone.send(Record(flock(instance)))
    before = lone.get().body
    lone.server.kill()
    lone.server.start()
    assert lone.get().body == before
    assert [offer.state for offer in lone.phone().refresh()] == ["new", "new"]
    assert [offer.state for offer in phone.refresh()] == ["up to date", "up to date"]
    assert lone.server.xml(instance) == flock(instance)


@contextlib.contextmanager
def without_table(server: Server, table: str) -> Iterator[None]:
    server.execute(f"ALTER TABLE {table} RENAME TO hidden")
    try:
        yield
    finally:
        server.execute(f"ALTER TABLE hidden RENAME TO {table}")


def test_t018_t036_a_failure_is_never_an_empty_list(lone: Site) -> None:
    lone.server.execute(_LIST_CHANGED)  # else the last good list is given
    with without_table(lone.server, "form_version"):
        answers = [lone.get(), lone.post(parts(flock(new_id(), version="unseen")))]
    for answer in answers:
        assert answer.status in {500, 503}
        assert parse_message(answer.body)
        assert answer.headers["x-openrosa-version"] == "1.0"
        assert "text/xml" in answer.headers["content-type"]
    assert len(lone.phone().form_list()) == 2


def test_t035_t064_a_lost_media_file_is_an_error_and_not_a_shorter_manifest(lone: Site) -> None:
    offer = next(offer for offer in lone.phone().refresh() if offer.form.form_id == "village_visit")
    assert len(offer.files) == 2
    with without_table(lone.server, "form_media"):
        manifest = lone.get(offer.form.manifest_url or "")
        listing = lone.get()
    assert manifest.status in {500, 503}
    assert listing.status in {200, 500, 503}
    if listing.status == 200:
        assert b"manifestUrl" in listing.body


def test_t019_an_unreachable_database_is_503_and_passes(lone: Site, request: pytest.FixtureRequest) -> None:
    instance = new_id()
    if lone.server.kind == "postgres":
        cluster: Cluster = request.getfixturevalue("postgres")
        database = lone.server.database_url.partition("@/")[2].partition("?")[0]
        cluster.allow_connections(database, allowed=False)
        try:
            answers = [lone.get(), lone.post(parts(flock(instance))), lone.server.raw("HEAD", f"{lone.url}/submission")]
        finally:
            cluster.allow_connections(database, allowed=True)
        assert {answer.status for answer in answers} == {503}
        assert parse_message(answers[0].body)
        assert "retry-after" not in answers[1].headers or answers[1].headers["retry-after"] != "0"
    else:  # a second program holds the write lock for a moment: the phone waits and is served
        with contextlib.closing(sqlite3.connect(lone.server.data / "tulliana.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert lone.get().status == 200
            other.execute("ROLLBACK")
    assert lone.post(parts(flock(instance))).status == 201
    assert lone.server.xml(instance) == flock(instance)


def test_t181_a_wrong_key_is_403_with_words_everywhere(lone: Site) -> None:
    offers = lone.phone("kobo-2025").refresh()
    files = [file.download_url for offer in offers for file in offer.files]
    urls = [f"{lone.url}/formList", *files]
    urls += [url for offer in offers for url in (offer.form.download_url, offer.form.manifest_url) if url]
    for url in urls:
        answer = lone.get(url.replace(lone.token, "A" * len(lone.token)))
        assert answer.status == 403
        assert parse_message(answer.body)
        assert "www-authenticate" not in answer.headers


def test_t078_t181_a_withdrawn_key_is_403(lone: Site) -> None:
    other = make_site(lone.server, "lost phone")
    assert other.get().status == 200
    lone.server.run("app-user", "revoke", "lost phone")
    assert other.get().status == 403
    assert other.phone().head().status == 403
    with pytest.raises(Refused, match="key") as refusal:
        other.phone().send(Record(flock(new_id())))
    assert refusal.value.status == 403


def test_t183_keys_are_in_no_log_and_in_no_file(lone: Site) -> None:
    secret = "SECRETsecretSECRETsecretSECRETsecret0123456789ab"
    for url in (
        f"{lone.url}/formList",
        lone.url.replace(lone.token, secret) + "/formList",
        f"{lone.url}/nowhere?password={secret}",
    ):
        lone.get(url)
    lone.post([("other", None, None, b"x")])
    files = [path for path in lone.server.data.rglob("*") if path.is_file()]
    for found in (lone.token, secret):
        assert found not in lone.server.log
        assert [path for path in files if found.encode() in path.read_bytes()] == []


def test_t185_nothing_goes_out_to_the_internet(lone: Site) -> None:
    lone.server.run("submission", "list", "--form", "flock_count", "--json")
    noted = Path(lone.server.settings["PYTHONPATH"].partition(os.pathsep)[0]) / "outgoing.txt"
    assert not noted.exists(), noted.read_text()


def test_t125_an_upload_beyond_every_limit_is_413_with_words(lone: Site) -> None:
    """The server says so in its own words after reading the rest, so that the phone is not told of a broken pipe."""
    url, size = f"{lone.url}/submission", 300_000_000
    part = b'--x\r\nContent-Disposition: form-data; name="huge.mp4"; filename="huge.mp4"\r\n\r\n'
    start = head("POST", url, Content_Type="multipart/form-data; boundary=x", Content_Length=str(len(part) + size))
    answer = exchange(url, [start, part, *([bytes(1_000_000)] * (size // 1_000_000))])
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"huge.mp4" in answer


def test_t128_many_large_uploads_at_once_do_not_fill_the_memory(lone: Site) -> None:
    """Files go to disk as they arrive: eight times 10 MB in flight must cost far less than 80 MB."""
    before = peak_memory(lone.server.pids())
    with ThreadPoolExecutor(8) as pool:
        posts = [parts(flock(new_id()), {f"{number}.jpg": bytes([number]) * 10_000_000}) for number in range(8)]
        assert {answer.status for answer in pool.map(lone.post, posts)} == {201}
    assert peak_memory(lone.server.pids()) - before < 48


def test_t020_slow_uploads_hold_up_nobody(lone: Site) -> None:
    """Twenty phones on a thin line drip for two seconds; a quick one that comes meanwhile is served meanwhile."""
    url = f"{lone.url}/submission"
    body, kind = encode(parts(flock(new_id(), herder="x" * 20_000)))
    start = head("POST", url, Content_Type=kind, Content_Length=str(len(body)))
    with ThreadPoolExecutor(20) as pool:
        slow = [pool.submit(exchange, url, [start, *in_pieces(body, 20)], pause=0.1) for _ in range(20)]
        time.sleep(0.5)
        assert lone.post(parts(flock(new_id()))).status == 201
        assert not any(future.done() for future in slow)
        assert {future.result()[9:12] for future in slow} <= {b"201", b"202"}


def test_the_app_user_command_answers_in_json(lone: Site) -> None:
    user = json.loads(lone.server.run("app-user", "add", "گلنار", "--json").stdout)
    assert user["name"] == "گلنار"
    assert user["token"] in user["url"]
