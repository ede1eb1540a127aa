"""Packets as files on a stick, which may be anybody's, and may be pulled out at any moment.

A file is written beside its name, synced, read again, and named when it is right. What is read leads nowhere else: links, pipes and
folders in place of files are no packets. Names mean nothing but an order: what a packet is stands in its heading.
"""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from forms.problems import Problem
from records.durable import sync_folder
from sync.relay.messages import MOST_PACKET

FOLDER = "tulliana-relay"
SUFFIX = ".tul"
_PART = ".part"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NAME = re.compile(r"([0-9]-[0-9a-z-]{1,120})(\.[0-9a-f]{16})?\.tul", re.IGNORECASE)


class Full(Exception):
    """There is no more room on a stick."""


@contextmanager
def used(stick: Path) -> Iterator[None]:
    """Work with a stick. Raises Full, or `Problem("stick_unusable")` with what the system says of it."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Full from error
        raise Problem("stick_unusable", f"{shown(error.filename or stick)}: {error.strerror}.") from error


def shown(name: object) -> str:
    """A name from a stick as it can be shown: it may be in any encoding, and hold anything."""
    return "".join(letter if letter.isprintable() else "?" for letter in os.fsdecode(str(name)))


def on_stick(stick: Path, *names: str) -> Path:
    """A folder of packets on a stick, made if there is none; what was left half written is taken away."""
    folder = stick / FOLDER / Path(*names)
    with used(stick):
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.resolve().is_relative_to(stick.resolve()):
            raise Problem("stick_unusable", f"{shown(folder)} leads away from the stick.")
        for part in folder.glob(f"*{_PART}"):
            part.unlink()
    return folder


def put(path: Path, packet: bytes) -> None:
    """Write a packet and read it again; in place of what has its name. Raises as `used`."""
    part = path.with_suffix(_PART)
    with used(path):
        try:
            with part.open("xb") as file:
                file.write(packet)
                file.flush()
                os.fsync(file.fileno())
            if read(part) != packet:
                raise Problem("stick_unusable", f"{shown(path)} is not what was written: this stick is broken.")
            part.rename(path)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def is_there(path: Path, is_right: Callable[[bytes], bool]) -> bool:
    """Whether a packet is on a stick already, and right."""
    try:
        return is_right(read(path))
    except (OSError, Problem):
        return False


def is_plugged_in(stick: Path) -> bool:
    """Whether packets can still be looked for."""
    try:
        return any((stick / FOLDER).iterdir())
    except OSError:
        return False


def packets(stick: Path) -> list[Path]:
    """The files of packets on a stick in the order of their names. Raises `Problem` not_found, or stick_unusable."""
    root = stick / FOLDER
    with used(stick):
        if not root.is_dir():
            raise Problem("not_found", f"There is no folder {FOLDER} on {shown(stick)}.")
        files = [path for peer in _folders(root) for folder in _folders(peer) for path in folder.iterdir()]
    return sorted((path for path in files if path.suffix.lower() == SUFFIX), key=lambda path: path.name.lower())


def read(path: Path) -> bytes:
    """What is in a file of a stick, from the stick itself. Raises OSError, or `Problem("relay_unreadable")` for no packet."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Problem("relay_unreadable", "It is no file.")
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        packet = file.read(MOST_PACKET + 1)
    if len(packet) > MOST_PACKET:
        raise Problem("relay_unreadable", "It is larger than a packet may be.")
    return packet


def kept_name(path: Path, packet: bytes) -> str:
    """The name under which another's packet is kept: its place in the order, and what it is, so that none is taken for another."""
    found = _NAME.fullmatch(path.name)
    return f"{found[1].lower() if found else '2-x'}.{hashlib.sha256(packet).hexdigest()[:16]}{SUFFIX}"


def _folders(folder: Path) -> list[Path]:
    """The folders in a folder, without those that links lead to."""
    return [Path(each.path) for each in os.scandir(folder) if each.is_dir(follow_symlinks=False)]
