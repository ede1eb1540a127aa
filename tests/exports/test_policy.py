"""One policy for each circle of readers, and every question of every survey falls under it."""

from dataclasses import FrozenInstanceError

import pytest

from exports.policy import KINDS, PARTNER, POLICIES, PUBLIC, RAW, kind_of, stays_inside
from forms.definition import Field
from forms.personal import CODE, CONTACT
from tests.support import docs


def test_the_handbook_says_what_the_policies_say() -> None:
    docs.assert_current("privacy.md")


def test_a_wider_circle_is_never_told_more() -> None:
    assert RAW.finest < PARTNER.finest < PUBLIC.finest
    assert PARTNER.embargo_days < PUBLIC.embargo_days
    assert PARTNER.withheld == PUBLIC.withheld == set(KINDS)
    assert {policy.fewest for policy in POLICIES} == {5}


def test_a_policy_cannot_be_changed_while_it_is_used() -> None:
    with pytest.raises(FrozenInstanceError):
        PUBLIC.embargo_days = 0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        (Field(("n",), "question", "int", "input"), ""),
        (Field(("remarks",), "question", "string", "input"), "text"),
        (Field(("place",), "question", "geopoint", "input"), "positions"),
        (Field(("day",), "question", "date", "input"), "moments"),
        (Field(("photo",), "question", "binary", "upload"), "files"),
        (Field(("sample",), "question", "barcode", "input"), "codes"),
        (Field(("household",), "question", "int", "input", personal=CODE), "codes"),
        (Field(("owner",), "question", "int", "input", personal=CONTACT), "contact"),
        (Field(("village",), "question", "string", "select1"), "codes"),
        (Field(("sum",), "question", "int"), "calculated"),
        (Field(("meta", "instanceName"), "question", "string"), "origin"),
        (Field(("deviceid",), "question", "string", preload="property"), "origin"),
    ],
)
def test_what_a_question_asks_for_decides_whether_its_answers_leave(field: Field, kind: str) -> None:
    assert kind_of(field) == kind


def test_restricted_and_confidential_surveys_stay_inside() -> None:
    assert {form_id for form_id in ("camera_station", "leopard_mortality", "illegal_trade") if not stays_inside(form_id)} == set()
    assert not stays_inside("conflict_livestock")
