"""A ZIP that is written while it is read: neither memory nor disk grows with what is in it."""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from exports.csvfile import FORMULA_STARTS


class Sink(io.RawIOBase):
    """Takes what a writer of a file writes until it is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._size += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._size

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._parts)
        self._parts = []
        return taken


def write_entry(archive: zipfile.ZipFile, sink: Sink, name: str, chunks: Iterator[bytes], method: int) -> Iterator[bytes]:
    """Write one entry into an archive that writes to `sink`; the bytes of the archive meanwhile."""
    entry = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
    entry.compress_type = method
    with archive.open(entry, "w", force_zip64=True) as target:
        for chunk in chunks:
            target.write(chunk)
            yield sink.take()  # often nothing yet: others get their turn meanwhile


def timeless_entry(name: str) -> zipfile.ZipInfo:
    """An entry that nobody should change, of the first day a ZIP knows: the same files make the same archive."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o444 << 16
    return entry


def entry_name(name: str) -> str:
    """A name that leads nowhere else when the archive is unpacked, and that no spreadsheet computes when it lists files."""
    plain = "".join("_" if each in '/\\:*?"<>|' or ord(each) < 32 else each for each in name).strip(". ") or "unnamed"
    return f"_{plain[1:]}" if plain[0] in FORMULA_STARTS else plain
