"""How a hotspot came about: classes over many periods, in the words of emerging hot spot analysis, from the exact test.

The rules follow Esri's Emerging Hot Spot Analysis (and sfdep); what is hot in a period is decided by `assessment`, the trend by
Mann and Kendall on the calmed rates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from exports.hotspots.assessment import FEWEST_EVENTS, HOT_95, HOT_99, Assessment
from exports.indicators.effect_statistics import mann_kendall
from exports.windows import Window

FEWEST_PERIODS, MOST_PERIODS = 8, 20
MOSTLY = 0.9
"""The share of periods from which a cell counts as hot all the time."""
NEW, CONSECUTIVE, INTENSIFYING, PERSISTENT = "new", "consecutive", "intensifying", "persistent"
DIMINISHING, SPORADIC, HISTORICAL, NEVER = "diminishing", "sporadic", "historical", "none"
HISTORY_CLASSES = (NEW, CONSECUTIVE, INTENSIFYING, PERSISTENT, DIMINISHING, SPORADIC, HISTORICAL, NEVER)


@dataclass(frozen=True)
class History:
    """The class of each cell of the study area over some periods, or none and the reason in words."""

    classes: NDArray[np.str_]
    periods: int
    months: int
    """How long a period is; 0 where there is no history."""
    refused: str

    @property
    def summary(self) -> dict[str, int | str]:
        """What a release says of it."""
        return {"periods": self.periods, "months": self.months, "refused": self.refused}


def half_years(end: date, number: int) -> list[Window]:
    """Give the half-years up to a last day of a quarter, the earliest first."""
    found: list[Window] = []
    for _ in range(number):
        after = end + timedelta(days=1)
        month = after.month - 6
        start = date(after.year, month, 1) if month > 0 else date(after.year - 1, month + 12, 1)
        found.append(Window(start, end))
        end = start - timedelta(days=1)
    return found[::-1]


def years(halves: Sequence[Window]) -> list[Window]:
    """Join each two half-years, from the last one back."""
    even = halves[len(halves) % 2 :]
    return [Window(first.start, second.end) for first, second in zip(even[::2], even[1::2], strict=True)]


def history_of(assessments: Sequence[Assessment], known: int, months: int, size: int) -> History:
    """Give the class of each of `size` cells from the tests of the periods, the earliest first; `known` are those with reports."""
    nothing = np.full(size, "")
    if known < FEWEST_PERIODS:
        return History(
            nothing, known, 0, f"A history needs {FEWEST_PERIODS} periods of {months} months; there are reports of {known}."
        )
    few = sum(not one.sufficient for one in assessments)
    if few:
        reason = f"{few} of {known} periods of {months} months are too small to be tested (fewer than {FEWEST_EVENTS} attacks)."
        return History(nothing, known, 0, reason)
    hot = np.array([np.isin(one.classes, (HOT_95, HOT_99)) for one in assessments])
    rates = np.array([one.rate_eb for one in assessments])
    classes = np.array([history_class(hot[:, cell].tolist(), rates[:, cell].tolist()) for cell in range(size)], np.str_)
    return History(classes, known, months, "")


def history_class(hot: Sequence[bool], rates: Sequence[float]) -> str:
    """Give the class of one cell; both sequences have one entry per period, the earliest first."""
    share = sum(hot) / len(hot)
    if share >= MOSTLY:
        return _lasting(rates) if hot[-1] else HISTORICAL
    if not hot[-1]:
        return NEVER
    run = next(back for back, was in enumerate(reversed(hot)) if not was)
    if run < sum(hot):
        return SPORADIC
    return NEW if run == 1 else CONSECUTIVE


def _lasting(rates: Sequence[float]) -> str:
    trend = mann_kendall(list(rates))
    if trend.p > 0.05:
        return PERSISTENT
    return INTENSIFYING if trend.s > 0 else DIMINISHING
