"""The data types: what each takes from a phone, what it refuses, and what is kept."""

import math
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from forms.datatypes import BY_TYPE, Answer, SelectMultiple, SelectOne, calendar_day, instant, normal_offset, read_point

TEHRAN = timezone(timedelta(hours=3, minutes=30))
TAKEN: list[tuple[str, str, object]] = [
    ("int", "12", 12),
    ("int", "-3", -3),
    ("int", "+5", 5),
    ("int", "007", 7),
    ("int", "۱۲۳", 123),
    ("int", "٤٥", 45),
    ("int", "9" * 19, int("9" * 19)),
    ("decimal", "1.5", 1.5),
    ("decimal", "1.0E10", 1e10),
    ("decimal", "-0", -0.0),
    ("decimal", ".5", 0.5),
    ("decimal", "۳.۵", 3.5),
    ("date", "2026-05-02", "2026-05-02"),
    ("date", "2024-02-29", "2024-02-29"),
    ("date", "9999-12-31", "9999-12-31"),
    ("date", "2026-05-02T00:00:00.000+03:30", "2026-05-02T00:00:00.000+03:30"),
    ("time", "07:41:09.123+03:30", "07:41:09.123+03:30"),
    ("time", "07:41:09.123+0330", "07:41:09.123+0330"),
    ("time", "07:41", "07:41"),
    ("dateTime", "2026-05-02T07:41:09.123+03:30", "2026-05-02T07:41:09.123+03:30"),
    ("dateTime", "2026-05-02T07:41:09.123+0430", "2026-05-02T07:41:09.123+0430"),
    ("dateTime", "2026-05-02T07:41:09Z", "2026-05-02T07:41:09Z"),
    ("dateTime", "2026-05-02T07:41:09+03", "2026-05-02T07:41:09+03"),
    ("boolean", "true", True),
    ("boolean", "1", True),
    ("boolean", "false", False),
    ("boolean", "0", False),
    ("geopoint", "35.7001 51.4002 1320.0 4.5", "35.7001 51.4002 1320.0 4.5"),
    ("geopoint", "3.57E1 5.14E1", "3.57E1 5.14E1"),
    ("geopoint", "-90 180 0", "-90 180 0"),
    ("geotrace", "35.7 51.4 0 0; 35.8 51.5 0 0", "35.7 51.4 0 0; 35.8 51.5 0 0"),
    ("geotrace", "35.7 51.4;35.8 51.5;", "35.7 51.4;35.8 51.5;"),
    ("geoshape", "35 51;36 51;36 52;35 51 ; ", "35 51;36 51;36 52;35 51 ; "),
    ("string", "زنده‌باد ۱۲۳ ي ك", "زنده‌باد ۱۲۳ ي ك"),
    ("barcode", "4006381333931", "4006381333931"),
    ("binary", "1717322000123.jpg", "1717322000123.jpg"),
    ("something new", "x", "x"),
]
REFUSED = [
    *(("int", text) for text in ("1.5", "1_000", "0x10", "1e3", "NaN", "twelve", "9" * 20, "--1", "1 2", "۱٫۵", "½")),
    *(("decimal", text) for text in ("NaN", "Infinity", "-inf", "1e400", "1_0.0", "1,5", "۱,۵", "1.2.3", "0x1p3")),
    *(("date", text) for text in ("2026-05-32", "2026-02-29", "0000-01-01", "10000-01-01", "2026-5-2", "20260502", "2026-W18-6")),
    *(("date", text) for text in ("2026-05-02garbage", "2026-05-02+03:30", "02.05.2026", "۱۴۰۵-۰۲-۱۲", "2026-05", "-2026-05-02")),
    *(("time", text) for text in ("25:00:00", "07:61", "soon", "7")),
    *(("dateTime", text) for text in ("2026-05-02T25:00:00", "20260502T0741", "2026-W18T07:41", "2026-05-02T", "yesterday")),
    *(("boolean", text) for text in ("yes", "TRUE", "2", "OK")),
    *(
        ("geopoint", text)
        for text in ("35.7", "91 51", "35 181", "35,7 51,4", "a b", "NaN NaN", "1 2 3 4 5", "inf 0", "35 51 1e999")
    ),
    *(("geotrace", text) for text in ("35 51; 99 51", ";", "x", "35 51;;36 51")),
]


@pytest.mark.parametrize(("kind", "text", "value"), TAKEN)
def test_what_phones_write_is_taken(kind: str, text: str, value: object) -> None:
    taken = BY_TYPE.get(kind, Answer)().deserialize(text)
    assert taken == value
    assert type(taken) is type(value)


@pytest.mark.parametrize(("kind", "text"), REFUSED)
def test_what_is_no_value_of_its_type_is_refused_10(kind: str, text: str) -> None:
    with pytest.raises(ValidationError, match="value_invalid: is not"):
        BY_TYPE[kind]().deserialize(text)


@pytest.mark.parametrize("kind", [*BY_TYPE, "string"])
def test_an_empty_answer_is_none_unless_it_is_required(kind: str) -> None:
    field = BY_TYPE.get(kind, Answer)
    assert field().deserialize("") is None
    with pytest.raises(ValidationError, match="required: "):
        field(mandatory=True).deserialize("")


def test_only_choices_of_the_form_are_taken() -> None:
    one, several = SelectOne(choices=frozenset({"wolf", "leopard"})), SelectMultiple(choices=frozenset({"wolf", "leopard"}))
    assert one.deserialize("wolf") == "wolf"
    assert several.deserialize("wolf  leopard") == "wolf  leopard"
    for field, text in ((one, "bear"), (one, "wolf leopard"), (several, "wolf bear")):
        with pytest.raises(ValidationError, match="not one of the choices"):
            field.deserialize(text)
    assert SelectOne(choices=None).deserialize("from a file") == "from a file"
    assert SelectMultiple(choices=None).deserialize("a b") == "a b"


@pytest.mark.parametrize("text", ["2026-05-02T07:41:09Z", "2026-05-02T11:11:09+03:30", "2026-05-02T11:11:09+0330"])
def test_offsets_written_in_any_way_mean_the_same_instant(text: str) -> None:
    assert instant(text) == datetime(2026, 5, 2, 7, 41, 9, tzinfo=UTC)


def test_summer_time_of_an_old_phone_is_believed() -> None:
    assert instant("2026-07-02T12:11:09+04:30") == datetime(2026, 7, 2, 11, 11, 9, tzinfo=TEHRAN)
    assert instant("2026-07-02T10:41:09+03") == datetime(2026, 7, 2, 7, 41, 9, tzinfo=UTC)
    assert instant("later") is None


def test_dates_and_times_without_an_offset_are_left_alone() -> None:
    assert normal_offset("2026-05-02") == "2026-05-02"
    assert normal_offset("07:41:09") == "07:41:09"
    assert instant("2026-05-02T07:41:09") == datetime(2026, 5, 2, 7, 41, 9)  # noqa: DTZ001


def test_the_day_is_the_day_where_the_phone_was() -> None:
    assert calendar_day("2026-05-02T00:30:00+03:30") == "2026-05-02"  # still 1 May in UTC
    assert calendar_day("2026-05-02") == "2026-05-02"
    assert calendar_day("20260502") is None


def test_a_position_has_latitude_first_and_up_to_four_numbers() -> None:
    assert read_point("35.7 51.4 1320.0 4.5") == (35.7, 51.4, 1320.0, 4.5)
    assert read_point("35.7E-4 51.4") == (0.00357, 51.4, None, None)


def test_a_line_of_very_many_points_is_read_10() -> None:
    line = ";".join(["35.7 51.4 0 0"] * 200_000)
    assert BY_TYPE["geotrace"]().deserialize(line) == line


@given(st.sampled_from(sorted(BY_TYPE)), st.text())
def test_any_text_gives_a_value_or_a_validation_error(kind: str, text: str) -> None:
    try:
        value = BY_TYPE[kind]().deserialize(text)
    except ValidationError:
        return
    assert value is None or (not isinstance(value, float) or math.isfinite(value))
    assert not isinstance(value, int) or abs(value) < 2**64


def test_a_list_where_one_answer_was_expected_is_refused() -> None:
    with pytest.raises(ValidationError, match="more than one answer"):
        Answer().deserialize(["a", "b"])


def test_blanks_between_points_are_read_once_11() -> None:
    before = time.process_time()
    with pytest.raises(ValidationError):
        BY_TYPE["geotrace"]().deserialize("1 1" + " " * 3_000_000 + "x")
    assert time.process_time() - before < 20  # seconds; from every blank to the end takes hours
