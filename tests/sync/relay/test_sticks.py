"""The relay by stick: what is written is taken, in any order and any number of times, and who carries it can read nothing."""

from pathlib import Path

import pytest

from sync.relay import sticks
from tests.support.records import LOSS, loss, new_id
from tests.support.relay import Node

PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 40


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def test_a_stick_brings_records_and_photos_and_the_answer_proves_it(hub: Node, station: Node, stick: Path) -> None:
    hub.publish(LOSS.read_bytes())
    station.meet(hub)
    for number in range(5):
        station.receive(loss(new_id(), "1.jpg"), {"1.jpg": PHOTO + bytes([number])})
    written = sticks.write(station.answerer, station.peer(hub), stick)
    assert written.packets
    again = sticks.write(station.answerer, station.peer(hub), stick)
    assert again.packets == 1  # what it has and lacks is said anew
    brought = sticks.bring(hub.answerer, stick)
    assert not brought.reasons
    hub.settle()
    assert hub.versions() == station.versions()
    assert all(record.files == ["1.jpg"] for record in hub.records().values())
    sticks.write(hub.answerer, hub.peer(station), stick)
    sticks.bring(station.answerer, stick)
    assert station.peer(hub).state["safe"]
    assert not station.meet(hub).pushed
