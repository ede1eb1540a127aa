"""What the analysis reads: every report once, whatever it says; what never counts is left out and counted."""

from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from exports.dataset import ConflictData, read_conflicts
from exports.grid import H3
from exports.partition import Question, Visit, part
from exports.reports import NOT_COUNTED, STANDARD, STRICT, Reports
from exports.windows import Window
from forms.submission import case_number
from records.access import Access
from records.counted import counted
from tests.support.conflict import answers, insert_record
from tests.support.counting import packed
from tests.support.stores import EVERYTHING

WINDOW = Window(date(2024, 7, 1), date(2026, 6, 30))


def read(engine: Engine, *, predator: str = "leopard") -> ConflictData:
    with engine.connect() as connection:
        return read_conflicts(connection, EVERYTHING, predator, WINDOW)


def collected(*contents: Any, visits: dict[str, Visit] | None = None) -> Reports:
    rows = [counted(f"uuid:{n}", content, 36.5, 52.0, 8.0, date(2026, 3, 1)) for n, content in enumerate(contents)]
    return part(packed(*rows), Question("leopard", WINDOW.start, visits or {})).reports


def test_a_report_is_read_with_place_day_losses_and_certainty(engine: Engine) -> None:
    with engine.begin() as connection:
        insert_record(connection, "uuid:1", answers())
    data = read(engine)
    report = data.reports
    assert (len(report), report.latitude[0], report.longitude[0], report.accuracy_m[0]) == (1, 36.5, 52.0, 8.0)
    assert report.day[0] == (date(2026, 3, 1) - date(1970, 1, 1)).days
    assert (report.killed_small[0], report.injured[0], report.missing[0]) == (2, 1, 0)
    assert (report.certainty[0], bool(report.shared[0]), report.country[0]) == (STANDARD, True, "IR")
    assert data.footprint.tolist() == H3.cells_of(np.array([36.5]), np.array([52.0])).tolist()


def test_what_the_checks_packed_counts_as_the_answers_do(engine: Engine) -> None:
    odd: list[dict[str, Any]] = [
        answers("خانوار ۷", losses={"loss": [{"species": "sheep", "n_killed": 2, "unit_value": 9.5e7}, 3], "currency": "IRR"}),
        answers(predator="wolf"),
        answers(purpose="test"),
        {"reporter": ["H1"], "cause": "leopard", "losses_g": None, "consent": True, "country": 7},
        {
            "reporter": {"household_code": 12},
            "cause": {"predator": "leopard", "confidence": {"a": [1]}},
            "losses_g": {"loss": "two"},
        },
    ]
    for is_packed in (False, True):
        with engine.begin() as connection:
            for number, content in enumerate(odd):
                kept = counted(f"uuid:{number}", content, 36.5, 52.0, 8.0, date(2026, 3, 1)) if is_packed else None
                insert_record(connection, f"uuid:{number}", content, project_id=1 + is_packed, counted=kept)
    with engine.connect() as connection:
        plain, quick = (
            read_conflicts(connection, Access.everything(project_id, "test"), "leopard", WINDOW) for project_id in (1, 2)
        )
    assert len(plain.reports) == 2
    for name in (field.name for field in fields(Reports)):
        np.testing.assert_array_equal(getattr(plain.reports, name), getattr(quick.reports, name))
    assert (plain.footprint.tolist(), plain.left_out, plain.months) == (quick.footprint.tolist(), quick.left_out, quick.months)


def test_tests_rejected_duplicates_and_other_projects_never_count(engine: Engine) -> None:
    with engine.begin() as connection:
        insert_record(connection, "uuid:1", answers(purpose="test"))
        insert_record(connection, "uuid:2", answers(), review_state="rejected")
        insert_record(connection, "uuid:3", answers(), review_state="duplicate")
        insert_record(connection, "uuid:4", answers(), project_id=2)
        insert_record(connection, "uuid:5", answers(), day=date(2024, 6, 30))
        insert_record(connection, "uuid:6", answers(), day=None)
        insert_record(connection, "uuid:7", answers(predator="wolf"), place=(30.0, 60.0, 5.0))
    data = read(engine)
    assert len(data.reports) == 0
    assert {reason: count for reason, count in data.left_out.items() if count} == {
        "n_test": 1,
        "n_other_predator": 1,
        "n_rejected": 2,
        "n_undated": 1,
    }
    assert len(data.footprint) == 1  # the report about a wolf shows that somebody was there
    assert len(read(engine, predator="wolf").reports) == 1


def test_places_of_other_forms_count_as_effort_unless_they_were_tests(engine: Engine) -> None:
    with engine.begin() as connection:
        insert_record(connection, "uuid:1", {}, form_id="dog_impact", place=(35.0, 51.0, 5.0))
        insert_record(connection, "uuid:2", {}, form_id="prey_transect", place=(35.0, 52.0, 5.0), day=None)
        insert_record(connection, "uuid:3", {"submission_purpose": "test"}, form_id="dog_impact", place=(35.0, 53.0, 5.0))
        insert_record(connection, "uuid:4", {}, form_id="dog_impact", place=(None, None, None))
        insert_record(connection, "uuid:5", {}, form_id="dog_impact", place=(35.0, 54.0, 5.0), day=date(2023, 1, 1))
        old = datetime(2023, 1, 1, tzinfo=UTC)
        insert_record(connection, "uuid:6", {}, form_id="dog_impact", place=(35.0, 55.0, 5.0), day=None, received_at=old)
    cells = H3.cells_of(np.array([35.0, 35.0]), np.array([51.0, 52.0]))
    assert set(read(engine).footprint.tolist()) == set(cells.tolist())


def test_places_of_restricted_surveys_are_no_effort(engine: Engine) -> None:
    with engine.begin() as connection:
        insert_record(connection, "uuid:1", {}, form_id="camera_station", place=(35.0, 51.0, 5.0))
        insert_record(connection, "uuid:2", {}, form_id="dog_impact", place=(35.0, 52.0, 5.0))
    cells = H3.cells_of(np.array([35.0]), np.array([52.0]))
    assert set(read(engine).footprint.tolist()) == set(cells.tolist())


def test_the_latest_visit_decides_about_predator_and_certainty(engine: Engine) -> None:
    visit = {"incident_ref": " uuid:AB-1 ", "predator_final": "leopard", "scalp": "c3"}
    with engine.begin() as connection:
        insert_record(connection, "uuid:ab-1", answers(predator="wolf", confidence="guess"))
        for day, finding in ((1, "not_predation"), (2, "confirmed")):
            content = visit | {"verification_status": finding}
            came = datetime(2026, 4, day, tzinfo=UTC)
            insert_record(connection, f"uuid:v{day}", content, form_id="conflict_verification", received_at=came)
    assert read(engine).reports.certainty.tolist() == [STRICT]


def test_a_visit_may_name_its_report_by_the_case_number_of_the_receipt(engine: Engine) -> None:
    visit = {"incident_ref": case_number("uuid:AB-1").lower(), "predator_final": "leopard", "verification_status": "confirmed"}
    with engine.begin() as connection:
        insert_record(connection, "uuid:AB-1", answers(predator="wolf", confidence="guess"))
        insert_record(connection, "uuid:v1", visit, form_id="conflict_verification")
    assert read(engine).reports.certainty.tolist() == [STRICT]


def test_a_household_is_known_by_its_code_whatever_the_letters_and_new_is_no_code() -> None:
    first, same, other, *unknown = collected(*(answers(code) for code in ("H1", " h1", "H2", "NEW", "new", ""))).household.tolist()
    assert (first == same, {first, other}, unknown) == (True, {0, 1}, [-1, -1, -1])


def test_a_place_is_shared_only_with_both_consents() -> None:
    reports = collected(answers(), answers(share="no"), answers(consent="no"), answers(consent="no", share="no"))
    assert reports.shared.tolist() == [True, False, False, False]


def test_losses_are_split_and_valued() -> None:
    rows = [
        {"species": "goat", "n_killed": 3, "n_injured": 0, "n_missing": 1, "unit_value": 10.5},
        {"species": "cattle", "n_killed": 1, "n_injured": 2, "n_missing": 0, "unit_value": 100},
    ]
    in_toman, unpriced, no_currency = collected(
        answers(losses={"loss": rows, "currency": "IRT"}),
        answers(losses={"loss": [{"species": "sheep", "n_killed": 1}], "currency": "IRR"}),
        answers(losses={"loss": rows}),
    ).loss.tolist()
    assert (in_toman, np.isnan(unpriced), np.isnan(no_currency)) == (1315.0, True, True)
    reports = collected(answers(losses={"loss": rows, "currency": "IRT"}))
    assert (reports.killed_small[0], reports.killed_large[0], reports.missing[0], reports.currency[0]) == (3, 1, 1, "IRR")


def test_a_doubtful_report_is_kept_as_not_counted() -> None:
    assert collected(answers(confidence="guess")).certainty.tolist() == [NOT_COUNTED]


@pytest.mark.parametrize("count", ["many", -4, 10**9, 2.5, None, [1], True])
def test_a_number_of_animals_that_is_none_counts_nothing(count: Any) -> None:
    reports = collected(answers(losses={"loss": [{"species": "sheep", "n_killed": count}]}))
    assert reports.killed_small.tolist() == [0]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_answers_of_any_type_are_survived(data: st.DataObject) -> None:
    content = answers()
    for path in data.draw(st.lists(st.sampled_from(PATHS), max_size=4)):
        target: Any = content
        for name in path[:-1]:
            target = target.get(name) if isinstance(target, dict) else None
        if isinstance(target, dict):
            target[path[-1]] = data.draw(json_values)
    assert len(collected(content)) <= 1


PATHS = [
    *([name] for name in answers()),
    ["cause", "confidence"],
    ["reporter", "household_code"],
    ["losses_g", "loss"],
    ["losses_g", "currency"],
]
