"""Numbers in the digits and with the separators of Persian and Arabic; sums of money in rial and toman; points and dates."""

import csv
from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from forms.datatypes import Decimal, Integer, calendar_day, read_point
from forms.library.sources import LIBRARY
from forms.numbers import CURRENCIES, TOMAN, official, plain_number

PERSIAN, ARABIC, LATIN = "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩", "0123456789"
digits = st.sampled_from([PERSIAN, ARABIC, LATIN])


def written(text: str, scripts: list[str]) -> str:
    """The text with each of its digits in the next one of these scripts."""
    return "".join(scripts[place % len(scripts)][int(each)] if each in LATIN else each for place, each in enumerate(text))


@given(st.integers(-(10**12), 10**12), st.lists(digits, min_size=1, max_size=5))
def test_a_whole_number_is_read_in_any_digits_even_mixed(number: int, scripts: list[str]) -> None:
    assert Integer().deserialize(written(str(number), scripts)) == number


@given(st.integers(0, 10**12), st.integers(0, 999), st.sampled_from([PERSIAN, ARABIC]))
def test_a_number_is_read_with_the_separators_of_its_script(whole: int, thousandths: int, script: str) -> None:
    text = written(f"{whole:,}.{thousandths:03}", [script]).replace(",", "٬").replace(".", "٫")
    assert Decimal().deserialize(text) == pytest.approx(whole + thousandths / 1000)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_a_phone_writes_is_not_touched(number: float) -> None:
    assert plain_number(repr(number)) == repr(number)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("۱۲٬۳۴٬۵۶۷", "1234567"), ("\u200e−۵\u200f", "-5"), ("٣٫٥", "3.5"), ("1,5", "1,5"), ("۱,۵", "1,5"), ("", ""), ("دو", "دو")],
)
def test_only_what_cannot_mean_two_things_is_made_plain(text: str, plain: str) -> None:
    assert plain_number(text) == plain


@pytest.mark.parametrize("text", ["۱,۵", "1,5", "٫", "٬", "۱٫۲٫۳", "بیست"])
def test_a_text_that_is_no_number_is_none(text: str) -> None:
    with pytest.raises(ValidationError):
        Decimal().deserialize(text)


@given(st.text())
def test_no_text_breaks_the_reading_of_a_number(text: str) -> None:
    assert plain_number(plain_number(text)) == plain_number(text)
    for answer in (Integer(), Decimal()):
        with suppress(ValidationError):
            assert isinstance(answer.deserialize(text), int | float | None)


@given(st.integers(-9_000_000, 9_000_000), st.integers(-18_000_000, 18_000_000), digits)
def test_a_point_is_read_in_any_digits(south: int, west: int, script: str) -> None:
    latitude, longitude = south / 100_000, west / 100_000
    text = written(f"{latitude:.5f} {longitude:.5f} 12.0 4.5", [script])
    for point in (text, text.replace(".", "٫")):
        assert read_point(point) == (latitude, longitude, 12.0, 4.5)


@given(st.dates(date(1000, 1, 1)), st.integers(0, 86399))
def test_a_day_is_read_from_a_date_and_a_moment(day: date, second: int) -> None:
    moment = f"{day}T{timedelta(seconds=second)!s:0>8}.000+03:30"
    assert calendar_day(str(day)) == calendar_day(moment) == str(day)


@given(st.text(alphabet=PERSIAN + LATIN + "-T:+. "))
def test_no_text_breaks_the_reading_of_a_day(text: str) -> None:
    found = calendar_day(text)
    assert found is None or (found == text[:10] and date.fromisoformat(found))


@given(st.floats(0, 1e12))
def test_toman_are_ten_rial_and_other_sums_stay(amount: float) -> None:
    assert official(amount, "IRT") == (amount * TOMAN, "IRR") == official(amount * TOMAN, "IRR")
    for currency in {each for currencies in CURRENCIES.values() for each in currencies} - {"IRT"} | {"USD"}:
        assert official(amount, currency) == (amount, currency)


def test_every_country_has_its_currency_and_every_currency_of_the_surveys_its_country() -> None:
    with (LIBRARY / "choices.csv").open(newline="", encoding="utf-8") as file:
        rows = [(row["list_name"], row["name"]) for row in csv.DictReader(file)]
    assert set(CURRENCIES) == {name for list_name, name in rows if list_name == "country"}
    offered = {name for list_name, name in rows if list_name == "currency"}
    assert {each for currencies in CURRENCIES.values() for each in currencies} == offered - {"USD"}
