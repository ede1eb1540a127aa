"""Intervals equal R and the printed tables; what the data do not give is not invented."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.indicators.intervals import mean, median, percentile_90, poisson_rate, ratio_of_sums, student_t, wilson

REFERENCE = json.loads((Path(__file__).parents[2] / "oracles" / "REFERENCE_VALUES.json").read_text())


def test_wilson_equals_prop_test_of_r() -> None:
    case = REFERENCE["wilson"]
    assert wilson(case["x"], case["n"]) == pytest.approx((case["p"], *case["ci95"]), abs=1e-8)


def test_a_rate_has_the_exact_limits_of_poisson_test_of_r() -> None:
    case = REFERENCE["poisson_rate_ci"]
    assert poisson_rate(case["events"], case["exposure"]) == pytest.approx((case["rate"], *case["ci95"]), rel=1e-8)
    none = poisson_rate(0, 500, per=1000)
    assert none[:2] == (0, 0)
    assert none.upper == pytest.approx(1000 * case["zero_events_exposure_500_upper"], rel=1e-8)


@pytest.mark.parametrize(
    ("degrees", "quantile"),
    [(1, 12.70620474), (2, 4.30265273), (5, 2.57058184), (10, 2.22813885), (30, 2.04227246), (120, 1.97993041)],
)
def test_students_t_equals_the_printed_tables(degrees: float, quantile: float) -> None:
    assert student_t(degrees) == pytest.approx(quantile, abs=1e-8)


@given(st.floats(0.5, 1e5))
def test_students_t_falls_towards_the_normal(degrees: float) -> None:
    assert 1.959963 < student_t(degrees * 1.1) < student_t(degrees)


def test_limits_of_a_median_are_the_ranks_of_the_sign_test() -> None:
    assert median(range(1, 11)) == (5.5, 2, 9)  # ranks 2 and 9 of 10: 97.9 percent (Conover, table A3)
    assert median([1, 2, 3, 4, 5, 60]) == (3.5, 1, 60)
    assert median([1, 2, 3, 4, 500]) == (3, None, None)
    assert median(range(1, 26)) == (13, 8, 18)
    assert median(range(1, 20_002)) == (10_001, 9862, 10_140)  # n / 2 - 0.98 root of n


def test_the_90th_percentile_lies_between_values() -> None:
    assert percentile_90([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) == 10
    assert percentile_90([0, 10]) == 9


def test_a_mean_has_limits_of_students_t() -> None:
    assert mean([1, 2, 3, 4, 5]) == pytest.approx((3, 3 - 1.96324319, 3 + 1.96324319), abs=1e-7)
    assert mean([4]) == (4, None, None)


def test_a_ratio_is_where_fieller_says() -> None:
    young, females = [3, 2, 0, 4, 1, 2, 5, 3], [5, 4, 1, 6, 3, 4, 7, 5]
    found = ratio_of_sums(young, females)
    assert found.value == pytest.approx(20 / 35)
    assert found.lower is not None
    assert found.upper is not None
    for limit in (found.lower, found.upper):  # there the t test of young - limit * females is at its critical value
        rest = [one - limit * other for one, other in zip(young, females, strict=True)]
        centre = sum(rest) / 8
        error = math.sqrt(sum((each - centre) ** 2 for each in rest) / 7 / 8)
        assert abs(centre) / error == pytest.approx(student_t(7))


def test_a_ratio_has_no_limits_where_the_sum_below_could_be_zero() -> None:
    assert ratio_of_sums([1, 2], [0, 9]) == (pytest.approx(3 / 9), None, None)
    assert ratio_of_sums([1], [2]) == (0.5, None, None)
    assert ratio_of_sums([1, 1, 1], [2, 2, 2]) == (0.5, 0.5, 0.5)
