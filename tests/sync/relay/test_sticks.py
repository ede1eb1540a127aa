"""The relay by stick: what is written is taken, in any order and any number of times, and who carries it can read nothing."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from records.models import Attachment
from sync.relay import sticks
from tests.support.records import LOSS, loss, new_id
from tests.support.relay import Node

PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 40


def hub_files(hub: Node, instance_id: str) -> list[str]:
    """The names of the files of a record at the hub."""
    with hub.store.read() as connection:
        return list(connection.execute(select(Attachment.name).filter_by(instance_id=instance_id)).scalars())


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


@pytest.fixture
def small_sticks(tmp_path: Path) -> Iterator[Callable[[], Path]]:
    """Sticks of one megabyte."""
    made: list[Path] = []

    def make() -> Path:
        made.append(tmp_path / f"small{len(made)}")
        made[-1].mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tulliana-test", str(made[-1])], check=True)
        return made[-1]

    yield make
    for each in made:
        subprocess.run(["umount", "-l", str(each)], check=True)


def test_what_does_not_fit_goes_on_the_next_stick_and_their_order_is_nothing(
    hub: Node, station: Node, small_sticks: Callable[[], Path]
) -> None:
    hub.publish(LOSS.read_bytes())
    station.meet(hub)
    for number in range(6):
        station.receive(loss(new_id(), "1.jpg"), {"1.jpg": PHOTO + os.urandom(400_000) + bytes([number])})
    written = []
    for _ in range(5):
        written.append(small_sticks())
        if not sticks.write(station.answerer, station.peer(hub), written[-1]).full:
            break
    else:
        pytest.fail("It never ends.")
    assert len(written) >= 3
    for each in reversed(written):
        assert not sticks.bring(hub.answerer, each).reasons
    hub.settle()
    sticks.bring(hub.answerer, written[0])  # pieces that came before their records
    hub.settle()
    assert all(len(hub_files(hub, instance)) == 1 for instance in station.records())
    lost = small_sticks()
    assert sticks.write(station.answerer, station.peer(hub), lost, anew=True).full


def test_a_stick_brings_the_photos_that_a_meeting_left_out_and_no_others(hub: Node, station: Node, stick: Path) -> None:
    hub.publish(LOSS.read_bytes())
    station.meet(hub)
    for number in range(4):
        station.receive(loss(new_id(), "1.jpg"), {"1.jpg": PHOTO + bytes([number])})
        station.meet(hub, files=number < 2)
    sticks.write(station.answerer, station.peer(hub), stick)
    assert len(list(stick.rglob("3-*.tul"))) == 2
    sticks.bring(hub.answerer, stick)
    hub.settle()
    assert all(len(hub_files(hub, instance)) == 1 for instance in station.records())
