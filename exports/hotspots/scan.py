"""The circular scan of Kulldorff (1997), a second opinion beside the test of neighbourhoods: clusters of any size, with a p-value.

Every circle around the centre of a cell that holds at most half of the exposure is a candidate. The largest log-likelihood ratio of
a Poisson model is compared with that of maps on which the same number of attacks falls by exposure alone. The draws are seeded: the
same attacks give the same clusters.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from exports.statistics import Floats, Ints

REPLICATES = 999
SEED = 20230228
_TOGETHER = 64
"""Cells whose circles are grown together; after them it is asked again how many attacks a circle needs to matter."""
_STEPS = 5
"""Enough to find a number of attacks to less than one."""
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
    northward = np.argsort(points[:, 2])
    heights, reach = points[northward, 2], 2.0
    for cell, point in enumerate(points):
        near = northward[slice(*np.searchsorted(heights, (point[2] - reach, point[2] + reach)))]
        chord = _lengths(points[near] - point)
        if (farthest := _smallest(chord, size)) > reach:  # some cells farther north or south may be nearer
            near, chord = northward, _lengths(points[northward] - point)
            farthest = _smallest(chord, size)
        rounded = chord.round(9)
        within = np.flatnonzero(chord <= farthest)
        order = within[np.lexsort((near[within], rounded[within]))[:size]]
        nearest[cell] = near[order]
        km[cell] = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, chord[order] / 2))
        reach = 1.2 * farthest
    return Circles(nearest, km)


def _lengths(vectors: Floats) -> Floats:
    lengths: Floats = np.sqrt(np.square(vectors).sum(axis=1))
    return lengths


def _smallest(chord: Floats, size: int) -> float:
    """A bound, a little too wide, of the smallest so many lengths; infinite where there are fewer."""
    return float(np.partition(chord, size - 1)[size - 1]) + 1e-8 if len(chord) >= size else np.inf


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
    by_chance = _by_chance(drawn, circles.nearest, held, allowed.sum(axis=1), surprise, level)
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


def _by_chance(drawn: Ints, nearest: Ints, expected: Floats, sizes: Ints, surprise: "_Surprise", level: float) -> Floats:
    """The largest ratio in each of the maps that are `drawn` (maps, cells), as far as it matters for a p-value of at most `level`.

    `sizes` are how many circles around each cell are candidates. Circles that cannot lift a map among the ones that decide about
    `level` are passed over, so ratios that are smaller may be told too small.
    """
    maps, deciding = len(drawn), min(int(level * (len(drawn) + 1)) + 1, len(drawn))
    usual = np.rint(drawn.mean(axis=0)).astype(np.int64)
    of_circles = np.cumsum(usual[nearest], axis=1)
    most = int(max((drawn.max(axis=0) - usual).max(), (usual - drawn.min(axis=0)).max())) * nearest.shape[1] + nearest.shape[1]
    small = np.min_scalar_type(-most - 2)  # numbers beside the usual ones fit into few bytes: many times faster
    more = np.ascontiguousarray((drawn - usual).T, small)
    largest = np.zeros(maps)
    for start, end in pairwise([0, *range(1, len(nearest), _TOGETHER), len(nearest)]):
        ratio = float(np.partition(largest, maps - deciding)[maps - deciding])
        needed = surprise.fewest(expected[start:end], ratio) - of_circles[start:end]
        needed[np.arange(needed.shape[1]) >= sizes[start:end, None]] = most + 1
        needed = np.minimum(needed, most + 1).astype(small)
        grown = np.zeros((end - start, maps), small)
        for circle in range(int(sizes[start:end].max())):
            grown += more.take(nearest[start:end, circle], axis=0)
            enough = grown >= needed[:, circle, None]
            if enough.any():
                cell, found = np.divmod(np.flatnonzero(enough), maps)
                observed = grown[cell, found] + of_circles[start + cell, circle]
                np.maximum.at(largest, found, surprise(observed, expected[start + cell, circle]))
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
        """The least number of attacks in a circle that makes it as surprising as `ratio`, or one less; never more.

        By Newton's method: ratios are convex in that number, and what it begins with is known to be too large.
        """
        least: Ints = np.floor(expected).astype(np.int64) + 1
        if ratio <= 0:
            return least
        number = np.minimum(expected + ratio + np.sqrt(ratio * ratio + 2 * ratio * expected), self.total)
        for _ in range(_STEPS):
            rest = np.maximum(self.total - number, 1e-9)
            inside, outside = np.log(number / expected), np.log(rest / (self.total - expected))
            number = np.minimum(number - (number * inside + rest * outside - ratio) / (inside - outside), self.total)
        return np.maximum(np.floor(number).astype(np.int64), least)
