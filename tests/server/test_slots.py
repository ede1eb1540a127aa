"""Slots of a schedule, seen from any moment."""

from datetime import UTC, datetime, timedelta

import pytest

from server.slots import newest_slot, trigger

NOON = datetime(2026, 5, 6, 12, 0, tzinfo=UTC)  # a Wednesday
LONG_AGO = NOON - timedelta(days=4000)


def fires(schedule: str, now: datetime, after: datetime = LONG_AGO) -> datetime | None:
    cron = trigger(schedule)
    cron.timezone = UTC
    return newest_slot(cron, now, after)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("0 2 * * *", NOON.replace(hour=2)),
        ("0 12 * * *", NOON),
        ("* * * * *", NOON),
        ("30 3 1 * *", datetime(2026, 5, 1, 3, 30, tzinfo=UTC)),
        ("0 0 1 1 *", datetime(2026, 1, 1, tzinfo=UTC)),
        ("0 0 29 2 *", None),  # not within a year
    ],
)
def test_the_newest_slot_is_the_last_moment_the_schedule_fired(schedule: str, expected: datetime | None) -> None:
    assert fires(schedule, NOON) == expected


@pytest.mark.parametrize(("weekday", "day"), [("0", 3), ("7", 3), ("1", 4), ("3", 6), ("1-5", 6), ("6", 2), ("sun", 3)])
def test_days_of_the_week_count_from_sunday_as_cron_has_it(weekday: str, day: int) -> None:
    assert fires(f"0 1 * * {weekday}", NOON) == datetime(2026, 5, day, 1, tzinfo=UTC)


def test_a_slot_that_was_run_is_not_due_again_and_the_next_one_is() -> None:
    slot = NOON.replace(hour=2)
    assert fires("0 2 * * *", NOON, after=slot) is None
    assert fires("0 2 * * *", NOON + timedelta(days=1), after=slot) == slot + timedelta(days=1)


def test_after_a_long_sleep_only_the_newest_slot_is_due() -> None:
    assert fires("0 2 * * *", NOON, after=NOON - timedelta(days=60)) == NOON.replace(hour=2)


def test_a_clock_set_back_makes_nothing_due() -> None:
    assert fires("0 2 * * *", NOON - timedelta(days=2000), after=NOON) is None


@pytest.mark.parametrize("schedule", ["", "0 2 * *", "61 * * * *", "every night", "0 2 * * 9"])
def test_what_is_no_schedule_is_refused(schedule: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        trigger(schedule)
