"""Processes of a server, found in /proc."""

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
