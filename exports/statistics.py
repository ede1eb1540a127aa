"""The statistics of the hotspot method in plain numpy: exact tails, false discovery rate, Getis-Ord, rates and their intervals.

A neighbourhood is given as two index arrays of equal length, `cells` and `neighbours`: one entry per neighbour of each cell.
"""

import math
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

NEGLIGIBLE = 1e-17
"""A term of a series this small beside its sum no longer changes a float64."""


class Pairs(NamedTuple):
    """The neighbourhoods of `size` cells: `neighbours[k]` is a neighbour of `cells[k]`; both are positions in 0..size-1."""

    size: int
    cells: Ints
    neighbours: Ints

    def total(self, values: Floats | Ints) -> Floats:
        """Sum the values over the neighbours of each cell."""
        return np.bincount(self.cells, weights=values[self.neighbours], minlength=self.size).astype(np.float64)


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Adjust p-values for the false discovery rate: q, in the order given (Benjamini & Hochberg 1995)."""
    return _adjusted(p_values, float(len(p_values)))


def benjamini_yekutieli(p_values: Floats) -> Floats:
    """Adjust p-values for the false discovery rate whatever they depend on, more cautiously (Benjamini & Yekutieli 2001)."""
    harmonic = float((1 / np.arange(1, len(p_values) + 1)).sum())
    return _adjusted(p_values, float(len(p_values)) * harmonic)


def _adjusted(p_values: Floats, factor: float) -> Floats:
    n = len(p_values)
    order = np.argsort(p_values, kind="stable")[::-1]
    scaled = p_values[order] * factor / np.arange(n, 0, -1)
    q_values = np.empty(n)
    q_values[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return q_values


def binomial_upper_tail(successes: Ints, trials: int, share: Floats) -> Floats:
    """Give P(X >= successes) for X ~ Binomial(trials, share), right in the far tail (1e-22 and below).

    The tail is summed outwards from its largest term, on the side where terms shrink, so that no small number is ever left over
    from a subtraction. Shares are between 0 and 1.
    """
    p = np.clip(share, 0.0, 1.0)
    k = np.asarray(successes, np.float64)
    beyond = np.where(k > trials, 0.0, 1.0)
    inside = (k > 0) & (k <= trials)
    beyond[inside & (p == 0)] = 0.0
    proper = inside & (p > 0) & (p < 1)
    above = proper & (k > trials * p)
    below = proper & ~above
    beyond[above] = _outer_tail(k[above], trials, p[above], 1 - p[above])
    beyond[below] = 1 - _outer_tail(trials - k[below] + 1, trials, 1 - p[below], p[below])
    return beyond


def _outer_tail(k: Floats, trials: int, p: Floats, q: Floats) -> Floats:
    values, position = np.unique(k, return_inverse=True)
    log_ways = math.lgamma(trials + 1) - np.array(
        [math.lgamma(value + 1) + math.lgamma(trials - value + 1) for value in values.tolist()]
    )
    log_first = log_ways[position] + k * np.log(p) + (trials - k) * np.log(q)
    term, total, odds, j = np.ones_like(p), np.ones_like(p), p / q, 0
    while np.any(term > NEGLIGIBLE * total):
        term = term * odds * np.maximum(trials - k - j, 0) / (k + j + 1)
        total = total + term
        j += 1
    tail: Floats = np.exp(log_first + np.log(total))
    return tail


@lru_cache(maxsize=4096)
def garwood_interval(count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Give the exact confidence limits of a Poisson mean of which `count` events were seen (Garwood 1936)."""
    outside = (1 - confidence) / 2
    lower = 0.0 if count == 0 else _gamma_quantile(count, outside)
    return lower, _gamma_quantile(count + 1, 1 - outside)


def _gamma_quantile(shape: int, probability: float) -> float:
    """Give x with P(shape, x) = probability: half a chi-square quantile with 2 * shape degrees of freedom."""
    z = NormalDist().inv_cdf(probability)
    x = shape * (1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape))) ** 3  # Wilson & Hilferty 1931, then Newton
    for _ in range(50):
        density = math.exp((shape - 1) * math.log(x) - x - math.lgamma(shape))
        step = (_incomplete_gamma(shape, x) - probability) / density
        x = max(x - step, x / 10)
        if abs(step) <= 1e-13 * x:
            break
    return x


def _incomplete_gamma(shape: int, x: float) -> float:
    """Give the regularised lower incomplete gamma function P(shape, x) by its series of positive terms."""
    term = total = 1.0
    n = shape
    while term > NEGLIGIBLE * total:
        n += 1
        term *= x / n
        total += term
    return total * math.exp(shape * math.log(x) - x - math.lgamma(shape + 1))


def getis_ord_star(values: Floats | Ints, pairs: Pairs) -> Floats:
    """Give the Gi* z-score of each cell with equal weights; `pairs` hold each cell itself too (Ord & Getis 1995).

    All are not-a-number where every value is the same.
    """
    n = pairs.size
    x = values.astype(np.float64)
    weight = np.bincount(pairs.cells, minlength=n).astype(np.float64)
    mean, deviation = x.mean(), x.std()
    return _z_score(pairs.total(x) - mean * weight, deviation**2 * (n * weight - weight**2) / (n - 1))


def getis_ord(values: Floats | Ints, pairs: Pairs) -> Floats:
    """Give the Gi z-score of each cell with equal weights; `pairs` leave out the cell itself (Ord & Getis 1995)."""
    n = pairs.size
    x = values.astype(np.float64)
    weight = np.bincount(pairs.cells, minlength=n).astype(np.float64)
    mean = (x.sum() - x) / (n - 1)
    variance = (np.square(x).sum() - np.square(x)) / (n - 1) - mean**2
    return _z_score(pairs.total(x) - mean * weight, variance * ((n - 1) * weight - weight**2) / (n - 2))


def _z_score(excess: Floats, variance: Floats) -> Floats:
    z: Floats = np.full(len(excess), np.nan)
    np.divide(excess, np.sqrt(np.maximum(variance, 0.0)), out=z, where=variance > 0)
    return z


class EmpiricalBayes(NamedTuple):
    """Rates drawn towards their common mean, and the mean and variance of the rates behind them."""

    rates: Floats
    mean: float
    variance: float


def empirical_bayes(events: Ints, exposure: Floats) -> EmpiricalBayes:
    """Calm the rates of small areas towards the rate of all (Marshall 1991, global). Exposure is above zero."""
    rate = events / exposure
    mean = float(events.sum() / exposure.sum())
    spread = float((exposure * (rate - mean) ** 2).sum() / exposure.sum())
    variance = max(0.0, spread - mean / float(exposure.mean()))
    if mean == 0:
        return EmpiricalBayes(rate, mean, variance)
    weight = variance / (variance + mean / exposure)
    return EmpiricalBayes(weight * rate + (1 - weight) * mean, mean, variance)


def overdispersion(observed: Ints, expected: Floats) -> float:
    """Give the variance of counts against a Poisson's: 1 is pure chance, above 2 is strong clustering."""
    return float(((observed - expected) ** 2 / expected).sum() / (len(observed) - 1))
