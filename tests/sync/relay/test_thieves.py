"""What a station that was stolen, and is not revoked yet, can make its hub do: no more than bring reports of its own."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update

from records import reviews
from records.models import Attachment, RelayNode
from sync.relay import projects
from sync.relay.batch import Batch, written
from sync.relay.messages import Message, Peer, new_nonce, opened, sealed
from tests.support.records import LOSS, loss
from tests.support.relay import Node
from tests.support.stores import PROJECT
from tests.sync.relay.conftest import NewNode

AT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    """A hub with a form, on SQLite."""
    return new_node("hub", forms=[LOSS.read_bytes()])


@pytest.fixture
def thief(new_node: NewNode, hub: Node) -> Node:
    made = new_node("thief")
    made.enrol(hub)
    return made


def ask(thief: Node, hub: Node, kind: str, data: bytes = b"", **said: Any) -> Message:
    """What the hub answers to a message made by hand."""
    peer = Peer.of(hub.me.verify_key, hub.me.seal_key)
    packet = sealed(thief.me, peer, {"type": kind, "nonce": new_nonce(), **said}, data)
    return opened(thief.me, hub.answerer.answer(packet), lambda *_: hub.me.verify_key)


def data_channel(thief: Node) -> str:
    with thief.store.read() as connection:
        row = projects.relayed(connection, PROJECT)
        assert row is not None
        return projects.channel(projects.DATA, row.key)


def push(thief: Node, hub: Node, kind: str, body: bytes, **more: Any) -> dict[str, Any]:
    """What the hub answers to one record."""
    record = written(thief.me, kind, data_channel(thief), AT, body, **more)
    batch = Batch(data_channel(thief), None, None, [record], ())
    return ask(thief, hub, "push", batch.data(), **batch.said()).said


@pytest.mark.parametrize("kind", ["form", "state", "entity", "node", "gen"])
def test_a_station_cannot_say_what_only_a_hub_says(hub: Node, thief: Node, kind: str) -> None:
    body = orjson.dumps({"state": "retired", "current": "1", "confidential": False, "files": []})
    said = push(thief, hub, kind, body, f="livestock_loss", i="")
    assert said["error"] == "relay_refused"
    assert hub.ids() == set()


@pytest.mark.parametrize("more", [{"i": "uuid:\0"}, {"x": "1" * 65}, {"t": "1" * 99}, {"o": "1" * 70_000}])
def test_a_header_that_no_database_would_keep_is_refused(hub: Node, thief: Node, more: dict[str, str]) -> None:
    said = push(thief, hub, "sub", b"<data/>\0[]", **{"f": "livestock_loss", "i": "uuid:1"} | more)
    assert said["error"] == "relay_unreadable"
    assert hub.ids() == set()


@pytest.mark.parametrize(
    "about",
    [
        {"clock": "late", "rate": 1, "have": {}},
        {"clock": 0, "rate": [], "have": {}},
        {"clock": 0, "rate": 1, "have": {"data:x": "y"}},
        {"clock": 0, "rate": 1, "have": {"data:x": [[2**63, "00" * 16]]}},
    ],
)
def test_what_a_thief_says_of_itself_spoils_no_page(hub: Node, thief: Node, about: dict[str, Any]) -> None:
    before = hub.peer(thief).state
    assert ask(thief, hub, "hello", channels=[], digest=None, about=about).said["error"] == "relay_unreadable"
    assert hub.peer(thief).state == before


def test_what_a_thief_says_of_places_is_kept_in_part(hub: Node, thief: Node) -> None:
    have = {f"c{number}": [[number, "00" * 16]] * 100 for number in range(2000)}
    assert "have" in ask(thief, hub, "hello", channels=[], digest=None, about={"clock": 0, "rate": 1, "have": have}).said
    kept = hub.peer(thief).state["have"]
    assert (len(kept), len(kept["c0"])) == (1000, 32)


def test_pieces_that_come_to_nothing_do_not_fill_the_disk(hub: Node, thief: Node) -> None:
    sha256, size = "ab" * 32, 1000
    push(thief, hub, "sub", b"<data/>\0" + orjson.dumps([["1.jpg", sha256, size]]), f="livestock_loss", i="uuid:1")
    for number in range(1, 40):
        ask(thief, hub, "put", b"x" * 100, sha256=sha256, offset=number, size=size)
        ask(thief, hub, "put", b"x" * 100, sha256=sha256, offset=size + number * 100, size=size)
    kept = sum(path.stat().st_size - 100 for path in (hub.folder / "relay" / "parts").rglob("*-*") if path.is_file())
    assert 0 < kept < 4 * size
    assert max(int(path.name.split("-")[1]) for path in (hub.folder / "relay" / "parts").rglob("*-*")) <= size


def test_a_share_that_is_ended_while_a_meeting_goes_on_stays_ended(hub: Node, thief: Node) -> None:
    before = thief.peer(hub).state
    row = thief.peer(hub)

    def changed(packet: bytes) -> bytes:
        state = {**before, "shares": []}
        thief.store.write(lambda connection: connection.execute(update(RelayNode).filter_by(id=row.id).values(state=state)))
        return hub.answerer.answer(packet)

    started = {**before, "shares": ["hotspots-partner"]}
    thief.store.write(lambda connection: connection.execute(update(RelayNode).filter_by(id=row.id).values(state=started)))
    thief.meet(hub, changed)
    assert thief.peer(hub).state["shares"] == []


REVIEW = orjson.dumps({"actor": "x", "comment": "", "detail": {}, "at": AT.isoformat()})


@pytest.fixture
def west(new_node: NewNode, hub: Node) -> Node:
    made = new_node("west")
    made.enrol(hub)
    made.meet(hub)
    return made


@pytest.mark.parametrize(("kind", "more"), [("review", {"a": "delete", "e": "1" * 16}), ("erase", {"x": "1" * 64})])
def test_a_station_decides_nothing_about_what_others_brought(
    hub: Node, west: Node, thief: Node, kind: str, more: dict[str, Any]
) -> None:
    west.receive(loss("uuid:1"))
    west.meet(hub)
    assert push(thief, hub, kind, REVIEW, f="livestock_loss", i="uuid:1", **more)["new"] == 1
    hub.settle()
    assert hub.waiting() == ["original"]
    assert hub.records()["uuid:1"].deleted_at is None


@pytest.mark.parametrize(
    "more",
    [
        {"a": "state", "s": "gone"},
        {"a": "state"},
        {"a": "delete", "e": 3},
        {"a": "delete", "o": 3},
        {"a": "delete", "o": [{}]},
        {"a": "x"},
    ],
)
def test_a_decision_that_is_none_waits_and_keeps_no_other_from_counting(hub: Node, thief: Node, more: dict[str, Any]) -> None:
    thief.meet(hub)
    thief.receive(loss("uuid:1"))
    thief.meet(hub)
    push(thief, hub, "review", REVIEW, f="livestock_loss", i="uuid:1", **{"e": "1" * 16} | more)
    hub.settle()
    assert hub.waiting() == ["kind"]
    reviews.set_state(thief.store, thief.access, "livestock_loss", "uuid:1", "approved")
    thief.meet(hub)
    assert hub.records()["uuid:1"].review_state == "approved"


def test_names_of_files_are_made_safe_as_those_of_phones_are(hub: Node, thief: Node) -> None:
    data = b"\xff\xd8\xff photo"
    sha256 = hashlib.sha256(data).hexdigest()
    for name in ("a\0b", "x" * 2000):
        body = loss("uuid:1", name) + b"\0" + orjson.dumps([[name, sha256, len(data)]])
        assert push(thief, hub, "sub", body, f="livestock_loss", i="uuid:1")["error"] == "relay_unreadable"
    body = loss("uuid:1", "1.jpg") + b"\0" + orjson.dumps([["../../keys/1\n.jpg", sha256, len(data)]])
    push(thief, hub, "sub", body, f="livestock_loss", i="uuid:1")
    ask(thief, hub, "put", data, sha256=sha256, offset=0, size=len(data))
    hub.settle()
    with hub.store.read() as connection:
        assert connection.execute(select(Attachment.name)).scalars().all() == ["1.jpg"]
