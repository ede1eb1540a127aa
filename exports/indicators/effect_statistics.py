"""Did it help, does it change, how long does it take: ratios of rates, trends, waiting times, and resampling of whole clusters."""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from exports.indicators.intervals import Estimate, Z, student_t
from exports.statistics import Floats

DRAWS, SEED = 2000, 7161
EFFECTIVE_RATIO = 0.25
"""A measure works when attacks fall to a quarter or less (Khorozyan 2021)."""


class Rate(NamedTuple):
    """Events, and what could have suffered them: livestock-months."""

    events: float
    exposure: float


class RatioOfRates(NamedTuple):
    """A ratio with log-normal limits, the standard error of its logarithm, and whether empty counts had to be filled up."""

    ratio: Estimate
    log_error: float
    is_filled_up: bool


def relative_risk(treated: Rate, control: Rate) -> RatioOfRates:
    """Give the rate with the measure by the rate without. Exposures are above zero."""
    return _ratio([treated], [control])


def before_after_control_impact(
    treated_before: Rate, treated_after: Rate, control_before: Rate, control_after: Rate
) -> RatioOfRates:
    """Give the change of the treated by the change of the controls: 1 is no effect, 0.3 is 70 percent fewer attacks.

    It is the interaction of a Poisson regression with the logarithm of exposure as offset. Exposures are above zero.
    """
    return _ratio([treated_after, control_before], [treated_before, control_after])


def _ratio(above: Sequence[Rate], below: Sequence[Rate]) -> RatioOfRates:
    """Multiply and divide rates; with an empty count, half an event is added to all (Haldane 1956; Anscombe 1956)."""
    is_filled_up = any(each.events == 0 for each in (*above, *below))
    extra = 0.5 if is_filled_up else 0.0
    log_ratio = sum(math.log((each.events + extra) / each.exposure) for each in above)
    log_ratio -= sum(math.log((each.events + extra) / each.exposure) for each in below)
    error = math.sqrt(sum(1 / (each.events + extra) for each in (*above, *below)))
    limits = (math.exp(log_ratio - Z * error), math.exp(log_ratio + Z * error))
    return RatioOfRates(Estimate(math.exp(log_ratio), *limits), error, is_filled_up)


def effect_class(ratio: Estimate) -> str:
    """Name an effect: effective, promising, harmful or unproven, by ratio and limits (Khorozyan & Waltert 2019, Khorozyan 2021)."""
    if ratio.upper is not None and ratio.upper <= 1 and ratio.value <= EFFECTIVE_RATIO:
        return "effective"
    if ratio.upper is not None and ratio.upper < 1:
        return "promising"
    if ratio.lower is not None and ratio.lower > 1:
        return "harmful"
    return "unproven"


def cluster_bootstrap(
    strata: Sequence[Floats], statistic: Callable[[Sequence[Floats]], Floats], *, draws: int = DRAWS, seed: int = SEED
) -> tuple[float, float] | None:
    """Give percentile limits of a statistic of totals, drawing whole clusters with replacement inside each stratum.

    A stratum is (clusters, columns); `statistic` gets one array of totals (draws, columns) per stratum and gives one value per
    draw, not-a-number where it has none. The seed is fixed: same data, same limits. None when most draws have no value.
    """
    chance = np.random.default_rng(seed)
    totals = [stratum[chance.integers(0, len(stratum), (draws, len(stratum)))].sum(axis=1) for stratum in strata]
    with np.errstate(divide="ignore", invalid="ignore"):
        values = statistic(totals)
    values = values[np.isfinite(values)]
    if len(values) < draws / 2:
        return None
    lower, upper = np.quantile(values, [0.025, 0.975])
    return float(lower), float(upper)


def difference_in_differences(programme: Floats, control: Floats) -> Estimate:
    """Give the change of the mean in the programme minus the change elsewhere, with limits by cluster bootstrap.

    A row per cluster: sum and number of values before, sum and number after. Without two clusters on each side there are no limits.
    """

    def difference(totals: Sequence[Floats]) -> Floats:
        changes = [total[:, 2] / total[:, 3] - total[:, 0] / total[:, 1] for total in totals]
        result: Floats = changes[0] - changes[1]
        return result

    value = float(difference([programme.sum(axis=0)[None, :], control.sum(axis=0)[None, :]])[0])
    enough = min(len(programme), len(control)) >= 2
    limits = cluster_bootstrap([programme, control], difference) if enough else None
    return Estimate(value, *(limits or (None, None)))


class Trend(NamedTuple):
    """Whether values rise or fall with time: S, its variance, z, the two-sided p, and Sen's slope per step of time."""

    s: int
    variance: float
    z: float
    p: float
    slope: float


def mann_kendall(values: Sequence[float]) -> Trend:
    """Test for a monotonic trend, with ties and continuity correction (Mann 1945, Kendall 1975; slope: Sen 1968)."""
    x = np.asarray(values, np.float64)
    first, second = np.triu_indices(len(x), 1)
    steps = x[second] - x[first]
    s = int(np.sign(steps).sum())
    ties = np.unique(x, return_counts=True)[1].astype(np.float64)
    n = float(len(x))
    variance = float((n * (n - 1) * (2 * n + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18)
    z = (s - math.copysign(1, s)) / math.sqrt(variance) if s and variance else 0.0
    return Trend(s, variance, z, 2 * NormalDist().cdf(-abs(z)), float(np.median(steps / (second - first))))


def yearly_change(years: Sequence[int], values: Sequence[float]) -> Estimate:
    """Give the percent of change per year by a straight line through the logarithms; three years or more, values above zero."""
    x, y = np.asarray(years, np.float64), np.log(np.asarray(values, np.float64))
    x = x - x.mean()
    slope = float((x * y).sum() / (x * x).sum())
    residual = y - y.mean() - slope * x
    error = math.sqrt(float((residual**2).sum()) / (len(x) - 2) / float((x * x).sum()))
    half = student_t(len(x) - 2) * error
    return Estimate(*(100 * math.expm1(each) for each in (slope, slope - half, slope + half)))


class Waiting(NamedTuple):
    """Days until half and until nine of ten have come to an end; None where so many have not come to one yet."""

    median: float | None
    lower: float | None
    upper: float | None
    slowest: float | None
    ended: int
    open: int


def kaplan_meier(days: Sequence[float], ended: Sequence[bool]) -> Waiting:
    """Give waiting times where some still wait (Kaplan & Meier 1958).

    Limits of the median: where the logarithmic limits of the curve (Greenwood) cross one half, as Brookmeyer & Crowley (1982).
    """
    time, is_end = np.asarray(days, np.float64), np.asarray(ended, bool)
    left, chaos = 1.0, 0.0
    curve: list[tuple[float, float, float, float]] = []
    for moment in np.unique(time[is_end]).tolist():
        at_risk, ends = int((time >= moment).sum()), int((is_end & (time == moment)).sum())
        left *= 1 - ends / at_risk
        chaos += ends / (at_risk * (at_risk - ends)) if at_risk > ends else math.inf
        reach = Z * math.sqrt(chaos)
        limits = (left * math.exp(-reach), left * math.exp(reach)) if left > 0 else (math.nan, math.nan)
        curve.append((moment, left, *limits))

    def crossing(column: int, level: float) -> float | None:
        return next((point[0] for point in curve if point[column] <= level + 1e-12), None)

    return Waiting(crossing(1, 0.5), crossing(2, 0.5), crossing(3, 0.5), crossing(1, 0.1), int(is_end.sum()), int((~is_end).sum()))
