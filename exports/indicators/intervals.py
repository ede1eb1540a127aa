"""Shares, rates, medians and ratios with their confidence limits, in plain Python and numpy. Limits are at 95 percent."""

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from exports.statistics import garwood_interval

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)


class Estimate(NamedTuple):
    """A value with its confidence limits; a limit that the data do not give is None."""

    value: float
    lower: float | None = None
    upper: float | None = None


def wilson(successes: int, trials: int) -> Estimate:
    """Give a share from 0 to 1 by the score interval (Wilson 1927). `trials` is above zero."""
    share, square = successes / trials, Z * Z / trials
    centre = (share + square / 2) / (1 + square)
    half = Z / (1 + square) * math.sqrt(share * (1 - share) / trials + square / (4 * trials))
    lower = centre - half if successes else 0.0
    return Estimate(share, lower, centre + half if successes < trials else 1.0)


def poisson_rate(events: int, exposure: float, per: float = 1.0) -> Estimate:
    """Give events per `per` units of exposure with exact limits (Garwood 1936). `exposure` is above zero."""
    lower, upper = garwood_interval(events)
    return Estimate(events / exposure * per, lower / exposure * per, upper / exposure * per)


@lru_cache(maxsize=256)
def student_t(degrees: float) -> float:
    """Give the 97.5 percent quantile of Student's t; `degrees` of freedom above zero, not necessarily whole."""
    if degrees > 1e6:
        return Z
    low, high = 0.0, 1.0
    while _t_tail(high, degrees) > (1 - CONFIDENCE) / 2:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        if _t_tail(middle, degrees) > (1 - CONFIDENCE) / 2:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _t_tail(t: float, degrees: float) -> float:
    """Give P(T > t) for t >= 0, half a regularised incomplete beta function."""
    return _incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t)) / 2


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Give I_x(a, b) by its continued fraction (DLMF 8.17.22), on the side where it converges fast."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    tiny = 1e-300
    fraction, c, d = 1.0, 1.0, 0.0
    for step in range(400):
        m = step // 2
        if step == 0:
            term = 1.0
        elif step % 2 == 0:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / (1 + term * d or tiny)
        c = 1 + term / c or tiny
        fraction *= c * d
        if abs(c * d - 1) < 1e-15 and step:
            break
    return front * (fraction - 1)


def median(values: Sequence[float]) -> Estimate:
    """Give the median with limits that hold whatever the distribution (order statistics, sign test); none below six values."""
    ordered = sorted(values)
    n = len(ordered)
    below = max(0, int(n / 2 - 5 * math.sqrt(n)))  # what lies below that is less than one in a million
    cumulative = _coins(n, below)
    while cumulative <= (1 - CONFIDENCE) / 2:
        below += 1
        cumulative += _coins(n, below)
    if not below:
        return Estimate(float(np.median(ordered)))
    return Estimate(float(np.median(ordered)), ordered[below - 1], ordered[n - below])


def _coins(n: int, heads: int) -> float:
    """Give the probability of so many heads among n coins."""
    return math.exp(math.lgamma(n + 1) - math.lgamma(heads + 1) - math.lgamma(n - heads + 1) - n * math.log(2))


def percentile_90(values: Sequence[float]) -> float:
    """Give the 90th percentile, linear between values (type 7 of Hyndman & Fan 1996)."""
    return float(np.quantile(values, 0.9))


def mean(values: Sequence[float]) -> Estimate:
    """Give the mean with limits of Student's t; none for a single value."""
    n = len(values)
    centre = float(np.mean(values))
    if n < 2:
        return Estimate(centre)
    half = student_t(n - 1) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return Estimate(centre, centre - half, centre + half)


def ratio_of_sums(above: Sequence[float], below: Sequence[float]) -> Estimate:
    """Give the sum of `above` by the sum of `below`, given for the same groups, with Fieller's limits (1954).

    There are no limits for a single group, nor where the sum below could be zero. That sum is above zero.
    """
    n = len(below)
    y, x = float(np.mean(above)), float(np.mean(below))
    ratio = y / x
    if n < 2:
        return Estimate(ratio)
    t = student_t(n - 1)
    (var_y, cov), (_, var_x) = np.cov(above, below) / n
    g = t * t * var_x / (x * x)
    if g >= 1:
        return Estimate(ratio)
    spread = var_y - 2 * ratio * cov + ratio**2 * var_x - (g * (var_y - cov**2 / var_x) if var_x > 0 else 0.0)
    centre = ratio - (g * cov / var_x if var_x > 0 else 0.0)
    half = t / x * math.sqrt(max(0.0, float(spread)))
    return Estimate(ratio, float((centre - half) / (1 - g)), float((centre + half) / (1 - g)))
