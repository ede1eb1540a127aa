"""The circular scan of Kulldorff (1997), a second opinion beside the test of neighbourhoods: clusters of any size, with a p-value.

Every circle around the centre of a cell that holds at most half of the exposure is a candidate. The largest log-likelihood ratio of
a Poisson model is compared with that of maps on which the same number of attacks falls by exposure alone. The draws are seeded: the
same attacks give the same clusters.
"""

from typing import NamedTuple

import numpy as np

from exports.statistics import Floats, Ints

REPLICATES = 999
SEED = 20230228
MOST_CELLS = 100
"""The widest circle, in cells; it never holds more than half of the exposure either."""
LARGEST_MAP = 5000
"""Cells of a study area above which the scan is not made: it would take minutes."""
EARTH_RADIUS_KM = 6371.0088


class Circles(NamedTuple):
    """For each cell the cells nearest to it, itself first, and how far away their centres are (km); both (cells, circles)."""

    nearest: Ints
    km: Floats


class Cluster(NamedTuple):
    """A circle with more attacks than its exposure explains. `cells` are positions, the centre first."""

    cells: Ints
    radius_km: float
    observed: int
    expected: float
    log_likelihood_ratio: float
    p: float


def circles_around(latitudes: Floats, longitudes: Floats) -> Circles:
    """Order the cells around each cell by distance (degrees, WGS 84, on a sphere); equally far ones in their own order."""
    latitude, longitude = np.radians(latitudes), np.radians(longitudes)
    points = np.column_stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)])
    size = min(MOST_CELLS, len(points))
    nearest, km = np.empty((len(points), size), np.int64), np.empty((len(points), size))
    for cell, point in enumerate(points):
        chord = np.linalg.norm(points - point, axis=1)
        nearest[cell] = np.argsort(chord.round(9), kind="stable")[:size]
        km[cell] = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, chord[nearest[cell]] / 2))
    return Circles(nearest, km)


def scan(events: Ints, exposure: Floats, circles: Circles, *, replicates: int = REPLICATES, level: float = 0.05) -> list[Cluster]:
    """Give the clusters with p at most `level`, the likeliest first; none shares a cell with one before it."""
    total = int(events.sum())
    share = exposure / exposure.sum()
    expected = np.cumsum(share[circles.nearest], axis=1) * total
    allowed = expected <= total / 2
    drawn = np.random.default_rng(SEED).multinomial(total, share, replicates)
    surprise = _Surprise(total)
    by_chance = np.zeros(replicates)
    best_size, best = np.zeros(len(events), np.int64), np.zeros(len(events))
    for cell, nearest in enumerate(circles.nearest):
        size = int(allowed[cell].sum())
        if not size:
            continue
        inside = nearest[:size]
        by_chance = np.maximum(by_chance, surprise(np.cumsum(drawn[:, inside], axis=1), expected[cell, :size]).max(axis=1))
        found = surprise(np.cumsum(events[inside]), expected[cell, :size])
        best_size[cell] = int(found.argmax()) + 1
        best[cell] = found.max()
    clusters: list[Cluster] = []
    taken = np.zeros(len(events), bool)
    for cell in np.argsort(-best, kind="stable").tolist():
        cells = circles.nearest[cell, : best_size[cell]]
        p = (1 + int((by_chance >= best[cell]).sum())) / (1 + replicates)
        if best[cell] <= 0 or p > level:
            break
        if not taken[cells].any():
            taken[cells] = True
            last = int(best_size[cell]) - 1
            observed = int(events[cells].sum())
            clusters.append(
                Cluster(cells, float(circles.km[cell, last]), observed, float(expected[cell, last]), float(best[cell]), p)
            )
    return clusters


class _Surprise:
    """Log-likelihood ratios of circles; zero where there are no more attacks inside than expected."""

    def __init__(self, total: int) -> None:
        counts = np.arange(total + 1, dtype=np.float64)
        self._own = counts * np.log(np.maximum(counts, 1.0))
        self._total = total

    def __call__(self, observed: Ints, expected: Floats) -> Floats:
        rest = self._total - observed
        ratio: Floats = self._own[observed] + self._own[rest]
        ratio -= observed * np.log(expected) + rest * np.log(self._total - expected)
        ratio[observed <= expected] = 0.0
        return ratio
