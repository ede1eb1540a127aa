"""The plug is pulled: of a file system that loses whatever was not synced, everything that was acknowledged is there again.

ext4 on a loop device, stopped by its own ioctl without writing its journal (EXT4_IOC_SHUTDOWN), then mounted anew. Needs root.
"""

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from forms.problems import Problem
from records.models import Attachment
from sync.relay import log
from sync.relay.batch import START
from tests.support.records import LOSS, loss, new_id
from tests.support.relay import Node

_SHUTDOWN, _WITHOUT_FLUSH = 0x8004587D, struct.pack("I", 2)
PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 200


class Disk:
    """A disk that can lose its power."""

    def __init__(self, folder: Path) -> None:
        self.image, self.path = folder / "image", folder / "disk"
        self.path.mkdir()
        with self.image.open("wb") as file:
            file.truncate(96 * 1024 * 1024)
        subprocess.run(["mkfs.ext4", "-q", str(self.image)], check=True)
        self.mount()

    def mount(self) -> None:
        """Put the disk in; the file system mends itself as after a power cut."""
        subprocess.run(["mount", "-o", "loop", str(self.image), str(self.path)], check=True)

    def cut(self) -> None:
        """Nothing that was not synced reaches the disk from now on."""
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, _SHUTDOWN, _WITHOUT_FLUSH)
        finally:
            os.close(folder)

    def remove(self) -> None:
        """Take the disk out."""
        subprocess.run(["umount", "-l", str(self.path)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if os.geteuid() != 0:
        pytest.fail("Mounting needs root: sudo make test")
    made = Disk(tmp_path)
    yield made
    made.remove()


@pytest.fixture
def nodes(disk: Disk, tmp_path: Path, sqlite_template: Path) -> Iterator[tuple[Node, Node]]:
    """A hub on that disk, and its station elsewhere."""
    made = []
    for name, folder in (("hub", disk.path / "hub"), ("station", tmp_path / "station")):
        folder.mkdir()
        made.append(Node(name, folder, f"sqlite:///{shutil.copy(sqlite_template, folder / 'tulliana.sqlite3')}"))
    hub, station = made
    hub.publish(LOSS.read_bytes())
    station.enrol(hub)
    station.meet(hub)
    os.sync()
    yield hub, station
    station.close()


def after_the_cut(disk: Disk, hub: Node) -> Node:
    """The hub as it starts when the power is back."""
    with contextlib.suppress(Exception):  # its disk is gone
        hub.close()
    disk.remove()
    disk.mount()
    return Node("hub", hub.folder, hub.url)


@pytest.mark.parametrize("answers", [3, 6, 11, 17])
def test_what_a_hub_acknowledged_to_a_station_is_there_after_a_power_cut(
    disk: Disk, nodes: tuple[Node, Node], answers: int
) -> None:
    hub, station = nodes
    for number in range(12):
        station.receive(loss(new_id(), "1.jpg"), {"1.jpg": PHOTO + bytes([number])})
    given = 0

    def call(packet: bytes) -> bytes:
        nonlocal given
        if given == answers:
            disk.cut()
        given += 1
        return hub.answerer.answer(packet)

    with contextlib.suppress(Problem, OSError):
        station.meet(hub, call, settle=False)
    acknowledged = station.peer(hub).state["have"]
    back = after_the_cut(disk, hub)
    try:
        data = next(name for name in acknowledged if name.startswith("data:"))
        reached = max((seq for seq, _ in acknowledged[data]), default=0)
        with station.store.read() as connection:
            held = {row.id for row in log.listed(connection, data, START, most=1000) if row.seq <= reached}
        assert held <= back.ids()
        outcome = station.meet(back)
        assert outcome.safe
        assert back.versions() == station.versions()
    finally:
        back.close()


def test_what_a_phone_was_told_is_safe_is_there_after_a_power_cut(disk: Disk, nodes: tuple[Node, Node]) -> None:
    hub, _ = nodes
    told = []
    for number in range(8):
        instance = new_id()
        hub.receive(loss(instance, "1.jpg"), {"1.jpg": PHOTO + bytes([number])})
        told.append(instance)
    disk.cut()
    with pytest.raises((Problem, OSError)):
        hub.receive(loss(new_id(), "1.jpg"), {"1.jpg": PHOTO})
    back = after_the_cut(disk, hub)
    try:
        assert set(told) <= back.records().keys()
        with back.store.read() as connection:
            photos = connection.execute(select(Attachment.sha256)).scalars().all()
        assert len(photos) == len(told)
        for sha256 in photos:
            with back.blobs.open(sha256) as file:
                assert file.read().startswith(PHOTO)
    finally:
        back.close()
