"""What the Date header of a phone may be used for: a hint that never points the wrong way."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sync.phone_clock import offset, rounded
from tests.support.wire import twelve_hour_date

NOW = datetime(2026, 5, 2, 9, 40, tzinfo=UTC)
MINUTES = st.integers(-4 * 24 * 60, 4 * 24 * 60)
arrivals = st.integers(1709078400, 1798675200).map(lambda second: datetime.fromtimestamp(second, UTC))


def header(phone: datetime) -> str:
    return twelve_hour_date(phone.timestamp())


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@given(arrivals, st.integers(-330, 330), st.integers(0, 3 * 24 * 60))
@example(NOW, -330, 11 * 60)
@example(datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC), -20, 0)
def test_a_clock_wrong_by_hours_is_told_right_or_not_at_all(received: datetime, wrong: int, age: int) -> None:
    phone = received + minutes(wrong)
    told = offset(header(phone), received, phone - minutes(age))
    assert told in {None, minutes(wrong)}
    assert told is None or abs(wrong) > 10


@given(arrivals, MINUTES, st.integers(0, 719))
@example(NOW, 12 * 60, 5)
@example(NOW, -12 * 60, 5)
def test_any_wrong_clock_is_told_right_or_not_at_all_when_the_record_is_fresh(received: datetime, wrong: int, age: int) -> None:
    phone = received + minutes(wrong)
    told = offset(header(phone), received, phone - minutes(age))
    assert told in {None, minutes(wrong)}


@given(arrivals, st.integers(2 * 24 * 60 + 720, 10 * 366 * 24 * 60), st.sampled_from([-1, 1]), st.integers(0, 10**6) | st.none())
def test_a_wrong_date_is_always_told(received: datetime, wrong: int, sign: int, age: int | None) -> None:
    phone = received + sign * minutes(wrong)
    told = offset(header(phone), received, None if age is None else phone - minutes(age))
    assert told is not None
    assert (told > timedelta()) == (sign > 0)
    assert abs(abs(told) - minutes(wrong)) <= timedelta(hours=12)
    assert age is not None or abs(told) <= minutes(wrong)


@pytest.mark.parametrize("wrong", [-180, -25, 25, 180, 330, -330])
def test_a_record_that_was_just_finished_tells_hours_and_minutes(wrong: int) -> None:
    told = [
        offset(header(received + minutes(wrong)), received, received + minutes(wrong - 3))
        for received in (NOW + minutes(60 * hour) for hour in range(24))
    ]
    assert None not in told
    assert set(told) == {minutes(wrong)}


@pytest.mark.parametrize("wrong", [8 * 60, 13 * 60, -18 * 60, -24 * 60])
def test_more_than_half_of_half_a_day_is_told_where_both_readings_point_the_same_way(wrong: int) -> None:
    phone = NOW.replace(hour=8) + timedelta(hours=1)  # its morning
    assert offset(header(phone), phone - minutes(wrong), phone - minutes(3)) == minutes(wrong)


def test_a_right_clock_is_not_spoken_of() -> None:
    for hour in range(24):
        received = NOW + minutes(60 * hour)
        for wrong in (-10, -1, 0, 1, 10):
            assert offset(header(received + minutes(wrong)), received, received + minutes(wrong - 5)) is None


def test_morning_for_evening_is_told_where_the_record_proves_it() -> None:
    phone = NOW + timedelta(hours=12)  # 21:40: the record ended at 21:30, so 09:40 cannot be meant
    assert offset(header(phone), NOW, phone - minutes(10)) == timedelta(hours=12)


def test_without_the_end_of_the_record_nothing_is_told_but_a_wrong_date() -> None:
    assert offset(header(NOW - timedelta(hours=3)), NOW, None) is None
    told = offset(header(datetime(2015, 1, 1, 8, tzinfo=UTC)), NOW, None)
    assert told is not None
    assert told < -timedelta(days=11 * 365)


def test_a_clock_that_was_corrected_after_the_record_ended_tells_nothing() -> None:
    assert offset(header(NOW), NOW, NOW + timedelta(days=30)) is None


def test_a_client_that_writes_24_hours_is_believed() -> None:
    assert offset("Sat, 02 May 2026 15:40:00 GMT", NOW, None) == timedelta(hours=6)
    assert offset("Sat, 02 May 2026 00:10:00 GMT", NOW, None) == -timedelta(hours=9, minutes=30)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "Sat, 02 May 2026",
        "شنبه, ۰۲ مه ۲۰۲۶ ۰۳:۰۷:۰۹ GMT",
        "Sat, ۰۲ May 2026 03:07:09 GMT",
        "Sat, 02 May 2026 03:07:09 +0330",
        "Sat, 02 May 2026 03:07:09 IRST",
        "Sat, 31 Feb 2026 03:07:09 GMT",
        "Sat, 02 Xyz 2026 03:07:09 GMT",
        "Sat, 02 May 0000 03:07:09 GMT",
        "Sat, 02 May 2026 99:07:09 GMT",
        "Sat, 01 Jan 0001 12:00:00 GMT",
        "Saturday, 02-May-26 03:07:09 GMT",
        "x" * 10_000,
    ],
)
def test_what_is_not_such_a_header_tells_nothing(text: str) -> None:
    assert offset(text, NOW, NOW - minutes(5)) is None


@given(st.text(max_size=60))
def test_no_text_does_harm(text: str) -> None:
    offset(text, NOW, None)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (minutes(25), (25, "minutes")),
        (minutes(-59.4), (59, "minutes")),
        (minutes(59.6), (1, "hours")),
        (minutes(-170), (3, "hours")),
        (timedelta(hours=47), (47, "hours")),
        (timedelta(hours=47.6), (2, "days")),
        (timedelta(days=-4000), (4000, "days")),
    ],
)
def test_offsets_are_rounded_as_people_say_them(wrong: timedelta, said: tuple[int, str]) -> None:
    assert rounded(wrong) == said
