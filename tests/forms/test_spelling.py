"""Codes and names are compared without regard to how people, keyboards and phones spell them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.spelling import ascii_digits, folded

SAME = [
    ("علي‌آباد", "على اباد"),
    ("ده‌بالا", "دهبالا"),
    ("كوه ۱۲", "کوه ١٢"),
    ("IR-01-007", "ir 01 ۰۰۷"),
    ("خانۀ", "خانه"),
    ("مُحَمَّد", "محمد"),
    ("بـــالا", "بالا"),
    ("مدرسة", "مدرسه"),
    ("مؤمن", "مومن"),
    ("Şırnak", "sirnak"),
    ("İzmir", "IZMIR"),
    ("７Ｆ３Ａ", "7f3a"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_name_are_the_same(one: str, other: str) -> None:
    assert folded(one) == folded(other) != ""


@pytest.mark.parametrize(
    ("one", "other"), [("ده بالا", "ده پایین"), ("IR-01-007", "IR-01-070"), ("Աղավնի", "Ագարակ"), ("گل", "کل")]
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@pytest.mark.parametrize("text", ["", " - ", "ـ", "\u200c", "؟"])
def test_what_holds_no_letter_is_empty(text: str) -> None:
    assert folded(text) == ""


def test_digits_of_every_script_are_written_alike() -> None:
    assert ascii_digits("۷F3A-١٢ ７") == "7F3A-12 7"


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.integers(0, 10**12))
def test_a_number_is_the_same_in_persian_arabic_and_latin_digits(number: int) -> None:
    text = str(number)
    for digits in ("۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"):
        assert ascii_digits(text.translate(str.maketrans("0123456789", digits))) == folded(text) == text
