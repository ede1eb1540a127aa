"""Effects, trends and waiting times equal R (glm, cor.test, survfit); resampling gives the same limits every time."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from exports.indicators.effect_statistics import (
    Rate,
    before_after_control_impact,
    cluster_bootstrap,
    difference_in_differences,
    effect_class,
    kaplan_meier,
    mann_kendall,
    relative_risk,
    yearly_change,
)
from exports.indicators.intervals import Estimate

REFERENCE = json.loads((Path(__file__).parents[2] / "oracles" / "REFERENCE_VALUES.json").read_text())


def test_the_change_against_controls_is_the_interaction_of_a_poisson_regression() -> None:
    case = REFERENCE["baci"]
    rates = [Rate(*case[role][when]) for role in ("treat", "control") for when in ("before", "after")]
    found = before_after_control_impact(*rates)
    assert found.ratio.value == pytest.approx(case["ratio"], abs=1e-9)
    assert found.log_error == pytest.approx(case["se_log"], abs=1e-8)
    assert found.ratio[1:] == pytest.approx(case["ci95"], abs=1e-6)
    assert not found.is_filled_up
    p = math.erfc(abs(math.log(found.ratio.value)) / found.log_error / math.sqrt(2))
    assert p == pytest.approx(case["p"], abs=1e-6)


def test_an_empty_count_is_filled_up_on_all_sides_and_said() -> None:
    found = relative_risk(Rate(0, 100), Rate(4, 50))
    assert found.is_filled_up
    assert found.ratio.value == pytest.approx((0.5 / 100) / (4.5 / 50))
    assert relative_risk(Rate(2, 100), Rate(4, 50)).ratio.value == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("ratio", "name"),
    [
        ((0.2, 0.1, 0.9), "effective"),
        ((0.25, 0.1, 1.0), "effective"),
        ((0.3, 0.1, 0.9), "promising"),
        ((0.2, 0.1, 1.1), "unproven"),
        ((0.2, None, None), "unproven"),
        ((3.0, 1.1, 9.0), "harmful"),
    ],
)
def test_effects_have_classes(ratio: tuple[float, float | None, float | None], name: str) -> None:
    assert effect_class(Estimate(*ratio)) == name


@pytest.mark.parametrize("case", REFERENCE["mann_kendall"])
def test_trends_equal_mann_kendall_of_r(case: dict[str, float]) -> None:
    found = mann_kendall(case["x"])  # type: ignore[arg-type]
    assert found.s == case["S"]
    assert found[1:4] == pytest.approx((case["varS"], case["z"], case["p"]), abs=1e-9)
    assert found.slope == pytest.approx(case.get("sen", found.slope))


def test_no_values_that_differ_no_trend() -> None:
    assert mann_kendall([3, 3, 3, 3])[:4] == (0, 0, 0, 1)


def test_ten_percent_a_year_is_found_with_limits_of_students_t() -> None:
    assert yearly_change([2020, 2021, 2023], [100, 110, 133.1]) == pytest.approx((10, 10, 10), abs=1e-6)
    logs = [0.1, 0.15, 0.35, 0.38, 0.52]
    found = yearly_change([1, 2, 3, 4, 5], [math.exp(each) for each in logs])
    error = math.sqrt(sum((each - 0.3 - 0.107 * (x - 3)) ** 2 for x, each in enumerate(logs, 1)) / 3 / 10)
    limits = [100 * math.expm1(0.107 + sign * 3.18244631 * error) for sign in (-1, 1)]
    assert found == pytest.approx((100 * math.expm1(0.107), *limits))


def test_waiting_times_equal_survfit_of_r() -> None:
    """The patients of Embury et al. 1977, as `survival::aml`: survfit gives 31 (18, NA) and 23 (8, NA)."""
    kept = kaplan_meier(
        [9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161], [True, True, False, True, True, False, True, True, False, True, False]
    )
    assert kept[:3] == (31, 18, None)
    assert (kept.slowest, kept.ended, kept.open) == (None, 7, 4)
    alone = kaplan_meier([5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45], [number != 5 for number in range(12)])
    assert alone[:3] == (23, 8, None)


def test_open_claims_lengthen_the_wait() -> None:
    paid = [10.0, 20.0, 30.0]
    assert kaplan_meier(paid, [True] * 3).median == 20
    assert kaplan_meier([*paid, 200, 300], [True] * 3 + [False] * 2).median == 30
    assert kaplan_meier([*paid, *[300] * 9], [True] * 3 + [False] * 9).median is None
    assert kaplan_meier([5.0], [False])[:3] == (None, None, None)


def test_resampling_draws_whole_clusters_and_repeats_itself() -> None:
    clusters = np.array([[value, 1.0] for value in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)], np.float64)
    limits = cluster_bootstrap([clusters], lambda totals: totals[0][:, 0] / totals[0][:, 1])
    assert limits == cluster_bootstrap([clusters], lambda totals: totals[0][:, 0] / totals[0][:, 1])
    assert limits is not None
    error = math.sqrt(8.25 / 10)
    assert limits == pytest.approx((5.5 - 1.96 * error, 5.5 + 1.96 * error), abs=0.2)
    tenfold = np.repeat(clusters, 10, axis=0)
    narrow = cluster_bootstrap([tenfold], lambda totals: totals[0][:, 0] / totals[0][:, 1])
    assert narrow is not None
    assert narrow[1] - narrow[0] < (limits[1] - limits[0]) / 2


def test_resampling_gives_nothing_where_most_draws_have_no_value() -> None:
    assert cluster_bootstrap([np.array([[1.0, 0.0], [2.0, 0.0]])], lambda totals: totals[0][:, 0] / totals[0][:, 1]) is None


def test_the_change_elsewhere_is_taken_from_that_of_the_programme() -> None:
    programme = np.array([[20, 10, 40, 10], [22, 10, 42, 10], [18, 10, 41, 10]], np.float64)
    control = np.array([[20, 10, 25, 10], [21, 10, 25, 10]], np.float64)
    found = difference_in_differences(programme, control)
    assert found.value == pytest.approx((123 - 60) / 30 - (50 - 41) / 20)
    assert found.lower is not None
    assert found.upper is not None
    assert found.lower < found.value < found.upper
    assert difference_in_differences(programme, control[:1])[1:] == (None, None)
