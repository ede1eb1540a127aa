"""One hotspot release from the records to a folder of files."""

import re
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from exports.dataset import ConflictData, read_conflicts
from exports.episodes import RULE
from exports.hotspot_files import LICENCES, ExportedFile, TableFile, write_release
from exports.hotspot_release import EVENT_SETS, Release
from exports.hotspot_rows import TableRows
from exports.hotspots import FEWEST_CELLS, FEWEST_EVENTS, METHOD, METHOD_VERSION
from exports.privacy import FEWEST_HOUSEHOLDS, LEVELS, Level
from exports.regions import region_of
from exports.windows import window_for
from forms.problems import Problem
from records.access import Access


@dataclass(frozen=True)
class ExportResult:
    """What was written where, and what is in it."""

    folder: Path
    files: list[ExportedFile]
    summary: dict[str, Any]


def run_hotspots(
    connection: Connection,
    access: Access,
    level: str,
    as_of: date,
    out: Path,
    *,
    predator: str = "leopard",
    revision: int = 1,
    boundaries: Path | None = None,
) -> ExportResult:
    """Write the release that is due on a day into a folder of its own below `out`; an older one of that name is replaced.

    `level` is "partner" or "public"; corrections of a release that was given out get the next `revision`;
    `boundaries` is the file of the region (None: the shipped one). Raises `Problem("value_invalid")` for another level, or a
    predator that is no code.
    """
    if not re.fullmatch("[a-z_]{1,40}", predator):
        raise Problem("value_invalid", "A predator is given by its code in the form, such as leopard or wolf.")
    if level not in LEVELS:
        raise Problem("value_invalid", f"There is no level {level}: choose {' or '.join(LEVELS)}.")
    circle = LEVELS[level]
    window = window_for(as_of, circle)
    data = read_conflicts(connection, access, predator, window)
    release = Release(data.reports, data.footprint, window, region_of(boundaries))
    summary = _summary(release, circle, predator, f"{window.release}-r{revision}", data)
    common = {"release_id": summary["release_id"], "predator": predator}
    tables = [
        TableFile(
            f"conflict_hotspots_{predator}_{event_set}_{window.name}_{level}",
            [common | row for row in TableRows(release, release.table(circle, event_set), event_set)],
        )
        for event_set in EVENT_SETS
    ]
    name = f"conflict_hotspots_{predator}_{window.name}_{level}_r{revision}"
    return _write(out, name, tables, circle, summary)


def _summary(release: Release, level: Level, predator: str, release_id: str, data: ConflictData) -> dict[str, Any]:
    """Say what the release holds; numbers below five are not said exactly."""
    tables = {event_set: release.table(level, event_set) for event_set in EVENT_SETS}
    return {
        "release_id": release_id,
        "level": level.name,
        "predator": predator,
        "period_start": release.window.start.isoformat(),
        "period_end": release.window.end.isoformat(),
        "method": METHOD,
        "method_version": METHOD_VERSION,
        "attack_rule": RULE,
        "licence": LICENCES[level.name],
        "households": FEWEST_HOUSEHOLDS,
        "fewest_events": FEWEST_EVENTS,
        "fewest_cells": FEWEST_CELLS,
        "exposure_basis": tables["standard"].assessment.exposure.basis,
        "sets": {
            event_set: {
                "rows": len(table.partition.levels),
                "n_events": int((table.row >= 0).sum()),
                "n_reports": int(release.found.attacks.n_reports[table.row >= 0].sum()),
                "n_cells": len(table.assessment.cells),
                "tested": table.assessment.sufficient,
                "overdispersion": round(table.assessment.dispersion, 1) if table.assessment.sufficient else None,
            }
            for event_set, table in tables.items()
        },
        "left_out": {reason: _said(number) for reason, number in (data.left_out | release.found.left_out).items()},
        "undecided_pairs": _said(data.undecided_pairs),
    }


def _said(number: int) -> int | str:
    return number if number == 0 or number >= FEWEST_HOUSEHOLDS else f"1-{FEWEST_HOUSEHOLDS - 1}"


def _write(out: Path, name: str, tables: list[TableFile], level: Level, summary: dict[str, Any]) -> ExportResult:
    """Write into a temporary folder beside and give it its name when it is complete."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=out) as workshop:
        fresh, final = Path(workshop) / "new", out / name
        fresh.mkdir()
        files = write_release(fresh, tables, level, summary)
        if final.exists():
            final.rename(Path(workshop) / "old")
        fresh.rename(final)
    return ExportResult(final, files, summary)
