"""The files of a hotspot release: tables, map, data dictionary, readme and data package. Same input, same bytes."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h3.api.basic_int as h3
import orjson

from exports import grid
from exports.csvfile import write_table
from exports.hotspot_columns import COLUMNS, Column
from exports.hotspot_rows import Row
from exports.privacy import Level

NAMES = tuple(column.name for column in COLUMNS)
LICENCES = {
    "public": "CC-BY-4.0",
    "partner": "Data-sharing agreement only: not to be passed on or published",
}
README = """\
CONFLICT HOTSPOTS {release_id} ({level})

Where livestock was attacked by: {predator}
From {period_start} to {period_end}, both days included.
Licence: {licence}

FILES
conflict_hotspots_*.csv      one row per published cell or unit: UTF-8, comma, decimal point, ISO dates
conflict_hotspots_*.geojson  the same with the outlines of the cells (WGS 84)
data_dictionary.csv          every column: type, unit, meaning
datapackage.json             the same for programs (Frictionless Data Package), with what was left out and why
The set "strict" holds verified attacks; "standard" adds what sure reporters said.

HOW ATTACKS ARE COUNTED ({attack_rule})
Reports of which a person decided that they tell of one event are one. Of what is left, reports of one household at most 3 days and
at most 1 km apart are one attack. n_reports says how many reports are behind the attacks. Pairs of reports that may tell of one
event, and about which nobody has decided yet, count apart: {undecided_pairs}.

HOW TO READ IT
A hot cell had more attacks in and around it than its exposure explains (exact binomial test, false discovery rate).
hot_99 and hot_95: at most 1 and 5 in 100 such cells are called hot by chance.
"No hotspot" is not "no conflict": with 50 attacks a four-fold risk is found in only a quarter of cases.
exposure_basis = area: rates are per square kilometre because herds and households were not counted. More herds, more attacks: a hot
cell may simply hold more livestock or better reporting.
Attacks often come in series: with the flag overdispersed, p-values describe departure from uniform risk, not its cause.
Below {fewest_events} attacks or {fewest_cells} cells nothing is tested: the class is insufficient.

WHAT IS NOT SHOWN
No row stands for fewer than {households} households. Smaller places are counted in larger ones (suppression: rolled_up, merged); a
country without a row had no reports or reports of too few households. Reports whose household did not agree to share the place are
only in the rows of provinces and countries (unplaced). Sums of animals and money are empty where one household would make up
more than 70 percent. Figures of a neighbourhood are empty (nearby_withheld) where they would give away a hidden cell.
A cell drawn from smaller cells may lack attacks counted in a larger unit.

WHAT WAS LEFT OUT
Numbers below {households} are not said exactly.
{reasons}

Boundaries and names imply no opinion on the legal status of any territory.

COLUMNS
{columns}
"""

LEFT_OUT = {
    "n_rejected": "reports that a reviewer rejected: they never count",
    "n_deleted": "reports that were deleted",
    "n_encrypted": "encrypted reports, which nobody can count here; of any day",
    "n_error": "reports with an error that nobody has settled yet, such as a place in the sea or a day to come",
    "n_test": "reports sent as a test",
    "n_undated": "reports without a day of the attack",
    "n_other_predator": "reports about another predator",
    "n_uncertain": "reports that were neither sure nor verified",
    "n_outside": "attacks outside the region",
    "n_no_country": "attacks of which not even the country is known",
    "n_unlocated": "attacks without a place, or with one known too coarsely: counted without a cell",
    "n_not_shared": "attacks whose household did not agree to share the place: counted without a cell",
    "n_coarse": "attacks placed to within 0.5 to 2 km: counted in their cell",
}
"""What was not counted, or not everywhere, in words."""


@dataclass(frozen=True)
class ExportedFile:
    """A written file: its name in the folder of the release, rows (0: not a table), digest and bytes."""

    name: str
    rows: int
    sha256: str
    size: int


@dataclass(frozen=True)
class TableFile:
    """One table to write: the stem of its files and its rows."""

    stem: str
    rows: Sequence[Row]


def write_release(folder: Path, tables: Sequence[TableFile], level: Level, summary: dict[str, Any]) -> list[ExportedFile]:
    """Write all files of a release into an existing empty folder."""
    written = []
    for table in tables:
        written.append(_csv(folder / f"{table.stem}.csv", NAMES, ([row.get(name) for name in NAMES] for row in table.rows)))
        written.append(_json(folder / f"{table.stem}.geojson", _map(table.rows, summary), len(table.rows)))
    dictionary = [(column.name, column.type, column.unit, column.description) for column in COLUMNS]
    written.append(_csv(folder / "data_dictionary.csv", Column._fields, dictionary))
    columns = "\n".join(f"{one.name} ({', '.join(filter(None, (one.type, one.unit)))}): {one.description}" for one in COLUMNS)
    reasons = "\n".join(f"{summary['left_out'][name]} {words}" for name, words in LEFT_OUT.items())
    (folder / "README.txt").write_text(README.format(columns=columns, reasons=reasons, **summary), encoding="utf-8")
    written.append(_described(folder / "README.txt", 0))
    written.append(_json(folder / "datapackage.json", _package(written, level, summary), 0))
    return written


def _csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[str | int | float | None]]) -> ExportedFile:
    with path.open("w", encoding="utf-8", newline="") as stream:
        count = write_table(stream, header, rows)
    return _described(path, count)


def _json(path: Path, content: dict[str, Any], rows: int) -> ExportedFile:
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))
    return _described(path, rows)


def _described(path: Path, rows: int) -> ExportedFile:
    content = path.read_bytes()
    return ExportedFile(path.name, rows, hashlib.sha256(content).hexdigest(), len(content))


def _map(rows: Sequence[Row], summary: dict[str, Any]) -> dict[str, Any]:
    """Make a feature per row (RFC 7946); units have no geometry of their own."""
    features = [
        {
            "type": "Feature",
            "id": row["cell_id"],
            "geometry": _outline(str(row["cell_id"])) if str(row["cell_level"]).startswith("h3") else None,
            "properties": {name: row.get(name) for name in NAMES},
        }
        for row in rows
    ]
    return {"type": "FeatureCollection", "metadata": summary, "features": features}


def _outline(cell_id: str) -> dict[str, Any]:
    corners = grid.outline(h3.str_to_int(cell_id))
    return {"type": "Polygon", "coordinates": [[[round(x, 5), round(y, 5)] for x, y in corners]]}


def _package(written: Sequence[ExportedFile], level: Level, summary: dict[str, Any]) -> dict[str, Any]:
    fields = [{"name": one.name, "type": one.type, "unit": one.unit, "description": one.description} for one in COLUMNS]
    schema = {"fields": fields, "missingValues": [""], "primaryKey": ["cell_id", "event_set"]}
    resources = []
    for file in written:
        kind = file.name.rpartition(".")[2]
        resource = {
            "name": file.name.lower(),
            "path": file.name,
            "format": kind,
            "bytes": file.size,
            "hash": f"sha256:{file.sha256}",
        }
        is_table = file.name.startswith("conflict_hotspots") and kind == "csv"
        resources.append(resource | {"profile": "tabular-data-resource", "schema": schema} if is_table else resource)
    return {
        "name": f"conflict-hotspots-{summary['predator']}-{summary['release_id']}-{level.name}".lower().replace("_", "-"),
        "title": f"Conflict hotspots {summary['release_id']} ({level.name})",
        "version": summary["release_id"],
        "licenses": [{"name": summary["licence"]}],
        "summary": summary,
        "resources": resources,
    }
