"""Receipts: the words a ranger reads on the phone, and that they are true."""

from datetime import timedelta

import pytest

from forms.submission import case_number
from server.receipts import receipt_text
from sync.delivery import Receipt

ID = "uuid:0b1f5c9e-3a36-4f7e-8d0a-6f3a0e2c9d11"
CASE = case_number(ID)


def receipt(outcome: str = "created", expected: int = 0, present: int = 0, hours: float | None = None) -> Receipt:
    return Receipt(outcome, "loss", ID, expected, present, clock_offset=None if hours is None else timedelta(hours=hours))


@pytest.mark.parametrize(
    ("given", "english", "persian"),
    [
        (receipt(), f"Case {CASE} is safe.", f"پروندهٔ \u2068{CASE}\u2069"),
        (receipt("attached", 14, 12), "12 of 14 files are here: press send again.", "۱۲"),
        (receipt("duplicate"), "was here already", CASE),
        (receipt("conflict"), "waits for the coordinator", CASE),
        (receipt("held"), "waits for the coordinator", CASE),
        (receipt(hours=-3), "The phone's clock is 3 h slow: check it.", "ساعت گوشی ۳ ساعت عقب است"),
        (receipt(hours=0.5), "The phone's clock is 30 min fast: check it.", "ساعت گوشی ۳۰ دقیقه جلو است"),
        (receipt(hours=-24 * 400), "The phone's clock is 400 days slow: check it.", "ساعت گوشی ۴۰۰ روز عقب است"),
    ],
    ids=str,
)
def test_t130_a_receipt_says_what_is_true_in_the_language_of_the_phone(given: Receipt, english: str, persian: str) -> None:
    assert english in receipt_text(given, "en")
    assert persian in receipt_text(given, "fa")
    assert max(len(receipt_text(given, language)) for language in ("en", "fa")) <= 200


def test_a_record_that_came_back_is_told_with_other_records_receipts() -> None:
    other = "uuid:other"
    told = receipt_text(receipt(), "en", {"record": other, "text": "How many goats?"})
    assert told == f"Case {CASE} is safe. Case {case_number(other)} came back: How many goats?"
    assert receipt_text(receipt(), "en", {"record": ID, "text": "How many goats?"}) == f"Case {CASE} is safe."
    assert len(receipt_text(receipt(), "fa", {"record": other, "text": "چند بز؟ " * 100})) == 200


def test_an_unknown_language_reads_english() -> None:
    assert receipt_text(receipt(), "xx") == f"Case {CASE} is safe."
