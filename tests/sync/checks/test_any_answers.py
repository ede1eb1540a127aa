"""Whatever phones and people write: no check fails, and what is read means one thing only."""

import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.calendars import from_lunar_hijri, from_solar_hijri
from sync.checks import devices, pictures, place, time, words
from sync.checks.case import Case
from tests.support.cases import RECEIVED, TEHRAN, case, codes, definition, sent

CHECKS = (*place.CHECKS, *time.CHECKS, *words.CHECKS, *devices.CHECKS, *pictures.CHECKS, words.test)
PERSIAN, ARABIC = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"), str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
DIGITS = st.sampled_from([{}, PERSIAN, ARABIC])
NAMES = st.sampled_from(sorted({name for item in definition().walk() for name in item.path})) | st.text(max_size=5)
TEXTS = st.text(max_size=30) | st.sampled_from(
    ["nan nan", "1e999 0", "35.7 51.4", TEHRAN, "2026-05-01", "0000-00-00", "1404-13-40", "9999-12-31T23:59:59+14:00", "0001-01-01",
     "2026-05-02T10:00:00+03:30", "-", "۱۴۰۴/۱۲/۳۰", "yes", "no", "test", "0912 345 6789"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)
DEGREES = st.integers(-89_000_000, 89_000_000).map(lambda number: number / 1_000_000)


@settings(max_examples=400)
@given(answers=st.dictionaries(NAMES, JSON, max_size=12), known=st.booleans())
def test_no_check_fails_on_any_answers(answers: dict[str, Any], known: bool) -> None:
    one = case({}, definition=definition() if known else None, earlier=[sent(1), sent(2)])
    one.answers, one._asked = answers, None
    one.finished_at = None
    for check in CHECKS:
        list(check(one))


@given(latitude=DEGREES, longitude=DEGREES, table=DIGITS)
def test_a_point_is_read_in_any_digits(latitude: float, longitude: float, table: dict[int, str]) -> None:
    text = f"{latitude} {longitude} 12.5 3".translate(table)
    assert place.numbers(text) == [latitude, longitude, 12.5, 3.0]
    assert place.numbers(text.replace(".", "٫")) == [latitude, longitude, 12.5, 3.0]


@settings(max_examples=60)
@given(latitude=st.floats(25, 39), longitude=st.floats(44, 63))
def test_a_swapped_point_of_iran_is_told_as_such_with_the_right_one(latitude: float, longitude: float) -> None:
    where = {"loc_method": "here", "event_gps": f"{longitude:.6f} {latitude:.6f} 0 5"}
    right = case({"where": where | {"event_gps": f"{latitude:.6f} {longitude:.6f} 0 5"}})
    swapped = case({"where": where})
    if right.admin1 and right.admin1.startswith("IR") and right.land and right.land.units_at([latitude], [longitude])[0]:
        (item,) = place.position(swapped)
        assert (item["code"], item["values"]) == (
            "location_swapped",
            {"point": f"{latitude:.6f}, {longitude:.6f}", "country": "IR"},
        )
        assert "location_country" not in codes(list(place.other_country(swapped)))


@given(day=st.dates(max_value=RECEIVED.date()), table=DIGITS)
def test_no_day_of_our_calendar_is_taken_for_another(day: Any, table: dict[int, str]) -> None:
    if day.year not in time.HIJRI:
        assert list(time.other_calendar(case({"when": {"event_date": day.isoformat().translate(table)}}))) == []


@given(year=st.integers(1303, 1404), month=st.integers(1, 12), day=st.integers(1, 29), table=DIGITS)
def test_a_day_of_the_solar_calendar_is_converted(year: int, month: int, day: int, table: dict[int, str]) -> None:
    text = f"{year}/{month}/{day}".translate(table)
    (item,) = time.other_calendar(case({"when": {"event_date": text}}))
    solar, lunar = from_solar_hijri(year, month, day), from_lunar_hijri(year, month, day)
    assert solar is not None
    assert lunar is not None
    assert item["values"] == {"text": text, "day": solar.isoformat()}
    assert lunar < solar  # the later one that is not in the future is the likely one


def test_a_day_of_the_lunar_calendar_is_converted() -> None:
    (item,) = time.other_calendar(case({"when": {"event_date": "1447-11-14"}}))
    assert item["values"]["day"] == "2026-05-01"


@pytest.mark.parametrize("text", ["0012345679", "۰۰۱۲۳۴۵۶۷۹", "10000000146", "840101300123x 0912-345-67-89", "+7 701 123 45 67"])
def test_numbers_of_people_are_found(text: str) -> None:
    assert words.holds_number(text)


@pytest.mark.parametrize(
    "text",
    ["", "1111111111", "35.7123456789", "2026-05-01 12:30", "300000000 rial", "sample 20260501123", "0.0912345678", "120,000,000"],
)
def test_other_numbers_are_not_taken_for_them(text: str) -> None:
    assert not words.holds_number(text)


def test_a_case_without_a_form_is_looked_at_without_questions(caplog: pytest.LogCaptureFixture) -> None:
    one: Case = case(definition=None)
    with caplog.at_level(logging.ERROR):
        assert one.asked == []
        assert [item for check in CHECKS for item in check(one)] == []
    assert not caplog.records
