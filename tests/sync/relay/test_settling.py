"""Settling many records at once: one that cannot be settled waits alone, and each becomes what it would have become by itself."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from forms.problems import Problem
from records import retention
from sync import intake
from tests.support.records import FLOCK, flock, new_id
from tests.support.relay import Node
from tests.sync.relay.conftest import NewNode
from tests.sync.relay.test_disasters import CLAIM, PHOTO, claim, xml_of

FORMS = (FLOCK.read_bytes(), CLAIM)


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    made = new_node("hub")
    for form in FORMS:
        made.publish(form)
    return made


def failing_for(instance: str, error: Exception) -> Callable[..., Any]:
    complete = intake._Work.complete

    def instead(work: Any, *given: Any) -> Any:
        if work.incoming.instance_id == instance:
            raise error
        return complete(work, *given)

    return instead


def test_a_record_that_cannot_be_settled_waits_alone_and_is_tried_again(
    hub: Node, west: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [new_id() for _ in range(5)]
    for instance in ids:
        west.receive(flock(instance))
    west.meet(hub, settle=False)
    with monkeypatch.context() as patch:
        patch.setattr(intake._Work, "complete", failing_for(ids[2], ValueError("this one")))
        hub.settle()
    assert (set(hub.records()), hub.waiting()) == ({*ids} - {ids[2]}, ["failed"])
    hub.settle()
    assert (set(hub.records()), hub.waiting()) == ({*ids}, [])


def test_where_nothing_can_be_written_all_wait_as_they_did(hub: Node, west: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        west.receive(flock(new_id()))
    west.meet(hub, settle=False)
    with monkeypatch.context() as patch:
        patch.setattr(intake, "_written", lambda *_: (_ for _ in ()).throw(Problem("disk_full")))
        with pytest.raises(Problem, match="disk"):
            hub.settle()
    assert hub.waiting() == ["new"] * 3
    hub.settle()
    assert len(hub.records()) == 3


def test_what_one_station_emptied_and_the_other_brings_whole_is_whole_when_both_are_settled_at_once(
    hub: Node, west: Node, east: Node
) -> None:
    whole = claim(new_id(), village="north")
    for node in (west, east):
        node.receive(whole)
    assert retention.drop_due(east.store, months=6, now=datetime.now(UTC) + timedelta(days=400), actor="schedule").versions == 1
    for node in (west, east):
        node.meet(hub, settle=False)
    hub.settle()
    (record,) = hub.records().values()
    assert ([item["code"] for item in record.flags], xml_of(hub, record.instance_id)) == ([], [whole])
    assert hub.waiting() == []


def test_photos_that_came_after_many_records_are_given_to_all_of_them(hub: Node, west: Node) -> None:
    for number in range(4):
        west.receive(claim(new_id(), photo=f"{number}.jpg"), {f"{number}.jpg": PHOTO + bytes([number])})
    west.meet(hub, files=False)
    west.meet(hub, settle=False)
    statements: list[str] = []
    event.listen(hub.store.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert hub.settle() == 4
    assert len([each for each in statements if each.startswith("DELETE FROM relay_file")]) == 1
    assert [record.flags for record in hub.records().values()] == [[]] * 4
