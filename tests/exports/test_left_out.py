"""What a person rejected or deleted, what is encrypted and what was a test never enters an aggregate, and every release says so."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, update

from exports.dataset import LEFT_OUT, ConflictData, read_conflicts
from exports.hotspots.files import LEFT_OUT as WORDS
from exports.package.release import Made, make
from exports.recipes import RECIPES
from exports.windows import Window
from records.models import Submission
from tests.support.conflict import answers, insert_record
from tests.support.stores import EVERYTHING

WINDOW = Window(date(2024, 7, 1), date(2026, 6, 30))
DELETED = {"deleted_at": datetime(2026, 3, 4, tzinfo=UTC)}
ENCRYPTED = {"encrypted": True, "answers": {}, "event_date": None, "latitude": None, "longitude": None}


def read(engine: Engine, *records: tuple[dict[str, Any], dict[str, Any]], form_id: str = "conflict_livestock") -> ConflictData:
    """What is read of records with these answers and these changes made to their rows."""
    with engine.begin() as connection:
        for number, (content, changes) in enumerate(records):
            insert_record(connection, f"uuid:{number}", content, form_id=form_id)
            if changes:
                connection.execute(update(Submission).filter_by(instance_id=f"uuid:{number}").values(changes))
    with engine.connect() as connection:
        return read_conflicts(connection, EVERYTHING, "leopard", WINDOW)


@pytest.mark.parametrize(
    ("reason", "content", "changes"),
    [
        ("n_rejected", answers(), {"review_state": "rejected"}),
        ("n_deleted", answers(), DELETED),
        ("n_deleted", answers(purpose="test"), DELETED),
        ("n_deleted", {}, ENCRYPTED | DELETED),
        ("n_deleted", answers(), {"review_state": "rejected"} | DELETED),
        ("n_encrypted", {}, ENCRYPTED),
        ("n_error", answers(), {"excluded": True}),
        ("n_error", answers(predator="wolf"), {"excluded": True}),
        ("n_deleted", answers(), {"excluded": True} | DELETED),
        ("n_test", answers(purpose="test"), {}),
        ("n_undated", answers(), {"event_date": None}),
        ("n_other_predator", answers(predator="wolf"), {}),
    ],
)
def test_each_reason_is_counted_once_and_nothing_is_reported(
    engine: Engine, reason: str, content: dict[str, Any], changes: dict[str, Any]
) -> None:
    data = read(engine, (content, changes))
    assert len(data.reports) == 0
    assert data.left_out == dict.fromkeys(LEFT_OUT, 0) | {reason: 1}


@pytest.mark.parametrize("state", ["received", "edited", "hasIssues", "approved"])
def test_every_other_state_counts(engine: Engine, state: str) -> None:
    data = read(engine, (answers(), {"review_state": state}))
    assert (len(data.reports), set(data.left_out.values())) == (1, {0})


@pytest.mark.parametrize(
    "changes",
    [{"review_state": "rejected"}, DELETED, ENCRYPTED, {"excluded": True}],
    ids=["rejected", "deleted", "encrypted", "with an error"],
)
@pytest.mark.parametrize("form_id", ["conflict_livestock", "dog_impact"])
def test_what_never_counts_is_no_sign_of_anybody_being_there(engine: Engine, changes: dict[str, Any], form_id: str) -> None:
    assert len(read(engine, (answers(), changes), form_id=form_id).footprint) == 0


def test_a_deleted_report_of_another_window_is_not_counted(engine: Engine) -> None:
    data = read(engine, (answers(), DELETED | {"event_date": date(2020, 1, 1)}))
    assert set(data.left_out.values()) == {0}


def test_the_readme_of_a_release_says_what_was_left_out_and_small_numbers_not_exactly(engine: Engine, tmp_path: Path) -> None:
    rejected = [(answers(), {"review_state": "rejected"})] * 7
    read(engine, *rejected, ({}, ENCRYPTED), (answers(), DELETED), (answers(), DELETED))
    with engine.connect() as connection:
        result = make(connection, EVERYTHING, RECIPES["hotspots-public"], date(2027, 4, 1), tmp_path)
    assert isinstance(result, Made)
    text = (result.folder / "README.txt").read_text("utf-8")
    for line in ("7 reports that a reviewer rejected: they never count", "1-4 reports that were deleted", "1-4 encrypted reports"):
        assert f"\n{line}" in text
    assert set(result.summary["left_out"]) == set(WORDS)
    assert all(f" {words}\n" in text for words in WORDS.values())
