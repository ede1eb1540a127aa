"""Processes of a server, found in /proc."""

import re
from pathlib import Path


def tree(pid: int) -> list[int]:
    """A process and its descendants, from /proc."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def peak_memory(pids: list[int]) -> float:
    """The sum of the highest resident sizes these processes have had, in MiB; one that ended and is not yet reaped has none."""
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
    return sum(int(text.partition("VmHWM:")[2].split()[0]) for text in texts if "VmHWM:" in text) / 1024


def resident(pids: list[int]) -> float:
    """The sum of the resident sizes of these processes, in MiB."""
    return sum(_sizes(_read(pid, "smaps_rollup")).get("Rss", 0) for pid in pids) / 1024


def held(pids: list[int]) -> float:
    """What these processes hold together, in MiB: of a file that several have mapped its largest part, other pages once."""
    files: dict[str, int] = {}
    own = 0
    for pid in pids:
        own += _sizes(_read(pid, "smaps_rollup")).get("Pss_Anon", 0)
        mapped: dict[str, int] = {}
        for _, name, sizes in _MAPPING.findall(_read(pid, "smaps")):
            mapped[name] = mapped.get(name, 0) + _sizes(sizes)["Rss"] - _sizes(sizes)["Anonymous"]
        files |= {name: max(size, files.get(name, 0)) for name, size in mapped.items()}
    return (own + sum(files.values())) / 1024


_MAPPING = re.compile(r"^([0-9a-f]+-[0-9a-f]+) \S+ \S+ \S+ \d+ *(.*)\n((?:[A-Z]\w+: .*\n)+)", re.MULTILINE)


def _sizes(text: str) -> dict[str, int]:
    """The lines of a listing in kB."""
    return {name: int(size) for name, size in re.findall(r"^(\w+): +(\d+) kB$", text, re.MULTILINE)}


def _read(pid: int, name: str) -> str:
    """A file of a process; nothing of one that ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
