"""One hotspot release from the records to a folder of files."""

import re
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from exports.dataset import VERIFICATION_FORM, ConflictData, Count, counted_here, read_conflicts
from exports.episodes import RULE
from exports.equal_area import EASE10
from exports.grid import H3
from exports.hotspots.assessment import FEWEST_CELLS, FEWEST_EVENTS, METHOD, METHOD_VERSION
from exports.hotspots.card import card, card_name
from exports.hotspots.clusters import CLUSTERS, SCAN_METHOD, SecondOpinion
from exports.hotspots.columns import TABLE
from exports.hotspots.exposure import GRAZING, PATROL, read_exposures
from exports.hotspots.files import LEFT_OUT, TableFile, write_release
from exports.hotspots.history import MOST_PERIODS, half_years
from exports.hotspots.release import Release
from exports.hotspots.rows import TableRows
from exports.hotspots.shown import EVENT_SETS
from exports.package.contents import ExportResult, new_folder, said, write_csv, write_file
from exports.package.words import LANGUAGES, said_of_demo
from exports.privacy import FEWEST_HOUSEHOLDS, LEVELS, Level
from exports.regions import region_of
from exports.windows import window_for, year_for
from forms.problems import Problem
from records.access import Access
from records.counted import CONFLICT_FORM

GRIDS = {grid.name: grid for grid in (H3, EASE10)}


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
    by_year: bool = False,
    fdr: str = "bh",
    grid: str = H3.name,
    count: Count = counted_here,
) -> ExportResult:
    """Write the release that is due on a day into a folder of its own below `out`, which must not be there yet.

    `level` is "partner" or "public"; corrections of a release that was given out get the next `revision`;
    `boundaries` is the file of the region (None: the shipped one); `by_year` takes the newest calendar year instead of two years.
    `predator` is a code of the form or all_large_carnivores; `fdr` as in `assess`, `grid` one of `GRIDS`, `count` as in
    `read_conflicts`. Raises `Problem("value_invalid")` for another level or grid, or a predator that is no code.
    """
    if not re.fullmatch("[a-z_]{1,40}", predator):
        raise Problem("value_invalid", "A predator is given by its code in the form, such as leopard or wolf.")
    if level not in LEVELS:
        raise Problem("value_invalid", f"There is no level {level}: choose {' or '.join(LEVELS)}.")
    if grid not in GRIDS:
        raise Problem("value_invalid", f"There is no grid {grid}: choose {' or '.join(GRIDS)}.")
    circle, cells = LEVELS[level], GRIDS[grid]
    window = year_for(as_of, circle) if by_year else window_for(as_of, circle)
    since = half_years(window.end, MOST_PERIODS)[0].start
    data = read_conflicts(connection, access, predator, window, since=since, grid=cells, count=count)
    exposures = read_exposures(connection, access, window, cells)
    release = Release(
        data.reports, data.footprint, window, region_of(boundaries), exposures, months=data.months, fdr=fdr, grid=cells
    )
    opinion = SecondOpinion(release, circle)
    summary = _summary(release, circle, predator, f"{window.release}-r{revision}", data) | said_of_demo(connection, access)
    stem = f"conflict_clusters_{predator}_{window.name}_{level}.csv"
    summary["scan"] = {"method": SCAN_METHOD, "clusters": stem, "refused": opinion.refused}
    common = {"release_id": summary["release_id"], "predator": predator}
    tables = []
    for event_set in EVENT_SETS:
        columns = TableRows(release, release.table(circle, event_set), event_set).columns
        of_release = {name: [value] * len(columns["cell_id"]) for name, value in common.items()}
        tables.append(TableFile(f"conflict_hotspots_{predator}_{event_set}_{window.name}_{level}", {**of_release, **columns}))
    name = f"conflict_hotspots_{predator}_{window.name}_{level}_r{revision}"
    folder = new_folder(out, name)
    files = write_release(folder, tables, summary, cells)
    header = [column.name for column in CLUSTERS.columns]
    clusters = ([(common | row).get(column) for column in header] for row in opinion.rows)
    files.append(write_csv(folder / stem, header, clusters))
    files += [write_file(folder / card_name(language), card(summary, language)) for language in LANGUAGES]
    return ExportResult(
        folder,
        files,
        summary,
        title="Conflict hotspots",
        tables={f"{table.stem}.csv": TABLE for table in tables} | {stem: CLUSTERS},
        readme="hotspots",
        lists={"reasons": [(str(summary["left_out"][reason]), words) for reason, words in LEFT_OUT.items()]},
        surveys=(CONFLICT_FORM, VERIFICATION_FORM, GRAZING, PATROL),
    )


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
        "households": FEWEST_HOUSEHOLDS,
        "fewest_events": FEWEST_EVENTS,
        "fewest_cells": FEWEST_CELLS,
        "fdr": release.fdr,
        "grid": release.grid.name,
        "history": release.history(level).summary,
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
        "left_out": {reason: said(number) for reason, number in _left_out(release, data).items()},
        "kept_back": {
            event_set: {
                "rolled_up": int((table.partition.levels > level.finest).sum()),
                "merged": int(table.partition.merged.sum()),
            }
            for event_set, table in tables.items()
        },
        "undecided_pairs": said(data.undecided_pairs),
    }


def _left_out(release: Release, data: ConflictData) -> dict[str, int]:
    return {**data.left_out, **release.found.left_out, **release.exposures.left_out}
