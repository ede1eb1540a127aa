"""Files of a peer, received piece by piece: what was received stays when the line breaks, and goes on from there, by any way."""

import hashlib
import os
import shutil
import threading
import time
from pathlib import Path

from forms.problems import Problem
from records.blobs import BlobStore
from records.durable import write_file
from records.vault import Vault

_CHUNK = 1024 * 1024
_DIGITS = frozenset("0123456789abcdef")
_SPARE = 0.08
_LONG_SECONDS = 90 * 24 * 3600
_NO_CLOCK = 1_750_000_000
"""Before this (2025-06-15) no clock that runs wrote a file."""


def has_room(folder: Path, size: int) -> bool:
    """Whether the disk has room for so many bytes of others and 8 % of it are left to phones."""
    usage = shutil.disk_usage(folder)
    return usage.free - size > _SPARE * usage.total


def is_old(path: Path) -> bool:
    """Whether something of others lies here for very long that nobody goes on with.

    What was written while this machine did not know the time is counted from now on.
    """
    written = path.stat().st_mtime
    if written < _NO_CLOCK < time.time():
        os.utime(path)
        return False
    return written < time.time() - _LONG_SECONDS


class Parts:
    """Unfinished files in a folder, each a row of sealed pieces named by where they begin. Several processes may use it."""

    def __init__(self, folder: Path, blobs: BlobStore) -> None:
        self.folder, self.blobs = folder, blobs
        self._lock = threading.Lock()

    @property
    def _vault(self) -> Vault:
        return self.blobs.vault

    def offset(self, sha256: str) -> int:
        """How much of a file is here."""
        return max((end for _, end in self._pieces(sha256)), default=0)

    def add(self, sha256: str, offset: int, data: bytes, size: int) -> int:
        """Keep a piece; how much is here then. The last piece makes it a file. Pieces may come in any order, and twice.

        What lies beyond the end, or is more than a file so large can need, is not kept. Raises `Problem` disk_full, or
        relay_unreadable when the whole is not what its name says: then it begins anew.
        """
        if len(sha256) != 64 or not set(sha256) <= _DIGITS:
            raise Problem("relay_unreadable", "A file is named by its SHA-256.")
        with self._lock:
            if self.blobs.has(sha256):
                return size
            if offset >= self.offset(sha256) and (data or not size) and self._is_worth(sha256, offset, len(data), size):
                self._write(sha256, offset, data)
            here = self.offset(sha256)
            if here >= size:
                self._finish(sha256)
            return here

    def sweep(self) -> None:
        """Remove files that nobody went on with for very long."""
        for folder in self.folder.iterdir() if self.folder.is_dir() else ():
            if is_old(folder):
                shutil.rmtree(folder, ignore_errors=True)

    def _is_worth(self, sha256: str, offset: int, length: int, size: int) -> bool:
        """Whether to keep a piece: a peer that was stolen must not fill the disk with pieces that come to nothing."""
        kept = sum(end - begin for begin, end in self._ranges(sha256))
        return offset + length <= size and kept + length <= 2 * size

    def _ranges(self, sha256: str) -> list[tuple[int, int]]:
        """(begin, end) of all pieces, by where they begin."""
        folder = self.folder / sha256
        names = [path.name.split("-") for path in folder.glob("*-*")] if folder.is_dir() else []
        return sorted((int(begin), int(end)) for begin, end in names)

    def _pieces(self, sha256: str) -> list[tuple[int, int]]:
        """(begin, end) of the pieces that follow each other without a gap."""
        present = dict(self._ranges(sha256))
        found, here = [], 0
        while here in present:
            found.append((here, present[here]))
            if present[here] == here:
                break
            here = present[here]
        return found

    def _write(self, sha256: str, offset: int, data: bytes) -> None:
        folder = self.folder / sha256
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not has_room(folder, len(data)):
                raise Problem("disk_full", "Files of other nodes wait; reports are taken in.")
            write_file(folder / f"{offset}-{offset + len(data)}", self._vault.seal(data, "piece", sha256, offset))
        except OSError as error:
            raise Problem("disk_full", str(error.strerror)) from error

    def _finish(self, sha256: str) -> None:
        folder, whole = self.folder / sha256, hashlib.sha256()
        try:
            with self.blobs.writer() as writer:
                for begin, end in self._pieces(sha256):
                    data = self._vault.open((folder / f"{begin}-{end}").read_bytes(), "piece", sha256, begin)
                    whole.update(data)
                    writer.write(data)
                if whole.hexdigest() == sha256:
                    writer.keep()
        except FileNotFoundError:  # another process was quicker
            return
        except Problem as problem:
            if problem.kind.code != "seal_broken":
                raise
        shutil.rmtree(folder, ignore_errors=True)
        if whole.hexdigest() != sha256:
            raise Problem("relay_unreadable", f"The file {sha256} is another; it is fetched anew.")
