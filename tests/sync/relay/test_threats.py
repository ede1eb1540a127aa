"""Who means ill: nothing forged, changed, foreign or far too large is taken, and what is refused changes nothing."""

import lzma
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from forms.problems import Problem
from records import reviews
from records.models import RelayPosition
from sync.relay import enrolment, log, messages
from sync.relay.batch import START, Batch, Record, written
from sync.relay.identity import Identity
from sync.relay.messages import Peer, new_nonce, opened, sealed
from sync.relay.projects import DATA, DECISIONS, FORMS, channel, relayed
from sync.relay.taking import take_in
from sync.relay.upward import body_of
from tests.support.records import FLOCK, flock, new_id
from tests.support.relay import Node
from tests.support.stores import PROJECT
from tests.sync.relay.conftest import NewNode


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    made = new_node("hub")
    made.publish(FLOCK.read_bytes())
    return made


def key_of(node: Node) -> str:
    with node.store.read() as connection:
        row = relayed(connection, PROJECT)
    assert row is not None
    return str(row.key)


def state(node: Node) -> tuple[set[str], set[tuple[Any, ...]]]:
    """Everything a batch may change: the log, and how far others were read."""
    with node.store.read() as connection:
        return node.ids(), {tuple(row) for row in connection.execute(select(RelayPosition.seq, RelayPosition.channel))}


def submission(node: Node, *, to: str = "", kind: str = "sub", body: bytes | None = None, **more: Any) -> Record:
    """A record that this node signs."""
    content = body_of(flock(new_id()), []) if body is None else body
    about = {"f": "flock_count", "i": new_id()} | more
    return written(node.me, kind, to or channel(DATA, key_of(node)), datetime.now(UTC), content, **about)


def push(node: Node, hub: Node, *records: Record, **more: Any) -> dict[str, Any]:
    """What the hub answers to a batch of these records that this node pushes."""
    about: dict[str, Any] = {
        "channel": channel(DATA, key_of(hub)),
        "after": None,
        "upto": None,
        "records": records,
        "references": (),
    }
    batch = Batch(**(about | more))
    return ask(node, hub, "push", batch.data(), **batch.said())


def ask(node: Node, hub: Node, kind: str, data: bytes = b"", **said: Any) -> dict[str, Any]:
    """What the hub answers to this question of a node."""
    question = {"type": kind, "nonce": new_nonce(), **said}
    packet = sealed(node.me, Peer.of(hub.me.verify_key, hub.me.seal_key), question, data)
    answer = opened(node.me, hub.answerer.answer(packet), lambda *_: hub.me.verify_key)
    return answer.said


def forged(node: Node, hub: Node) -> Record:
    return replace(submission(node), signature=bytes(64))


def tampered(node: Node, hub: Node) -> Record:
    return replace(submission(node), body=body_of(flock(new_id(), sheep="7"), []))


def of_another(node: Node, hub: Node) -> Record:
    stranger = Identity.new()
    return written(stranger, "sub", channel(DATA, key_of(hub)), datetime.now(UTC), b"x\0[]", f="flock_count", i="uuid:1")


def said_to_be_of_the_hub(node: Node, hub: Node) -> Record:
    about = written(
        hub.me, "erase", channel(DATA, key_of(hub)), datetime.now(UTC), b"<data/>", f="flock_count", i="uuid:1", x="0" * 64
    )
    return replace(about, signature=node.me.signing.sign(about.header))


def a_form(node: Node, hub: Node) -> Record:
    return submission(node, to=channel(FORMS, key_of(hub)), kind="form", body=b"{}")


def of_another_project(node: Node, hub: Node) -> Record:
    return submission(node, to=channel(DATA, "0123456789abcdef"))


def files_without_end(node: Node, hub: Node) -> Record:
    return submission(node, body=body_of(b"<data/>", [[str(number), "0" * 64, 1] for number in range(1001)]))


def a_file_named_like_a_path(node: Node, hub: Node) -> Record:
    return submission(node, body=body_of(b"<data/>", [["1.jpg", "../../keys/relay.key", 1]]))


def a_header_without_end(node: Node, hub: Node) -> Record:
    return submission(node, i="x" * 250)


@pytest.mark.parametrize(
    "bad",
    [
        forged, tampered, of_another, said_to_be_of_the_hub, a_form, of_another_project, files_without_end,
        a_file_named_like_a_path, a_header_without_end,
    ],
    ids=lambda bad: bad.__name__,
)  # fmt: skip
def test_a_batch_with_one_bad_record_changes_nothing(hub: Node, west: Node, bad: Callable[[Node, Node], Record]) -> None:
    before = state(hub)
    said = push(west, hub, submission(west), bad(west, hub), submission(west), after=START, upto=(9, bytes(16)))
    assert said["error"] in {"relay_unreadable", "relay_refused"}
    assert state(hub) == before
    assert push(west, hub, submission(west))["new"] == 1


def test_a_station_reads_no_channel_but_its_own(hub: Node, west: Node, east: Node) -> None:
    for name in (channel(DECISIONS, key_of(hub), east.me.node_id), channel(DATA, key_of(hub))):
        said = ask(west, hub, "pull", channel=name, have=[], all=True, most=10_000)
        assert said["error"] == "relay_refused"
    assert ask(west, hub, "compare", channel=channel(DECISIONS, key_of(hub), east.me.node_id))["error"] == "relay_refused"


def test_a_station_claims_no_place_in_the_channel_of_another_project(hub: Node, west: Node) -> None:
    before = state(hub)
    said = push(west, hub, channel=channel(DATA, "0123456789abcdef"), after=START, upto=(1000, bytes(16)))
    assert said["error"] == "relay_refused"
    assert state(hub) == before


def test_a_file_that_no_form_has_is_not_given(hub: Node, west: Node) -> None:
    blob = hub.blobs.put(b"a photo of the east", sealed=True)
    assert ask(west, hub, "get", sha256=blob.sha256, offset=0, most=1000)["error"] == "relay_refused"


def test_a_revoked_node_is_not_heard_by_any_way(hub: Node, west: Node) -> None:
    west.receive(flock(new_id()))
    packets: list[bytes] = []
    west.meet(hub, lambda packet: packets.append(packet) or hub.answerer.answer(packet))  # type: ignore[func-returns-value]
    enrolment.revoke(hub.store, hub.access, west.me.node_id)
    hub.write_down()  # it tells the others
    before = state(hub)
    west.receive(flock(new_id()))
    with pytest.raises(Problem, match="revoked"):
        west.meet(hub)
    for packet in packets:
        with pytest.raises(Problem):
            hub.answerer.answer(packet)
        with pytest.raises(Problem):
            hub.answerer.hear(packet)
    assert state(hub) == before


def test_a_stranger_and_a_packet_for_another_node_are_not_heard(hub: Node, west: Node, east: Node) -> None:
    said: dict[str, Any] = {"type": "hello", "nonce": "1", "channels": [], "digest": None, "about": {}}
    to_hub = Peer.of(hub.me.verify_key, hub.me.seal_key)
    with pytest.raises(Problem):
        hub.answerer.answer(sealed(Identity.new(), to_hub, said))
    with pytest.raises(Problem, match="is for the node"):
        hub.answerer.answer(sealed(west.me, Peer.of(east.me.verify_key, east.me.seal_key), said))


def test_a_packet_changed_in_any_byte_is_not_read(hub: Node, west: Node) -> None:
    packet = sealed(west.me, Peer.of(hub.me.verify_key, hub.me.seal_key), {"type": "hello", "nonce": "1"}, bytes(300))
    for at in range(len(packet)):
        changed = packet[:at] + bytes([packet[at] ^ 1]) + packet[at + 1 :]
        with pytest.raises(Problem):
            hub.answerer.answer(changed)
        with pytest.raises(Problem):
            hub.answerer.answer(packet[:at])


def bomb(west: Node, hub: Node, packed: bytes) -> bytes:
    """A packet that unpacks to what `packed` does."""
    return messages._closed(west.me, Peer.of(hub.me.verify_key, hub.me.seal_key), packed)


def test_what_unpacks_to_far_more_is_not_unpacked(hub: Node, west: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MOST_PLAIN", 100_000)
    plain = struct.pack(">I", 2) + b"{}" + bytes(200_000)
    for packed in (b"\1" + zlib.compress(plain), b"\2" + lzma.compress(plain)):
        assert len(packed) < 1000
        with pytest.raises(Problem, match="cut or changed"):
            hub.answerer.answer(bomb(west, hub, packed))


def test_counts_that_are_not_so_are_not_believed(hub: Node, west: Node) -> None:
    before = state(hub)
    good = Batch(channel(DATA, key_of(hub)), START, (3, bytes(16)), [submission(west)], ["00" * 32])
    data = good.data()
    for changed in (
        struct.pack(">I", 2**32 - 1) + data[4:],
        data[:5] + struct.pack(">I", 2**32 - 1) + data[9:],
        data[:9] + struct.pack(">I", 2**32 - 1) + data[13:],
        data + b"\0",
        data[:-1],
        b"",
    ):
        assert ask(west, hub, "push", changed, **good.said())["error"] == "relay_unreadable"
    for place in ([-1, "00" * 16], [1, "00"], [1.5, "00" * 16], ["1", "00" * 16], 7):
        assert ask(west, hub, "push", data, **(good.said() | {"upto": place}))["error"] == "relay_unreadable"
    assert state(hub) == before


def test_a_review_that_makes_no_sense_waits_and_stops_nobody(hub: Node, west: Node) -> None:
    instance = new_id()
    west.receive(flock(instance))
    west.meet(hub)
    assert push(west, hub, submission(west, kind="review", body=b"{}", i=instance))["new"] == 1
    hub.settle()
    reviews.set_state(hub.store, hub.access, "flock_count", instance, "approved")
    west.meet(hub)
    assert hub.waiting() == ["failed"]
    assert west.records()[instance].review_state == "approved"


# --- parts of a batch, and their order ---


def downward(hub: Node, west: Node) -> list[Batch]:
    """The forms of the hub as batches of one record each."""
    for number in range(3):
        hub.publish(FLOCK.read_bytes().replace(b'version="2026050201"', f'version="{number}"'.encode()))
    hub.write_down()
    with west.store.read() as connection:
        (start, *_) = log.positions(connection, hub.me.node_id, channel(FORMS, key_of(hub)))
    batches = []
    while (batch := hub.answerer.sender.batch(west.me.node_id, channel(FORMS, key_of(hub)), start, 1)) is not None:
        batches.append(batch)
        assert batch.upto is not None
        start = batch.upto
    return batches


def take(west: Node, hub: Node, batch: Batch) -> None:
    take_in(west.store, west.me, west.peer(hub), key_of(west), batch)


def test_what_comes_behind_a_gap_does_not_hide_the_gap(hub: Node, west: Node) -> None:
    batches = downward(hub, west)
    take(west, hub, batches[-1])
    west.meet(hub)
    assert hub.ids() - west.ids() == set()


def test_what_came_behind_a_gap_counts_once_the_gap_is_filled(hub: Node, west: Node) -> None:
    batches = downward(hub, west)
    for batch in reversed(batches):
        take(west, hub, batch)
    with west.store.read() as connection:
        (newest, *_) = log.positions(connection, hub.me.node_id, channel(FORMS, key_of(hub)))
    assert newest == batches[-1].upto
    west.settle()
    assert west.meet(hub).pulled == 0


def test_taking_a_batch_again_changes_nothing(hub: Node, west: Node) -> None:
    batches = downward(hub, west)
    for batch in batches:
        take(west, hub, batch)
    before = state(west)
    for batch in [*reversed(batches), *batches]:
        take(west, hub, batch)
    assert west.ids() == before[0]


def test_a_body_that_was_missing_is_filled_when_it_comes(hub: Node, west: Node) -> None:
    record = submission(west)
    push(west, hub, replace(record, body=None))
    hub.settle()
    assert hub.waiting() == ["hollow"]
    push(west, hub, record)
    hub.settle()
    assert hub.waiting() == []
    assert len(hub.versions()) == 1


class Broken(Exception):
    """The machine stopped."""


def test_a_station_that_stops_while_it_takes_forms_has_them_next_time(
    hub: Node, west: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    downward(hub, west)
    append = log.append

    def stop(connection: Any, entries: Any) -> list[log.Entry]:
        fresh = append(connection, entries)
        if any(entry.via for entry in entries):
            raise Broken
        return fresh

    with monkeypatch.context() as broken:
        broken.setattr(log, "append", stop)
        with pytest.raises(Broken):
            west.meet(hub)
    west.meet(hub)
    assert hub.ids() - west.ids() == set()


def test_a_hub_that_was_put_back_and_went_another_way_is_followed(hub: Node, west: Node, tmp_path: Path) -> None:
    back = hub.backup(tmp_path / "backup")
    hub.publish(FLOCK.read_bytes().replace(b'version="2026050201"', b'version="one way"'))
    west.meet(hub)
    back()
    hub.publish(FLOCK.read_bytes().replace(b'version="2026050201"', b'version="the other"'))
    hub.write_down()
    other = hub.ids()
    west.meet(hub)
    assert other <= west.ids()
