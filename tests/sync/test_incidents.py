"""Reports that may tell of one event are proposed as pairs, whatever order they come in; visits find their report."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from forms.library.sources import read_survey, survey_ids
from forms.submission import case_number
from records import reviews
from records.blobs import BlobStore
from records.incidents.references import BEGINNERS
from records.models import ConflictReport, IncidentLink, Submission
from records.store import Store
from sync.checks import checker
from sync.incidents import matching
from sync.incidents.comparison import link_incidents
from sync.incidents.facts import FARTHEST, cell_of, cells_around
from sync.incidents.scoring import TERMS, WEIGHTS, comparable, compared
from sync.incidents.visits import PATIENCE, VISITS, look_for_missing
from tests.support.incidents import CAME, DAY, Desk, ranger, told
from tests.support.stores import EVERYTHING
from tests.support.twins import FORM, truth_set


@pytest.fixture
def desk(store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(checker, "CHECKS", ())
    monkeypatch.setattr(checker, "COMPARISONS", (link_incidents,))
    return Desk(store, blobs)


def proposed(desk: Desk) -> list[tuple[str, str]]:
    return [(first, second) for first, second, _, _ in desk.pairs()]


def test_a_herder_and_a_ranger_who_tell_of_one_night_are_proposed(desk: Desk) -> None:
    desk.take(told("uuid:a"), ranger("uuid:b", household="ir 01 ۰۰۱", point=(36.5008, 52.0005, 12.0)))
    assert desk.pairs() == [("uuid:a", "uuid:b", "likely", "")]
    for one, other in (("uuid:a", "uuid:b"), ("uuid:b", "uuid:a")):
        assert desk.flags(one) == [("twin_proposed", f"The other one: {case_number(other)}")]
        assert desk.row(one).attention


@pytest.mark.parametrize(
    "other",
    [
        {"household": "TK-04-117", "point": (36.503, 52.0, 8.0)},  # a neighbour, the same night
        {"day": DAY + timedelta(days=4)},
        {"point": (36.6, 52.0, 8.0), "household": "NEW"},
        {"killed": 9, "predator": "wolf", "household": "NEW", "point": (36.508, 52.0, 8.0)},
    ],
)
def test_other_events_are_not_proposed(desk: Desk, other: dict[str, object]) -> None:
    desk.take(told("uuid:a"), ranger("uuid:b", **other))
    assert desk.pairs() == []


def test_one_who_sends_it_twice_is_asked_about_as_a_repeat(desk: Desk) -> None:
    desk.take(told("uuid:a"), told("uuid:b"))
    assert desk.pairs() == [("uuid:a", "uuid:b", "possible", "")]


def test_reports_without_a_place_are_compared_by_household_and_by_the_name_of_the_place(desk: Desk) -> None:
    named = {"loc_method": "named", "place_name": "علي آباد"}
    desk.take(told("uuid:a"), ranger("uuid:b", point=None, where=named))
    desk.take(told("uuid:c", household="NEW", reporter="N-1", role="ngo", point=None, where=named | {"place_name": "علی‌آباد"}))
    assert proposed(desk) == [("uuid:a", "uuid:b"), ("uuid:b", "uuid:c")]


def test_tests_encrypted_reports_and_reports_without_a_day_have_no_twins(desk: Desk) -> None:
    desk.take(told("uuid:a"), ranger("uuid:b", submission_purpose="test"))
    desk.keep(ranger("uuid:c"))
    desk.store.write(
        lambda connection: connection.execute(update(Submission).filter_by(instance_id="uuid:c").values(encrypted=True))
    )
    desk.take(replace(ranger("uuid:d"), day=None))  # type: ignore[arg-type]
    assert desk.pairs() == []
    with desk.store.read() as connection:
        assert sorted(connection.scalars(select(ConflictReport.instance_id))) == ["uuid:a", "uuid:d"]


def test_a_correction_takes_a_pair_back_and_its_flags_with_it(desk: Desk) -> None:
    desk.take(told("uuid:a"), ranger("uuid:b"))
    desk.take(ranger("uuid:b", day=DAY + timedelta(days=5)))
    assert (desk.pairs(), desk.flags("uuid:a"), desk.flags("uuid:b")) == ([], [], [])
    assert not desk.row("uuid:a").attention
    desk.take(ranger("uuid:b"))
    desk.take(ranger("uuid:b", submission_purpose="test"))
    assert (desk.pairs(), desk.flags("uuid:a")) == ([], [])


def test_a_settled_flag_stays_settled_and_the_pair_stays_proposed(desk: Desk) -> None:
    desk.take(told("uuid:a"), ranger("uuid:b"))
    reviews.settle(desk.store, EVERYTHING, FORM, "uuid:a", {"twin_proposed"})
    desk.checker.forget()
    desk.checker.run()
    assert (desk.flags("uuid:a"), len(desk.flags("uuid:b")), len(desk.pairs())) == ([], 1, 1)


def test_the_owner_is_not_among_the_facts_and_without_consent_nobody_is(desk: Desk) -> None:
    one = told("uuid:a")
    one.answers["reporter"]["owner_contact"] = "Gholam 0912"
    desk.take(one, told("uuid:b", consent="no"))
    with desk.store.read() as connection:
        rows = {row.instance_id: row for row in connection.execute(select(*ConflictReport.__table__.columns))}
    assert "Gholam" not in str(rows["uuid:a"]) + str(rows["uuid:b"])
    assert (rows["uuid:b"].household, rows["uuid:b"].reporter) == ("", "")


@pytest.mark.parametrize("seed", range(3))
def test_the_pairs_are_the_same_in_whatever_order_reports_and_corrections_come(desk: Desk, seed: int) -> None:
    chance = Random(seed)
    reports = truth_set(seed, attacks=14, villages=1, days=12)
    strangers = [replace(chance.choice(reports), instance_id=each.instance_id) for each in chance.sample(reports, 5)]
    found = []
    for order in (list, lambda each: chance.sample(each, len(each)), lambda each: list(reversed(each))):  # type: Callable
        desk.empty()
        for each in strangers:  # they come with another content first
            desk.take(each) if chance.random() < 0.5 else desk.keep(each)
        for each in order(reports):
            desk.keep(each)
            if chance.random() < 0.4:
                desk.checker.run()
        desk.checker.run()
        found.append((desk.pairs(), {each.instance_id: desk.flags(each.instance_id) for each in reports}))
    assert found[0] == found[1] == found[2]
    assert len(found[0][0]) > 3


@given(st.integers(0, 40), st.integers(0, 400), st.integers(0, 400))
@settings(max_examples=300)
def test_comparing_is_the_same_from_both_sides(seed: int, one: int, other: int) -> None:
    facts = _FACTS(seed)
    here, there = facts[one % len(facts)], facts[other % len(facts)]
    assert comparable(here, there) == comparable(there, here)
    forth, back = compared(here, there), compared(there, here)
    assert forth == back
    assert 0 <= forth.score <= 1


def _FACTS(seed: int) -> list[matching.Facts]:
    return [each.facts() for each in truth_set(seed % 3, attacks=40, villages=1, days=20)]


def test_every_level_that_a_term_gives_is_known() -> None:
    given = {(name, look(one, other)[0]) for one in _FACTS(1) for other in _FACTS(2) for name, look in TERMS.items()}
    assert set(TERMS) == set(WEIGHTS)
    assert {(term, value) for term, value in given if value not in WEIGHTS[term]} <= {(term, "unknown") for term in TERMS}


@given(st.floats(-89, 89), st.floats(-180, 179.999), st.floats(0, 360), st.floats(0, 0.99))
def test_the_squares_around_a_place_hold_every_place_near_it(north: float, east: float, turn: float, share: float) -> None:
    import math

    reach = FARTHEST * share / 111_195
    latitude = north + reach * math.cos(turn)
    longitude = (east + reach * math.sin(turn) / math.cos(math.radians(north)) + 180) % 360 - 180
    assert cell_of(latitude, longitude) in cells_around(north, east)


def test_a_flood_of_reports_of_one_place_does_not_stop_the_checks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "_IN_TIME", matching._IN_TIME.limit(3))
    matching._search.cache_clear()
    desk.take(*(told(f"uuid:{number}", reporter=f"R-{number}") for number in range(9)))
    matching._search.cache_clear()
    assert 9 < len(desk.pairs()) <= 9 * 3


def link(desk: Desk, instance_id: str) -> tuple[str | None, str]:
    with desk.store.read() as connection:
        row = connection.execute(select(IncidentLink.incident_id, IncidentLink.how).filter_by(instance_id=instance_id)).one()
        return row.incident_id, row.how


@pytest.mark.parametrize("first", ["report", "visit"])
@pytest.mark.parametrize(
    "spelled",
    [
        lambda name: name,
        lambda name: name.removeprefix("uuid:").upper(),
        case_number,
        lambda name: case_number(name).lower().replace("-", ""),
        lambda name: case_number(name).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")),
        lambda name: f" {case_number(name).translate(str.maketrans('0123456789', '٠١٢٣٤٥٦٧٨٩'))} ",
    ],
)
def test_a_visit_finds_its_report_however_it_is_named_and_whichever_comes_first(
    desk: Desk, first: str, spelled: Callable[[str], str]
) -> None:
    name = "uuid:5f0f4a53-7e1d-4f0e-9d5b-2d7b8a1c9e10"
    if first == "report":
        desk.take(told(name))
    desk.visit("uuid:v", "conflict_verification", incident_ref=spelled(name), received_at=datetime.now(UTC))
    if first == "visit":
        [(code, message)] = desk.flags("uuid:v")
        assert (code, spelled(name).strip() in message, desk.row("uuid:v").attention) == ("reference_awaited", True, False)
        desk.take(told(name))
    assert (link(desk, "uuid:v"), desk.flags("uuid:v")) == ((name, "reference"), [])


def test_after_three_months_somebody_is_asked_to_look_for_the_report(desk: Desk) -> None:
    late = datetime.now(UTC) - PATIENCE + timedelta(hours=1)
    desk.visit("uuid:v", "compensation_followup", received_at=late, incident_ref="AAAA-BBBB")
    assert [code for code, _ in desk.flags("uuid:v")] == ["reference_awaited"]
    desk.store.write(lambda connection: connection.execute(update(Submission).values(received_at=late - timedelta(hours=2))))
    look_for_missing(desk.store)
    desk.checker.run()
    assert [code for code, _ in desk.flags("uuid:v")] == ["reference_missing"]
    assert desk.row("uuid:v").attention


def test_a_number_that_two_reports_share_names_none(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.incidents.visits.case_key", lambda instance_id: "aaaabbbb")
    desk.take(told("uuid:a"), told("uuid:b", day=date(2025, 1, 1)))
    desk.visit("uuid:v", "conflict_verification", incident_ref="AAAA-BBBB")
    assert link(desk, "uuid:v") == (None, "reference")


def test_a_visit_waits_again_when_its_report_turns_out_to_be_a_test(desk: Desk) -> None:
    desk.take(told("uuid:a"))
    desk.visit("uuid:v", "conflict_verification", incident_ref=case_number("uuid:a"))
    desk.take(told("uuid:a", submission_purpose="test"))
    assert link(desk, "uuid:v") == (None, "reference")


def test_a_visit_to_an_installation_finds_it(desk: Desk) -> None:
    desk.visit("uuid:f", "mitigation_followup", install_ref=case_number("uuid:i"), received_at=CAME)
    assert [code for code, _ in desk.flags("uuid:f")] == ["reference_missing"]
    desk.visit("uuid:i", "mitigation_install")
    assert (link(desk, "uuid:f"), desk.flags("uuid:f")) == (("uuid:i", "reference"), [])


def test_a_test_visit_hangs_on_nothing(desk: Desk) -> None:
    desk.visit("uuid:v", "conflict_verification", incident_ref="AAAA-BBBB", submission_purpose="test")
    desk.visit("uuid:w", "conflict_verification", incident_ref="")
    with desk.store.read() as connection:
        assert connection.execute(select(IncidentLink.instance_id)).all() == []
    assert (desk.flags("uuid:v"), desk.flags("uuid:w")) == ([], [])


def test_every_survey_that_names_another_record_is_known() -> None:
    naming = set()
    for survey_id in survey_ids():
        names = {row["name"] for row in read_survey(survey_id).questions}
        if names & {"incident_ref", "install_ref"}:
            naming.add(survey_id)
            assert VISITS[survey_id].number[-1] in names
            assert VISITS[survey_id].entity[-1] in names
            assert VISITS[survey_id].visited in BEGINNERS
    assert naming == set(VISITS)
