"""The statistics equal R (spdep, p.adjust, pbinom, poisson.test) and the papers to the printed digits."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.statistics import (
    Pairs,
    benjamini_hochberg,
    benjamini_yekutieli,
    binomial_upper_tail,
    empirical_bayes,
    garwood_interval,
    getis_ord,
    getis_ord_star,
    overdispersion,
)

ORACLES = Path(__file__).parents[1] / "oracles"
REFERENCE = json.loads((ORACLES / "REFERENCE_VALUES.json").read_text())


def within(points: np.ndarray, distance: float, *, itself: bool) -> Pairs:
    apart = np.linalg.norm(points[:, None] - points[None, :], axis=2)
    near = apart <= distance + 1e-9
    if not itself:
        np.fill_diagonal(near, val=False)
    cells, neighbours = np.nonzero(near)
    return Pairs(len(points), cells, neighbours)


def table(name: str) -> dict[str, np.ndarray]:
    with (ORACLES / name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}


def test_gi_and_gi_star_of_six_points_equal_esda_and_spdep() -> None:
    six = REFERENCE["gi_star_six_points"]
    points, y = np.array(six["points"], float), np.array(six["y"])
    np.testing.assert_allclose(getis_ord_star(y, within(points, 15, itself=True)), six["Gi_star"], rtol=1e-10)
    np.testing.assert_allclose(getis_ord(y, within(points, 15, itself=False)), six["Gi"], rtol=1e-10)


def test_gi_and_gi_star_of_the_256_cells_of_getis_and_ord_equal_spdep() -> None:
    cells = table("getisord_16x16.csv")
    points = np.column_stack([cells["x"], cells["y"]])
    np.testing.assert_allclose(getis_ord(cells["val"], within(points, 30, itself=False)), cells["G30"], rtol=1e-11)
    np.testing.assert_allclose(getis_ord_star(cells["val"], within(points, 30, itself=True)), cells["Gs30"], rtol=1e-11)


@pytest.mark.parametrize("distance", [30, 60, 90, 120, 150])
def test_gi_at_five_distances_equals_the_spdep_manual(distance: int) -> None:
    cells = table("getisord_16x16.csv")
    points = np.column_stack([cells["x"], cells["y"]])
    z = getis_ord(cells["val"], within(points, distance, itself=False))
    assert z[119] == pytest.approx(REFERENCE["gi_star_getisord"][f"Gi_{distance}"], rel=1e-10)


def test_a_flat_map_has_no_gi_star() -> None:
    assert np.isnan(getis_ord_star(np.ones(4), within(np.arange(8.0).reshape(4, 2), 3, itself=True))).all()


def test_benjamini_hochberg_equals_the_example_of_the_paper() -> None:
    example = REFERENCE["bh_1995"]
    q = benjamini_hochberg(np.array(example["p"]))
    np.testing.assert_allclose(q, example["q"], rtol=1e-9)
    assert (q <= 0.05).sum() == example["rejected_at_.05"]


def test_benjamini_hochberg_keeps_the_order_it_was_given() -> None:
    p = np.array([0.04, 0.001, 0.5, 0.02])
    np.testing.assert_allclose(benjamini_hochberg(p), [0.04 * 4 / 3, 0.004, 0.5, 0.04])


def test_benjamini_hochberg_rejects_as_many_of_the_256_cells_as_r() -> None:
    one_sided = np.array([math.erfc(z / math.sqrt(2)) / 2 for z in table("getisord_16x16.csv")["Gs30"]])
    expected = REFERENCE["gi_star_getisord"]["one_sided_p<.05"]
    assert ((one_sided < 0.05).sum(), (benjamini_hochberg(one_sided) < 0.05).sum()) == (expected["raw"], expected["BH"])


def test_benjamini_yekutieli_and_bonferroni_reject_as_many_of_the_256_cells_as_r() -> None:
    one_sided = np.array([math.erfc(z / math.sqrt(2)) / 2 for z in table("getisord_16x16.csv")["Gs30"]])
    expected = REFERENCE["gi_star_getisord"]["one_sided_p<.05"]
    assert (benjamini_yekutieli(one_sided) < 0.05).sum() == expected["BY"]
    assert (one_sided * len(one_sided) < 0.05).sum() == expected["bonferroni"]
    assert benjamini_yekutieli(np.ones(3)).tolist() == [1, 1, 1]


def test_binomial_tails_equal_r() -> None:
    for case in REFERENCE["exact_tail"]["binom_sf"]:
        tail = binomial_upper_tail(np.array([case["x"]]), case["N"], np.array([case["share"]]))
        assert tail[0] == pytest.approx(case["p"], rel=1e-9)


def exact_tail(k: int, n: int, numerator: int, denominator: int) -> float:
    ways = sum(math.comb(n, i) * numerator**i * (denominator - numerator) ** (n - i) for i in range(k, n + 1))
    return ways / denominator**n


@given(n=st.integers(1, 400), data=st.data())
@settings(max_examples=80, deadline=None)
def test_binomial_tails_equal_exact_integer_arithmetic(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n + 1))
    numerator = data.draw(st.integers(0, 1000))
    tail = binomial_upper_tail(np.array([k]), n, np.array([numerator / 1000]))
    assert tail[0] == pytest.approx(exact_tail(k, n, numerator, 1000), rel=1e-9, abs=1e-300)


def test_the_far_tail_of_the_binomial_keeps_its_digits() -> None:
    tail = binomial_upper_tail(np.array([70, 200]), 272, np.array([0.067635, 0.1]))
    assert tail[0] == pytest.approx(exact_tail(70, 272, 67635, 10**6), rel=1e-10)
    assert tail[1] == pytest.approx(exact_tail(200, 272, 1, 10), rel=1e-10)
    assert tail[0] < 1e-20 > tail[1] > 0


def test_poisson_limits_equal_r() -> None:
    case = REFERENCE["poisson_rate_ci"]
    limits = [limit / case["exposure"] for limit in garwood_interval(case["events"])]
    assert limits == pytest.approx(case["ci95"], rel=1e-9)
    assert garwood_interval(0)[0] == 0
    assert garwood_interval(0)[1] / 500 == pytest.approx(case["zero_events_exposure_500_upper"], rel=1e-9)


@pytest.mark.parametrize("count", [1, 2, 5, 30, 1000, 50_000])
def test_poisson_limits_leave_two_and_a_half_percent_on_either_side(count: int) -> None:
    def at_most(k: int, mean: float) -> float:
        return math.fsum(math.exp(i * math.log(mean) - mean - math.lgamma(i + 1)) for i in range(k + 1))

    lower, upper = garwood_interval(count)
    assert 1 - at_most(count - 1, lower) == pytest.approx(0.025, rel=1e-7)
    assert at_most(count, upper) == pytest.approx(0.025, rel=1e-7)


def test_empirical_bayes_of_auckland_equals_spdep() -> None:
    areas = table("auckland_eb.csv")
    calmed = empirical_bayes(areas["n"].astype(np.int64), areas["x"])
    np.testing.assert_allclose(calmed.rates, areas["eb"], rtol=1e-12)
    assert calmed.variance == pytest.approx(REFERENCE["eb_auckland"]["a"], rel=1e-11)
    assert calmed.mean == pytest.approx(REFERENCE["eb_auckland"]["b"], rel=1e-11)


def test_empirical_bayes_without_any_event_is_zero_everywhere() -> None:
    assert empirical_bayes(np.zeros(3, np.int64), np.ones(3)).rates.tolist() == [0, 0, 0]


def test_overdispersion_is_pearson_chi_square_per_degree_of_freedom() -> None:
    assert overdispersion(np.array([4, 0, 2]), np.array([2.0, 2.0, 2.0])) == pytest.approx(2.0)
