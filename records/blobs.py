"""Files by their content: one file per SHA-256, written to a temporary place and moved in when whole and on disk."""

import contextlib
import errno
import hashlib
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from forms.problems import Problem

Result = TypeVar("Result")
_STALE_SECONDS = 24 * 3600
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Blob:
    """A kept file: its digests in hex and its size in bytes."""

    sha256: str
    md5: str
    size: int


class BlobStore:
    """Content-addressed files below `folder`: `ab/<sha256>`, unfinished ones in `incoming/`.

    All folders are made and on disk before the first file comes, so that keeping a file need only sync its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incoming = folder / "incoming"
        if not self.incoming.is_dir():
            for number in range(256):
                (folder / f"{number:02x}").mkdir(parents=True, exist_ok=True)
            self.incoming.mkdir(exist_ok=True)
            sync_folder(folder)
            sync_folder(folder.parent)

    def writer(self) -> "BlobWriter":
        """A new file to write to; nothing is kept until `keep`."""
        return BlobWriter(self)

    def put(self, data: bytes) -> Blob:
        """Keep these bytes."""
        with self.writer() as writer:
            writer.write(data)
            return writer.keep()

    def path(self, sha256: str) -> Path:
        """Where the file with this digest is."""
        return self.folder / sha256[:2] / sha256

    def described(self, sha256: str) -> Blob:
        """The file with this digest. Raises `Problem("not_found")`."""
        md5 = hashlib.md5(usedforsecurity=False)
        with self.open(sha256) as file:
            while chunk := file.read(_CHUNK):
                md5.update(chunk)
            return Blob(sha256, md5.hexdigest(), file.tell())

    def open(self, sha256: str) -> IO[bytes]:
        """The file for reading. Raises `Problem("not_found")`."""
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError:
            raise Problem("not_found", f"The file {sha256} is not here.") from None

    def sweep(self) -> None:
        """Remove what broken uploads left behind more than a day ago."""
        for leftover in self.incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):  # an upload finished in the meantime
                if leftover.stat().st_mtime < time.time() - _STALE_SECONDS:
                    leftover.unlink()


class BlobWriter:
    """Writes one file and hashes it on the way. As a context manager it removes what was not kept."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store
        self._path = store.incoming / secrets.token_hex(16)
        self._file = _checked(lambda: self._path.open("xb", buffering=0))
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def __enter__(self) -> "BlobWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Append. Raises `Problem("disk_full")`."""
        _checked(lambda: _write_all(self._file, data))
        self._sha256.update(data)
        self._md5.update(data)
        self.size += len(data)

    def keep(self) -> Blob:
        """Make the file durable under its digest: file, then name, are on disk when this returns."""
        blob = Blob(self._sha256.hexdigest(), self._md5.hexdigest(), self.size)
        target = self._store.path(blob.sha256)
        _checked(lambda: self._settle(target))
        return blob

    def _settle(self, target: Path) -> None:
        os.fsync(self._file.fileno())
        self._path.replace(target)
        sync_folder(target.parent)


def _write_all(file: Any, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def sync_folder(folder: Path) -> None:
    """Have the names in this folder on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _checked(action: Callable[[], Result]) -> Result:
    try:
        return action()
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise Problem("disk_full") from error
        raise
