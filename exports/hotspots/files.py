"""The data of a hotspot release: its tables and maps. Same input, same bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from exports.grid import Grid
from exports.hotspots.columns import COLUMNS
from exports.hotspots.rows import Value
from exports.package.contents import ExportedFile, write_csv, write_json

NAMES = tuple(column.name for column in COLUMNS)
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
    "n_herds_unplaced": "herds without a place, or with one that may not be shared: in no exposure",
    "n_areas_unknown": "reports of nothing that name no known study area: in no exposure",
}
"""What was not counted, or not everywhere, in words."""


@dataclass(frozen=True)
class TableFile:
    """One table to write: the stem of its files and its columns, those that are known of any row."""

    stem: str
    columns: Mapping[str, Sequence[Value]]

    @cached_property
    def rows(self) -> list[tuple[Value, ...]]:
        """The values of each row, in the order of `NAMES`."""
        size = len(self.columns["cell_id"])
        return list(zip(*(self.columns.get(name) or [None] * size for name in NAMES), strict=True))


def write_release(folder: Path, tables: Sequence[TableFile], summary: dict[str, Any], grid: Grid) -> list[ExportedFile]:
    """Write the tables and maps of a release into an existing empty folder."""
    written = []
    for table in tables:
        written.append(write_csv(folder / f"{table.stem}.csv", NAMES, table.rows))
        written.append(write_json(folder / f"{table.stem}.geojson", _map(table.rows, summary, grid), len(table.rows)))
    return written


def _map(rows: Sequence[tuple[Value, ...]], summary: dict[str, Any], grid: Grid) -> dict[str, Any]:
    """Make a feature per row (RFC 7946); units have no geometry of their own."""
    cell_id, cell_level = NAMES.index("cell_id"), NAMES.index("cell_level")
    features = [
        {
            "type": "Feature",
            "id": row[cell_id],
            "geometry": _outline(str(row[cell_id]), grid) if row[cell_level] in grid.levels else None,
            "properties": dict(zip(NAMES, row, strict=True)),
        }
        for row in rows
    ]
    return {"type": "FeatureCollection", "metadata": summary, "features": features}


def _outline(cell_id: str, grid: Grid) -> dict[str, Any]:
    corners = grid.outline(grid.named(cell_id))
    return {"type": "Polygon", "coordinates": [[[round(x, 5), round(y, 5)] for x, y in corners]]}
