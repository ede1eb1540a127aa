"""The scan finds what was planted, says how sure it is, and says the same again."""

import math

import numpy as np
import pytest

from exports.grid import H3
from exports.hotspots.scan import Circles, _by_chance, _Surprise, circles_around, scan
from tests.support.maps import CELLS, CLUSTER


@pytest.fixture(scope="module")
def circles() -> Circles:
    return circles_around(*H3.centres(CELLS))


def map_of(attacks: int, risk: float, seed: int) -> np.ndarray:
    weight = np.where(CLUSTER, risk, 1.0)
    return np.random.default_rng(seed).multinomial(attacks, weight / weight.sum())


def test_circles_grow_from_the_cell_through_its_ring(circles: Circles) -> None:
    middle = int(np.flatnonzero(CLUSTER)[3])
    assert (circles.nearest[:, 0] == np.arange(len(CELLS))).all()
    assert {int(CELLS[cell]) for cell in circles.nearest[middle, :7]} == set(H3.ring(int(CELLS[middle])))
    assert (np.diff(circles.km, axis=1) >= -1e-5).all()
    assert circles.km[middle, 1] == pytest.approx(6.3, abs=0.6)


def test_a_planted_cluster_is_found_whole(circles: Circles) -> None:
    events = map_of(200, 12.0, 3)
    first = scan(events, np.ones(len(CELLS)), circles)[0]
    assert CLUSTER[first.cells].all()
    assert len(first.cells) == 7
    assert first.observed == events[CLUSTER].sum()
    assert first.expected == pytest.approx(200 * 7 / len(CELLS))
    assert first.p == 0.001


def test_the_likelihood_ratio_is_that_of_kulldorff(circles: Circles) -> None:
    events = map_of(200, 12.0, 3)
    first = scan(events, np.ones(len(CELLS)), circles)[0]
    c, e, n = first.observed, first.expected, 200
    assert first.log_likelihood_ratio == pytest.approx(c * math.log(c / e) + (n - c) * math.log((n - c) / (n - e)), rel=1e-12)


def test_no_circle_beats_the_first_one(circles: Circles) -> None:
    events, n = map_of(60, 8.0, 5), 60
    best = 0.0
    for nearest in circles.nearest.tolist():
        for size in range(1, len(nearest) + 1):
            c, e = int(events[nearest[:size]].sum()), n * size / len(CELLS)
            if e < c < n and e <= n / 2:
                best = max(best, c * math.log(c / e) + (n - c) * math.log((n - c) / (n - e)))
    assert scan(events, np.ones(len(CELLS)), circles)[0].log_likelihood_ratio == pytest.approx(best, rel=1e-9)


def test_where_risk_follows_exposure_clusters_are_rare(circles: Circles) -> None:
    exposure = np.exp(np.random.default_rng(4).normal(size=len(CELLS)))
    share = exposure / exposure.sum()
    chance = np.random.default_rng(6)
    found = [bool(scan(chance.multinomial(50, share), exposure, circles, replicates=99)) for _ in range(40)]
    assert sum(found) <= 5  # of 40 maps two are expected; six or more in one of a hundred runs


def test_the_same_map_gives_the_same_clusters(circles: Circles) -> None:
    events = map_of(100, 4.0, 9)
    first, second = (scan(events, np.ones(len(CELLS)), circles, level=1.0) for _ in range(2))
    assert [cluster.p for cluster in first] == [cluster.p for cluster in second]
    assert all((one.cells == two.cells).all() for one, two in zip(first, second, strict=True))


def test_clusters_share_no_cell(circles: Circles) -> None:
    found = scan(map_of(100, 4.0, 9), np.ones(len(CELLS)), circles, level=1.0)
    cells = np.concatenate([cluster.cells for cluster in found])
    assert len(found) > 1
    assert len(cells) == len(set(cells.tolist()))


@pytest.mark.parametrize("attacks", [40, 4000])
def test_circles_that_are_passed_over_would_have_changed_nothing(circles: Circles, attacks: int) -> None:
    chance = np.random.default_rng(9)
    exposure = np.exp(chance.normal(size=len(CELLS)))
    expected = np.cumsum((exposure / exposure.sum())[circles.nearest], axis=1) * attacks
    drawn = chance.multinomial(attacks, exposure / exposure.sum(), 50)
    surprise = _Surprise(attacks)
    allowed = expected <= attacks / 2
    held = np.where(allowed, expected, attacks / 2)
    every = np.where(allowed, surprise(np.cumsum(drawn[:, circles.nearest], axis=2), held[None]), 0)
    found = _by_chance(drawn, circles.nearest, held, allowed.sum(axis=1), surprise, level=1.0)
    assert found.tolist() == every.max(axis=(1, 2)).tolist()


def test_a_map_that_fits_into_one_circle_is_scanned_too() -> None:
    few = circles_around(*H3.centres(CELLS[:40]))
    assert few.nearest.shape == (40, 40)
    events = np.where(np.arange(40) == 5, 30, 1)
    assert scan(events, np.ones(40), few)[0].cells.tolist() == [5]
