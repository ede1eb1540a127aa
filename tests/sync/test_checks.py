"""The checks come after the receipt: they say where a record lies and what is odd about it, and can be run again."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from records import reviews
from records.blobs import BlobStore
from records.flags import Flag, flag
from records.models import Submission
from records.store import Store
from sync.checks import Checker, checker
from sync.checks.case import Case
from sync.checks.surroundings import Surroundings
from sync.delivery import Delivery
from sync.intake import Intake
from tests.support.small import asked, record
from tests.support.stores import EVERYTHING, PROJECT, publish_form

TEHRAN, YEREVAN, CASPIAN = "35.7 51.4 1100 5", "40.18 44.51 990 5", "39.5 50.5 -28 5"


@pytest.fixture
def intake(store: Store, blobs: BlobStore) -> Intake:
    publish_form(store, blobs, asked("geopoint"))
    return Intake(store, blobs)


@pytest.fixture
def checks(store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> Checker:
    monkeypatch.setattr(checker, "CHECKS", (west_of_50,))
    monkeypatch.setattr(checker, "COMPARISONS", ())
    monkeypatch.setattr(checker, "merged", merged_with("more"))
    return Checker(store, blobs)


def west_of_50(case: Case) -> Iterator[Flag]:
    """A check of this test, with a code that the catalogue has."""
    if case.longitude is not None and case.longitude < 50:
        yield flag("more", "/data/q")


def merged_with(code: str) -> Any:
    """`checker.merged`, taking this code for one of the checks."""
    return lambda present, found: [
        *(item for item in present if item["code"] != code or "settled" in item),
        *(item for item in found if not any(item["code"] == other["code"] and "settled" in other for other in present)),
    ]


def send(intake: Intake, point: str, **more: Any) -> None:
    intake.receive(Delivery(PROJECT, record(f"<q>{point}</q>", **more)))


def row(store: Store, instance_id: str = "uuid:1") -> Any:
    with store.read() as connection:
        columns = Submission.__table__.columns
        return connection.execute(select(*columns).filter_by(instance_id=instance_id)).one()


def codes(store: Store, instance_id: str = "uuid:1") -> list[str]:
    return [item["code"] for item in row(store, instance_id).flags]


def test_a_record_lies_in_the_unit_its_point_lies_in(intake: Intake, store: Store, checks: Checker) -> None:
    for number, point in enumerate((TEHRAN, YEREVAN, CASPIAN, ""), 1):
        send(intake, point, instance_id=f"uuid:{number}")
    assert checks.run() == 4
    assert [(row(store, f"uuid:{number}").country, row(store, f"uuid:{number}").admin1) for number in (1, 2, 3, 4)] == [
        ("IR", "IR-23"),
        ("AM", "AM-ER"),
        (None, None),
        (None, None),
    ]


def test_what_was_checked_is_not_checked_again_until_it_changes(intake: Intake, store: Store, checks: Checker) -> None:
    send(intake, TEHRAN)
    assert [checks.run(), checks.run(), codes(store)] == [1, 0, []]
    send(intake, YEREVAN, instance_id="uuid:2", deprecated_id="uuid:1")
    assert row(store).checked == 0
    assert checks.run() == 1
    assert (codes(store), row(store).country) == (["more"], "AM")


def test_a_finding_goes_when_the_answer_is_corrected_and_is_not_doubled(intake: Intake, store: Store, checks: Checker) -> None:
    send(intake, YEREVAN)
    for _ in range(2):
        checks.run()
        checks.forget()
        assert codes(store) == ["more"]
    send(intake, TEHRAN, instance_id="uuid:2", deprecated_id="uuid:1")
    checks.run()
    assert codes(store) == []


def test_an_edit_that_comes_while_a_record_is_looked_at_is_looked_at_too(
    intake: Intake, store: Store, checks: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(intake, YEREVAN)

    def edited_meanwhile(case: Case) -> Iterator[Flag]:
        if case.current_instance_id == "uuid:1":
            send(intake, TEHRAN, instance_id="uuid:2", deprecated_id="uuid:1")
        return west_of_50(case)

    monkeypatch.setattr(checker, "CHECKS", (edited_meanwhile,))
    assert checks.step() == 1
    assert (row(store).checked, codes(store)) == (0, [])
    checks.run()
    assert (row(store).country, codes(store)) == ("IR", [])


def test_a_record_that_is_deleted_while_it_is_looked_at_is_looked_at_as_deleted(
    intake: Intake, store: Store, checks: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(intake, YEREVAN)
    seen = []

    def deleted_meanwhile(case: Case) -> Iterator[Flag]:
        seen.append(case.is_withdrawn)
        if not case.is_withdrawn:
            reviews.delete(store, EVERYTHING, "small", "uuid:1")
        return west_of_50(case)

    monkeypatch.setattr(checker, "CHECKS", (deleted_meanwhile,))
    checks.run()
    assert seen == [False, True]


def test_a_correction_that_was_checked_before_its_original_came_is_checked_with_it(
    intake: Intake, store: Store, checks: Checker
) -> None:
    send(intake, YEREVAN, instance_id="uuid:2", deprecated_id="uuid:1")
    checks.run()
    send(intake, TEHRAN)
    checks.run()
    assert (row(store).country, codes(store)) == ("AM", ["more"])


def test_a_check_that_fails_costs_neither_the_record_nor_the_others(
    intake: Intake, store: Store, checks: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(case: Case) -> Iterator[Flag]:
        raise ValueError(case.instance_id)

    monkeypatch.setattr(checker, "CHECKS", (broken, west_of_50))
    monkeypatch.setattr(checker, "COMPARISONS", (lambda connection, case: connection.exec_driver_sql("no such statement"),))
    send(intake, YEREVAN)
    send(intake, YEREVAN, instance_id="uuid:2")
    assert (checks.run(), checks.run()) == (2, 0)
    assert row(store).checked == row(store, "uuid:2").checked == checker.RULES


def test_a_record_whose_surroundings_cannot_be_found_out_does_not_stop_the_others(
    intake: Intake, store: Store, checks: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    surround = Surroundings.surround

    def broken(self: Surroundings, cases: list[Case]) -> None:
        if any(case.instance_id == "uuid:2" for case in cases):
            raise ValueError("uuid:2")
        surround(self, cases)

    monkeypatch.setattr(Surroundings, "surround", broken)
    for number in (1, 2, 3):
        send(intake, YEREVAN, instance_id=f"uuid:{number}")
    assert (checks.run(), checks.run()) == (3, 0)
    assert [row(store, f"uuid:{number}").country for number in (1, 2, 3)] == ["AM", None, "AM"]


def test_what_a_person_settled_stays_settled(intake: Intake, store: Store) -> None:
    settled: Flag = {**flag("more", "/data/q"), "settled": {"by": "leila"}}
    assert checker.merged([settled], [flag("more", "/data/q")]) == [settled]


def test_a_flag_of_arrival_stays(intake: Intake, store: Store, checks: Checker) -> None:
    intake.receive(Delivery(PROJECT, record(f"<q>{YEREVAN}</q><extra>1</extra>")))
    before = codes(store)
    assert before
    checks.run()
    assert codes(store) == [*before, "more"]
    reviews.settle(store, EVERYTHING, "small", "uuid:1", None)
