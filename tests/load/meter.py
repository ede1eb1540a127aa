"""What a burst cost the server: CPU time and memory of its processes, read from /proc, and the table that tells it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.load.phones import Burst
from tests.support.processes import tree

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Run:
    """One burst with its CPU milliseconds per request: of the server, and of PostgreSQL where there is one."""

    burst: Burst
    server_cpu: float
    database_cpu: float


@dataclass(frozen=True)
class Row:
    """One case, measured several times."""

    case: str
    phones: int
    runs: Sequence[Run]

    def cells(self) -> list[str]:
        """Medians with their spread, ready for a table."""
        bursts = [run.burst for run in self.runs]
        statuses: dict[int, int] = {}
        for one in bursts:
            for status, count in one.statuses.items():
                statuses[status] = statuses.get(status, 0) + count
        return [
            self.case,
            str(self.phones),
            spread([one.per_second for one in bursts], 0),
            spread([one.percentile(50) for one in bursts], 1),
            spread([one.percentile(99) for one in bursts], 1),
            spread([run.server_cpu for run in self.runs], 2),
            spread([run.database_cpu for run in self.runs], 2) if any(run.database_cpu for run in self.runs) else "",
            ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items())),
        ]


HEADINGS = ["case", "phones", "per s", "p50 ms", "p99 ms", "server CPU ms", "PostgreSQL CPU ms", "statuses"]


def measure(send: Callable[[], Burst], server: Sequence[int], database: Sequence[int]) -> Run:
    """Run one burst and read the clocks of the processes (roots of trees) before and after."""
    before = cpu_seconds(server), cpu_seconds(database)
    done = send()
    count = max(1, len(done.waits))
    after = cpu_seconds(server), cpu_seconds(database)
    return Run(done, *(1000 * (late - early) / count for early, late in zip(before, after, strict=True)))


def cpu_seconds(roots: Sequence[int]) -> float:
    """User and system time of these processes, all below them, and their children that have ended."""
    return sum(sum(map(int, _stat(pid)[11:15])) for pid in _all(roots)) / TICK


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def spread(values: Sequence[float], digits: int) -> str:
    """Median [least-most]."""
    if len(values) == 1:
        return f"{values[0]:,.{digits}f}"
    return f"{median(values):,.{digits}f} [{min(values):,.{digits}f}-{max(values):,.{digits}f}]"


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except FileNotFoundError:
        return ["0"] * 20


def _all(roots: Sequence[int]) -> list[int]:
    return [pid for root in roots for pid in tree(root)]
