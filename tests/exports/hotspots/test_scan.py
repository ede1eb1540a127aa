"""The scan finds what was planted, says how sure it is, and says the same again."""

import math
from datetime import date

import numpy as np
import pytest
from shapely.geometry import box

from exports.grid import H3
from exports.hotspots import clusters
from exports.hotspots.clusters import SecondOpinion
from exports.hotspots.release import Release
from exports.hotspots.scan import Circles, _by_chance, _Surprise, circles_around, scan
from exports.privacy import PARTNER, PUBLIC
from exports.regions import Region
from exports.windows import EPOCH, Window
from tests.support.conflict import reports_at
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


@pytest.mark.parametrize("attacks", [40, 4000, 600_000])
@pytest.mark.parametrize("ratio", [0.0, 0.4, 9.0, 500.0])
def test_no_more_attacks_are_asked_of_a_circle_than_make_it_so_surprising(attacks: int, ratio: float) -> None:
    expected = np.geomspace(1e-3, attacks / 2, 300)
    surprise = _Surprise(attacks)
    asked = surprise.fewest(expected, ratio)
    fewer = np.minimum(asked - 2, attacks)
    assert (asked > expected).all()
    assert (surprise(np.maximum(fewer, 0), expected)[fewer > expected] < ratio).all()
    enough = np.minimum(asked + 1, attacks)
    assert ((surprise(enough, expected) >= ratio) | (enough == attacks)).all()


def test_the_maps_that_decide_about_a_cluster_are_weighed_in_full(circles: Circles) -> None:
    chance, share = np.random.default_rng(2), np.full(len(CELLS), 1 / len(CELLS))
    drawn = chance.multinomial(300, share, 99)
    expected = np.cumsum(share[circles.nearest], axis=1) * 300
    sizes = (expected <= 150).sum(axis=1)
    every, deciding = (
        np.sort(_by_chance(drawn, circles.nearest, expected, sizes, _Surprise(300), level))[::-1] for level in (1.0, 0.05)
    )
    assert deciding[:6].tolist() == every[:6].tolist()
    assert (deciding <= every).all()


def test_each_level_says_for_itself_why_there_is_no_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    region = Region({"IR-02": box(50, 35, 56, 39)})
    latitudes, longitudes = np.meshgrid(np.linspace(35.5, 38.5, 30), np.linspace(50.5, 55.5, 30))
    footprint = np.unique(H3.cells_of(latitudes.reshape(-1), longitudes.reshape(-1)))
    day = (date(2026, 1, 1) - EPOCH).days
    reports = reports_at((day, 36.5 + 0.02 * household, 52.0, household) for household in range(40))
    release = Release(reports, footprint, Window(date(2024, 7, 1), date(2026, 6, 30)), region)
    partner, public = (len(release.table(level, "standard").assessment.cells) for level in (PARTNER, PUBLIC))
    monkeypatch.setattr(clusters, "LARGEST_MAP", (partner + public) // 2)
    assert "more than" in SecondOpinion(release, PARTNER).refused
    told = SecondOpinion(release, PUBLIC)
    assert (told.refused, len(told.rows) > 0) == ("", True)
