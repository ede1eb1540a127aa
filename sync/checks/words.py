"""What was written: words of tests, personal data where none belongs, and in which form."""

import re
from collections.abc import Iterator
from datetime import timedelta

from forms.spelling import ascii_digits, folded
from records.flags import Flag, flag
from records.geography import km_between
from sync.checks.case import Asked, Case
from sync.checks.place import asked_point
from sync.checks.surroundings import TRAINING_FORM

_TEST_WORDS = "test testing تست آزمایشی تجربة ٹیسٹ تاقیکردنەوە тест сынақ санҷиш deneme sınaq sinov synag թեստ ტესტი"
TEST_WORDS = frozenset(map(folded, _TEST_WORDS.split()))
"""What people write who try something out, in the languages of the region; alone in an answer, or with a number."""
OFFICE_KM = 1.0
"""Phones are tried where they are set up: in the office, or before its door."""
GRACE = timedelta(days=7)
"""A phone that is used fetches new forms within a week, once it has a signal."""
_CODES = re.compile(r"(?:^|_)(?:id|ref|code|no|number|card|serial|tag)$")
_CONTACTS = re.compile(r"phone|tel|mobile|contact")
_TRAILING = re.compile(r"\d+$")
_SEPARATED = r"(?:[ ().-]?\d)"
_TELEPHONE = re.compile(rf"(?<![\d.,+/-])(?:(?:\+|00){_SEPARATED}{{9,14}}|0[1-9]{_SEPARATED}{{8,9}})(?![\d.,/])")
_CNIC = re.compile(r"(?<!\d)[1-7]\d{4}-\d{7}-\d(?!\d)")  # Pakistan
_DIGITS = re.compile(r"(?<![\d.,+-])\d{10,12}(?![\d.,])")


def test(case: Case) -> Iterator[Flag]:
    """It is said to be a test."""
    if case.is_test:
        yield flag("test", "submission_purpose")


def test_words(case: Case) -> Iterator[Flag]:
    """A text is nothing but the word for a test."""
    for asked in _texts(case):
        if _TRAILING.sub("", folded(asked.value)) in TEST_WORDS:
            yield flag("test_like", asked.path)
            return


def at_office(case: Case) -> Iterator[Flag]:
    """The position is that of an office."""
    if case.point is not None and case.areas.is_at_office(*case.point, OFFICE_KM):
        asked = asked_point(case)
        yield flag("test_like", asked.path if asked is not None else "")


def in_training(case: Case) -> Iterator[Flag]:
    """It was filled in on a day and at the place of a training."""
    if case.point is None or case.event_date is None or case.form_id == TRAINING_FORM:
        return
    for training in case.trainings:
        if training.first <= case.event_date <= training.last and km_between(case.point, training.point) <= OFFICE_KM:
            yield flag("test_like")
            return


def personal(case: Case) -> Iterator[Flag]:
    """A free text holds a number by which somebody can be found. Questions for codes or for telephone numbers are what they are."""
    for asked in _texts(case):
        question, name = asked.question, asked.question.name
        is_for_numbers = _CODES.search(name) or _CONTACTS.search(name) or "numbers" in question.appearance
        if not (question.personal or question.constraint or is_for_numbers) and holds_number(asked.value):
            yield flag("text_personal", asked.path)


def holds_number(text: str) -> bool:
    """Whether a text has a telephone number, or a national one of Iran, Türkiye, Kazakhstan or Pakistan, in whatever digits."""
    text = ascii_digits(text)
    if _TELEPHONE.search(text) or _CNIC.search(text):
        return True
    return any(_is_national(found) for found in _DIGITS.findall(text))


def _is_national(number: str) -> bool:
    """Whether the check digits are those of a national number: Iran 10 digits, Türkiye 11, Kazakhstan 12."""
    digits = [int(each) for each in number]
    if len(set(digits)) == 1:
        return False
    if len(digits) == 10:
        rest = sum(weight * digit for weight, digit in zip(range(10, 1, -1), digits, strict=False)) % 11
        return digits[9] == (rest if rest < 2 else 11 - rest)
    if len(digits) == 11:
        tenth = (7 * sum(digits[0:9:2]) - sum(digits[1:8:2])) % 10
        return digits[0] > 0 and digits[9] == tenth and digits[10] == sum(digits[:10]) % 10
    rest = sum(weight * digit for weight, digit in zip(range(1, 12), digits, strict=False)) % 11
    if rest == 10:
        rest = sum(weight * digit for weight, digit in zip((*range(3, 12), 1, 2), digits, strict=False)) % 11
    return digits[11] == rest and 1 <= int(number[2:4]) <= 12 and 1 <= int(number[4:6]) <= 31


def superseded(case: Case) -> Iterator[Flag]:
    """The form had a newer version for long when this was filled in."""
    if case.replaced is None or any(item["code"] == "unknown_version" for item in case.flags):
        return
    newer, since = case.replaced
    if (case.finished_at or case.received_at) > since + GRACE:
        yield flag("version_superseded", version=case.version, newer=newer)


def _texts(case: Case) -> Iterator[Asked]:
    """What people wrote themselves."""
    for asked in case.asked:
        if asked.question.type == "string" and asked.question.control == "input" and isinstance(asked.value, str):
            yield asked


CHECKS = (test_words, at_office, in_training, personal, superseded)
