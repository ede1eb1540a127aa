"""Days of the Hijri calendars in the Gregorian one."""

import itertools
from datetime import date, timedelta

import pytest

from forms.calendars import from_lunar_hijri, from_solar_hijri, to_solar_hijri


@pytest.mark.parametrize(
    ("solar", "day"),
    [((1404, 1, 1), "2025-03-21"), ((1403, 12, 30), "2025-03-20"), ((1399, 1, 1), "2020-03-20"), ((1405, 9, 1), "2026-11-22"),
     ((1357, 11, 22), "1979-02-11"), ((1400, 7, 1), "2021-09-23")],
)  # fmt: skip
def test_days_of_the_solar_calendar(solar: tuple[int, int, int], day: str) -> None:
    assert from_solar_hijri(*solar) == date.fromisoformat(day)


def test_every_solar_day_follows_the_one_before() -> None:
    days = [from_solar_hijri(year, month, day) for year in range(1300, 1450) for month in range(1, 13) for day in range(1, 32)]
    known = [day for day in days if day is not None]
    assert all(later - earlier == timedelta(days=1) for earlier, later in itertools.pairwise(known))


def test_every_day_has_its_solar_day() -> None:
    days = [date(1921, 3, 21) + timedelta(days=number) for number in range(0, 50_000, 7)]
    assert [from_solar_hijri(*to_solar_hijri(day)) for day in days] == days


@pytest.mark.parametrize("parts", [(1404, 12, 30), (1404, 7, 31), (1404, 13, 1), (1404, 1, 0), (9999, 1, 1)])
def test_what_is_no_solar_day_is_none(parts: tuple[int, int, int]) -> None:
    assert from_solar_hijri(*parts) is None


@pytest.mark.parametrize(
    ("lunar", "day"), [((1445, 1, 1), "2023-07-19"), ((1446, 9, 1), "2025-03-01"), ((1447, 10, 1), "2026-03-20")]
)
def test_days_of_the_lunar_calendar_give_or_take_two(lunar: tuple[int, int, int], day: str) -> None:
    found = from_lunar_hijri(*lunar)
    assert found is not None
    assert abs(found - date.fromisoformat(day)) <= timedelta(days=2)


def test_what_is_no_lunar_day_is_none() -> None:
    assert (from_lunar_hijri(1446, 13, 1), from_lunar_hijri(1446, 1, 31)) == (None, None)
