"""Each check of what one record says: what provokes it, and what nearly does."""

import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.library.sources import survey_ids
from records.flag_kinds.content import CONTENT
from records.flags import Flag
from sync.checks import content
from sync.checks.case import Case
from sync.checks.measures import measured
from tests.support.answers import ANY_ANSWERS, case, conflict, lost, seen, transect

COMPARED = {"count_outlier", "count_group", "count_verified", "value_outlier", "value_toman", "camera_order"}
COMPARED |= {"duplicate_exact", "followup_overlaps"}
"""What only other records show: test_other_records.py."""
Answers = dict[str, Any]


def verified(*rows: Answers, **more: Any) -> Answers:
    found = {
        "verification_status": "confirmed",
        "predator_final": "leopard",
        "scalp": "c2",
        "verifier_trained": "yes",
        "bleeding": "yes",
    }
    return found | {"basis": "bite", "verified": list(rows)} | more


def dogs(**more: Any) -> Answers:
    return {"country": "IR", "dogs_n": 4, "pups_n": 1} | more


def patrol(zero: str = "no", km: float = 12, hours: int = 4, **more: Any) -> Answers:
    walked = {
        "patrol_type": "foot",
        "km": km,
        "start_time": "2026-05-01T07:00:00Z",
        "end_time": f"2026-05-01T{7 + hours:02}:00:00Z",
    }
    return {"country": "IR", "zero_month": zero, "patrol": walked | {"anything_seen": "no"} | more}


def camera(**more: Any) -> Answers:
    return {"cam_event": "retrieve", "event_time": "2026-05-01T12:00:00.000+03:30"} | more


def trained(**more: Any) -> Answers:
    return {"aud": [{"women": 3, "men": 4, "unsaid": 0, "first_time": 7}, {"women": 1, "men": 0, "first_time": 0}]} | more


def at_border(country: str) -> dict[str, Any]:
    return {"country": country}


TEN_MEASURED = [seen(radial_m=float(metres), perp_m=None) for metres in (61, 83, 107, 122, 142, 167, 231)]
TRACK = "35.70 51.40 1100 5;35.71 51.40 1110 5;35.72 51.40 1120 5"
"""2.2 km to the north."""
ENDS = {"start_g": {"start_point": "35.70 51.40 1100 5", "start_time": "2026-05-01T07:00:00Z"}}

CASES: list[tuple[str, str, Answers, Answers]] = [
    # code, survey, answers that provoke it, answers that nearly do
    ("count_zero", "conflict_livestock", conflict(lost(killed=0)), conflict(lost(killed=0), losses_g={"no_loss_ok": "yes"})),
    ("count_zero", "conflict_livestock", conflict(), conflict(lost(killed=0, missing=1))),
    ("count_zero", "conflict_livestock", conflict(lost(killed=-3)), conflict(lost(killed=0), lost(killed=0, injured=1))),
    ("count_zero", "conflict_livestock", conflict(losses_g={"no_loss_ok": "no"}), conflict(losses_g={"no_loss_ok": "yes"})),
    ("count_big", "conflict_livestock", conflict(lost(killed=20), lost("goat", 11)), conflict(lost(killed=30))),
    ("count_big", "conflict_livestock", conflict(lost(killed=31)), conflict(lost("poultry", 90))),
    ("count_big", "dog_impact", dogs(stock={"stock_killed": 31}), dogs(stock={"stock_killed": 40, "stock_species": "poultry"})),
    ("count_big", "dog_impact", dogs(wild={"wild_killed": 31}), dogs(wild={"wild_chased": 80, "wild_killed": 2})),
    ("count_big", "conflict_verification", verified({"v_killed": 31}), verified({"v_killed": 30, "v_injured": 4})),
    ("count_huge", "conflict_livestock", conflict(lost(killed=101), herd=(500, 0)), conflict(lost(killed=100), herd=(500, 0))),
    ("count_herd", "conflict_livestock", conflict(lost(killed=4), herd=(3, 0)), conflict(lost(killed=3), herd=(3, 0))),
    ("count_herd", "conflict_livestock", conflict(lost("yak", 2), herd=(90, 1)), conflict(lost("yak", 2), herd=(90, 0))),
    (
        "count_herd",
        "conflict_livestock",
        conflict(lost("goat", 2), lost(killed=2), herd=(3, 0)),
        conflict(lost("poultry", 9), herd=(3, 3)),
    ),
    (
        "count_sum",
        "conflict_livestock",
        conflict(lost(), losses_g={"total_killed": 2}),
        conflict(lost(), losses_g={"total_killed": 1}),
    ),
    (
        "count_sum",
        "conflict_livestock",
        conflict(lost(killed=3, unit_value=0.1), losses_g={"loss_value_local": 0.4}),
        conflict(lost(killed=3, unit_value=0.1), losses_g={"loss_value_local": 0.3, "total_missing": 0}),
    ),
    (
        "count_sum",
        "grazing_survey",
        {"herd": [{"head": 40}, {"head": 2}], "head_total": 40},
        {"herd": [{"head": 40}], "head_total": 40},
    ),
    ("count_sum", "training_event", trained(participants=7), trained(participants=8)),
    ("count_part", "conflict_livestock", conflict(lost(), husbandry={"dogs_lgd": 3}), conflict(lost(), husbandry={"dogs_lgd": 2})),
    ("count_part", "prey_transect", transect(seen(n_total=6)), transect(seen(n_total=7))),
    ("count_part", "prey_block", {"grp": [{"n_total": 1, "n_young": 2}]}, {"grp": [{"n_total": 3, "n_young": 2}, {"n_young": 2}]}),
    ("count_part", "dog_impact", dogs(pups_n=5), dogs(pups_n=4)),
    ("count_part", "dog_impact", dogs(leo={"dogs_killed": 5}), dogs(leo={"dogs_killed": 4})),
    (
        "count_part",
        "mitigation_install",
        {"base": {"base_killed": 2, "base_killed_leopard": 3}},
        {"base": {"base_killed_leopard": 3}},
    ),
    ("count_part", "mitigation_followup", {"killed": 0, "killed_leopard": 1}, {"killed": 1, "killed_leopard": 1}),
    ("count_part", "training_event", trained(passed=9, participants=8), trained(passed=8, participants=8)),
    ("count_part", "training_event", {"aud": [{"women": 1, "men": 1, "first_time": 3}]}, trained()),
    (
        "value_currency",
        "conflict_livestock",
        conflict(lost(), losses_g={"currency": "TRY"}),
        conflict(lost(), losses_g={"currency": "IRT"}),
    ),
    ("value_currency", "mitigation_install", {"base": {"currency": "PKR"}, "country": "IR"}, {"base": {"currency": "USD"}}),
    ("value_currency", "mitigation_followup", {"currency": "EUR"}, {"currency": "IRR"}),
    ("species_range", "prey_transect", transect(seen("saiga")), transect(seen("lepus"), seen("ovis_hybrid"))),
    ("species_range", "prey_block", {"country": "IR", "grp": [{"species": "capra_falconeri"}]}, {"grp": [{"species": "dama_m"}]}),
    ("species_range", "dog_impact", dogs(wild={"wild_species": "ovis_ammon"}), dogs(wild={"wild_species": "ovis_vignei"})),
    ("species_range", "dog_impact", dogs(leo={"kill_species": "saiga"}), dogs(leo={"kill_species": "other"})),
    ("species_range", "leopard_sign", {"kill_species": "cervus_hanglu"}, {"kill_species": "cervus_elaphus"}),
    ("species_range", "patrol_effort", patrol(obs=[{"obs_species": "saiga"}]), patrol(obs=[{"obs_species": "sus_scrofa"}])),
    ("species_range", "grazing_survey", {"prey_seen": "lepus capra_caucasica"}, {"prey_seen": "lepus capra_aegagrus unheard_of"}),
    ("species_range", "corridor_barrier", {"signs_prey": "rupicapra"}, {"signs_prey": "marmota"}),
    (
        "species_impossible",
        "conflict_livestock",
        conflict(lost(), cause={"predator": "snow_leopard"}),
        conflict(lost(), cause={"predator": "cheetah"}),
    ),
    ("species_impossible", "conflict_verification", verified(predator_final="snow_leopard"), verified(predator_final="bear_black")),
    ("species_impossible", "dog_impact", dogs(leo={"pred_species": "snow_leopard"}), dogs(leo={"pred_species": "wolf"})),
    (
        "evidence_bleeding",
        "conflict_livestock",
        conflict(lost(), cause={"predator": "not_predator", "basis": "told"}, evidence={"bleeding": "yes"}),
        conflict(lost(), cause={"predator": "not_predator", "basis": "told"}, evidence={"bleeding": "dk"}),
    ),
    (
        "evidence_bleeding",
        "conflict_livestock",
        conflict(lost(), cause={"predator": "not_predator"}),
        conflict(lost(), cause={"predator": "unknown"}, evidence={"bleeding": "yes"}),
    ),
    (
        "evidence_bleeding",
        "conflict_verification",
        verified(verification_status="not_predation"),
        verified(verification_status="not_predation", bleeding="no", basis="drag"),
    ),
    (
        "evidence_hearsay",
        "conflict_livestock",
        conflict(lost(), cause={"confidence": "certain", "basis": "told habit"}),
        conflict(lost(), cause={"confidence": "certain", "basis": "told saw_attack"}),
    ),
    (
        "evidence_hearsay",
        "conflict_livestock",
        conflict(lost(), cause={"confidence": "certain", "basis": "habit"}),
        conflict(lost(), cause={"confidence": "probable", "basis": "habit"}),
    ),
    (
        "evidence_finding",
        "conflict_verification",
        verified(predator_final="not_predator", bleeding="no", basis="tracks"),
        verified(predator_final="not_predator", bleeding="no", basis="tracks", verification_status="possible"),
    ),
    ("evidence_untrained", "conflict_verification", verified(verifier_trained="no"), verified(verifier_trained="no", scalp="c3")),
    ("evidence_untrained", "leopard_sign", {"trained": "no", "scalp_auto": "c2"}, {"trained": "no", "scalp_auto": "c1"}),
    ("distance_geometry", "prey_transect", transect(seen(perp_m=61.2)), transect(seen(perp_m=60.9))),
    (
        "distance_geometry",
        "prey_transect",
        transect(seen(angle_method="bearings", bearing_animal=10, bearing_line=340, perp_m=10)),
        transect(seen(angle_method="bearings", bearing_animal=340, bearing_line=10)),
    ),
    (
        "distance_geometry",
        "prey_transect",
        transect(seen(angle_method="perp", perp_direct_m=40)),
        transect(seen(angle_method="perp", perp_direct_m=60), seen(sight_angle=None), seen(perp_m=None)),  # type: ignore[arg-type]
    ),
    ("distance_far", "prey_transect", transect(seen(radial_m=1501, perp_m=750.5)), transect(seen(radial_m=1500, perp_m=750))),
    ("distance_far", "prey_transect", transect(seen(angle_method="perp", perp_direct_m=1600, perp_m=1600)), transect(seen())),
    (
        "distance_heaped",
        "prey_transect",
        transect(*TEN_MEASURED, *(seen(radial_m=metres, perp_m=None) for metres in (50, 100, 150, 200))),
        transect(*TEN_MEASURED, *(seen(radial_m=metres, perp_m=None) for metres in (50, 100, 150))),
    ),
    (
        "distance_heaped",
        "prey_transect",
        transect(*[seen(radial_m=100, perp_m=50)] * 10),
        transect(*[seen(radial_m=100, perp_m=50)] * 9),
    ),
    ("effort_speed", "prey_transect", transect(km=25), transect(km=24)),
    ("effort_speed", "prey_transect", transect(km=0.8), transect(km=0.9)),
    ("effort_speed", "prey_transect", transect(km=30), {**transect(km=30), "survey": {"travel": "vehicle"}}),
    ("effort_speed", "patrol_effort", patrol(km=33), patrol(km=0.5, hours=16)),
    ("effort_length", "prey_transect", transect(km=3, track=TRACK), transect(km=2.6, track=TRACK)),
    ("effort_length", "prey_transect", transect(km=1.7, track=TRACK), transect(km=2.0, track=TRACK)),
    (
        "effort_length",
        "prey_transect",
        transect(km=1.5, end_point="35.72 51.40 1100 5") | ENDS,
        transect(km=9, end_point="35.72 51.40 1100 5") | ENDS,
    ),
    ("effort_length", "patrol_effort", patrol(km=12, track=TRACK), patrol(km=12, track="unreadable")),
    ("effort_empty", "prey_transect", transect(no_detection=""), transect()),
    ("effort_empty", "prey_transect", transect(no_detection="no") | {"animals_seen": "yes"}, transect() | {"animals_seen": "no"}),
    ("effort_empty", "prey_block", {"animals_seen": "yes"}, {"no_detection": "yes"}),
    ("effort_empty", "patrol_effort", patrol(anything_seen="yes"), patrol(anything_seen="yes", obs=[{"obs_kind": "fire"}])),
    ("effort_empty", "patrol_effort", patrol(anything_seen=""), {"zero_month": "yes", "households_asked": 0}),
    (
        "camera_clock",
        "camera_station",
        camera(camera_clock="2026-05-01T12:10:01.000+03:30"),
        camera(camera_clock="2026-05-01T08:20:00.000Z"),
    ),
    ("camera_clock", "camera_station", camera(camera_clock="2020-01-01T00:03:00.000+03:30"), camera(camera_clock="")),
    ("camera_last_image", "camera_station", camera(last_image="2026-05-02"), camera(last_image="2026-05-01")),
]


def found(one: Case) -> list[Flag]:
    return [item for check in content.CHECKS for item in check(one)]


def codes(form_id: str, answers: Any, **more: Any) -> list[str]:
    return [item["code"] for item in found(case(form_id, answers, **more))]


@pytest.mark.parametrize(("code", "form_id", "provoking", "nearly"), CASES)
def test_a_check_speaks_when_it_should_and_is_silent_when_it_nearly_should(
    code: str, form_id: str, provoking: Answers, nearly: Answers
) -> None:
    assert code in codes(form_id, provoking)
    assert set(codes(form_id, nearly)) <= {"count_big"} - {code}


def test_every_kind_of_flag_is_provoked_and_what_a_check_says_reads_well() -> None:
    assert {code for code, *_ in CASES} | COMPARED == set(CONTENT)
    for code, form_id, provoking, _ in CASES:
        said = [item for item in found(case(form_id, provoking)) if item["code"] == code]
        assert all("{" not in item["message"] and "None" not in item["message"] for item in said)
        assert bool(CONTENT[code].detail) == bool(said[0]["message"])


def test_deleted_and_encrypted_records_are_left_alone() -> None:
    bad = conflict(lost(killed=0))
    assert codes("conflict_livestock", bad) == ["count_zero"]
    assert codes("conflict_livestock", bad, is_withdrawn=True) == codes("conflict_livestock", {}, encrypted=True) == []


@pytest.mark.parametrize(
    ("form_id", "answers"),
    [
        ("conflict_livestock", conflict(lost(), losses_g={"currency": "TRY"}, country="IR")),
        ("prey_transect", transect(seen("capreolus")) | {"country": "KZ"}),
    ],
)
def test_near_a_border_what_either_country_has_is_right(form_id: str, answers: Answers) -> None:
    assert codes(form_id, answers, country="TR") == []
    assert len(codes(form_id, answers, country=None)) == 1


def test_a_flag_can_be_kept_whatever_the_number() -> None:
    assert [item["values"]["km"] for item in orjson.loads(orjson.dumps(found(case("patrol_effort", patrol(km=1e30)))))] == [1e30]


def test_without_a_country_nothing_is_foreign() -> None:
    assert codes("leopard_sign", {"kill_species": "saiga"}, country=None) == []
    assert codes("mitigation_followup", {"currency": "TRY"}, country=None) == []


def test_an_animal_of_another_country_is_told_once_and_by_its_row() -> None:
    said = found(case("prey_transect", transect(seen("lepus"), seen("saiga"), seen("saiga"))))
    assert [(item["code"], item["path"], item["values"]) for item in said] == [
        ("species_range", "obs[2]/species", {"prey": "saiga", "country": "IR"})
    ]


def test_a_flag_names_the_row_and_the_numbers() -> None:
    said = found(case("prey_transect", transect(seen(), seen(n_total=2), seen(perp_m=80))))
    assert [(item["path"], item["message"]) for item in said] == [
        ("obs[2]/n_male", "Of this kind: 7. In all: 2."),
        ("obs[3]/perp_m", "It reads 80 m. Worked out: 60 m."),
    ]


@given(st.sampled_from([*survey_ids(), "another"]), ANY_ANSWERS)
def test_no_answers_break_a_check_and_checking_twice_finds_the_same(form_id: str, answers: Answers) -> None:
    said = found(case(form_id, answers))
    assert said == found(case(form_id, answers)) == orjson.loads(orjson.dumps(said))
    assert all(math.isfinite(each.value) and len(each.subject) <= 64 for each in measured(case(form_id, answers)))
