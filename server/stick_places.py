"""Where sticks are on this machine: folders that the system mounted for removable disks, and nothing else."""

import re
from pathlib import Path

from forms.problems import Problem

_MOUNTS = Path("/proc/self/mounts")
_PLACES = ("/media/", "/run/media/", "/mnt/", "/Volumes/")
_ESCAPE = re.compile(r"\\([0-7]{3})")


def sticks() -> list[Path]:
    """The folders of sticks that are plugged in, those too that can only be read."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    folders = {_ESCAPE.sub(lambda code: chr(int(code[1], 8)), line.split(" ")[1]) for line in lines if line.count(" ") >= 2}
    return sorted(Path(folder) for folder in folders if folder.startswith(_PLACES))


def stick_at(folder: str) -> Path:
    """The stick that somebody chose. Raises `Problem("value_invalid")` for any other folder."""
    for stick in sticks():
        if str(stick) == folder:
            return stick
    raise Problem("value_invalid", "This stick is no longer plugged in.")
