"""What happens to sticks: they rot, fill up, are pulled out, go through old machines and many hands; nothing is lost by it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from forms.problems import Problem
from sync.relay import stick_files, sticks
from sync.relay.messages import HEADING
from sync.relay.standing import standing
from sync.relay.stick_files import FOLDER
from tests.support.records import LOSS, loss, new_id
from tests.support.relay import Node, joined
from tests.sync.relay.conftest import NewNode

PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 40


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    return new_node("hub", forms=[LOSS.read_bytes()])


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A stick of its own file system: half a megabyte, and a dozen names."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,nr_inodes=12", "tulliana-test", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def written(node: Node, hub: Node, stick: Path) -> sticks.Written:
    return sticks.write(node.answerer, node.peer(hub), stick)


def brought(node: Node, stick: Path) -> sticks.Brought:
    done = sticks.bring(node.answerer, stick)
    node.settle()
    return done


def files_of(stick: Path, begin: str = "") -> list[Path]:
    return sorted(stick.rglob(f"{begin}*.tul"))


def flipped(packet: bytes, at: int) -> bytes:
    return packet[:at] + bytes([packet[at] ^ 16]) + packet[at + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda packet: flipped(packet, 3),
        lambda packet: flipped(packet, HEADING - 10),
        lambda packet: flipped(packet, len(packet) // 2),
        lambda packet: packet[:-1],
        lambda packet: b"",
        lambda packet: packet + b"\0",
    ],
    ids=["name", "signature", "content", "cut", "empty", "longer"],
)
def test_a_packet_that_rotted_on_a_stick_is_written_again(hub: Node, west: Node, stick: Path, spoil: object) -> None:
    west.receive(loss(new_id(), "1.jpg"), {"1.jpg": PHOTO})
    written(west, hub, stick)
    for path in files_of(stick, "[23]-"):
        path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    assert brought(hub, stick).counts["damaged"] == 2
    assert hub.versions() == set()
    again = written(west, hub, stick)
    assert again.packets == 3
    assert not brought(hub, stick).reasons
    assert hub.versions() == west.versions()
    assert next(iter(hub.records().values())).files == ["1.jpg"]


def test_who_carries_a_stick_takes_nothing_that_rotted(hub: Node, west: Node, east: Node, stick: Path) -> None:
    west.receive(loss(new_id()))
    written(west, hub, stick)
    (path,) = files_of(stick, "2-")
    whole = path.read_bytes()
    path.write_bytes(flipped(whole, len(whole) - 1))
    assert brought(east, stick).counts == {"damaged": 1, "carried": 1}
    path.write_bytes(whole)
    assert brought(east, stick).counts == {"carried": 2}
    other = stick.with_name("other")
    other.mkdir()
    sticks.hand_on(east.answerer, other)
    (carried,) = files_of(other, "2-")
    carried.write_bytes(flipped(whole, len(whole) - 1))
    assert sticks.hand_on(east.answerer, other).packets == 1
    assert not brought(hub, other).reasons
    assert hub.versions() == west.versions()


def test_nobody_keeps_a_packet_from_being_carried_by_taking_its_name(hub: Node, west: Node, east: Node, stick: Path) -> None:
    west.receive(loss(new_id()))
    written(west, hub, stick)
    names = {path.name: path.read_bytes() for path in files_of(stick)}
    written(west, hub, false := stick / "false")
    for path in files_of(false):
        path.write_bytes(next(iter(names.values())))
    brought(east, false)
    assert brought(east, stick).counts["carried"] == 2
    assert sticks.deliver(east.answerer, east.peer(hub), hub.answerer.answer) >= 2
    hub.settle()
    assert hub.versions() == west.versions()


def test_what_has_arrived_makes_room_on_the_stick_that_brought_it(hub: Node, west: Node, stick: Path) -> None:
    west.receive(loss(new_id(), "1.jpg"), {"1.jpg": PHOTO})
    written(west, hub, stick)
    assert len(files_of(stick)) == 3
    brought(hub, stick)
    written(hub, west, stick)
    brought(west, stick)
    second = new_id()
    west.receive(loss(second))
    written(west, hub, stick)
    mine = files_of(stick / FOLDER / hub.me.node_id)
    assert [path.name[0] for path in mine] == ["1", "2"]
    brought(hub, stick)
    assert second in hub.records()


def test_one_stick_goes_round_three_stations(hub: Node, west: Node, east: Node, new_node: NewNode, stick: Path) -> None:
    stations = [west, east, joined(new_node("south"), hub)]
    for station in stations:
        station.receive(loss(new_id(), "1.jpg"), {"1.jpg": PHOTO + station.name.encode()})
        if files_of(stick):
            brought(station, stick)
        written(station, hub, stick)
        sticks.hand_on(station.answerer, stick)
    assert not brought(hub, stick).reasons
    assert len(hub.records()) == 3
    assert all(record.files == ["1.jpg"] for record in hub.records().values())
    for station in stations:
        written(hub, station, stick)
    for station in stations:
        assert not brought(station, stick).reasons
        assert standing(station.answerer, station.access).safe
        assert len(station.records()) == 1


def test_a_stick_that_cannot_be_written_to_can_be_read(hub: Node, west: Node, small: Path) -> None:
    west.receive(loss(new_id()))
    written(west, hub, small)
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    assert not brought(hub, small).reasons
    assert hub.versions() == west.versions()
    west.receive(loss(new_id()))
    with pytest.raises(Problem, match="Read-only file system") as refused:
        written(west, hub, small)
    assert refused.value.kind.code == "stick_unusable"


def test_a_stick_without_room_for_a_byte_or_a_name_is_full_and_the_next_one_gets_all(
    hub: Node, west: Node, small: Path, stick: Path
) -> None:
    west.receive(loss(new_id(), "1.jpg"), {"1.jpg": PHOTO})
    (small / "films").write_bytes(b"")
    subprocess.run(["dd", "if=/dev/zero", f"of={small}/films", "bs=4k"], check=False, capture_output=True)
    assert shutil.disk_usage(small).free == 0
    assert written(west, hub, small).full
    (small / "films").unlink()
    for number in range(20):
        try:
            (small / f"song {number}").touch()
        except OSError:
            break
    full = written(west, hub, small)
    assert (full.packets, full.full) == (0, True)
    assert not written(west, hub, stick).full
    brought(hub, stick)
    assert hub.versions() == west.versions()
    assert not list(small.rglob("*.part"))


@pytest.mark.parametrize("size", [280, 340, 400, 460])
def test_wherever_a_stick_becomes_full_the_next_one_gets_the_rest(
    hub: Node, west: Node, small: Path, stick: Path, size: int
) -> None:
    for number in range(4):
        west.receive(loss(new_id(), "1.jpg"), {"1.jpg": os.urandom(60_000) + bytes([number])})
    (small / "films").write_bytes(bytes(size * 1000))
    first = written(west, hub, small)
    second = written(west, hub, stick)
    assert first.full
    assert not second.full
    assert second.packets <= 6 - max(first.packets - 1, 0)
    for each in (stick, small):
        assert not brought(hub, each).reasons
    brought(hub, stick)
    assert all(record.files == ["1.jpg"] for record in hub.records().values())


def test_names_in_any_encoding_of_any_length_and_in_capitals_are_read(hub: Node, west: Node, east: Node, stick: Path) -> None:
    west.receive(loss(new_id()))
    written(west, hub, stick)
    (folder,) = {path.parent for path in files_of(stick)}
    for path, name in zip(files_of(stick), (b"\xe2\x80\xae1-\xff\xfe\n.tul", b"2-" + b"n" * 248 + b".TUL"), strict=True):
        path.rename(folder / os.fsdecode(name))
    (folder / os.fsdecode(b"3-\xff\x1b[2J.tul")).write_bytes(b"x")
    folder.parent.rename(stick / FOLDER / "4BBD62~1")
    done = brought(east, stick)
    assert (done.counts["carried"], done.counts["damaged"]) == (2, 1)
    assert all(reason.isprintable() and reason.encode() for reason in done.reasons)
    assert brought(hub, stick).counts["taken"] == 2
    assert hub.versions() == west.versions()
    sticks.hand_on(east.answerer, stick)
    assert all(len(os.fsencode(path.name)) < 150 for path in files_of(stick / FOLDER / hub.me.node_id))


def test_links_to_folders_lead_nowhere(hub: Node, west: Node, stick: Path, tmp_path: Path) -> None:
    west.receive(loss(new_id()))
    (elsewhere := tmp_path / "elsewhere").mkdir()
    written(west, hub, elsewhere)
    (stick / FOLDER / "real").mkdir(parents=True)
    (stick / FOLDER / "x").symlink_to(elsewhere / FOLDER / hub.me.node_id)
    (stick / FOLDER / "real" / "x").symlink_to(elsewhere / FOLDER / hub.me.node_id / west.me.node_id)
    assert not brought(hub, stick).counts


@pytest.mark.parametrize("where", ["folder for a packet", "half written", "file for a folder"])
def test_folders_for_files_and_files_for_folders_are_said_to_be_what_they_are(
    hub: Node, west: Node, stick: Path, where: str
) -> None:
    west.receive(loss(new_id()))
    written(west, hub, stick)
    (path,) = files_of(stick, "2-")
    if where == "folder for a packet":
        path.unlink()
        path.mkdir()
    elif where == "half written":
        path.unlink()
        path.with_suffix(".part").mkdir()
    else:
        shutil.rmtree(path.parent)
        path.parent.touch()
    with pytest.raises(Problem) as refused:
        written(west, hub, stick)
    assert refused.value.kind.code == "stick_unusable"
    assert refused.value.detail


def test_a_stick_that_is_pulled_out_while_it_is_read_goes_on_where_it_broke_off(
    hub: Node, west: Node, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        west.receive(loss(new_id(), "1.jpg"), {"1.jpg": PHOTO + bytes([number])})
    written(west, hub, stick)
    read, seen = stick_files.read, []

    def pulled(path: Path) -> bytes:
        seen.append(path)
        if len(seen) == 3:
            stick.rename(stick.with_name("in the pocket"))
        return read(path)

    with monkeypatch.context() as broken:
        broken.setattr(stick_files, "read", pulled)
        with pytest.raises(Problem, match="was taken out"):
            sticks.bring(hub.answerer, stick)
    hub.settle()
    assert len(hub.records()) == 3
    stick.with_name("in the pocket").rename(stick)
    assert not brought(hub, stick).reasons
    assert all(record.files == ["1.jpg"] for record in hub.records().values())


def test_a_stick_that_is_pulled_out_while_it_is_written_holds_nothing_half(
    hub: Node, west: Node, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    west.receive(loss(new_id(), "1.jpg"), {"1.jpg": PHOTO})
    rename = Path.rename

    def pulled(path: Path, to: Path) -> Path:
        if to.name.startswith("3-"):
            rename(stick, stick.with_name("in the pocket"))
        return rename(path, to)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", pulled)
        with pytest.raises(Problem) as refused:
            written(west, hub, stick)
    assert refused.value.kind.code == "stick_unusable"
    stick.with_name("in the pocket").rename(stick)
    assert [path.suffix for path in files_of(stick, "3-")] == []
    brought(hub, stick)
    assert hub.versions() == west.versions()
    written(west, hub, stick)
    assert not list(stick.rglob("*.part"))
    brought(hub, stick)
    assert next(iter(hub.records().values())).files == ["1.jpg"]


def test_a_clock_that_began_in_1980_makes_nobody_forget_what_is_carried(hub: Node, west: Node, east: Node, stick: Path) -> None:
    west.receive(loss(new_id()))
    written(west, hub, stick)
    brought(east, stick)
    carried = files_of(east.folder / "relay" / "carried")
    for path in [*carried, *files_of(stick)]:
        os.utime(path, (315532800, 315532800))
    shutil.rmtree(stick / FOLDER)
    (stick / FOLDER).mkdir()
    brought(east, stick)
    assert files_of(east.folder / "relay" / "carried") == carried
    sticks.hand_on(east.answerer, stick)
    brought(hub, stick)
    assert hub.versions() == west.versions()


def test_an_old_stick_that_is_read_again_proves_nothing(hub: Node, west: Node, stick: Path, tmp_path: Path) -> None:
    hub_back = hub.backup(tmp_path / "empty hub")
    west.receive(loss(new_id()))
    written(west, hub, stick)
    brought(hub, stick)
    written(hub, west, old := tmp_path / "old")
    brought(west, old)
    assert standing(west.answerer, west.access).safe
    hub_back()
    written(hub, west, new := tmp_path / "new")
    brought(west, new)
    assert not standing(west.answerer, west.access).safe
    brought(west, old)
    assert not standing(west.answerer, west.access).safe
    west.meet(hub)
    assert standing(west.answerer, west.access).safe
