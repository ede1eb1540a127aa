"""Checks that compare a record with others, on both databases: what came before, and the same answers."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, insert, select

from forms.submission import case_number
from records import reviews
from records.models import Measure, Submission
from records.store import Store
from sync.checks import Checker, content
from sync.checks.outliers import MOST_COMPARED, NARROWEST, summary
from tests.support.answers import (
    ANY_ANSWERS,
    FIRST,
    NOWHERE,
    Send,
    case,
    codes,
    conflict,
    corrected,
    flags,
    lost,
    put,
    seen,
    settled,
    transect,
)
from tests.support.stores import EVERYTHING


def priced(value: float, currency: str = "IRR", number: int = 0) -> dict[str, Any]:
    return conflict(lost(unit_value=value), losses_g={"currency": currency}, place=number)


def flood(store: Store, answers: Callable[[int], dict[str, Any]], size: int, **more: Any) -> None:
    """So many records, a minute apart."""

    def work(connection: Connection) -> None:
        for number in range(size):
            put(connection, f"uuid:before-{number}", answers(number) | {"remarks": f"{number}"}, after=number, **more)

    store.write(work)


def test_a_number_far_above_those_before_is_odd(store: Store, send: Send, checks: Checker) -> None:
    flood(store, lambda number: conflict(lost(killed=1 + number % 3)), 30)
    send("uuid:many", conflict(lost(killed=28), lost("goat", 28)), after=60)
    send("uuid:some", conflict(lost(killed=5)), after=61)
    assert settled(checks, store, "uuid:many", "uuid:some") == [["count_big", "count_outlier"], []]
    assert flags(store, "uuid:many")[1]["values"] == {"livestock": "sheep", "number": 28, "usual": 2}


def test_with_fewer_than_thirty_before_nothing_is_odd(store: Store, send: Send, checks: Checker) -> None:
    flood(store, lambda number: conflict(lost(killed=1)), 29)
    send("uuid:many", conflict(lost(killed=28)), after=60)
    assert settled(checks, store, "uuid:many") == [[]]


@pytest.mark.parametrize("other", [{"country": "TR"}, {"submission_purpose": "test"}, {"losses_g": {"loss": [lost("goat", 1)]}}])
def test_only_the_same_is_compared(store: Store, send: Send, checks: Checker, other: dict[str, Any]) -> None:
    flood(store, lambda number: conflict(lost(killed=1)) | other, 31)
    send("uuid:many", conflict(lost(killed=28)), after=60)
    assert settled(checks, store, "uuid:many") == [[]]


def test_what_comes_later_and_what_is_old_is_not_compared(store: Store, send: Send, checks: Checker) -> None:
    send("uuid:many", conflict(lost(killed=28)), after=-1)
    flood(store, lambda number: conflict(lost(killed=1)), 31)
    send("uuid:late", conflict(lost(killed=27)), after=4 * 365 * 24 * 60)
    assert settled(checks, store, "uuid:many", "uuid:late") == [[], []]


def test_deleted_records_are_not_compared(store: Store, send: Send, checks: Checker) -> None:
    flood(store, lambda number: conflict(lost(killed=1)), 30)
    checks.run()
    reviews.delete(store, EVERYTHING, "conflict_livestock", "uuid:before-3")
    reviews.set_state(store, EVERYTHING, "conflict_livestock", "uuid:before-4", "rejected")
    checks.run()
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(Measure)) == 28


def test_a_group_larger_than_one_in_a_thousand_is_odd(store: Store, send: Send, checks: Checker) -> None:
    flood(store, lambda number: transect(seen(n_total=7 + number % 5)), 30, form_id="prey_transect")
    send("uuid:large", transect(seen(n_total=40), seen("lepus", 40)), form_id="prey_transect", after=60)
    send("uuid:block", {"country": "IR", "grp": [{"species": "capra_aegagrus", "n_total": 12}]}, form_id="prey_block", after=61)
    assert settled(checks, store, "uuid:large", "uuid:block") == [["count_group"], []]
    assert flags(store, "uuid:large")[0]["path"] == "obs[1]/n_total"


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        (100_000_000, "IRR", []),
        (700_000_000, "IRR", []),
        (900_000_000, "IRR", ["value_toman"]),
        (90_000_000, "IRT", ["value_toman"]),
        (10_000_000, "IRT", []),
        (10_000_000, "IRR", ["value_toman"]),
        (2_000_000_000, "IRR", ["value_outlier"]),
        (1_000_000, "IRR", ["value_outlier"]),
        (1_000_000, "USD", []),
    ],
)
def test_a_value_is_compared_in_rial(
    store: Store, send: Send, checks: Checker, value: float, currency: str, expected: list[str]
) -> None:
    flood(store, lambda number: priced(9_000_000 + number * 100_000, "IRT") if number % 2 else priced(95_000_000), 10)
    send("uuid:dear", priced(value, currency), after=60)
    assert settled(checks, store, "uuid:dear") == [expected]


def test_the_usual_value_is_told_in_the_currency_of_the_answer(store: Store, send: Send, checks: Checker) -> None:
    flood(store, lambda number: priced(100_000_000), 10)
    send("uuid:dear", priced(100_000_000, "IRT"), after=60)
    checks.run()
    assert [item["message"] for item in flags(store, "uuid:dear")] == ["sheep: 100,000,000 IRT. Usual: 10,000,000."]


def test_values_of_another_year_are_not_compared(store: Store, send: Send, checks: Checker) -> None:
    flood(store, lambda number: priced(100_000_000), 10)
    send("uuid:dear", priced(1_000_000_000), after=60, day=date(2025, 3, 1))
    assert settled(checks, store, "uuid:dear") == [[]]


def test_where_nearly_all_are_one_two_is_not_odd() -> None:
    assert summary([1.0] * 40).deviation == NARROWEST
    assert summary([]).size == 0
    assert summary(range(1, 1000)).deviation > NARROWEST


def test_what_is_read_of_others_is_bounded(store: Store, send: Send, checks: Checker) -> None:
    send("uuid:source", conflict(lost(killed=1)), after=-99)
    checks.run()
    key = {"project_id": 1, "form_id": "conflict_livestock", "instance_id": "uuid:source"}
    many = [
        {**key, "number": number, "kind": "killed", "subject": "sheep|IR", "value": 25.0 if number < MOST_COMPARED else 1.0}
        | {"received_at": FIRST - timedelta(minutes=number)}
        for number in range(1, 3 * MOST_COMPARED)
    ]
    store.write(lambda connection: connection.execute(insert(Measure), many))
    send("uuid:many", conflict(lost(killed=28)), after=1)
    checks.run()
    assert codes(store, "uuid:many") == []  # the newest 500 killed 25 each


def test_the_same_answers_again_count_once(store: Store, send: Send, checks: Checker) -> None:
    answers = conflict(lost())
    send("uuid:1", answers | {"start": "2026-03-01T10:00:00Z", "deviceid": "a", "meta": {"instanceID": "uuid:1"}})
    send("uuid:2", answers | {"start": "2026-03-02T11:00:00Z", "deviceid": "b", "case_no": "7F3A-0000"}, after=1)
    send("uuid:3", conflict(lost(killed=2)), after=2)
    send("uuid:4", answers, after=3, project_id=2)
    assert settled(checks, store, "uuid:1", "uuid:2", "uuid:3", "uuid:4") == [[], ["duplicate_exact"], [], []]
    assert flags(store, "uuid:2")[0]["values"] == {"case": case_number("uuid:1")}
    with store.read() as connection:
        assert connection.scalars(select(Submission.instance_id).where(Submission.excluded)).all() == ["uuid:2"]


def test_the_first_is_the_one_that_came_first_whichever_is_looked_at_first(store: Store, send: Send, checks: Checker) -> None:
    send("uuid:b", conflict(lost()), after=5)
    checks.run()
    send("uuid:a", conflict(lost()))
    checks.run()
    assert settled(checks, store, "uuid:a", "uuid:b") == [[], ["duplicate_exact"]]


@pytest.mark.parametrize(
    "change",
    [
        lambda store: corrected(store, "uuid:1", conflict(lost(killed=3))),
        lambda store: reviews.delete(store, EVERYTHING, "conflict_livestock", "uuid:1"),
        lambda store: reviews.set_state(store, EVERYTHING, "conflict_livestock", "uuid:1", "rejected"),
    ],
)
def test_when_the_first_is_corrected_deleted_or_rejected_the_next_one_counts(
    store: Store, send: Send, checks: Checker, change: Callable[[Store], None]
) -> None:
    for number in (1, 2, 3):
        send(f"uuid:{number}", conflict(lost()), after=number)
    assert settled(checks, store, "uuid:1", "uuid:2", "uuid:3") == [[], ["duplicate_exact"], ["duplicate_exact"]]
    change(store)
    checks.run()
    assert [codes(store, f"uuid:{number}") for number in (1, 2, 3)] == [[], [], ["duplicate_exact"]]
    assert flags(store, "uuid:3")[0]["values"] == {"case": case_number("uuid:2")}


def test_when_the_first_is_restored_it_is_the_first_again(store: Store, send: Send, checks: Checker) -> None:
    send("uuid:1", conflict(lost()))
    send("uuid:2", conflict(lost()), after=1)
    checks.run()
    reviews.delete(store, EVERYTHING, "conflict_livestock", "uuid:1")
    checks.run()
    assert codes(store, "uuid:2") == []
    reviews.restore(store, EVERYTHING, "conflict_livestock", "uuid:1")
    checks.run()
    assert [codes(store, "uuid:1"), codes(store, "uuid:2")] == [[], ["duplicate_exact"]]


def test_a_correction_that_makes_a_record_like_another_one_is_found(store: Store, send: Send, checks: Checker) -> None:
    send("uuid:1", conflict(lost(killed=2)))
    send("uuid:2", conflict(lost()), after=1)
    checks.run()
    corrected(store, "uuid:1", conflict(lost()))
    checks.run()
    assert [codes(store, "uuid:1"), codes(store, "uuid:2")] == [[], ["duplicate_exact"]]


REFUSED = {"submission_purpose": "real", "consent": "no", "country": "IR"}
CLAIM = {
    "claim_id": "7",
    "scheme": "gov",
    "claim_date": "2026-01-05",
    "amount_claimed": 5,
    "currency": "IRR",
    "status": "submitted",
}
AGREES = {"cluster_code": "V1", "gender": "m", "age_band": "35_49", "att": {f"a_{name}": "3" for name in "abcdefghij"}}
ZERO = {"country": "IR", "area_code": "A", "team_code": "T1", "zero_month": "yes", "month": "2026-02-01", "households_asked": 12}


@pytest.mark.parametrize(
    ("form_id", "first", "second", "more", "expected"),
    [
        ("community_attitudes", REFUSED, REFUSED, {}, []),
        ("community_attitudes", AGREES | {"start": "1"}, AGREES | {"start": "2"}, {}, []),
        ("community_attitudes", AGREES | {"start": "1"}, AGREES | {"start": "1"}, {}, ["duplicate_exact"]),
        ("another", AGREES | {"start": "1"}, AGREES | {"start": "2"}, {}, []),
        ("compensation_followup", CLAIM, CLAIM, {"day": date(2026, 3, 2)}, []),
        ("compensation_followup", CLAIM, CLAIM, {}, ["duplicate_exact"]),
        ("patrol_effort", ZERO | {"start": "1"}, ZERO | {"start": "2"}, {}, ["duplicate_exact"]),
        ("patrol_effort", ZERO, ZERO | {"remarks": "snow"}, {}, []),
        ("patrol_effort", ZERO, ZERO | {"remarks": "", "patrol": {"km": None}}, {}, ["duplicate_exact"]),
    ],
)
def test_alike_is_not_the_same(
    store: Store, send: Send, checks: Checker, form_id: str, first: Any, second: Any, more: Any, expected: list[str]
) -> None:
    send("uuid:1", first, form_id=form_id, place=NOWHERE)
    send("uuid:2", second, form_id=form_id, place=NOWHERE, after=1, **more)
    assert settled(checks, store, "uuid:1", "uuid:2") == [[], expected]


def test_a_record_can_be_deleted_for_good_with_its_measures(store: Store, send: Send, checks: Checker) -> None:
    send("uuid:1", conflict(lost()))
    checks.run()

    def erase(connection: Connection) -> Any:
        connection.execute(delete(Submission).filter_by(instance_id="uuid:1"))
        return connection.scalar(select(func.count()).select_from(Measure))

    assert store.write(erase) == 0


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["conflict_livestock", "mitigation_followup", "camera_station", "prey_block", "conflict_verification"]),
    ANY_ANSWERS,
)
def test_no_answers_break_a_comparison(store: Store, form_id: str, answers: dict[str, Any]) -> None:
    instance_id = f"uuid:{uuid4()}"

    def work(connection: Connection) -> None:
        put(connection, instance_id, answers, form_id=form_id)
        for before in (None, "another"):
            made = case(form_id, answers, instance_id=instance_id, content_before=before)
            for check in content.CHECKS:
                list(check(made))
            for compare in content.COMPARISONS:
                list(compare(connection, made))

    store.write(work)
