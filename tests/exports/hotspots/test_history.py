"""Periods are halves of years back from a quarter's end; the history of a cell is told by the rules of emerging hot spots."""

from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from exports.hotspots.assessment import Assessment, area_exposure, assess
from exports.hotspots.history import HISTORY_CLASSES, half_years, history_class, history_of, years
from exports.windows import Window
from tests.support.maps import CELLS, CLUSTER

RISING, FALLING, LEVEL = [1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10], [10.0, 9, 8, 7, 6, 5, 4, 3, 2, 1], [3.0, 1, 3, 1, 3, 1, 3, 1, 3, 1]


@pytest.mark.parametrize(
    ("hot", "rates", "told"),
    [
        ("0000000001", LEVEL, "new"),
        ("0000000111", LEVEL, "consecutive"),
        ("1111111111", RISING, "intensifying"),
        ("1111111111", LEVEL, "persistent"),
        ("0111111111", FALLING, "diminishing"),
        ("1111111110", LEVEL, "historical"),
        ("0010100001", LEVEL, "sporadic"),
        ("0110000011", LEVEL, "sporadic"),
        ("1100000000", LEVEL, "none"),
        ("0000000000", RISING, "none"),
    ],
)
def test_each_class_has_its_pattern(hot: str, rates: list[float], told: str) -> None:
    assert history_class([each == "1" for each in hot], rates) == told
    assert told in HISTORY_CLASSES


def test_half_years_end_with_the_window_and_leave_no_day_out() -> None:
    halves = half_years(date(2026, 6, 30), 9)
    assert halves[-1] == Window(date(2026, 1, 1), date(2026, 6, 30))
    assert halves[0].start == date(2022, 1, 1)
    assert all((after.start - before.end).days == 1 for before, after in pairwise(halves))
    assert half_years(date(2026, 9, 30), 1) == [Window(date(2026, 4, 1), date(2026, 9, 30))]
    assert half_years(date(2026, 3, 31), 1) == [Window(date(2025, 10, 1), date(2026, 3, 31))]
    assert years(halves)[0] == Window(date(2022, 7, 1), date(2023, 6, 30))


def period(attacks: int, *, hot: bool) -> Assessment:
    middle = np.flatnonzero(CLUSTER)
    position = middle[np.arange(attacks) % 7] if hot else np.linspace(0, len(CELLS) - 1, attacks).astype(int)
    return assess(CELLS, CELLS[position], np.arange(attacks), area_exposure(CELLS))


def test_a_cluster_of_the_last_three_periods_is_consecutive() -> None:
    history = history_of([period(40, hot=number >= 5) for number in range(8)], 8, 6, len(CELLS))
    assert (history.periods, history.months, history.refused) == (8, 6, "")
    assert set(history.classes[CLUSTER]) == {"consecutive"}
    assert "none" in history.classes


@pytest.mark.parametrize(("periods", "attacks", "reason"), [(7, 40, "needs 8 periods"), (8, 19, "fewer than 20 attacks")])
def test_too_little_is_refused_with_the_reason(periods: int, attacks: int, reason: str) -> None:
    history = history_of([period(attacks, hot=True)] * periods, periods, 6, len(CELLS))
    assert reason in history.refused
    assert set(history.classes) == {""}
