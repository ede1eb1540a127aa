"""The second opinion of a release: the clusters that a circular scan finds, whatever their size, as a table of its own."""

from typing import Any

from exports.episodes import RULE
from exports.equal_area import EASE10
from exports.grid import H3
from exports.hotspots.assessment import Assessment
from exports.hotspots.columns import COLUMNS as OF_CELLS
from exports.hotspots.release import Release
from exports.hotspots.rows import Row, digits
from exports.hotspots.scan import LARGEST_MAP, REPLICATES, Cluster, circles_around, scan
from exports.package.contents import Column, Table
from exports.privacy import FEWEST_HOUSEHOLDS, PARTNER, PUBLIC, Level, band

SCAN_METHOD = "kulldorff-poisson-circle-1"
COLUMNS = (
    Column("release_id", "string", "", "Quarter in which the window ends, and revision"),
    Column("cluster", "integer", "", "Number of the cluster, the likeliest first"),
    Column("cell_id", "string", "", "Cell in the middle of the circle"),
    Column("cell_level", "string", "", "Level of the cells", (*H3.levels[:2], *EASE10.levels[:2])),
    Column("lat", "number", "degrees, WGS 84", "Latitude of the cell's centre, never of an attack"),
    Column("lon", "number", "degrees, WGS 84", "Longitude of the cell's centre, never of an attack"),
    Column("radius_km", "number", "km", "From the centre of that cell to that of the farthest in the circle"),
    Column("n_cells", "integer", "cells", "Cells in the circle"),
    Column("period_start", "date", "", "First day of the window"),
    Column("period_end", "date", "", "Last day of the window"),
    Column("predator", "string", "", "Predator that the attacks are laid to"),
    Column("n_households", "string", "households", "Different known households; 5-9 or 10+ in public tables"),
    Column("n_events", "integer", "attacks", "Attacks in the circle; empty where it would give away a hidden cell"),
    Column("expected", "number", "attacks", "What n_events would be if risk followed exposure everywhere alike; empty with it"),
    Column("relative_risk", "number", "ratio", "Risk inside the circle against that outside; empty with n_events"),
    Column("p_value", "number", "0 to 1", f"Share of {REPLICATES} seeded maps without clusters with a likelier circle than this"),
    Column("method", "string", "", "Name of the method"),
    OF_CELLS[-1],
)
CLUSTERS = Table(COLUMNS, key=("cluster",), naming=("release_id", "period_start", "period_end"))


class SecondOpinion:
    """The scan of a release at a level, of the standard set; `refused` says in words why there is none.

    `rows` are the clusters of five households or more with p at most 0.05. The public's come after the partner's, so that no figure
    about a circle gives away another one.
    """

    def __init__(self, release: Release, level: Level) -> None:
        self._release, self._grid = release, release.grid
        self.refused, self.rows = "", list[Row]()
        for each in (PARTNER, PUBLIC)[: 1 if level == PARTNER else 2]:
            self.refused = _refusal(release.table(each, "standard").assessment)
            self.rows = [] if self.refused else self._scanned(each)

    def _scanned(self, level: Level) -> list[Row]:
        found = self._release.table(level, "standard").assessment
        clusters = scan(found.events, found.exposure.values, circles_around(*self._grid.centres(found.cells)))
        of_cells = [
            (cluster, self._release.shown.households_in(level, found.cells[cluster.cells].tolist())) for cluster in clusters
        ]
        rows = [self._row(cluster, households, level) for cluster, households in of_cells if households >= FEWEST_HOUSEHOLDS]
        return [row | {"cluster": number} for number, row in enumerate(rows, 1)]

    def _row(self, cluster: Cluster, households: int, level: Level) -> Row:
        assessment, window = self._release.table(level, "standard").assessment, self._release.window
        cells = assessment.cells[cluster.cells]
        latitude, longitude = (float(each[0]) for each in self._grid.centres(cells[:1]))
        row: dict[str, Any] = {
            "cell_id": self._grid.name_of(int(cells[0])),
            "cell_level": self._grid.levels[level.finest],
            "lat": round(latitude, 4),
            "lon": round(longitude, 4),
            "radius_km": round(cluster.radius_km, 1),
            "n_cells": len(cells),
            "period_start": window.start.isoformat(),
            "period_end": window.end.isoformat(),
            "n_households": band(households) if level.bands else households,
            "p_value": cluster.p,
            "method": SCAN_METHOD,
            "attack_rule": RULE,
        }
        if self._release.shown.figure(level, cells.tolist()):
            total = int(assessment.events.sum())
            outside = (total - cluster.observed) / (total - cluster.expected)
            risk = cluster.observed / cluster.expected / outside if outside else float("inf")
            row |= {"n_events": cluster.observed, "expected": digits(cluster.expected), "relative_risk": digits(risk)}
        return row


def _refusal(found: Assessment) -> str:
    if not found.sufficient:
        return "There are too few attacks or cells for a test."
    if len(found.cells) > LARGEST_MAP:
        return f"The study area has more than {LARGEST_MAP} cells: a scan would take too long."
    return ""
