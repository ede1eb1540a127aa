"""Made-up maps of attacks: how often the hotspot test calls a cell hot where there is none, and how often it finds one."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exports.equal_area import EASE10
from exports.grid import H3, Cells, Grid
from exports.hotspots.assessment import HOT_95, HOT_99, Exposure, assess
from exports.hotspots.scan import Circles, circles_around, scan


class Map(NamedTuple):
    """The cells of made-up maps; those that are `clustered` are in the middle."""

    grid: Grid
    cells: Cells
    clustered: NDArray[np.bool_]


def _map(grid: Grid) -> Map:
    cells = middle = grid.cells_of(np.array([36.5]), np.array([52.0]))
    for _ in range(8):
        cells = grid.with_ring(cells)
    return Map(grid, cells, np.isin(cells, grid.with_ring(middle)))


HEXAGONS, SQUARES = _map(H3), _map(EASE10)
"""217 hexagons with a cluster of seven, and 289 squares with one of nine."""
CELLS, CLUSTER = HEXAGONS.cells, HEXAGONS.clustered


class Outcome(NamedTuple):
    """Shares of maps with any cell called hot, and with a cell of the cluster called hot."""

    alarms: float
    hits: float


def simulated(
    maps: int, attacks: int, *, uneven: bool, risk: float = 1.0, method: str = "exact", seed: int = 1, ground: Map = HEXAGONS
) -> Outcome:
    """Draw maps of so many attacks with a `risk` times as high in the cluster, and test each: "exact" or "scan".

    Uneven exposure is log-normal with sigma 1, drawn anew for every map. Every attack strikes another household.
    """
    chance, size = np.random.default_rng(seed), len(ground.cells)
    circles = circles_around(*ground.grid.centres(ground.cells))
    alarms = hits = 0
    for _ in range(maps):
        exposure = np.exp(chance.normal(size=size)) if uneven else np.ones(size)
        weight = exposure * np.where(ground.clustered, risk, 1.0)
        events = chance.multinomial(attacks, weight / weight.sum())
        hot = _hot(events, exposure, ground) if method == "exact" else _scanned(events, exposure, circles)
        alarms += bool(hot.any())
        hits += bool(hot[ground.clustered].any())
    return Outcome(alarms / maps, hits / maps)


def _hot(events: np.ndarray, exposure: np.ndarray, ground: Map) -> np.ndarray:
    struck = np.repeat(ground.cells, events)
    told = Exposure(exposure, "area", "km2", 1.0, "")
    found = assess(ground.cells, struck, np.arange(len(struck)), told, grid=ground.grid)
    return np.isin(found.classes, (HOT_95, HOT_99))


def _scanned(events: np.ndarray, exposure: np.ndarray, circles: Circles) -> np.ndarray:
    hot = np.zeros(len(events), bool)
    for cluster in scan(events, exposure, circles, replicates=199):
        hot[cluster.cells] = True
    return hot
