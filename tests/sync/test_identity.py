"""A person is recognised however codes, names and numbers are spelled, and nobody else is taken for them."""

import pytest

from forms.personal import ERASED, Told
from forms.problems import Problem
from sync.person.identity import Identity


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("IR-01-001", "ir-01-001"),
        ("IR-01-001", "IR 01 001"),
        ("IR-01-001", "۰۱-IR IR-۰۱-۰۰۱"),
        ("غلام رضایی", "غلام رضايي، ۰۹۱۲"),
        ("غلام‌رضا کریمی", "غلام رضا كريمي"),
        ("Gholam Rezaei", "ask GHOLAM  Rezaei today"),
        ("0912 345 6789", "tel. +98 912-345-6789"),
        ("+98 912 345 6789", "09123456789"),
        ("۰۹۱۲۳۴۵۶۷۸۹", "(0912) 345 67 89"),
        ("H12", "the herd of H12, by the river"),
    ],
)
def test_one_person_is_spelled_in_many_ways(asked: str, written: str) -> None:
    assert Identity.of(asked).is_in(written)


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("IR-01-001", "IR-01-0011"),
        ("IR-01-001", "XIR-01-001"),
        ("Reza", "Alireza Rezaei"),
        ("Gholam Rezaei", "Gholam, Maryam and Rezaei"),
        ("0912 345 6789", "0912 345 6788"),
        ("0912 345 6789", "12 3456"),
        ("H12", "H 120, 12"),
        ("123456", "9123456789"),
    ],
)
def test_another_person_is_not_taken_for_them(asked: str, written: str) -> None:
    assert not Identity.of(asked).is_in(written)


@pytest.mark.parametrize("text", ["", " ", "a-", "؟!", "۱"])
def test_what_could_be_anybody_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="at least"):
        Identity.of(text)


def test_a_name_of_theirs_is_a_trace_in_their_own_records_only() -> None:
    person = Identity.of("H-12")
    person.learn([Told("owner", "Gholam Rezaei 0912 345 6789")])
    for text in ("call Gholam", "rezaei", "98 912 345 6789"):
        assert person.is_in(text, own=True)
        assert not person.is_in(text)


def test_their_codes_are_replaced_by_the_same_made_up_one_everywhere() -> None:
    person = Identity.of("H-12")
    first, second = person.without_codes("h12"), person.without_codes("R-7 H-12 R-8")
    assert first != "h12"
    assert second == f"R-7 {first} R-8"
    assert Identity.of("H-12").without_codes("H-12") != first  # and cannot be worked out
    assert not person.is_in(first)


def test_a_document_is_cleared_of_them() -> None:
    person = Identity(codes={"h12"}, numbers={"9123456789"})
    document = {"a": ["H-12", 5, None], "b": {"c": "call 0912 345 6789"}, "d": "nothing"}
    code = person.without_codes("H-12")
    assert person.cleared(document) == {"a": [code, 5, None], "b": {"c": ERASED}, "d": "nothing"}
