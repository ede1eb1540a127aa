"""What waits for a person: found by an index, the oldest first, and never something a person deleted on purpose."""

from typing import Any

import pytest
from sqlalchemy import text

from forms.problems import Problem
from records import quarantine, reviews
from records.access import Access
from records.blobs import BlobStore
from records.store import Store
from sync.delivery import Delivery
from sync.intake import Intake
from tests.support.small import asked, record
from tests.support.stores import EVERYTHING, PROJECT, publish_form


@pytest.fixture
def intake(store: Store, blobs: BlobStore) -> Intake:
    publish_form(store, blobs, asked("int"))
    return Intake(store, blobs)


def send(intake: Intake, instance_id: str, content: str = "<q>many</q>", **more: Any) -> None:
    intake.receive(Delivery(PROJECT, record(content, instance_id=instance_id, **more)))


def waiting(store: Store, limit: int = 9) -> list[str]:
    with store.read() as connection:
        return [row.instance_id for row in quarantine.waiting(connection, EVERYTHING, limit=limit)]


def count(store: Store) -> int:
    with store.read() as connection:
        return quarantine.count(connection, EVERYTHING)


def test_the_oldest_comes_first_and_what_is_settled_goes(intake: Intake, store: Store) -> None:
    for number in (3, 1, 2):
        send(intake, f"uuid:{number}")
    send(intake, "uuid:fine", "<q>4</q>")
    assert waiting(store) == ["uuid:3", "uuid:1", "uuid:2"]
    assert waiting(store, limit=2) == ["uuid:3", "uuid:1"]
    reviews.settle(store, EVERYTHING, "small", "uuid:3", None)
    assert (waiting(store), count(store)) == (["uuid:1", "uuid:2"], 2)


def test_what_is_deleted_waits_no_more_unless_a_correction_comes(intake: Intake, store: Store) -> None:
    send(intake, "uuid:1")
    reviews.delete(store, EVERYTHING, "small", "uuid:1")
    assert (waiting(store), count(store)) == ([], 0)
    send(intake, "uuid:2", "<q>2</q>", deprecated_id="uuid:1")
    assert (waiting(store), count(store)) == (["uuid:1"], 1)


def test_what_was_kept_aside_is_counted_too(intake: Intake, store: Store) -> None:
    with pytest.raises(Problem):
        intake.receive(Delivery(PROJECT, b"<broken"))
    assert (waiting(store), count(store)) == ([], 1)


def test_who_may_not_review_learns_nothing(store: Store) -> None:
    analyst = Access.of_role(PROJECT, "x", "analyst", 1)
    with store.read() as connection:
        for ask in (lambda: quarantine.count(connection, analyst), lambda: quarantine.waiting(connection, analyst, limit=1)):
            with pytest.raises(Problem) as refused:
                ask()
            assert refused.value.kind.code == "not_allowed"


def test_sqlite_counts_by_the_index_of_what_waits(sqlite_store: Store) -> None:
    """Every page asks; without the index each would read all records of the project."""
    plans: list[str] = []
    with sqlite_store.read() as connection:
        execute = connection.execute

        def explained(query: Any, *rest: Any) -> Any:
            compiled = query.compile(connection.engine, compile_kwargs={"literal_binds": True})
            plans.extend(str(row[3]) for row in execute(text(f"EXPLAIN QUERY PLAN {compiled}")))
            return execute(query, *rest)

        connection.execute = explained  # type: ignore[method-assign]
        quarantine.count(connection, EVERYTHING)
    assert any("submission_attention" in plan for plan in plans), plans
