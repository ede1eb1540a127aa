"""Windows are fixed: calendar years, or two years up to the end of a quarter, behind the embargo."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.privacy import PARTNER, PUBLIC, Level
from exports.windows import window_for


@pytest.mark.parametrize(
    ("level", "today", "start", "end"),
    [
        (PARTNER, date(2026, 7, 30), date(2024, 7, 1), date(2026, 6, 30)),
        (PARTNER, date(2026, 7, 29), date(2024, 4, 1), date(2026, 3, 31)),
        (PARTNER, date(2026, 1, 30), date(2024, 1, 1), date(2025, 12, 31)),
        (PUBLIC, date(2026, 7, 1), date(2024, 4, 1), date(2026, 3, 31)),
        (PUBLIC, date(2026, 9, 27), date(2024, 4, 1), date(2026, 3, 31)),
        (PUBLIC, date(2026, 9, 28), date(2024, 7, 1), date(2026, 6, 30)),
    ],
)
def test_the_newest_complete_quarter_ends_the_window(level: Level, today: date, start: date, end: date) -> None:
    window = window_for(today, level)
    assert (window.start, window.end) == (start, end)


@given(st.dates(date(2020, 1, 1), date(2050, 1, 1)))
def test_nothing_younger_than_the_embargo_is_public(today: date) -> None:
    assert today - window_for(today, PUBLIC).end >= timedelta(days=90)
    assert window_for(today, PARTNER).end < today


def test_the_window_and_release_are_named_by_quarters() -> None:
    window = window_for(date(2026, 7, 30), PARTNER)
    assert (window.name, window.release) == ("2024Q3-2026Q2", "2026Q2")
