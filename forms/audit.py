"""The log of an interview that ODK Collect keeps on request (`meta/audit`, docs.getodk.org "Form audit log"): how long it took, and
which answers were changed after they had been given.

The columns are event, node, start, end and, as the form asks, places, old and new values, user and reason. Rows may be wider
than the heading (the form's settings changed meanwhile), cut off or odd: what can be read counts.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

NAME = "audit.csv"
MOST_BYTES = 5_000_000
_TRACKED = ("latitude", "longitude")


@dataclass(frozen=True, slots=True)
class Audit:
    """What a log says. Seconds from the first moment to the last, and those in which the form was open; `changed` are the paths of
    questions whose answer was replaced, each once; `has_track` says whether it tells where the phone was.
    """

    seconds: float
    open_seconds: float
    changed: tuple[tuple[str, ...], ...]
    has_track: bool


def read_audit(data: bytes) -> Audit | None:
    """Read a log; None where it tells no time."""
    moments: list[float] = []
    open_seconds = 0.0
    changed: dict[tuple[str, ...], None] = {}
    has_track = False
    for row in _rows(data):
        start, end = _milliseconds(row.get("start")), _milliseconds(row.get("end"))
        moments += [moment for moment in (start, end) if moment is not None]
        if start is not None and end is not None and row.get("node"):
            open_seconds += max(0.0, end - start) / 1000
        if row.get("event") == "question" and row.get("old-value") and row["old-value"] != row.get("new-value"):
            changed[_path(row.get("node") or "")] = None
        has_track = has_track or all(row.get(name) for name in _TRACKED)
    if not moments:
        return None
    return Audit((max(moments) - min(moments)) / 1000, open_seconds, tuple(path for path in changed if path), has_track)


def _rows(data: bytes) -> Iterator[dict[str, str]]:
    reader = csv.reader(io.StringIO(data[:MOST_BYTES].decode("utf-8-sig", "replace").replace("\0", ""), newline=""))
    try:
        heading = [name.strip() for name in next(reader, [])]
        for cells in reader:
            yield dict(zip(heading, cells, strict=False))
    except csv.Error:  # a cell without end: what came before it counts
        return


def _milliseconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None


def _path(node: str) -> tuple[str, ...]:
    """`/data/animals[2]/species` without the root and without the numbers of rows."""
    return tuple(part.partition("[")[0] for part in node.strip("/").split("/")[1:] if part)
