"""Servers that are kept to be pulled from: their passwords, their times, what is kept of every pull."""

import socket
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from forms.problems import Problem
from records.access import Access
from records.blobs import BlobStore
from records.models import AuditEvent, PullServer
from records.store import Store
from records.submissions import listed
from sync.intake import Intake
from sync.pull import client, servers
from sync.pull.servers import Server
from tests.support.recorded import Answer, Recorded, playing
from tests.support.small import record, xform
from tests.support.stores import EVERYTHING, PROJECT

SECRET = "leopards of Touran"
FORM = "/v1/projects/7/forms/small"


def answers() -> dict[str, list[Answer]]:
    nobody = {"updatedAt": None, "reviewState": None, "edits": 0, "attachmentsExpected": 0, "attachmentsPresent": 0}
    row = {"__id": "uuid:1", "__system": {"submissionDate": "2026-05-02T10:00:00.000Z", **nobody}}
    return {
        "/v1/sessions": [Answer({"token": "tok"})],
        "/v1/projects/7/datasets": [Answer([])],
        "/v1/projects/7/forms": [Answer([{"xmlFormId": "small", "publishedAt": "2026-01-01T00:00:00.000Z"}])],
        f"{FORM}/versions": [Answer([{"version": "1"}])],
        f"{FORM}/versions/1.xml": [Answer(xform("<q/>"))],
        f"{FORM}/versions/1/attachments": [Answer([])],
        f"{FORM}.svc/Submissions": [Answer({"value": [row]})],
        f"{FORM}/submissions/uuid:1.xml": [Answer(record("<q>1</q>"))],
        f"{FORM}/submissions/uuid:1/comments": [Answer([])],
    }


def central(played: Recorded, **more: int) -> Server:
    return Server("central", played.url, "me@example.org", SECRET, source_project=7, **more)


def pulled(store: Store, blobs: BlobStore, number: int) -> list[str]:
    return servers.pull(store, blobs, Intake(store, blobs), EVERYTHING, number).lines()


def only(store: Store) -> PullServer:
    with store.read() as connection:
        return connection.execute(select(PullServer.__table__)).one()  # type: ignore[return-value]


def test_a_kept_server_is_pulled_from_again_and_what_came_is_kept(store: Store, blobs: BlobStore) -> None:
    with playing(answers()) as played:
        number = servers.add(store, EVERYTHING, central(played, every_hours=6))
        assert pulled(store, blobs, number) == ["1 new records", "1 versions of forms"]
        assert only(store).outcome["counts"]["created"] == 1
        assert pulled(store, blobs, number) == ["nothing new"]
    kept = only(store)
    assert (kept.begun_at, kept.met_at is not None, kept.outcome["told"]) == (None, True, [])
    with store.read() as connection:
        assert [each.instance_id for each in listed(connection, EVERYTHING, "small")] == ["uuid:1"]
        assert [row.address for row in servers.listed(connection, EVERYTHING)] == [played.url]
        assert not hasattr(servers.listed(connection, EVERYTHING)[0], "secret")


def test_the_password_is_sealed_and_in_no_line_of_the_log(store: Store, blobs: BlobStore) -> None:
    with playing(answers()) as played:
        server = central(played)
        assert SECRET not in repr(server)
        number = servers.add(store, EVERYTHING, server)
        servers.set_hours(store, EVERYTHING, number, 24)
        pulled(store, blobs, number)
    assert SECRET.encode() not in only(store).secret
    servers.forget(store, EVERYTHING, number)
    with store.read() as connection:
        lines = connection.execute(select(AuditEvent.action, AuditEvent.target, AuditEvent.detail)).all()
        assert not servers.listed(connection, EVERYTHING)
    assert [line.action for line in lines if line.action.startswith("pull.")] == ["pull.add", "pull.change", "pull.forget"]
    assert SECRET not in str(lines)


def test_a_password_does_not_go_to_an_address_that_somebody_put_into_the_database(sqlite_store: Store, blobs: BlobStore) -> None:
    store = sqlite_store
    with playing(answers()) as played, playing(answers()) as other:
        number = servers.add(store, EVERYTHING, central(played))
        store.write(lambda connection: connection.execute(update(PullServer).values(address=other.url)))
        with pytest.raises(Problem) as caught:
            pulled(store, blobs, number)
        assert caught.value.kind.code == "seal_broken"
        assert not other.asked
    assert only(store).outcome["failure"]["code"] == "seal_broken"


def test_what_broke_off_is_kept_with_its_reason_and_goes_on(sqlite_store: Store, blobs: BlobStore) -> None:
    store, given = sqlite_store, answers()
    given[f"{FORM}/versions"].insert(0, Answer({}, 403))
    with playing(given) as played:
        number = servers.add(store, EVERYTHING, central(played))
        with pytest.raises(Problem):
            pulled(store, blobs, number)
        broken = only(store)
        assert broken.outcome["failure"] == {"code": "source_failed", "detail": f"{played.url}{FORM}/versions: it answered 403."}
        assert (broken.begun_at, broken.met_at) == (None, None)
        pulled(store, blobs, number)
    assert "failure" not in only(store).outcome


def test_one_pulls_at_a_time_and_a_new_start_forgets_who_did(sqlite_store: Store, blobs: BlobStore) -> None:
    store = sqlite_store
    with playing(answers()) as played:
        number = servers.add(store, EVERYTHING, central(played, every_hours=1))
        store.write(lambda connection: connection.execute(update(PullServer).values(begun_at=datetime.now(UTC))))
        with pytest.raises(Problem) as caught:
            pulled(store, blobs, number)
        assert caught.value.kind.code == "busy"
        assert not played.asked
        store.write(servers.forget_interrupted)
        assert pulled(store, blobs, number)


def test_a_server_is_due_when_its_hours_are_over_and_never_with_none(sqlite_store: Store) -> None:
    store, now = sqlite_store, datetime.now(UTC)
    six, never = (
        servers.add(store, EVERYTHING, Server("kobo", "https://kf.example.org", secret="k", every_hours=n)) for n in (6, 0)
    )

    def due(later: timedelta) -> list[int]:
        with store.read() as connection:
            return [number for _, number in servers.due(connection, now + later)]

    assert due(timedelta()) == [six]
    store.write(lambda connection: connection.execute(update(PullServer).values(tried_at=now)))
    assert due(timedelta(hours=5)) == []
    assert due(timedelta(hours=6)) == [six]
    servers.set_hours(store, EVERYTHING, never, 1)
    assert due(timedelta(hours=6)) == [six, never]
    store.write(lambda connection: connection.execute(update(PullServer).values(begun_at=now)))
    assert due(timedelta(hours=6)) == []


@pytest.mark.parametrize(
    "server",
    [
        Server("central", "https://x.example.org", "", SECRET),
        Server("central", "https://x.example.org", "me", ""),
        Server("ftp", "https://x.example.org", "me", SECRET),
        Server("central", "ftp://x.example.org", "me", SECRET),
        Server("kobo", "file:///etc/passwd", secret=SECRET),
        Server("kobo", "https://me:pw@x.example.org", secret=SECRET),
        Server("kobo", "https://x.example.org", secret=SECRET, every_hours=-1),
    ],
)
def test_what_cannot_be_pulled_from_is_not_kept(sqlite_store: Store, server: Server) -> None:
    with pytest.raises(Problem) as caught:
        servers.add(sqlite_store, EVERYTHING, server)
    assert caught.value.kind.code == "value_invalid"


def test_a_project_sees_and_uses_only_its_own(sqlite_store: Store, blobs: BlobStore) -> None:
    store, other = sqlite_store, Access.everything(PROJECT + 1, "other")
    number = servers.add(store, EVERYTHING, Server("kobo", "https://kf.example.org", secret="k"))
    with store.read() as connection:
        assert not servers.listed(connection, other)
    for use in (
        lambda: servers.forget(store, other, number),
        lambda: servers.set_hours(store, other, number, 1),
        lambda: servers.pull(store, blobs, Intake(store, blobs), other, number),
    ):
        with pytest.raises(Problem) as caught:
            use()
        assert caught.value.kind.code == "not_found"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_password_is_not_sent_to_where_the_server_redirects(sqlite_store: Store, blobs: BlobStore, status: int) -> None:
    with playing(answers()) as other, playing({}) as played:
        played.answers["/v1/sessions"] = [Answer(b"", status, {"Location": f"{other.url}/v1/sessions"})]
        number = servers.add(sqlite_store, EVERYTHING, central(played))
        with pytest.raises(Problem) as caught:
            pulled(sqlite_store, blobs, number)
        assert f"it sends us to {other.url}/v1/sessions" in str(caught.value)
        assert not other.asked


def test_a_redirect_to_another_server_is_followed_without_our_token(sqlite_store: Store, blobs: BlobStore) -> None:
    given = answers()
    with playing({"/moved": given[f"{FORM}/submissions/uuid:1.xml"]}) as other, playing(given) as played:
        given[f"{FORM}/submissions/uuid:1.xml"] = [Answer(b"", 307, {"Location": f"{other.url}/moved"})]
        number = servers.add(sqlite_store, EVERYTHING, central(played))
        assert "1 new records" in pulled(sqlite_store, blobs, number)
        assert other.asked == [("/moved", "")]


def test_a_server_on_the_internet_cannot_send_us_into_our_own_network(
    sqlite_store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = answers()
    with playing({"/secrets": [Answer(record("<q>1</q>"))]}) as inside, playing(given) as played:
        given[f"{FORM}/submissions/uuid:1.xml"] = [Answer(b"", 307, {"Location": f"{inside.url}/secrets"})]
        outside = played.url.replace("127.0.0.1", "localhost")
        monkeypatch.setattr(client, "_is_inside", lambda host: host != "localhost")
        number = servers.add(sqlite_store, EVERYTHING, Server("central", outside, "me", SECRET, source_project=7))
        said = pulled(sqlite_store, blobs, number)
        assert any("it leads into the network of this server" in line for line in said)
        assert not inside.asked


@pytest.mark.parametrize(
    ("host", "is_inside"),
    [
        ("127.0.0.1", True), ("10.1.2.3", True), ("192.168.1.1", True), ("169.254.169.254", True), ("0.0.0.0", True),
        ("::1", True), ("fe80::1", True), ("fd00::1", True), ("::ffff:127.0.0.1", True), ("100.64.0.1", True),
        ("8.8.8.8", False), ("2001:4860:4860::8888", False),
    ],
)  # fmt: skip
def test_what_lies_inside_is_known(host: str, is_inside: bool) -> None:
    assert client._is_inside(host) == is_inside


def test_a_server_that_never_answers_is_left(sqlite_store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TIMEOUT", (0.2, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        number = servers.add(sqlite_store, EVERYTHING, Server("central", address, "me", SECRET))
        with pytest.raises(Problem) as caught:
            pulled(sqlite_store, blobs, number)
    assert caught.value.kind.code == "source_failed"
    assert only(sqlite_store).outcome["failure"]["code"] == "source_failed"
