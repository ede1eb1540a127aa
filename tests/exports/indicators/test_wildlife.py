"""Prey, dogs and leopards: small data worked out by hand."""

from datetime import date
from typing import Any

import pytest

from exports.indicators.prey import BIASED_LOW, perpendicular_m
from exports.indicators.prey_statistics import double_observer, encounter_rate
from exports.indicators.records import Answers, Record
from tests.exports.indicators.making import YEAR, data, figures, only, record, report


def walk(line: str, groups: list[dict[str, Any]], *, km: float = 2.0, day: date = date(2025, 5, 10)) -> Record:
    return record("prey_transect", {"survey/transect_id": line, "end_g/length_km": km, "obs": groups}, day=day)


def goats(size: int = 4, metres: float = 20.0, **more: Any) -> dict[str, Any]:
    return {"species": "capra_aegagrus", "n_total": size, "angle_method": "perp", "perp_direct_m": metres, **more}


def test_distances_are_worked_out_anew() -> None:
    assert perpendicular_m(Answers({"angle_method": "relative", "radial_m": 100, "sight_angle": 30})) == pytest.approx(50)
    bearings = {"angle_method": "bearings", "radial_m": 100, "bearing_animal": 350, "bearing_line": 80}
    assert perpendicular_m(Answers(bearings)) == pytest.approx(100)
    assert perpendicular_m(Answers({"angle_method": "perp", "perp_direct_m": 7})) == 7
    assert perpendicular_m(Answers({"angle_method": "relative", "radial_m": 100, "perp_m": 3})) is None


def test_animals_are_met_per_kilometre_of_lines_with_and_without_them() -> None:
    found = figures("I-PREY-1", data(walk("a", [goats(4)]), walk("a", [goats(2)]), walk("b", []), walk("c", [goats(6)], km=1)))
    groups, animals = only(found, "groups"), only(found, "animals")
    expected, _ = encounter_rate([6, 0, 6], [4, 2, 1])
    assert (animals.value, animals.lower, animals.upper) == pytest.approx(tuple(expected))
    assert (groups.value, groups.n, groups.flags) == (pytest.approx(3 / 7), 3, ("low_n",))


def test_a_density_is_refused_where_it_would_be_a_guess() -> None:
    few = only(figures("I-PREY-2", data(*(walk(f"l{n}", [goats()] * 3) for n in range(12)))), "density")
    assert (few.value, few.refused, few.n) == (None, "below_40_groups", 36)
    short = only(figures("I-PREY-2", data(*(walk(f"l{n}", [goats()] * 10) for n in range(5)))), "density")
    assert short.refused == "below_10_lines"
    guessed = only(figures("I-PREY-2", data(*(walk(f"l{n}", [goats(dist_method="estimate")] * 5) for n in range(12)))), "density")
    assert guessed.refused == "too_many_distances_by_eye"


def test_a_density_leaves_out_the_farthest_groups() -> None:
    lines = [walk(f"l{n}", [goats(4, metres) for metres in (2, 9, 20, 35, 50 + n)]) for n in range(20)]
    figure = only(figures("I-PREY-2", data(*lines)), "density")
    assert figure.n == 95
    assert figure.refused == ""
    width = float(figure.method.partition("half-width ")[2].partition(" m")[0])
    assert figure.value == pytest.approx(95 * 4 / (2 * 40 * width / 1000), rel=1e-3)
    assert figure.lower is not None
    assert figure.upper is not None
    assert figure.value is not None
    assert figure.lower < figure.value < figure.upper


def test_two_observers_are_reconciled_on_one_sheet() -> None:
    seen = [("both", 6)] * 12 + [("obs1", 3)] * 4 + [("obs2", 2)] * 3
    groups = [{"species": "ovis_vignei", "n_total": size, "seen_by": who, "double_count": "no"} for who, size in seen]
    groups.append({**groups[0], "double_count": "yes"})
    about = {"survey/obs_role": "reconciled", "survey/block_id": "B1", "survey/block_km2": 50}
    other = record("prey_block", {**about, "survey/obs_role": "obs1", "grp": groups})
    found = figures("I-PREY-3", data(record("prey_block", {**about, "grp": groups}), other))
    expected = double_observer(12, 4, 3, [size for _, size in seen])
    animals = only(found, "animals")
    assert (animals.value, animals.lower, animals.upper) == pytest.approx(tuple(expected.animals))
    assert animals.flags == (BIASED_LOW,)
    assert only(found, "groups").value == pytest.approx(17 * 16 / 13 - 1)
    assert only(found, "density").value == pytest.approx(expected.animals.value / 50)
    before = record("prey_block", {**about, "grp": groups * 2}, day=date(2025, 2, 1))  # the same block, counted twice
    assert figures("I-PREY-3", data(record("prey_block", {**about, "grp": groups}), before)) == found
    elsewhere = record("prey_block", {**about, "grp": groups, "survey/area_code": "A2"})
    both = figures("I-PREY-3", data(record("prey_block", {**about, "grp": groups}), elsewhere))
    assert only(both, "density").value == pytest.approx(only(both, "animals").value / 100)


def test_young_and_males_are_told_by_hundred_females() -> None:
    classed = [goats(9, n_female=4, n_young=3, n_male=2), goats(8, n_female=6, n_young=2, n_male=0), goats(20)]
    found = figures("I-PREY-4", data(walk("a", classed)))
    young = only(found, "young")
    assert (young.value, young.n, young.coverage) == (50, 10, pytest.approx(2 / 3))
    assert only(found, "males").value == 20


def test_a_trend_needs_four_years() -> None:
    def years(number: int) -> list[Record]:
        return [walk("a", [goats(round(100 * 1.1**n))], km=10, day=date(2026 - number + n, 5, 1)) for n in range(number)]

    assert figures("I-PREY-5", data(*years(3))) == []
    change = only(figures("I-PREY-5", data(*years(5))), "change")
    assert (change.value, change.n) == (pytest.approx(10, abs=0.3), 5)
    assert figures("I-PREY-5", data(*years(5)), period=YEAR._replace(name="2025Q1", end=date(2025, 3, 31))) == []


def dog(**answers: Any) -> Record:
    return record("dog_impact", {key.replace("__", "/"): value for key, value in answers.items()})


def patrol(km: float = 10, seen: dict[str, int] | None = None, **more: Any) -> Record:
    rows = [{"obs_kind": kind, "obs_n": number} for kind, number in (seen or {}).items()]
    times = {"patrol/start_time": "2025-05-01T08:00:00.000+03:30", "patrol/end_time": "2025-05-02T18:00:00.000+03:30"}
    return record("patrol_effort", {"zero_month": "no", "patrol/km": km, "patrol/people": 3, "patrol/obs": rows, **times, **more})


def test_dogs_are_told_by_kilometre_and_their_attacks_by_patrol_day() -> None:
    events = [
        dog(event_type="wildlife", wild__wild_killed=2, wild__wild_chased=2, wild__wild_species="saiga", dog_class="stray"),
        dog(event_type="wildlife sighting", wild__wild_injured=1, wild__wild_species="lepus", dog_class="stray"),
        dog(event_type="sighting"),
    ]
    found = data(patrol(seen={"dog": 3, "wild": 9}), patrol(), walk("a", [goats(dogs_500m=2)], km=5), *events)
    assert only(figures("I-DOG-1", found), "dogs").value == pytest.approx(100 * 5 / 25)
    told = figures("I-DOG-2", found)
    assert only(told, "attacks").value == pytest.approx(100 * 2 / 4)
    assert only(told, "victims").value == pytest.approx(100 * 5 / 4)
    assert only(told, "killed_share").value == 40
    assert only(told, "attacks_by_species", of="saiga").value == 50
    assert only(told, "attacks_by_dogs", of="stray").value == 100


def test_dogs_and_not_leopards_killed_some_of_the_sheep() -> None:
    records = [report(f"h{number}", instance_id=f"uuid:r{number}") for number in range(2)]
    visits = [
        record("conflict_verification", {"incident_ref": f"r{n}", "predator_final": who, "verification_status": "confirmed",
                                         "verified": [{"v_killed": killed}]})
        for n, (who, killed) in enumerate((("dog", 1), ("leopard", 3)))
    ]  # fmt: skip
    events = [dog(event_type="livestock", stock__blamed_predator=blamed, reporter_code="R1") for blamed in ("yes", "no", "dk")]
    found = figures("I-DOG-3", data(*records, *visits, *events))
    assert only(found, "dog_share").value == 25
    blamed = only(found, "blamed_predator_share")
    assert (blamed.value, blamed.coverage) == (50, pytest.approx(2 / 3))
    assert {share.household for share in blamed.supports[0]} == {"reporter r1"}


def test_dogs_take_kills_and_meet_leopards() -> None:
    events = [
        dog(event_type="klepto", leo__klepto="took", leo__pred_species="leopard"),
        dog(event_type="klepto", leo__klepto="lost", leo__pred_species="wolf"),
        dog(event_type="killed leopard", leo__pred_species="leopard", leo__dogs_killed=2, leo__leo_result="injured"),
        dog(event_type="disease", health__signs="salivation neuro", health__vaccinated="no"),
    ]
    found = data(*events, record("leopard_sign", {"sign_type": "kill_wild"}), record("leopard_mortality", {"cause": "dog"}))
    assert only(figures("I-DOG-4", found), "taken_share").value == 50
    assert only(figures("I-DOG-4", found), "visited_share", restricted=True).value == 50
    assert only(figures("I-DOG-5", found), "dogs_killed").value == 2
    hurt = only(figures("I-DOG-5", found), "leopards_hurt")
    assert (hurt.value, hurt.restricted) == (2, True)
    sick = {figure.name: figure.value for figure in figures("I-DOG-6", found)}
    assert sick == {"rabies_signs": 1, "distemper_signs": 1, "vaccinated_share": 0}


def test_leopards_are_counted_without_dens_and_collars_and_once_in_two_countries() -> None:
    def sign(kind: str, grade: str, name: str = "", **more: Any) -> Record:
        return record("leopard_sign", {"sign_type": kind, "scalp_auto": grade, "individual_id": name}, **more)

    records = [sign("photo", "c1", "L1"), sign("den", "c1"), sign("collar", "c1"), sign("track", "c2"), sign("track", "c3")]
    records.append(sign("camera", "c1", "l-1", country="TR", day=date(2023, 1, 1)))
    found = data(*records)
    counts = {figure.of: figure.value for figure in figures("I-MON-2", found)}
    assert counts == {"c1": 1, "c2": 1}
    assert only(figures("I-MON-4", found), "shared_leopards").value == 1
    assert figures("I-MON-4", found, country="IR") == []


def test_deaths_rescues_and_trade_are_restricted() -> None:
    def death(cause: str, fate: str = "dead", **more: str) -> Record:
        return record("leopard_mortality", {"cause": cause, "fate": fate, **more})

    records = [death("retaliation"), death("vehicle"), death("unknown"), death("snare", "injured", rescue_called="yes")]
    records += [record("illegal_trade", {"n_items": 3}), record("illegal_trade", {"n_items": 4})]
    found = data(*records)
    every = [*figures("I-THR-1", found), *figures("I-RSP-1", found), *figures("I-TRD-1", found)]
    assert all(figure.restricted for figure in every)
    assert only(every, "leopards", of="").value == 4
    assert only(every, "leopards", of="cause: retaliation").value == 1
    assert only(every, "retaliation_share").value == pytest.approx(100 / 3)
    assert only(every, "rescue_share").value == 100
    assert (only(every, "seizures").value, only(every, "items").value) == (2, 7)
