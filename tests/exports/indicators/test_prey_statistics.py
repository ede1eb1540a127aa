"""Densities and double counts equal the R package Distance and base R; the field of their golf tees is known to the last one."""

import json
import math
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from exports.indicators.prey_statistics import double_observer, encounter_rate, half_normal, line_density

REFERENCE = json.loads((Path(__file__).parents[2] / "oracles" / "REFERENCE_VALUES.json").read_text())


def test_the_golf_tees_are_fitted_as_by_the_package_distance() -> None:
    case = REFERENCE["halfnormal_line_golftees"]
    fit = half_normal(case["n"], case["sum_x2"], case["w"])
    assert fit.log_sigma == pytest.approx(case["log_sigma"], abs=1e-6)
    assert fit.log_likelihood == pytest.approx(case["lnL"], abs=1e-4)
    groups = case["A"] * case["n"] / (2 * case["L"] * fit.width)
    assert groups * case["sum_size"] / case["n"] == pytest.approx(case["N"], abs=1e-3)


def test_the_error_of_the_width_shrinks_with_the_root_of_the_number() -> None:
    case = REFERENCE["halfnormal_line_golftees"]
    once = half_normal(case["n"], case["sum_x2"], case["w"])
    four = half_normal(4 * case["n"], 4 * case["sum_x2"], case["w"])
    assert four.width == pytest.approx(once.width)
    assert four.cv == pytest.approx(once.cv / 2, rel=1e-5)


def test_detection_that_does_not_fall_counts_the_whole_strip() -> None:
    fit = half_normal(100, 100 * 16 / 3, 4)  # mean square of distances spread evenly up to 4
    assert (fit.is_flat, fit.width, fit.cv) == (True, 4, 0)


def test_an_encounter_rate_varies_between_lines() -> None:
    rate, variance = encounter_rate([2, 0, 4], [1, 1, 2])
    assert rate.value == 1.5
    assert variance == pytest.approx(4 / 2 * (1 * 0.5**2 + 1 * 1.5**2 + 2 * 0.5**2))
    assert rate.upper == pytest.approx(1.5 + 4.30265273 * math.sqrt(variance) / 4)
    assert rate.lower == 0
    assert encounter_rate([3], [2])[0] == (1.5, None, None)


def test_a_density_joins_the_variances_of_lines_width_and_size() -> None:
    chance = np.random.default_rng(1)
    distances = np.abs(chance.normal(0, 50, 200))
    distances = distances[distances <= 100]
    counts = np.bincount(chance.integers(0, 20, len(distances)), minlength=20).tolist()
    sizes = chance.poisson(3, len(distances)) + 1
    found = line_density(distances.tolist(), sizes.tolist(), 100, counts, [2.0] * 20)
    expected = len(distances) / (2 * 40 * found.fit.width / 1000) * sizes.mean()
    assert found.density.value == pytest.approx(expected)
    assert found.groups == pytest.approx(expected / sizes.mean())
    n_part = encounter_rate(counts, [2.0] * 20)[1] / len(distances) ** 2
    size_part = sizes.var(ddof=1) / len(sizes) / sizes.mean() ** 2
    assert found.cv**2 == pytest.approx(n_part + found.fit.cv**2 + size_part)
    assert 19 < found.degrees < len(distances) + 19
    assert found.density.lower is not None
    assert found.density.upper is not None
    assert found.density.lower * found.density.upper == pytest.approx(expected**2)


def test_the_scale_of_a_half_normal_sample_is_found() -> None:
    ideal = NormalDist(0, 50)
    distances = [ideal.inv_cdf(0.5 + (rank + 0.5) / 4000) for rank in range(2000)]
    near = [each for each in distances if each <= 100]
    fit = half_normal(len(near), sum(each**2 for each in near), 100)
    assert math.exp(fit.log_sigma) == pytest.approx(50, rel=0.002)
    assert fit.width == pytest.approx(50 * math.sqrt(math.pi / 2) * math.erf(2 / math.sqrt(2)), rel=0.002)


def test_two_observers_count_golf_tees_as_in_r() -> None:
    case = REFERENCE["double_observer_golftees"]
    seen = case["B"] + case["S1"] + case["S2"]
    # sizes with the mean and standard error of the reference: only these two enter the result
    spread = case["se_mean"] * math.sqrt(seen - 1)
    sizes = [case["mean_size"] + spread * sign for sign in (1, -1) for _ in range(seen // 2)]
    found = double_observer(case["B"], case["S1"], case["S2"], sizes)  # type: ignore[arg-type]
    assert (found.groups, found.groups_error) == pytest.approx((case["G"], case["seG"]), rel=1e-8)
    assert (found.animals.value, found.animals_error) == pytest.approx((case["N"], case["seN"]), rel=1e-8)
    assert found.seen_by_first == pytest.approx(case["B"] / (case["B"] + case["S2"]))
    assert found.seen_by_second == pytest.approx(case["B"] / (case["B"] + case["S1"]))


def test_no_fewer_animals_than_were_seen() -> None:
    found = double_observer(1, 3, 3, [10] * 7)
    assert found.animals.lower == 70
