"""Who is not enrolled costs a node next to nothing, whatever is posted to it."""

import os
import zlib

import pytest

from forms.problems import Problem
from sync.relay import messages
from sync.relay.identity import Identity
from sync.relay.messages import HEADING, MOST_OF_STRANGERS, MOST_PACKET, Peer, sealed
from tests.support.relay import Node
from tests.sync.relay.conftest import NewNode


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    return new_node("hub")


def peer(node: Node) -> Peer:
    return Peer.of(node.me.verify_key, node.me.seal_key)


def test_a_large_packet_of_a_stranger_is_refused_by_its_heading(hub: Node) -> None:
    small = sealed(Identity.new(), peer(hub), {"type": "enrol"})
    hub.answerer.expect(small[:HEADING], len(small))
    large = sealed(Identity.new(), peer(hub), {"type": "enrol"}, os.urandom(5000))
    assert len(large) > MOST_OF_STRANGERS
    with pytest.raises(Problem, match="not enrolled"):
        hub.answerer.expect(large[:HEADING], len(large))
    with pytest.raises(Problem, match="not enrolled"):
        hub.answerer.answer(large)


def test_a_heading_in_the_name_of_a_station_is_refused_before_the_rest_is_read(hub: Node, new_node: NewNode) -> None:
    station = new_node("station")
    station.enrol(hub)
    size = MOST_PACKET
    genuine = sealed(station.me, peer(hub), {"type": "hello"}, os.urandom(5000))
    assert hub.answerer.expect(genuine[:HEADING], len(genuine)) == station.me.node_id
    with pytest.raises(Problem, match="not as long as it says"):
        hub.answerer.expect(genuine[:HEADING], size)
    at = HEADING - 64 - 36  # where the heading says how long it is
    longer = genuine[:at] + (size - HEADING).to_bytes(4, "big") + genuine[at + 4 : HEADING]
    with pytest.raises(Problem, match="did not sign"):
        hub.answerer.expect(longer, size)
    with pytest.raises(Problem, match="is for the node"):
        station.answerer.expect(genuine[:HEADING], len(genuine))


def test_what_a_stranger_sends_in_the_name_of_a_station_is_not_opened(
    hub: Node, new_node: NewNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = new_node("station")
    station.enrol(hub)
    bomb = b"\1" + zlib.compress(bytes(messages.MOST_PLAIN))
    forged = messages._closed(Identity.new(), peer(hub), bomb)
    between = HEADING - 100
    packet = messages._closed(station.me, peer(hub), b"")[:between] + forged[between:]
    unpacked: list[int] = []
    monkeypatch.setattr(messages, "_unpacked", lambda packed, most: unpacked.append(most) or b"")
    with pytest.raises(Problem, match="did not sign"):
        hub.answerer.answer(packet)
    assert unpacked == []


def test_what_somebody_sealed_cannot_be_taken_for_ones_own(hub: Node, new_node: NewNode) -> None:
    west, east = new_node("west"), new_node("east")
    west.enrol(hub)
    east.enrol(hub)
    packet = sealed(west.me, peer(hub), {"type": "hello", "nonce": "1"})
    between, sizes, content = packet[: HEADING - 100], packet[HEADING - 100 : HEADING - 64], packet[HEADING:]
    mine = between.replace(bytes.fromhex(west.me.node_id), bytes.fromhex(east.me.node_id)) + sizes
    with pytest.raises(Problem, match="cut or changed"):
        hub.answerer.answer(mine + east.me.signing.sign(mine) + content)


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
