"""Pastures, training, claims, opinions, patrols, cameras and the quality of records: small data worked out by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from exports.indicators.attitudes import index
from exports.indicators.figures import NO_CONTROLS
from exports.indicators.intervals import ratio_of_sums
from exports.indicators.records import Record
from exports.indicators.slices import HotCell, Standing, Use
from exports.indicators.table import rows
from exports.privacy import PUBLIC
from exports.windows import Window
from tests.exports.indicators.making import QUARTER, YEAR, data, figures, only, record, report


def pasture(household: str = "h1", head: int = 100, **more: Any) -> Record:
    answers = {
        "arrive": "2025-04-01",
        "leave": "2025-07-01",
        "herd": [{"species": "sheep", "head": head}, {"species": "cow?", "head": 9}],
    }
    place = more.pop("place", None)
    return record("grazing_survey", {**answers, **more}, household=household, day=date(2025, 4, 1), place=place)


def test_stocking_is_livestock_units_by_square_kilometre() -> None:
    found = figures("I-GRZ-1", data(pasture(head=200, pasture_ha=100.0), pasture("h2", head=100, pasture_ha=300.0), pasture("h3")))
    density = only(found, "stocking_density")
    assert (density.value, density.unit, density.coverage) == (pytest.approx(30 / 4), "LU/km2", pytest.approx(2 / 3))
    assert density.lower == ratio_of_sums([20, 10], [1, 3]).lower
    assert only(found, "livestock_months", of="sheep").value == pytest.approx(400 * 91 / 30.4375)


def test_herds_count_for_the_days_of_the_period_only() -> None:
    found = data(pasture(arrive="2025-06-01", leave="2025-07-31"))
    assert only(figures("I-GRZ-1", found, period=QUARTER), "livestock_months", of="sheep").value == pytest.approx(
        100 * 30 / 30.4375
    )


def test_worn_pastures_are_those_of_class_three_and_four() -> None:
    rated = [pasture(degradation=each, bare_pct=bare) for each, bare in (("0", 0), ("2", 20), ("3", 30), ("4", 50))]
    found = figures("I-GRZ-2", data(*rated, pasture()))
    assert (only(found, "degraded_share").value, only(found, "bare_ground").value) == (50, 25)


def test_livestock_where_there_are_wild_ungulates() -> None:
    records = [
        pasture(place=(36.5, 52.0)),
        pasture("h2", place=(35.0, 53.0), prey_seen="saiga lepus"),
        record("prey_block", {"grp": [{"species": "ovis_vignei"}]}, place=(36.5, 52.0)),
        record("prey_transect", {"obs": [{"species": "sus_scrofa"}]}, place=(38.0, 56.0)),
        record("prey_transect", {"obs": [{"species": "lepus"}]}, place=(39.0, 57.0)),
    ]
    overlap = only(figures("I-GRZ-3", data(*records)), "overlap")
    assert (overlap.value, overlap.n) == (pytest.approx(100 * 2 / 3), 3)
    core = [pasture(head=91, land_status="pa_core"), pasture("h2", head=291, land_status="communal")]
    assert only(figures("I-GRZ-4", data(*core)), "core_share").value == 25


def event(groups: list[dict[str, Any]], **more: Any) -> Record:
    return record("training_event", {"aud": groups, **more})


def test_people_are_trained_once_and_participants_come_again() -> None:
    herders = {"audience": "herder", "women": 6, "men": 3, "unsaid": 1, "first_time": 8}
    rangers = {"audience": "ranger", "women": 0, "men": 5, "unsaid": 0, "first_time": 50}
    tests = {"pretest_n": 10, "pretest_mean": 40.0, "posttest_n": 8, "posttest_mean": 70.0}
    found = data(event([herders, rangers], kind="customs", hours=4.0, **tests), event([herders], kind="field"))
    people = figures("I-TRN-1", found)
    assert only(people, "people", of="herder").value == 16
    assert only(people, "people", of="ranger").value == 5  # no more than came
    assert only(people, "participants", of="").value == 25
    women = only(people, "women_share", of="herder")
    assert (women.value, women.coverage) == (pytest.approx(100 * 12 / 18), 0.9)
    assert only(people, "people_by_kind", of="customs").value == 13
    gain = only(figures("I-TRN-2", found), "gain")
    assert (gain.value, gain.n, gain.coverage) == (30, 8, 0.5)
    assert only(figures("I-TRN-3", found), "person_hours").value == 60


def claim(number: int, status: str, *, day: str = "2025-03-01", **more: Any) -> Record:
    answers = {
        "incident_ref": f"uuid:r{number}",
        "claim_id": f"C-{number}",
        "claim_date": day,
        "status": status,
        "currency": "TRY",
        **more,
    }
    return record("compensation_followup", answers, day=date.fromisoformat(day))


def test_open_claims_count_in_the_days_people_wait() -> None:
    reports = [report(f"h{n}", instance_id=f"uuid:r{n}", day=date(2025, 2, 1), response__claim="yes") for n in range(5)]
    claims = [
        claim(0, "paid", decision_date="2025-03-11", paid_date="2025-03-21", amount_paid=100.0),
        claim(1, "approved", decision_date="2025-03-21"),
        claim(2, "submitted"),
        claim(3, "withdrawn"),
    ]
    found = figures("I-CMP-1", data(*reports, *claims))
    claimed = only(found, "event_to_claim_median")
    assert (claimed.value, claimed.n, claimed.coverage) == (28, 5, 0.8)
    decided = only(found, "claim_to_decision_median")
    assert (decided.value, decided.n) == (20, 4)  # 10 and 20 days, one withdrawn at once, one open to the end of the year
    paid = only(found, "decision_to_payment_median")
    assert (paid.value, paid.n, paid.coverage) == (10, 2, 0.5)
    assert only(found, "decision_to_payment_percentile_90").refused == "too_many_still_open"


def test_what_was_paid_is_told_by_what_was_lost() -> None:
    losses = [{"species": "sheep", "age": "adult", "n_killed": 2, "unit_value": 50.0}]
    about = {"losses_g__loss": losses, "losses_g__currency": "TRY", "response__scheme": "gov"}
    reports = [report(f"h{n}", instance_id=f"uuid:r{n}", day=date(2025, 2, 1), **about) for n in range(4)]
    visits = [
        record("conflict_verification", {"incident_ref": f"r{n}", "predator_final": "leopard", "verification_status": "confirmed",
                                         "verified": [{"v_species": "sheep", "v_age": "adult", "v_killed": 2}]})
        for n in range(3)
    ]  # fmt: skip
    claims = [
        claim(0, "paid", decision_date="2025-03-11", amount_paid=60.0, satisfied="4", trips=3),
        claim(0, "paid", decision_date="2025-03-12", amount_paid=80.0, satisfied="5", trips=4),
        claim(1, "rejected", decision_date="2025-03-11", reject_reason="late", satisfied="1", trips=2),
        claim(3, "paid", amount_paid=100.0, satisfied="9"),
    ]
    found = data(*reports, *visits, *claims)
    paid = only(figures("I-CMP-2", found), "paid_share")
    assert (paid.value, paid.of, paid.n) == (40, "TRY", 2)
    decided = figures("I-CMP-3", found)
    assert only(decided, "approved_share").value == pytest.approx(100 * 2 / 3)
    assert only(decided, "rejected_because").of == "late"
    reach = only(figures("I-CMP-4", found), "claimed_share")
    assert (reach.value, reach.n) == (pytest.approx(100 * 2 / 3), 3)
    fair = figures("I-CMP-5", found)
    assert (only(fair, "fair_share").value, only(fair, "trips").value) == (50, 3)


def interview(
    cluster: str, programme: str, opinion: int, *, turn: int = 0, day: date = date(2025, 5, 1), answered: int = 10
) -> Record:
    names = ("value", "tolerate", "benefit", "trust", "measures", "prey", "dogs", "say", "fear", "remove")
    told = {f"att/a_{name}": str(6 - opinion if name in ("fear", "remove") else opinion) for name in names[:answered]}
    told |= {f"att/a_{name}": "9" for name in names[answered:]}
    about = {"consent": "yes", "cluster_code": cluster, "programme_area": programme, "round_no": turn}
    return record("community_attitudes", {**told, **about}, day=day)


def test_fear_is_turned_round_and_seven_answers_are_needed() -> None:
    assert index(interview("a", "yes", 4)) == 4
    assert index(interview("a", "yes", 2, answered=7)) == 2
    assert index(interview("a", "yes", 2, answered=6)) is None


def test_opinions_change_more_or_less_than_elsewhere() -> None:
    before, after = date(2023, 5, 1), date(2025, 5, 1)
    programme = [
        interview(c, "yes", value, turn=turn, day=day) for c in "abc" for turn, day, value in ((0, before, 2), (1, after, 4))
    ]
    elsewhere = [
        interview(c, "no", value, turn=turn, day=day) for c in "xyz" for turn, day, value in ((0, before, 2), (1, after, 3))
    ]
    found = figures("I-ATT-1", data(*programme, *elsewhere))
    effect = only(found, "difference_in_differences")
    assert (effect.value, effect.lower, effect.upper, effect.of) == (1, 1, 1, "round 0 to 1")
    assert effect.flags == ("few_clusters",)
    assert only(found, "mean", of="programme").value == 4
    alone = figures("I-ATT-1", data(*programme))
    assert only(alone, "change").flags == (NO_CONTROLS,)
    assert only(alone, "change").value == 2


def patrol(**more: Any) -> Record:
    times = {"patrol/start_time": "2025-05-01T08:00:00.000Z", "patrol/end_time": "2025-05-02T08:00:00.000Z"}
    return record(
        "patrol_effort", {"zero_month": "no", "patrol/km": 25.0, "patrol/people": 3, "area_code": "GOL-1", **times, **more}
    )


def test_effort_is_told_by_the_area_patrolled() -> None:
    seen = [{"obs_kind": "snare", "obs_n": 3}, {"obs_kind": "poison"}, {"obs_kind": "wild", "obs_n": 9}]
    found = data(patrol(), patrol(area_code="elsewhere", **{"patrol/obs": seen}), areas={"gol1": ("IR", 300.0)})
    effort = figures("I-EFF-1", found)
    assert (only(effort, "km").value, only(effort, "person_days").value) == (50, 12)
    by_area = only(effort, "person_days_by_area")
    assert (by_area.value, by_area.coverage) == (2, 0.5)
    against = figures("I-VIO-1", found)
    assert only(against, "violations", of="").value == 8
    assert only(against, "violations", of="snare").value == 6
    areas = only(figures("I-MON-3", found), "areas")
    assert (areas.value, areas.coverage) == (2, 1)


def test_months_without_any_report_are_missing() -> None:
    found = data(report(day=date(2025, 4, 3)), report(day=date(2025, 4, 9)), report(day=date(2025, 6, 9)))
    figure = only(figures("I-EFF-2", found, period=QUARTER), "completeness")
    assert (figure.value, figure.n) == (pytest.approx(100 * 2 / 3), 3)


def heard(day: int, household: str, role: str = "herder", *, after: int = 1) -> Record:
    told = report(
        household=household, day=date(2025, 4, day), when={"event_date": f"2025-04-{day:02}"}, reporter={"reporter_role": role}
    )
    return replace(told, received=datetime(2025, 4, day, 9, tzinfo=UTC) + timedelta(days=after))


def test_how_soon_attacks_are_told_of_and_by_whom() -> None:
    herders = [heard(number, f"h{number}", after=number) for number in range(1, 10)]
    found = data(*herders, *(heard(number, f"r{number}", "ranger", after=0) for number in range(1, 7)), report())
    told = figures("I-EFF-2", found, period=QUARTER)
    delay, late = only(told, "delay_median"), only(told, "delay_90")
    assert (delay.value, delay.n, delay.coverage) == (2, 15, 15 / 16)
    assert late.value == pytest.approx(7.6)
    assert only(told, "role_share", of="known").value == pytest.approx(100 * 15 / 16)
    assert only(told, "role_share", of="herder").value == 60
    assert {share.household for share in only(told, "role_share", of="ranger").supports[0]} == {f"r{n}" for n in range(1, 7)}


@pytest.mark.parametrize(("asked", "told"), [((30, 12), 42), ((3, 1), None)])
def test_households_asked_are_counted_and_few_are_not_told(asked: tuple[int, ...], told: int | None) -> None:
    months = [record("patrol_effort", {"zero_month": "yes", "households_asked": each}, day=date(2025, 4, 30)) for each in asked]
    patrol = record("patrol_effort", {"households_asked": 99}, day=date(2025, 4, 30))
    figure = only(figures("I-EFF-2", data(*months, patrol), period=QUARTER), "households_asked")
    assert (figure.value, figure.refused) == (told, "" if told else "few_households")


def test_who_told_is_published_only_where_five_households_are_behind_it_and_behind_the_rest() -> None:
    for rangers, shown in ((4, False), (5, True)):
        found = data(
            *(heard(number, f"h{number}") for number in range(1, 10)), *(heard(n + 1, f"r{n}", "ranger") for n in range(rangers))
        )
        table = {
            (row["figure"], row["of"]): row
            for row in rows(found, Window(YEAR.start, YEAR.end), PUBLIC)
            if row["indicator"] == "I-EFF-2" and row["period"] == "2025Q2"
        }
        assert (table["role_share", "ranger"].get("value") is not None) == shown
        assert (table["role_share", "herder"].get("value") is not None) == shown


def camera(event: str, day: str, **more: str) -> Record:
    answers = {"station_id": "S1", "cam_event": event, "event_time": f"{day}T10:00:00.000+03:30", **more}
    return record("camera_station", answers, day=date.fromisoformat(day))


def test_nights_of_a_camera_end_with_its_last_picture() -> None:
    visits = [
        camera("deploy", "2024-12-22"),
        camera("service", "2025-01-11", working="yes"),
        camera("retrieve", "2025-02-01", working="no", last_image="2025-01-16"),
        camera("deploy", "2025-03-01"),
        camera("lost", "2025-04-01"),
        camera("deploy", "2025-05-01"),
    ]
    nights = only(figures("I-MON-1", data(*visits)), "trap_nights")
    assert (nights.value, nights.restricted) == (10 + 5, True)


def test_corridors_are_as_at_their_last_check() -> None:
    def check(km: float | None, state: str, **more: Any) -> Record:
        return record(
            "corridor_barrier", {"corridor_code": "K1", "barrier": "road", "barrier_km": km, "passage_state": state, **more}
        )

    found = figures(
        "I-COR-1", data(check(5.0, "not", carcasses=2), check(4.0, "ok", carcasses=1), check(None, "part", barrier="rail"))
    )
    told = {figure.name: figure.value for figure in found}
    assert told == {"corridors": 1, "barrier_km": 4, "working_passages": 50, "carcasses": 3}


def test_records_are_as_good_as_their_checks_and_versions() -> None:
    standings = [Standing("IR", date(2025, 5, 1), 8, 2, 1, 6), Standing("TR", date(2025, 5, 1), 2, 0, 0, 2)]
    uses = [Use(f"person{n}", date(2025, 5, 1), n % 2) for n in range(6)] + [Use("person1", date(2024, 5, 1), 1)]
    records = [record("dog_impact", {}, sender=sender) for sender in (1, 1, 2, 3, 4, 5, None)]
    found = data(*records, standings=standings, uses=uses)
    assert only(figures("I-DQ-1", found), "flagged_share").value == 20
    assert only(figures("I-DQ-1", found, country="IR"), "flagged_share").value == 25
    assert only(figures("I-DQ-2", found), "duplicate_share").value == 10
    assert only(figures("I-DQ-3", found), "current_version_share").value == 80
    use = {figure.name: figure.value for figure in figures("I-USE-1", found)}
    assert use == {"senders": 5, "people": 6, "downloads": 3}
    few = data(record("dog_impact", {}, sender=1), uses=uses[:4])
    assert {figure.value for figure in figures("I-USE-1", few) if figure.name != "downloads"} == {None}


def test_hotspots_are_told_with_what_protects_them() -> None:
    import h3.api.basic_int as h3

    cell = h3.latlng_to_cell(36.5, 52.0, PUBLIC.resolution)
    hot = [HotCell(cell, "IR", 250.0, 30, True), HotCell(1, "IR", 250.0, 5, True), HotCell(2, "TR", 250.0, 15, False)]
    unit = record(
        "mitigation_install", {"unit/unit_role": "treatment", "unit/measure": "lgd"}, instance_id="uuid:u1", place=(36.5, 52.0)
    )
    visit = record(
        "mitigation_followup", {"install_ref": "u1", "period_from": "2025-01-01", "period_to": "2025-05-01", "state": "ok"}
    )
    found = figures("I-HOT", data(unit, visit, hot={YEAR.name: hot}))
    told = {figure.name: figure.value for figure in found}
    assert told == {"hotspots": 2, "area": 500, "attacks_in_hotspots": 70, "protected_hotspots": 50}
    assert figures("I-HOT", data(unit, visit)) == []
