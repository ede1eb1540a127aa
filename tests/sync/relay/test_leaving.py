"""A station leaves its hub, keeps all it has, joins another hub, or the same one with a new key, and tells everything again."""

from pathlib import Path

import pytest
from sqlalchemy import select

from forms.problems import Problem
from records import reviews
from records.models import AuditEvent, RelayProject
from sync.relay import sticks
from sync.relay.leaving import leave
from tests.support.records import FLOCK, LOSS, flock, loss, new_id
from tests.support.relay import Node, joined
from tests.support.stores import PROJECT
from tests.sync.relay.conftest import NewNode
from tests.sync.relay.test_requirements import PHOTO, decided, files_of, review


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    return new_node("hub", forms=(LOSS.read_bytes(), FLOCK.read_bytes()))


def reported(west: Node, hub: Node) -> tuple[str, str]:
    """A report with a photo and one that was decided about, at the hub."""
    first, second = new_id(), new_id()
    west.receive(loss(first, "1.jpg"), {"1.jpg": PHOTO})
    west.receive(flock(second))
    review(west, second, "rejected")
    assert west.meet(hub).safe
    return first, second


def is_whole(hub: Node, first: str, second: str) -> None:
    assert set(hub.records()) == {first, second}
    assert len(hub.versions()) == 2
    assert files_of(hub) == {(first, "1.jpg")}
    assert decided(hub, second) == ("rejected", set())


def test_a_station_that_leaves_keeps_everything_and_takes_in_more(hub: Node, west: Node) -> None:
    first, second = reported(west, hub)
    hub_name = west.peer(hub).name
    assert leave(west.store, west.access) == hub_name
    assert leave(west.store, west.access) is None
    third = new_id()
    west.receive(flock(third))
    assert set(west.records()) == {first, second, third}
    with west.store.read() as connection:
        told = connection.execute(select(AuditEvent.action, AuditEvent.target).where(AuditEvent.action == "relay.leave")).all()
        assert connection.execute(select(RelayProject.key)).first() is None
    assert [tuple(row) for row in told] == [("relay.leave", hub_name)]


def test_it_joins_another_hub_and_tells_it_everything(hub: Node, west: Node, new_node: NewNode) -> None:
    first, second = reported(west, hub)
    leave(west.store, west.access)
    other = new_node("other")
    joined(west, other)
    assert west.meet(other).safe
    assert other.waiting() == ["form", "form", "original"]
    for form in (LOSS.read_bytes(), FLOCK.read_bytes()):
        other.publish(form)
    for _ in range(2):
        assert west.meet(other).safe
    is_whole(other, first, second)


def test_it_joins_the_same_hub_again_and_brings_nothing_twice(hub: Node, west: Node) -> None:
    reported(west, hub)
    leave(west.store, west.access)
    west.receive(flock(new_id()))
    joined(west, hub)
    for _ in range(2):
        assert west.meet(hub).safe
    assert hub.versions() == west.versions()
    assert len(hub.records()) == 3


def test_a_hub_that_lost_its_key_gets_its_stations_back(hub: Node, west: Node, east: Node) -> None:
    first, second = reported(west, hub)
    reviews.comment(hub.store, hub.access, "flock_count", second, "ask again")
    west.meet(hub)
    (hub.folder / "keys" / "relay.key").unlink()
    hub.close()
    hub.open()
    hub.publish(FLOCK.read_bytes().replace(b'version="2026050201"', b'version="2"'))
    for station in (west, east):
        assert leave(station.store, station.access)
        joined(station, hub)
        for _ in range(2):
            assert station.meet(hub).safe
        assert (station.waiting(), hub.waiting()) == ([], [])
    is_whole(hub, first, second)
    assert decided(west, second) == ("rejected", set())


def test_a_stick_of_the_hub_that_was_left_is_refused_and_says_what_to_do(hub: Node, west: Node, tmp_path: Path) -> None:
    reported(west, hub)
    hub.publish(FLOCK.read_bytes().replace(b'version="2026050201"', b'version="2"'))
    sticks.write(hub.answerer, hub.peer(west), tmp_path)
    leave(west.store, west.access)
    brought = sticks.bring(west.answerer, tmp_path)
    assert brought.counts["refused"]
    assert not brought.counts["taken"]
    assert all("join with a new code: tulliana relay enrol CODE" in reason for reason in brought.reasons), brought.reasons
    assert west.ids() == set()
    with pytest.raises(Problem, match="left the hub"):
        west.peer(hub)
    with west.store.read() as connection:
        assert connection.execute(select(RelayProject.key).filter_by(project_id=PROJECT)).first() is None
