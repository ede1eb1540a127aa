"""Sticks lie about in teahouses: what is on one is anybody's, and leads nowhere else."""

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import update

from forms.problems import Problem
from records.models import RelayNode
from sync.relay import sticks
from sync.relay.messages import MAGIC
from sync.relay.stick_files import FOLDER
from tests.support.records import LOSS, loss, new_id
from tests.support.relay import Node
from tests.sync.relay.conftest import NewNode

PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 40


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    return new_node("hub", forms=[LOSS.read_bytes()])


def test_pipes_devices_and_links_on_a_stick_are_passed_over(hub: Node, west: Node, stick: Path) -> None:
    folder = stick / FOLDER / hub.me.node_id / west.me.node_id
    west.receive(loss(new_id()))
    sticks.write(west.answerer, west.peer(hub), stick)
    os.mkfifo(folder / "0-pipe.tul")
    (folder / "0-zero.tul").symlink_to("/dev/zero")
    (folder / "0-link.tul").symlink_to(hub.folder / "keys" / "relay.key")
    (folder / "0-folder.tul").mkdir()
    brought = sticks.bring(hub.answerer, stick)
    assert brought.counts["damaged"] == 4
    assert brought.counts["taken"] == 2


def test_nothing_is_written_where_links_of_a_stick_lead(west: Node, hub: Node, stick: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (stick / FOLDER).mkdir()
    (stick / FOLDER / hub.me.node_id).symlink_to(outside)
    with pytest.raises(Problem, match="leads away"):
        sticks.write(west.answerer, west.peer(hub), stick)
    assert not [path for path in outside.rglob("*") if path.is_file()]


def test_a_link_in_place_of_a_packet_that_was_begun_is_not_written_through(
    hub: Node, west: Node, stick: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = stick / FOLDER / hub.me.node_id / west.me.node_id
    folder.mkdir(parents=True)
    west.receive(loss(new_id()))
    sticks.write(west.answerer, west.peer(hub), stick)
    (name,) = (path for path in folder.glob("2-*.tul"))
    name.unlink()
    name.with_suffix(".part").symlink_to(victim)
    sticks.write(west.answerer, west.peer(hub), stick)
    assert victim.read_text() == "precious"
    assert name.read_bytes().startswith(MAGIC)


def test_only_files_of_forms_go_to_a_station_by_stick_whatever_it_asks_for(hub: Node, west: Node, east: Node, stick: Path) -> None:
    east.receive(loss(new_id(), "1.jpg"), {"1.jpg": PHOTO})
    east.meet(hub)
    wants = [[hub.blobs.put(PHOTO, sealed=True).sha256, len(PHOTO)], ["../../../keys/relay.key", 200], ["0" * 64, 2**60]]
    state = {**hub.peer(west).state, "wants": wants}
    hub.store.write(lambda connection: connection.execute(update(RelayNode).values(state=state)))
    sticks.write(hub.answerer, hub.peer(west), stick)
    assert not list(stick.rglob("3-*"))


def test_what_is_carried_stays_until_the_hub_itself_answers(hub: Node, west: Node, east: Node, stick: Path) -> None:
    west.receive(loss(new_id()))
    sticks.write(west.answerer, west.peer(hub), stick)
    assert sticks.bring(east.answerer, stick).counts["carried"] == 2
    with pytest.raises(Problem, match="Something else answers"):
        sticks.deliver(east.answerer, east.peer(hub), lambda _: b"<html>Please log in to the hotel network</html>")
    assert sticks.deliver(east.answerer, east.peer(hub), hub.answerer.answer) == 2
    hub.settle()
    assert hub.versions() == west.versions()


def test_what_is_carried_for_very_long_goes(hub: Node, west: Node, east: Node, stick: Path) -> None:
    west.receive(loss(new_id()))
    sticks.write(west.answerer, west.peer(hub), stick)
    sticks.bring(east.answerer, stick)
    old = time.time() - 100 * 24 * 3600
    for path in (carried := list((east.folder / "relay" / "carried").rglob("*.tul"))):
        os.utime(path, (old, old))
    (stick / FOLDER / hub.me.node_id / west.me.node_id).rename(stick / "elsewhere")
    sticks.bring(east.answerer, stick)
    assert carried
    assert not any(path.exists() for path in carried)
