"""People decide which reports tell of one event; incidents follow, visits hang on them, and everything can be taken back."""

from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from forms.problems import Problem
from forms.submission import case_number
from records import incidents, reviews
from records.access import Access, Right
from records.audit import events
from records.blobs import BlobStore
from records.incidents import Incident, Timeline
from records.models import Feed, IncidentLink, IncidentPair
from records.store import Store
from sync.checks import checker
from sync.incidents.comparison import link_incidents
from tests.support.incidents import CAME, DAY, Desk, ranger, told
from tests.support.stores import EVERYTHING, PROJECT
from tests.support.twins import FORM

NGO = {"reporter": "N-1", "role": "ngo"}
TODAY = date(2026, 6, 1)


@pytest.fixture
def desk(store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(checker, "CHECKS", ())
    monkeypatch.setattr(checker, "COMPARISONS", (link_incidents,))
    return Desk(store, blobs)


@pytest.fixture
def three(desk: Desk) -> Desk:
    for hours, report in enumerate((told("uuid:a"), ranger("uuid:b"), told("uuid:c", **NGO))):
        desk.take(report, received_at=CAME + timedelta(hours=hours))
    return desk


def decide(desk: Desk, one: str, other: str, decision: str, comment: str = "", access: Access = EVERYTHING) -> None:
    incidents.decide(desk.store, access, (FORM, f"uuid:{one}"), (FORM, f"uuid:{other}"), decision, comment)


def groups(desk: Desk) -> dict[str, str]:
    """The incident of each report, as the last letters of their ids."""
    with desk.store.read() as connection:
        rows = connection.execute(select(IncidentLink.instance_id, IncidentLink.incident_id).filter_by(role="report"))
        return {row.instance_id[-1]: row.incident_id[-1] for row in rows}


def incident(desk: Desk, instance_id: str, form_id: str = FORM, access: Access = EVERYTHING) -> Incident:
    with desk.store.read() as connection:
        return incidents.incident_of(connection, access, form_id, instance_id)


def proposed(desk: Desk, access: Access = EVERYTHING) -> list[tuple[str, str]]:
    with desk.store.read() as connection:
        return [(pair.first[1][-1], pair.second[1][-1]) for pair in incidents.proposed_pairs(connection, access, limit=50)]


def test_an_incident_is_what_hangs_together_and_has_the_id_of_the_report_that_came_first(three: Desk) -> None:
    assert groups(three) == {"a": "a", "b": "b", "c": "c"}
    decide(three, "c", "b", "same")
    assert groups(three) == {"a": "a", "b": "b", "c": "b"}
    decide(three, "a", "c", "same")
    assert groups(three) == {"a": "a", "b": "a", "c": "a"}
    assert [each.instance_id for each in incident(three, "uuid:c").reports] == ["uuid:a", "uuid:b", "uuid:c"]


def test_taking_a_decision_back_splits_again(three: Desk) -> None:
    decide(three, "a", "b", "same")
    decide(three, "b", "c", "same")
    decide(three, "a", "b", "undecided")
    assert groups(three) == {"a": "a", "b": "b", "c": "b"}
    assert proposed(three) == [("a", "b"), ("a", "c")]
    decide(three, "b", "c", "different")
    assert groups(three) == {"a": "a", "b": "b", "c": "c"}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_decided_in_whatever_order_reports_of_one_incident_hang_together_and_none_is_said_to_differ(
    desk: Desk, seed: int
) -> None:
    chance, names = Random(seed), "abcdef"
    for hours, name in enumerate(names):
        desk.take(told(f"uuid:{name}", reporter=f"R-{name}", role="ranger"), received_at=CAME + timedelta(hours=hours))
    decided: dict[tuple[str, str], str] = {}
    for _ in range(25):
        one, other = sorted(chance.sample(names, 2))
        decision = chance.choice(("same", "same", "different", "undecided"))
        try:
            decide(desk, one, other, decision)
        except Problem as problem:
            assert problem.kind.code == "incident_contradiction"  # noqa: PT017
        else:
            decided[one, other] = decision
    reached = {name: {name} for name in names}
    for _ in names:
        for one, other in combinations(names, 2):
            if decided.get((one, other)) == "same":
                joined = reached[one] | reached[other]
                for name in joined:
                    reached[name] = joined
    assert groups(desk) == {name: min(reached[name]) for name in names}
    assert not any(decision == "different" and other in reached[one] for (one, other), decision in decided.items())


def test_a_contradiction_is_refused_and_named(three: Desk) -> None:
    decide(three, "a", "b", "same")
    decide(three, "a", "c", "different")
    with pytest.raises(Problem) as refused:
        decide(three, "b", "c", "same")
    assert (refused.value.kind.code, f"{case_number('uuid:a')} ≠ {case_number('uuid:c')}" in refused.value.detail) == (
        "incident_contradiction",
        True,
    )
    assert groups(three) == {"a": "a", "b": "a", "c": "c"}
    decide(three, "a", "c", "undecided")
    decide(three, "b", "c", "same")
    with pytest.raises(Problem, match="≠"):
        decide(three, "a", "c", "different")


def test_what_is_decided_is_no_proposal_and_no_flag_any_more(three: Desk) -> None:
    assert proposed(three) == [("a", "b"), ("a", "c"), ("b", "c")]
    decide(three, "a", "b", "same")
    decide(three, "b", "c", "same")
    assert proposed(three) == []  # a and c follow
    assert [three.flags(f"uuid:{name}") for name in "abc"] == [[], [], []]
    decide(three, "b", "c", "undecided")
    assert [len(three.flags(f"uuid:{name}")) for name in "abc"] == [1, 1, 2]


def test_a_decision_stays_whatever_is_corrected_later(three: Desk) -> None:
    decide(three, "a", "b", "same")
    three.take(ranger("uuid:b", day=DAY + timedelta(days=9)))
    assert [pair for pair in three.pairs() if pair[3]] == [("uuid:a", "uuid:b", "likely", "same")]
    decide(three, "a", "b", "undecided")
    three.checker.run()
    assert proposed(three) == [("a", "c")]


def test_a_person_may_join_what_nothing_proposed(three: Desk) -> None:
    three.take(told("uuid:d", day=DAY + timedelta(days=40)))
    decide(three, "d", "a", "same")
    assert groups(three)["d"] == "a"
    decide(three, "d", "a", "undecided")
    assert (groups(three)["d"], [pair for pair in three.pairs() if "uuid:d" in pair]) == ("d", [])


def test_a_decision_has_its_line_in_the_history_of_both_in_the_log_and_in_the_feed(three: Desk) -> None:
    decide(three, "a", "b", "same", "The same donkey.")
    with three.store.read() as connection:
        for one, other in (("uuid:a", "uuid:b"), ("uuid:b", "uuid:a")):
            [step] = reviews.history(connection, EVERYTHING, FORM, one)
            assert (step.action, step.actor, step.comment, step.detail) == ("same", "test", "The same donkey.", {"record": other})
        assert [event.action for event in events(connection, EVERYTHING, limit=9)].count("record.same") == 2
        assert connection.scalars(select(Feed.instance_id).filter_by(kind="review")).all() == ["uuid:a", "uuid:b"]
        [pair] = [each for each in incident_pairs(connection) if each.decision]
        assert (pair.decided_by, pair.comment) == ("test", "The same donkey.")


def incident_pairs(connection: Any) -> list[Any]:
    return list(connection.execute(select(*IncidentPair.__table__.columns)))


@pytest.mark.parametrize(
    ("one", "other", "decision", "comment", "code"),
    [
        ("a", "a", "same", "", "value_invalid"),
        ("a", "b", "perhaps", "", "value_invalid"),
        ("a", "b", "same", "x" * 2001, "value_invalid"),
        ("a", "nothing", "same", "", "submission_unknown"),
        ("a", "t", "same", "", "value_invalid"),
    ],
)
def test_what_cannot_be_decided_is_refused(three: Desk, one: str, other: str, decision: str, comment: str, code: str) -> None:
    three.take(told("uuid:t", submission_purpose="test"))
    with pytest.raises(Problem) as refused:
        decide(three, one, other, decision, comment)
    assert refused.value.kind.code == code
    assert groups(three) == {"a": "a", "b": "b", "c": "c"}


def test_only_reviewers_decide_and_everybody_sees_only_what_is_theirs(three: Desk) -> None:
    reader = Access(PROJECT, "leila", frozenset({Right.SEE}))
    with pytest.raises(Problem, match="may not"):
        decide(three, "a", "b", "same", access=reader)
    collector = Access(PROJECT, "ali", frozenset({Right.SEE}), only_account=7)
    stranger = Access(PROJECT + 1, "omid", frozenset(Right))
    analyst = Access(PROJECT, "sara", frozenset({Right.EXPORTS}))
    assert (len(proposed(three, reader)), proposed(three, collector), proposed(three, stranger)) == (3, [], [])
    for access, code in ((collector, "submission_unknown"), (stranger, "submission_unknown"), (analyst, "not_allowed")):
        with pytest.raises(Problem) as refused:
            incident(three, "uuid:a", access=access)
        assert refused.value.kind.code == code
    with pytest.raises(Problem, match="may not"):
        proposed(three, analyst)


def test_a_deleted_report_leaves_its_incident_and_comes_back(three: Desk) -> None:
    decide(three, "a", "b", "same")
    reviews.delete(three.store, EVERYTHING, FORM, "uuid:a")
    assert [each.instance_id for each in incident(three, "uuid:b").reports] == ["uuid:b"]
    assert proposed(three) == [("b", "c")]
    reviews.restore(three.store, EVERYTHING, FORM, "uuid:a")
    assert len(incident(three, "uuid:b").reports) == 2


def test_visits_hang_on_the_incident_and_follow_their_report_when_it_splits(three: Desk) -> None:
    three.visit("uuid:v", "conflict_verification", incident_ref=case_number("uuid:b"))
    decide(three, "a", "b", "same")
    assert [record.instance_id for _, record in incident(three, "uuid:a").visits] == ["uuid:v"]
    assert incident(three, "uuid:v", "conflict_verification").id == "uuid:a"
    decide(three, "a", "b", "undecided")
    assert (list(incident(three, "uuid:a").visits), incident(three, "uuid:v", "conflict_verification").id) == ([], "uuid:b")


def test_a_report_is_found_by_any_of_its_names_by_those_who_may_see_it(three: Desk) -> None:
    with three.store.read() as connection:
        for name in ("uuid:a", "a", case_number("uuid:a"), f" {case_number('uuid:a').lower()} "):
            assert incidents.find_report(connection, EVERYTHING, name) == (FORM, "uuid:a")
        for access, name in ((EVERYTHING, "uuid:z"), (Access(PROJECT, "ali", frozenset({Right.SEE}), only_account=7), "uuid:a")):
            with pytest.raises(Problem, match=name):
                incidents.find_report(connection, access, name)


def test_incidents_with_several_reports_or_visits_are_listed_the_newest_first(three: Desk) -> None:
    three.take(told("uuid:d", day=DAY + timedelta(days=40)))
    three.visit("uuid:v", "conflict_verification", incident_ref="uuid:d")
    decide(three, "a", "b", "same")
    with three.store.read() as connection:
        listed = incidents.joined_incidents(connection, EVERYTHING, limit=9)
    assert [(each.id, each.reports, each.visits) for each in listed] == [("uuid:d", 1, 1), ("uuid:a", 2, 0)]
    assert [each.event_date for each in listed] == [DAY + timedelta(days=40), DAY]


def claim(desk: Desk, instance_id: str, day: int, status: str, **answers: Any) -> None:
    """A follow-up of claim 12 (written in Persian digits at times), sent so many days after the event."""
    came = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) + timedelta(days=day)
    content = {"claim_id": "۱۲", "claim_date": "2026-03-04", "amount_claimed": 300, "currency": "IRT", "status": status}
    desk.visit(instance_id, "compensation_followup", came, incident_ref=case_number("uuid:b"), **(content | answers))


DECIDED = {"decision_date": "2026-03-24", "amount_approved": 200}


def shown(desk: Desk) -> Timeline:
    return incidents.timeline(incident(desk, "uuid:a"), TODAY)


def test_the_timeline_tells_steps_amounts_and_the_days_between(three: Desk) -> None:
    decide(three, "a", "b", "same")
    three.visit("uuid:v", "conflict_verification", incident_ref="uuid:a", visit_time="2026-03-03T10:00:00.000+03:30",
                verification_status="confirmed")  # fmt: skip
    claim(three, "uuid:p", 5, "submitted")
    claim(three, "uuid:q", 30, "approved", claim_id="12", **DECIDED)
    claim(three, "uuid:r", 60, "paid", claim_id="12", **DECIDED, paid_date="2026-04-13", amount_paid=200)
    found = shown(three)
    assert [(step.kind, str(step.day), step.amount, step.currency, step.in_rial) for step in found.steps] == [
        ("event", "2026-03-01", None, "", None),
        ("report", "2026-03-02", None, "", None),
        ("report", "2026-03-02", None, "", None),
        ("verification", "2026-03-03", None, "", None),
        ("claim", "2026-03-04", 300, "IRT", 3000),
        ("decision", "2026-03-24", 200, "IRT", 2000),
        ("payment", "2026-04-13", 200, "IRT", 2000),
    ]
    assert [(each.start, each.end, each.days, each.is_open) for each in found.latencies] == [
        ("event", "report", 1, False),
        ("event", "verification", 2, False),
        ("event", "claim", 3, False),
        ("claim", "decision", 20, False),
        ("decision", "payment", 20, False),
    ]
    assert next(step.detail for step in found.steps if step.kind == "verification") == "confirmed"


def test_a_claim_that_is_open_says_for_how_long(three: Desk) -> None:
    claim(three, "uuid:p", 5, "submitted")
    with three.store.read() as connection:
        waiting = incidents.incident_of(connection, EVERYTHING, FORM, "uuid:b")
    [latency] = [each for each in incidents.timeline(waiting, TODAY).latencies if each.end == "decision"]
    assert (latency.days, latency.is_open) == (89, True)
    claim(three, "uuid:q", 30, "part_paid", **DECIDED, paid_date="2026-04-13", amount_paid=50)
    [latency] = [each for each in incidents.timeline(incident(three, "uuid:b"), TODAY).latencies if each.end == "payment"]
    assert (latency.days, latency.is_open) == (69, True)


@pytest.mark.parametrize("status", ["rejected", "withdrawn", "expired"])
def test_a_claim_that_ended_without_payment_waits_for_none(three: Desk, status: str) -> None:
    claim(three, "uuid:p", 5, status, **(DECIDED if status == "rejected" else {}))
    spans = {(each.start, each.end, each.is_open) for each in incidents.timeline(incident(three, "uuid:b"), TODAY).latencies}
    assert ("decision", "payment", True) not in spans
    assert ("claim", "decision", True) not in spans


def test_the_latencies_of_all_incidents_are_summed_up_with_those_still_open(three: Desk) -> None:
    claim(three, "uuid:p", 5, "approved", **DECIDED)
    claim(three, "uuid:q", 6, "submitted", claim_id="13")
    with three.store.read() as connection:
        found = {(each.start, each.end): each for each in incidents.latencies(connection, EVERYTHING, TODAY)}
    assert [(each.done, each.median, each.slowest, each.open) for each in found.values()] == [
        (1, 1, 1, 0),
        (0, None, None, 0),
        (2, 3, 3, 0),
        (1, 20, 20, 1),
        (0, None, None, 1),
    ]


def test_answers_of_any_kind_make_a_timeline(three: Desk) -> None:
    claim(three, "uuid:p", 5, "paid", claim_date="yesterday", amount_claimed="much", claim_id=12, decision_date=7, currency=None)
    three.visit("uuid:v", "conflict_verification", incident_ref="uuid:a", visit_time=5, verification_status=["x"])
    assert [step.kind for step in incidents.timeline(incident(three, "uuid:b"), TODAY).steps] == ["event", "report"]
    assert [step.kind for step in shown(three).steps] == ["event", "report", "verification"]
