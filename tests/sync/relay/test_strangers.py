"""Who is not enrolled costs a node next to nothing, whatever is posted to it."""

import zlib

import pytest

from forms.problems import Problem
from sync.relay import messages
from sync.relay.identity import Identity
from sync.relay.messages import HEADING, MAGIC, MOST_OF_STRANGERS, MOST_PACKET, Peer, sealed
from tests.support.relay import Node
from tests.sync.relay.conftest import NewNode


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    return new_node("hub")


def peer(node: Node) -> Peer:
    return Peer.of(node.me.verify_key, node.me.seal_key)


def test_a_large_packet_of_a_stranger_is_refused_by_its_heading(hub: Node) -> None:
    heading = MAGIC + bytes.fromhex(Identity.new().node_id) + bytes.fromhex(hub.me.node_id)
    hub.answerer.expect(heading, MOST_OF_STRANGERS)
    with pytest.raises(Problem, match="not enrolled"):
        hub.answerer.expect(heading, MOST_OF_STRANGERS + 1)
    with pytest.raises(Problem, match="not enrolled"):
        hub.answerer.answer(heading + bytes(MOST_PACKET - HEADING))


def test_what_a_stranger_sends_in_the_name_of_a_station_is_not_unpacked(
    hub: Node, new_node: NewNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = new_node("station")
    station.enrol(hub)
    stranger = Identity.new()
    heading = MAGIC + bytes.fromhex(station.me.node_id) + bytes.fromhex(hub.me.node_id)
    bomb = b"\1" + zlib.compress(bytes(messages.MOST_PLAIN))
    key = messages.sealing_key(hub.me.seal_key)
    packet = heading + messages._SUITE.encrypt(bomb + stranger.signing.sign(heading + bomb), key, info=heading)
    unpacked = []
    monkeypatch.setattr(
        messages, "_unpacked", lambda packed, most, through=messages._unpacked: unpacked.append(most) or through(packed, most)
    )
    with pytest.raises(Problem):
        hub.answerer.answer(packet)
    assert max(unpacked, default=0) <= MOST_OF_STRANGERS


@pytest.mark.parametrize(
    "said",
    [
        {"type": "enrol"},
        {"type": "enrol", "secret": "x", "name": "x", "seal_key": "zz"},
        {"type": "enrol", "secret": "x", "name": "x", "seal_key": "00"},
        {"type": "enrol", "secret": ["x"], "name": 3, "seal_key": None},
        {"type": "hello"},
    ],
)
def test_a_stranger_who_does_not_ask_properly_gets_a_problem(hub: Node, said: dict[str, object]) -> None:
    stranger = Identity.new()
    packet = sealed(stranger, peer(hub), {"nonce": "1", "verify_key": stranger.verify_key.hex(), **said})
    with pytest.raises(Problem) as refused:
        hub.answerer.answer(packet)
    assert refused.value.kind.code in {"relay_unreadable", "relay_refused"}


def test_json_that_would_fill_the_memory_is_refused_from_whomever(
    hub: Node, new_node: NewNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = new_node("station")
    station.enrol(hub)
    packet = sealed(station.me, peer(hub), {"type": "hello", "nonce": "1", "bomb": [[]] * 1000})
    monkeypatch.setattr(messages, "_MOST_SAID", 1000)
    with pytest.raises(Problem, match="cut or changed"):
        hub.answerer.answer(packet)
