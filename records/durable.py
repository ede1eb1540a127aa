"""Files that are whole and on disk when they have their name: written beside it, synced, then named."""

import os
import secrets
from pathlib import Path


def write_file(path: Path, data: bytes, *, mode: int = 0o666, replace: bool = True) -> None:
    """Write a file, whole or not at all; it is on disk when this returns. `mode` as in `os.open`.

    Raises FileExistsError where there is one and it is not to be replaced.
    """
    fresh = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(fresh, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            fresh.replace(path)
        else:
            os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in this folder on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
