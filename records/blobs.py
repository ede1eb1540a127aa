"""Files by their content: one file per SHA-256, written to a temporary place and moved in when whole and on disk.

What phones send is sealed while it is written: no plain byte of it touches the disk. What goes out to phones is not.
"""

import contextlib
import errno
import hashlib
import io
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from forms.problems import Problem
from records.durable import sync_folder
from records.sealed_files import BEGINNING, HEAD, PIECE, SealedFile, Sealer, plain_size
from records.vault import Vault

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

    def __init__(self, folder: Path, vault: Vault) -> None:
        self.folder = folder
        self.vault = vault
        self.incoming = folder / "incoming"
        if not self.incoming.is_dir():
            for number in range(256):
                (folder / f"{number:02x}").mkdir(parents=True, exist_ok=True)
            self.incoming.mkdir(exist_ok=True)
            sync_folder(folder)
            sync_folder(folder.parent)

    def writer(self, *, sealed: bool = True) -> "BlobWriter":
        """A new file to write to; nothing is kept until `keep`. Raises `Problem("personal_key_missing")`."""
        if sealed:
            _ = self.vault.beginning  # before anything is read from a phone
        return BlobWriter(self, Sealer() if sealed else None)

    def put(self, data: bytes, *, sealed: bool = False) -> Blob:
        """Keep these bytes."""
        with self.writer(sealed=sealed) as writer:
            writer.write(data)
            return writer.keep()

    def reseal(self, sha256: str) -> None:
        """Seal with today's key what is plain, or was sealed with another."""
        with self.open(sha256) as file, self.writer() as writer:
            while chunk := file.read(_CHUNK):
                writer.write(chunk)
            writer.keep()

    def settle(self, whole: Path, sha256: str) -> None:
        """Keep a file that is whole and on disk: when this returns, it is durable under its digest."""
        target = self.path(sha256)
        whole.replace(target)
        sync_folder(target.parent)

    def has(self, sha256: str) -> bool:
        """Whether the file with this digest is here."""
        return self.path(sha256).is_file()

    def remove(self, sha256: str) -> bool:
        """Make a file unreadable and take it away; whether it was here."""
        path = self.path(sha256)
        try:
            with path.open("r+b") as file:
                file.write(os.urandom(min(HEAD, path.stat().st_size)))
                os.fsync(file.fileno())
        except FileNotFoundError:
            return False
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
        return True

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
        """The file for reading, at any place. Raises `Problem` not_found, personal_key_missing or seal_broken."""
        file = self.found(sha256)
        try:
            return io.BufferedReader(SealedFile(file, self.vault, sha256), PIECE) if _is_sealed(file) else file
        except BaseException:
            file.close()
            raise

    def size(self, sha256: str) -> int:
        """How many bytes the file has. Raises `Problem("not_found")`."""
        with self.found(sha256) as file:
            size = file.seek(0, os.SEEK_END)
            return plain_size(size) if _is_sealed(file) else size

    def is_current(self, sha256: str) -> bool:
        """Whether the file is sealed with today's key. Raises `Problem` not_found or personal_key_missing."""
        beginning = BEGINNING + self.vault.beginning
        with self.found(sha256) as file:
            return file.read(len(beginning)) == beginning

    def found(self, sha256: str) -> io.BufferedReader:
        """The file as it is kept, sealed or not. Raises `Problem("not_found")`."""
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

    def __init__(self, store: BlobStore, sealer: Sealer | None) -> None:
        self._store, self._sealer = store, sealer
        self._path = store.incoming / secrets.token_hex(16)
        self._file = _checked(lambda: self._path.open("xb", buffering=0))
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0
        if sealer is not None:
            self._file.seek(HEAD)  # what stands there needs the digest

    def __enter__(self) -> "BlobWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Append. Raises `Problem("disk_full")`."""
        ready = data if self._sealer is None else self._sealer.update(data)
        _checked(lambda: _write_all(self._file, ready))
        self._sha256.update(data)
        self._md5.update(data)
        self.size += len(data)

    def keep(self) -> Blob:
        """Make the file durable under its digest: file, then name, are on disk when this returns."""
        blob = Blob(self._sha256.hexdigest(), self._md5.hexdigest(), self.size)
        _checked(lambda: self._settle(blob.sha256))
        return blob

    def _settle(self, sha256: str) -> None:
        if self._sealer is not None:
            _write_all(self._file, self._sealer.finish())
            self._file.seek(0)
            _write_all(self._file, self._sealer.head(self._store.vault, sha256))
        os.fsync(self._file.fileno())
        self._store.settle(self._path, sha256)


def _is_sealed(file: io.BufferedReader) -> bool:
    file.seek(0)
    beginning = file.read(len(BEGINNING))
    file.seek(0)
    return beginning == BEGINNING


def _write_all(file: Any, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _checked(action: Callable[[], Result]) -> Result:
    try:
        return action()
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise Problem("disk_full") from error
        raise
