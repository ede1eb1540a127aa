"""Writes old Excel files: the smallest .xls that holds texts, and the container they share with Word and with password protection.

After [MS-CFB] (compound file) and [MS-XLS] (BIFF8 records BOF, BOUNDSHEET, LABEL and EOF).
"""

import struct
from collections.abc import Mapping, Sequence

_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_SECTOR = 512


def compound_file(stream_name: str, content: bytes) -> bytes:
    """A compound file with one stream of at most 60 kB."""
    content = content.ljust(4096, b"\0")  # a shorter stream would need the mini sectors
    sectors = -(-len(content) // _SECTOR)
    header = struct.pack("<8s16xHHHHH6x", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, _END, 0, _END, 0) + struct.pack("<I", 0)
    chain = [_FAT, _END, *range(3, 2 + sectors), _END]
    fat = struct.pack(f"<{len(chain)}I", *chain)
    folder = _entry("Root Entry", 5, _END, 0, child=1) + _entry(stream_name, 2, 2, len(content))
    body = fat.ljust(_SECTOR, b"\xff") + folder.ljust(_SECTOR, b"\0") + content.ljust(sectors * _SECTOR, b"\0")
    return header.ljust(_SECTOR, b"\xff") + body


def _entry(name: str, kind: int, start: int, size: int, child: int = _FREE) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    links = struct.pack("<BB3I", kind, 1, _FREE, _FREE, child)
    return text.ljust(64, b"\0") + struct.pack("<H", len(text)) + links + bytes(36) + struct.pack("<IQ", start, size)


def xls(sheets: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
    """A workbook of text cells."""
    pages = [_sheet(rows) for rows in sheets.values()]
    names = [struct.pack("<BB", len(name), 0) + name.encode("latin-1") for name in sheets]
    start = len(_begin(5)) + sum(4 + 6 + len(name) for name in names) + len(_record(0x0A))
    head = _begin(5)
    for name, page in zip(names, pages, strict=True):
        head += _record(0x85, struct.pack("<IBB", start, 0, 0) + name)
        start += len(page)
    return compound_file("Workbook", head + _record(0x0A) + b"".join(pages))


def _sheet(rows: Sequence[Sequence[str]]) -> bytes:
    labels = [
        _record(0x0204, struct.pack("<HHHHB", row, column, 0, len(text), 1) + text.encode("utf-16-le"))
        for row, cells in enumerate(rows)
        for column, text in enumerate(cells)
        if text
    ]
    return _begin(0x10) + b"".join(labels) + _record(0x0A)


def _begin(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 1996, 0, 6))


def _record(number: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", number, len(data)) + data
