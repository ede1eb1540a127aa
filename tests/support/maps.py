"""Made-up maps of attacks: how often the hotspot test calls a cell hot where there is none, and how often it finds one."""

from typing import NamedTuple

import h3.api.basic_int as h3
import numpy as np

from exports import grid
from exports.hotspots.assessment import HOT_95, HOT_99, Exposure, assess
from exports.hotspots.scan import Circles, circles_around, scan

CENTRE = h3.latlng_to_cell(36.5, 52.0, 6)
CELLS = np.sort(np.array(h3.grid_disk(CENTRE, 8), np.uint64))
CLUSTER = np.isin(CELLS, np.array(h3.grid_disk(CENTRE, 1), np.uint64))
"""The 217 cells of the maps; the seven in the middle are the cluster."""


class Outcome(NamedTuple):
    """Shares of maps with any cell called hot, and with a cell of the cluster called hot."""

    alarms: float
    hits: float


def simulated(maps: int, attacks: int, *, uneven: bool, risk: float = 1.0, method: str = "exact", seed: int = 1) -> Outcome:
    """Draw maps of so many attacks with a `risk` times as high in the cluster, and test each: "exact" or "scan".

    Uneven exposure is log-normal with sigma 1, drawn anew for every map. Every attack strikes another household.
    """
    chance = np.random.default_rng(seed)
    circles = circles_around(*grid.centres(CELLS))
    alarms = hits = 0
    for _ in range(maps):
        exposure = np.exp(chance.normal(size=len(CELLS))) if uneven else np.ones(len(CELLS))
        weight = exposure * np.where(CLUSTER, risk, 1.0)
        events = chance.multinomial(attacks, weight / weight.sum())
        hot = _hot(events, exposure) if method == "exact" else _scanned(events, exposure, circles)
        alarms += bool(hot.any())
        hits += bool(hot[CLUSTER].any())
    return Outcome(alarms / maps, hits / maps)


def _hot(events: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    struck = np.repeat(CELLS, events)
    found = assess(CELLS, struck, np.arange(len(struck)), Exposure(exposure, "area", "km2", 1.0, ""))
    return np.isin(found.classes, (HOT_95, HOT_99))


def _scanned(events: np.ndarray, exposure: np.ndarray, circles: Circles) -> np.ndarray:
    hot = np.zeros(len(CELLS), bool)
    for cluster in scan(events, exposure, circles, replicates=199):
        hot[cluster.cells] = True
    return hot
