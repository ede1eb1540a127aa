"""How many animals there are: distance sampling along lines, and counts by two observers who do not talk to each other."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from exports.indicators.intervals import Estimate, Z, student_t

STEP = 1e-4
"""By how much the logarithm of sigma is moved to measure the curvature of the likelihood."""


class DetectionFit(NamedTuple):
    """Half-normal detection along a line: g(x) = exp(-x2 / (2 sigma2)).

    `sigma` and `width` (effective half-width of the strip) are in the unit of the distances; `cv` is that of the width.
    `is_flat`: detection did not fall with distance, so everything up to the truncation counts as seen.
    """

    log_sigma: float
    log_likelihood: float
    width: float
    cv: float
    is_flat: bool


def half_normal(n: int, sum_of_squares: float, truncation: float) -> DetectionFit:
    """Fit the half-normal function by maximum likelihood to n perpendicular distances up to `truncation`, given their squares' sum.

    No adjustment terms (Buckland et al. 2001, chapter 3). `n` is above zero.
    """

    def slope(log_sigma: float) -> float:
        return (_likelihood(log_sigma + STEP) - _likelihood(log_sigma - STEP)) / (2 * STEP)

    def _likelihood(log_sigma: float) -> float:
        return -sum_of_squares / (2 * math.exp(2 * log_sigma)) - n * math.log(_strip(log_sigma, truncation))

    low, high = math.log(truncation / 50), math.log(truncation * 50)
    upper_bound = high
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    fitted = (low + high) / 2
    if fitted > upper_bound - math.log(5):  # g at the truncation is above 0.99
        return DetectionFit(fitted, -n * math.log(truncation), truncation, 0.0, True)
    curvature = (_likelihood(fitted + STEP) - 2 * _likelihood(fitted) + _likelihood(fitted - STEP)) / STEP**2
    steepness = (math.log(_strip(fitted + STEP, truncation)) - math.log(_strip(fitted - STEP, truncation))) / (2 * STEP)
    cv = abs(steepness) / math.sqrt(-curvature) if curvature < 0 else math.inf
    return DetectionFit(fitted, _likelihood(fitted), _strip(fitted, truncation), cv, False)


def _strip(log_sigma: float, truncation: float) -> float:
    """Give the effective half-width of the strip: the integral of g from 0 to the truncation."""
    sigma = math.exp(log_sigma)
    return sigma * math.sqrt(math.pi / 2) * math.erf(truncation / (sigma * math.sqrt(2)))


def encounter_rate(counts: Sequence[float], lengths: Sequence[float]) -> tuple[Estimate, float]:
    """Give animals or groups per unit of length over K lines, and the variance of their number.

    var(n) = L / (K - 1) * sum of l (n/l - N/L)2 (Buckland et al. 2001, section 3.6.2); limits are those of Student's t, not below
    zero. With one line there are no limits, and the variance is that of chance alone.
    """
    number, length, lines = float(sum(counts)), float(sum(lengths)), len(lengths)
    rate = number / length
    if lines < 2:
        return Estimate(rate), number
    variance = length / (lines - 1) * sum(each * (count / each - rate) ** 2 for count, each in zip(counts, lengths, strict=True))
    half = student_t(lines - 1) * math.sqrt(variance) / length
    return Estimate(rate, max(0.0, rate - half), rate + half), variance


class LineDensity(NamedTuple):
    """Animals per square kilometre with log-normal limits, and what they were made from."""

    density: Estimate
    groups: float
    """Groups per square kilometre."""
    cv: float
    degrees: float
    """Degrees of freedom (Satterthwaite)."""
    fit: DetectionFit


def line_density(
    distances_m: Sequence[float], sizes: Sequence[int], truncation_m: float, counts: Sequence[int], lengths_km: Sequence[float]
) -> LineDensity:
    """Give the density of animals from line transects (Buckland et al. 2001, sections 3.3 to 3.7).

    `distances_m` and `sizes` are of the groups up to the truncation, `counts` and `lengths_km` of the lines, two or more.
    cv2 = cv2(n) + cv2(width) + cv2(size); limits are D / C and D * C with C = exp(t sqrt(ln(1 + cv2))).
    """
    n = len(distances_m)
    fit = half_normal(n, float(np.square(distances_m).sum()), truncation_m)
    _, variance = encounter_rate(counts, lengths_km)
    size = float(np.mean(sizes))
    groups = n / (2 * sum(lengths_km) * fit.width / 1000)
    parts = [
        (variance / n**2, len(lengths_km) - 1),
        (fit.cv**2, n - 1),
        (float(np.var(sizes, ddof=1)) / n / size**2 if n > 1 else 0.0, n - 1),
    ]
    total = sum(part for part, _ in parts)
    below = sum(part**2 / degrees for part, degrees in parts if part > 0)
    degrees = total**2 / below if below else math.inf
    density = groups * size
    factor = math.exp(student_t(degrees) * math.sqrt(math.log1p(total)))
    return LineDensity(Estimate(density, density / factor, density * factor), groups, math.sqrt(total), degrees, fit)


class DoubleCount(NamedTuple):
    """Groups and animals by two observers: estimates, standard errors, and the chance of each observer to see a group."""

    groups: float
    groups_error: float
    animals: Estimate
    animals_error: float
    seen_by_first: float
    seen_by_second: float


def double_observer(both: int, first_only: int, second_only: int, sizes: Sequence[int]) -> DoubleCount:
    """Estimate groups by Chapman's form of Lincoln-Petersen (Chapman 1951; Forsyth & Hickling 1997), animals by mean group size.

    Limits of the animals are log-normal (Burnham et al. 1987) above the number seen. `sizes` are of all groups seen, one or more.
    Groups hard to see for both observers bias the estimate low.
    """
    first, second = both + first_only + 1, both + second_only + 1
    groups = first * second / (both + 1) - 1
    variance = first_only * second_only * first * second / ((both + 1) ** 2 * (both + 2))
    size = float(np.mean(sizes))
    size_variance = float(np.var(sizes, ddof=1)) / len(sizes) if len(sizes) > 1 else 0.0
    animals = groups * size
    spread = size**2 * variance + groups**2 * size_variance - variance * size_variance
    error = math.sqrt(max(0.0, spread))
    factor = math.exp(Z * math.sqrt(math.log1p((error / animals) ** 2)))
    seen = float(sum(sizes))
    return DoubleCount(
        groups,
        math.sqrt(variance),
        Estimate(animals, max(seen, animals / factor), animals * factor),
        error,
        both / (both + second_only) if both + second_only else 0.0,
        both / (both + first_only) if both + first_only else 0.0,
    )
