"""Checks that compare visits, on both databases: follow-ups of a household, visits to a camera, a verification with its report."""

from typing import Any

import pytest

from forms.submission import case_number
from records.incidents.decisions import SAME, UNDECIDED, decide
from records.store import Store
from sync.checks import Checker
from tests.support.answers import NOWHERE, Send, codes, conflict, corrected, flags, lost, settled
from tests.support.stores import EVERYTHING


def followup(begin: str, end: str, household: str = "H-12", **more: Any) -> dict[str, Any]:
    return {"household_code": household, "period_from": begin, "period_to": end, "attacks": 0, "killed": 0} | more


@pytest.mark.parametrize(
    ("second", "is_odd"),
    [
        (followup("2026-02-15", "2026-04-01", "h ۱۲"), True),
        (followup("2026-03-01", "2026-04-01"), False),
        (followup("2026-02-15", "2026-04-01", "H-13"), False),
        (followup("2026-02-15", "2026-04-01", install_ref="7F3A-0001"), False),
        (followup("2026-02-15", "2026-04-01", install_ref=case_number("uuid:install")), True),
        (followup("2026-02-15", "2026-04-01", install_ref="UUID:INSTALL"), True),
        (followup("2026-02-15", "2026-04-01", install_ref=""), True),
    ],
)
def test_two_followups_of_a_household_do_not_share_days(
    store: Store, send: Send, checks: Checker, second: dict[str, Any], is_odd: bool
) -> None:
    first = followup("2026-01-01", "2026-03-01", install_ref="uuid:install")
    send("uuid:1", first, form_id="mitigation_followup", place=NOWHERE)
    send("uuid:2", second, form_id="mitigation_followup", place=NOWHERE, after=1)
    assert settled(checks, store, "uuid:1", "uuid:2") == [[], ["followup_overlaps"] * is_odd]
    if is_odd:
        assert flags(store, "uuid:2")[0]["message"] == f"From 2026-02-15 to 2026-03-01. The other one: {case_number('uuid:1')}."


def test_new_households_are_not_one_household(store: Store, send: Send, checks: Checker) -> None:
    for number in (1, 2):
        answers = followup("2026-01-01", "2026-03-01", "NEW", killed=number)
        send(f"uuid:{number}", answers, form_id="mitigation_followup", place=NOWHERE, after=number)
    assert settled(checks, store, "uuid:2") == [[]]


def test_an_overlap_goes_when_the_other_period_is_corrected(store: Store, send: Send, checks: Checker) -> None:
    for number, begin in ((1, "2026-01-01"), (2, "2026-02-15")):
        answers = followup(begin, "2026-03-01", remarks=str(number))
        send(f"uuid:{number}", answers, form_id="mitigation_followup", place=NOWHERE, after=number)
    assert settled(checks, store, "uuid:2") == [["followup_overlaps"]]
    corrected(store, "uuid:1", followup("2026-01-01", "2026-02-15"))
    checks.run()
    assert codes(store, "uuid:2") == []


def visit(event: str, at: str, camera: str = "C1") -> dict[str, Any]:
    return {
        "project_code": "P",
        "station_id": "ST-1",
        "camera_id": camera,
        "cam_event": event,
        "event_time": f"{at}T12:00:00+03:30",
    }


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        ([visit("deploy", "2026-02-10"), visit("retrieve", "2026-01-20")], [[], ["camera_order"]]),
        ([visit("deploy", "2026-01-10"), visit("retrieve", "2026-01-20")], [[], []]),
        ([visit("deploy", "2026-02-10"), visit("retrieve", "2026-01-20", "C2")], [[], []]),
        ([visit("deploy", "2026-02-10"), visit("service", "2026-01-20")], [[], []]),
        ([visit("retrieve", "2026-01-20"), visit("deploy", "2026-02-10")], [[], []]),
        ([visit("deploy", "2026-01-10"), visit("deploy", "2026-02-10"), visit("retrieve", "2026-01-20")], [[], [], []]),
        ([visit("deploy", "2026-02-10"), visit("retrieve", "2026-01-20"), visit("deploy", "2026-01-10")], [[], [], []]),
    ],
)
def test_a_camera_is_retrieved_after_it_was_deployed(
    store: Store, send: Send, checks: Checker, visits: list[dict[str, Any]], expected: list[list[str]]
) -> None:
    for number, answers in enumerate(visits):
        send(f"uuid:{number}", answers, form_id="camera_station", after=number)
        checks.run()
    assert settled(checks, store, *(f"uuid:{number}" for number in range(len(visits)))) == expected


def test_a_camera_is_in_order_again_when_the_deployment_is_corrected(store: Store, send: Send, checks: Checker) -> None:
    send("uuid:1", visit("deploy", "2026-02-10"), form_id="camera_station")
    send("uuid:2", visit("retrieve", "2026-01-20"), form_id="camera_station", after=1)
    checks.run()
    assert flags(store, "uuid:2")[0]["message"] == f"Deployed: 2026-02-10 ({case_number('uuid:1')}). This visit: 2026-01-20."
    corrected(store, "uuid:1", visit("deploy", "2026-01-10"))
    checks.run()
    assert codes(store, "uuid:2") == []


def accepted(killed: int, injured: int = 0, reference: str = "uuid:1") -> dict[str, Any]:
    return {"incident_ref": reference, "verified": [{"v_species": "sheep", "v_killed": killed, "v_injured": injured}]}


@pytest.mark.parametrize(("killed", "injured", "is_odd"), [(3, 1, False), (4, 0, False), (4, 1, True), (0, 5, True)])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_visit_accepts_no_more_than_was_reported(
    store: Store, send: Send, linked: Checker, killed: int, injured: int, is_odd: bool, is_first: bool
) -> None:
    answers = accepted(killed, injured, case_number("uuid:1"))
    send("uuid:visit", answers, form_id="conflict_verification", after=-5 if is_first else 5)
    linked.run()
    send("uuid:1", conflict(lost(killed=2, injured=1, missing=1)))
    assert settled(linked, store, "uuid:1", "uuid:visit") == [[], ["count_verified"] * is_odd]


def test_a_visit_is_compared_again_when_its_report_is_corrected(store: Store, send: Send, linked: Checker) -> None:
    send("uuid:1", conflict(lost()))
    send("uuid:visit", accepted(3), form_id="conflict_verification", after=1)
    assert settled(linked, store, "uuid:visit") == [["count_verified"]]
    corrected(store, "uuid:1", conflict(lost(killed=3)))
    linked.run()
    assert codes(store, "uuid:visit") == []


def test_a_visit_is_compared_with_all_reports_that_a_person_says_tell_of_its_attack(
    store: Store, send: Send, linked: Checker
) -> None:
    send("uuid:1", conflict(lost()))
    send("uuid:2", conflict(lost(killed=3)), after=2)
    send("uuid:visit", accepted(3), form_id="conflict_verification", after=3)
    assert settled(linked, store, "uuid:visit") == [["count_verified"]]
    reports = [("conflict_livestock", "uuid:1"), ("conflict_livestock", "uuid:2")]
    for decision, expected in ((SAME, []), (UNDECIDED, ["count_verified"])):
        decide(store, EVERYTHING, *reports, decision)
        linked.run()
        assert codes(store, "uuid:visit") == expected
