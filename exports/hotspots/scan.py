"""The circular scan of Kulldorff (1997), a second opinion beside the test of neighbourhoods: clusters of any size, with a p-value.

Every circle around the centre of a cell that holds at most half of the exposure is a candidate. The largest log-likelihood ratio of
a Poisson model is compared with that of maps on which the same number of attacks falls by exposure alone. The draws are seeded: the
same attacks give the same clusters.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exports.statistics import Floats, Ints

REPLICATES = 999
SEED = 20230228
_TOGETHER = 16
"""Cells after which it is asked again how many attacks a circle needs to matter."""
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
        rounded = chord.round(9)
        near = np.flatnonzero(rounded <= np.partition(rounded, size - 1)[size - 1])
        nearest[cell] = near[np.argsort(rounded[near], kind="stable")[:size]]
        km[cell] = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, chord[nearest[cell]] / 2))
    return Circles(nearest, km)


def scan(events: Ints, exposure: Floats, circles: Circles, *, replicates: int = REPLICATES, level: float = 0.05) -> list[Cluster]:
    """Give the clusters with p at most `level`, the likeliest first; none shares a cell with one before it."""
    total = int(events.sum())
    share = exposure / exposure.sum()
    expected = np.cumsum(share[circles.nearest], axis=1) * total
    surprise = _Surprise(total)
    allowed = expected <= total / 2
    held = np.where(allowed, expected, total / 2)  # so that no logarithm is one of nothing
    found = np.where(allowed, surprise(np.cumsum(events[circles.nearest], axis=1), held), 0.0)
    best_size, best = found.argmax(axis=1) + 1, found.max(axis=1, initial=0.0)
    drawn = np.random.default_rng(SEED).multinomial(total, share, replicates)
    by_chance = _by_chance(np.ascontiguousarray(drawn.T, np.int32), circles.nearest, held, allowed.sum(axis=1), surprise)
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


def _by_chance(drawn: NDArray[np.int32], nearest: Ints, expected: Floats, sizes: Ints, surprise: "_Surprise") -> Floats:
    """The largest ratio in each map; `drawn` is (cells, maps). Circles that beat none of those found before are passed over.

    `sizes` are how many circles around each cell are candidates.
    """
    maps = drawn.shape[1]
    largest = np.zeros(maps)
    for start in range(0, len(nearest), _TOGETHER):
        fewest = surprise.fewest(expected[start : start + _TOGETHER], float(largest.min(initial=np.inf)))
        for cell, needed in enumerate(fewest, start):
            size = int(sizes[cell])
            observed = drawn[nearest[cell, :size]]
            for circle in range(1, size):
                observed[circle] += observed[circle - 1]  # many times faster than `cumsum` down the columns
            circles, found = np.divmod(np.flatnonzero(observed >= needed[:size, None]), maps)
            ratios = surprise(observed[circles, found].astype(np.int64), expected[cell, circles])
            np.maximum.at(largest, found, ratios)
    return largest


class _Surprise:
    """Log-likelihood ratios of circles; zero where there are no more attacks inside than expected."""

    def __init__(self, total: int) -> None:
        counts = np.arange(total + 1, dtype=np.float64)
        self._own = counts * np.log(np.maximum(counts, 1.0))
        self.total = total

    def __call__(self, observed: Ints, expected: Floats) -> Floats:
        rest = self.total - observed
        ratio: Floats = self._own[observed] + self._own[rest]
        ratio -= observed * np.log(expected) + rest * np.log(self.total - expected)
        ratio[observed <= expected] = 0.0
        return ratio

    def fewest(self, expected: Floats, ratio: float) -> Ints:
        """The least number of attacks in a circle that makes it as surprising as `ratio`; one more than all where none does."""
        low, high = np.floor(expected).astype(np.int64) + 1, np.full(expected.shape, self.total + 1)
        while (low < high).any():
            middle = (low + high) // 2
            enough = self(np.minimum(middle, self.total), expected) >= ratio
            low, high = np.where(enough | (low >= high), low, middle + 1), np.where(enough, middle, high)
        return low
