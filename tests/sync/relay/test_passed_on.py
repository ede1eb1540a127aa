"""What is decided, said and erased about a report that several stations brought is known to all of them."""

from datetime import UTC, datetime

import orjson
import pytest
from sqlalchemy import select

from forms.personal import ERASED
from records import reviews
from records.models import RelayRecord, ReviewEvent
from sync.relay import settling
from sync.relay.batch import Batch, Record, written
from sync.relay.meeting import Meeting
from sync.relay.projects import DATA, channel
from tests.support.records import FLOCK, LOSS, flock, new_id
from tests.support.relay import Node
from tests.sync.relay.conftest import NewNode
from tests.sync.relay.test_disasters import CLAIM, claim, erase, told
from tests.sync.relay.test_requirements import decided, review


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    return new_node("hub", forms=(LOSS.read_bytes(), FLOCK.read_bytes(), CLAIM))


def round_trip(hub: Node, *stations: Node) -> None:
    """All meet, so that what one says reaches the others."""
    for _ in range(2):
        for station in stations:
            station.meet(hub)


def both(hub: Node, west: Node, east: Node) -> str:
    """A report that two stations brought."""
    instance = new_id()
    for station in (west, east):
        station.receive(flock(instance))
    round_trip(hub, west, east)
    return instance


def done(node: Node, instance: str) -> list[tuple[str, str, str | None, str]]:
    """(who, what, state, comment) of all that was done with a report, as this node knows it."""
    with node.store.read() as connection:
        event = ReviewEvent
        rows = connection.execute(select(event.actor, event.action, event.state, event.comment).filter_by(instance_id=instance))
        return [tuple(row) for row in rows]


def said(node: Node) -> str:
    """All comments that the node keeps, in its log too."""
    with node.store.read() as connection:
        kept = [str(row.comment) for row in connection.execute(select(ReviewEvent.comment))]
        rows = connection.execute(select(RelayRecord.id, RelayRecord.body).filter_by(kind="review"))
        kept += [node.vault.open(row.body, "relay", row.id).decode() for row in rows if row.body is not None]
    return "\n".join(kept)


def test_a_decision_of_one_station_reaches_the_other_that_brought_the_report(hub: Node, west: Node, east: Node) -> None:
    instance = both(hub, west, east)
    reviews.set_state(west.store, west.access, "flock_count", instance, "rejected", "counted twice")
    round_trip(hub, west, east)
    assert [decided(node, instance) for node in (hub, west, east)] == [("rejected", set())] * 3
    assert done(west, instance) == [("test", "state", "rejected", "counted twice")]
    assert done(east, instance) == [("test @ west @ Tulliana", "state", "rejected", "counted twice")]
    assert [node.meet(hub).pushed for node in (west, east)] == [0, 0]


def test_two_stations_that_contradict_each_other_are_flagged_everywhere(hub: Node, west: Node, east: Node) -> None:
    instance = both(hub, west, east)
    review(west, instance, "approved")
    review(east, instance, "rejected")
    round_trip(hub, west, east)
    assert [decided(node, instance) for node in (hub, west, east)] == [("rejected", {"decisions_contradict"})] * 3


def test_a_station_that_knows_the_decision_of_another_replaces_it(hub: Node, west: Node, east: Node) -> None:
    instance = both(hub, west, east)
    review(west, instance, "rejected")
    round_trip(hub, west, east)
    review(east, instance, "approved")
    round_trip(hub, west, east)
    assert [decided(node, instance) for node in (hub, west, east)] == [("approved", set())] * 3


def test_a_station_that_brings_a_report_later_is_told_what_was_decided_before(hub: Node, west: Node, east: Node) -> None:
    instance = new_id()
    west.receive(flock(instance))
    west.meet(hub)
    review(west, instance, "hasIssues")
    west.meet(hub)
    reviews.comment(hub.store, hub.access, "flock_count", instance, "ask again")
    east.receive(flock(instance))
    round_trip(hub, east, west)
    assert decided(east, instance)[0] == "hasIssues"
    assert [each[1:] for each in done(east, instance)] == [each[1:] for each in done(hub, instance)]
    assert len(done(west, instance)) == len(done(hub, instance)) == 2


def test_an_edit_and_its_original_from_two_stations_are_decided_about_as_one(hub: Node, west: Node, east: Node) -> None:
    first, edit = new_id(), new_id()
    east.receive(flock(edit, sheep="90", deprecated_id=first))
    review(east, edit, "approved")
    west.receive(flock(first))
    round_trip(hub, east, west)
    review(hub, first, "rejected")
    round_trip(hub, east, west)
    assert decided(hub, first)[0] == decided(east, edit)[0] == decided(west, first)[0] == "rejected"
    for node in (hub, east, west):
        assert node.waiting() == []
        assert not any("decisions_contradict" in decided(node, each)[1] for each in node.records())


def test_a_station_that_did_not_bring_a_report_decides_nothing_of_it_even_when_others_do(hub: Node, west: Node, east: Node) -> None:
    instance = new_id()
    west.receive(flock(instance))
    west.meet(hub)
    east.receive(flock(instance))
    review(east, instance, "rejected")
    east.write_down()
    with east.store.read() as connection:  # what a thief would send: the decision without the report
        ids = connection.execute(select(RelayRecord.id).filter_by(kind="review")).scalars().all()
    push(east, hub, *east.answerer.sender.some(ids, of=east.me.node_id, most_bytes=10**6))
    hub.settle()
    review(west, instance, "approved")
    west.meet(hub)
    assert decided(hub, instance) == ("approved", set())


def push(node: Node, hub: Node, *records: Record) -> None:
    """Have the hub take these records and nothing else."""
    batch = Batch(records[0].about["c"], None, None, records, ())
    Meeting(node.answerer, node.peer(hub), hub.answerer.answer)._ask("push", batch.data(), **batch.said())


# --- erased comments ---


def test_a_comment_that_is_erased_with_a_person_is_erased_at_all_stations(hub: Node, west: Node, east: Node) -> None:
    instance, other = new_id(), new_id()
    for station in (west, east):
        station.receive(claim(instance))
    west.receive(claim(other, village="south", code="H-13"))
    round_trip(hub, west, east)
    reviews.comment(west.store, west.access, "claim", instance, "Gholam called me")
    reviews.set_state(hub.store, hub.access, "claim", instance, "approved", "Rezaei is right")
    reviews.comment(west.store, west.access, "claim", other, "the cousin of H-12")
    round_trip(hub, west, east)
    assert all("Gholam" in said(node) and "Rezaei" in said(node) for node in (hub, west, east))
    erase(hub, instance)
    round_trip(hub, west, east)
    for node in (hub, west, east):
        assert not any(word in said(node) for word in ("Gholam", "Rezaei", "H-12"))
        assert decided(node, instance)[0] == "approved"
        assert {each[3] for each in done(node, instance)} == {ERASED}
        assert node.waiting() == []
    assert west.meet(hub).safe


def test_what_a_station_erases_is_erased_at_the_hub_with_its_comments_once_a_person_agrees(
    hub: Node, west: Node, east: Node
) -> None:
    instance = new_id()
    for station in (west, east):
        station.receive(claim(instance))
    round_trip(hub, west, east)
    reviews.comment(hub.store, hub.access, "claim", instance, "Gholam called me")
    round_trip(hub, west, east)
    erase(west, instance)
    round_trip(hub, west, east)
    assert "Gholam" in said(hub)
    with hub.store.read() as connection:
        (asked,) = settling.asked(connection, hub.access)
    hub.settler.accept_erasure(hub.access, asked.id)
    round_trip(hub, west, east)
    for node in (hub, west, east):
        assert "Gholam" not in said(node)
        assert node.waiting() == []


def test_a_station_cannot_erase_what_others_said(hub: Node, west: Node, east: Node) -> None:
    instance = both(hub, west, east)
    reviews.comment(hub.store, hub.access, "flock_count", instance, "keep this")
    round_trip(hub, west, east)
    with west.store.read() as connection:
        header = connection.execute(select(RelayRecord.header).filter_by(kind="review")).scalar_one()
    about = orjson.loads(header)
    body = orjson.dumps({"actor": "x", "comment": ERASED, "detail": {}, "at": about["t"]})
    same = {name: about[name] for name in ("f", "i", "a", "e")}
    forged = written(west.me, "review", channel(DATA, about["c"].split(":")[1]), datetime.now(UTC), body, **same)
    push(west, hub, forged)
    hub.settle()
    assert [each[3] for each in done(hub, instance)] == ["keep this"]


@pytest.mark.parametrize("is_signed", [False, True])
def test_what_was_erased_before_it_came_is_asked_about_when_another_station_brings_it_whole(
    hub: Node, west: Node, east: Node, is_signed: bool
) -> None:
    instance = new_id()
    for station in (west, east):
        station.receive(claim(instance, photo="1.jpg"), {"1.jpg": b"a photo"})
    if is_signed:
        east.write_down()
    erase(east, instance)
    round_trip(hub, east, west)
    assert told(west)
    with hub.store.read() as connection:
        (asked,) = settling.asked(connection, hub.access)
    hub.settler.accept_erasure(hub.access, asked.id)
    round_trip(hub, east, west)
    for node in (hub, east, west):
        assert (told(node), node.waiting()) == ([], [])
    assert west.meet(hub).safe


@pytest.mark.parametrize("is_signed", [False, True])
def test_a_person_erased_before_the_report_came_counts_at_the_hub_without_whom(hub: Node, west: Node, is_signed: bool) -> None:
    instance = new_id()
    west.receive(claim(instance, photo="1.jpg"), {"1.jpg": b"a photo"})
    if is_signed:
        west.write_down()
    erase(west, instance)
    round_trip(hub, west)
    assert set(hub.records()) == {instance}
    assert (hub.waiting(), west.waiting()) == ([], [])
    assert hub.records()[instance].contact is None
    assert west.meet(hub).pushed == 0
    assert len(hub.versions()) == 1
