"""What the relay owes people: one sentence for each requirement, on two stations and their hub."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from records import form_life, reviews
from records.models import (
    Attachment,
    Form,
    FormMedia,
    FormVersion,
    RelayProject,
    SubmissionVersion,
)
from records.personal import open_xml
from sync.relay import log
from sync.relay.batch import written
from sync.relay.projects import DATA, channel
from sync.relay.scribe import sealed_body
from sync.relay.scribes import scribe_of
from tests.support.records import FLOCK, LOSS, flock, loss, new_id, renamed
from tests.support.relay import Node
from tests.support.stores import PROJECT
from tests.sync.relay.conftest import NewNode

PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 20


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    """A hub that has two forms, on SQLite: what the database does is tried in test_meeting."""
    made = new_node("hub")
    made.publish(LOSS.read_bytes())
    made.publish(FLOCK.read_bytes())
    return made


def files_of(node: Node) -> set[tuple[str, str]]:
    """(instance id, name) of the files that are part of records here and readable."""
    with node.store.read() as connection:
        rows = connection.execute(select(Attachment.instance_id, Attachment.name, Attachment.sha256)).all()
    return {(row.instance_id, row.name) for row in rows if node.blobs.has(row.sha256)}


def xml_of(node: Node, instance_id: str) -> list[bytes]:
    """The bytes that are here under an instance id."""
    with node.store.read() as connection:
        rows = connection.execute(select(*SubmissionVersion.__table__.columns).filter_by(instance_id=instance_id)).all()
    return sorted(open_xml(node.vault, row) for row in rows)


def decided(node: Node, instance_id: str) -> tuple[str, set[str]]:
    """The state of a record and its flags that wait."""
    row = node.records()[instance_id]
    return row.review_state, {item["code"] for item in row.flags if "settled" not in item}


def review(node: Node, instance_id: str, state: str) -> None:
    reviews.set_state(node.store, node.access, "flock_count", instance_id, state)


# --- records ---


def test_an_edit_that_comes_before_its_original_becomes_its_edit(hub: Node, west: Node, east: Node) -> None:
    first, second = new_id(), new_id()
    east.receive(flock(second, sheep="90", deprecated_id=first))
    east.meet(hub)
    west.receive(flock(first))
    west.meet(hub)
    assert set(hub.records()) == {first}
    assert hub.records()[first].answers["sheep"] == 90


def test_the_same_id_with_other_bytes_from_two_stations_is_kept_twice_and_flagged(hub: Node, west: Node, east: Node) -> None:
    instance = new_id()
    west.receive(flock(instance, sheep="1"))
    east.receive(flock(instance, sheep="2"))
    assert west.meet(hub).safe
    assert east.meet(hub).safe
    assert len(hub.versions()) == 2
    assert "instance_conflict" in decided(hub, instance)[1]


def test_the_same_record_from_two_stations_is_one(hub: Node, west: Node, east: Node) -> None:
    instance = new_id()
    for station in (west, east):
        station.receive(loss(instance, "1.jpg"), {"1.jpg": PHOTO})
        assert station.meet(hub).safe
    assert len(hub.versions()) == 1
    assert files_of(hub) == {(instance, "1.jpg")}


def test_files_that_come_later_and_in_parts_follow_their_record(hub: Node, west: Node) -> None:
    instance = new_id()
    xml = loss(instance, "1.jpg", ("2.jpg", "3.jpg"))
    west.receive(xml, {"1.jpg": PHOTO})
    west.meet(hub)
    west.receive(xml, {"2.jpg": PHOTO + b"2"})
    west.meet(hub, files=False)
    west.receive(xml, {"3.jpg": PHOTO + b"3"})
    assert west.meet(hub).safe
    assert files_of(hub) == {(instance, "1.jpg"), (instance, "2.jpg"), (instance, "3.jpg")}


def test_one_picture_under_two_names_has_both_at_the_hub(hub: Node, west: Node) -> None:
    instance = new_id()
    west.receive(loss(instance, "1.jpg", ("2.jpg",)), {"1.jpg": PHOTO, "2.jpg": PHOTO})
    west.meet(hub)
    assert files_of(hub) == {(instance, "1.jpg"), (instance, "2.jpg")}


def test_files_that_the_station_lost_do_not_keep_others_back(hub: Node, west: Node) -> None:
    for number in range(40):
        name = f"{number}.jpg"
        west.receive(loss(new_id(), name), {name: bytes([number]) * 10})
    west.meet(hub, files=False)
    with west.store.read() as connection:
        for sha256 in connection.execute(select(Attachment.sha256)).scalars():
            west.blobs.remove(sha256)
    instance = new_id()
    west.receive(loss(instance, "large.jpg"), {"large.jpg": PHOTO})
    outcome = west.meet(hub)
    assert files_of(hub) == {(instance, "large.jpg")}
    assert not outcome.safe
    assert outcome.pending["files"] == 40


# --- decisions ---


def shared_record(hub: Node, west: Node) -> str:
    instance = new_id()
    west.receive(flock(instance))
    west.meet(hub)
    return instance


def test_a_decision_at_the_station_is_that_of_the_hub(hub: Node, west: Node) -> None:
    instance = shared_record(hub, west)
    review(west, instance, "approved")
    west.meet(hub)
    assert decided(hub, instance) == ("approved", set())


def test_the_same_decision_at_both_is_no_contradiction(hub: Node, west: Node) -> None:
    instance = shared_record(hub, west)
    review(west, instance, "approved")
    review(hub, instance, "approved")
    west.meet(hub)
    west.meet(hub)
    assert decided(hub, instance) == decided(west, instance) == ("approved", set())


@pytest.mark.parametrize("writes_first", ["hub", "station"])
@pytest.mark.parametrize(("here", "there"), [("approved", "rejected"), ("rejected", "approved"), ("hasIssues", "approved")])
def test_contradicting_decisions_come_to_the_stricter_on_both_sides_in_any_order(
    hub: Node, west: Node, writes_first: str, here: str, there: str
) -> None:
    instance = shared_record(hub, west)
    review(hub, instance, here)
    review(west, instance, there)
    if writes_first == "hub":
        hub.write_down()
    west.write_down()
    west.meet(hub)
    west.meet(hub)
    strict = "rejected" if "rejected" in {here, there} else "hasIssues"
    assert decided(hub, instance) == decided(west, instance) == (strict, {"decisions_contradict"})


def test_a_decision_that_knew_the_other_replaces_it(hub: Node, west: Node) -> None:
    instance = shared_record(hub, west)
    review(west, instance, "rejected")
    west.meet(hub)
    review(hub, instance, "approved")
    west.meet(hub)
    assert decided(hub, instance) == decided(west, instance) == ("approved", set())


def test_a_decision_taken_before_the_other_is_settled_did_not_know_it(hub: Node, west: Node) -> None:
    instance = shared_record(hub, west)
    review(west, instance, "rejected")
    west.meet(hub, settle=False)  # it lies in the log of the hub
    review(hub, instance, "approved")
    hub.write_down()
    west.meet(hub)
    west.meet(hub)
    assert decided(hub, instance) == decided(west, instance) == ("rejected", {"decisions_contradict"})


def test_deleting_and_restoring_go_both_ways(hub: Node, west: Node) -> None:
    instance = shared_record(hub, west)
    reviews.delete(west.store, west.access, "flock_count", instance)
    west.meet(hub)
    assert hub.records()[instance].deleted_at is not None
    reviews.restore(hub.store, hub.access, "flock_count", instance)
    west.meet(hub)
    assert west.records()[instance].deleted_at is None


# --- forms and lists ---


def test_a_form_is_on_the_station_only_when_all_its_files_are(hub: Node, new_node: NewNode) -> None:
    station = new_node("west")
    station.enrol(hub)
    with_list = renamed(FLOCK, "with_media", extra='<instance id="v" src="jr://file-csv/v.csv"/>')
    hub.publish(with_list, media={"v.csv": b"name,label\na,A\n"})
    station.meet(hub, files=False)
    with station.store.read() as connection:
        assert "with_media" not in set(connection.execute(select(Form.form_id)).scalars())
    assert "files" in station.waiting()
    station.meet(hub)
    with station.store.read() as connection:
        assert "with_media" in set(connection.execute(select(Form.form_id)).scalars())
        assert connection.execute(select(FormMedia.name)).scalars().all() == ["v.csv"]


def test_a_record_of_a_form_the_hub_does_not_know_waits_for_it(hub: Node, west: Node) -> None:
    west.publish(renamed(FLOCK, "own_form"))
    instance = new_id()
    west.receive(flock(instance, form_id="own_form"))
    assert west.meet(hub).safe
    assert hub.waiting() == ["form"]
    hub.publish(renamed(FLOCK, "own_form"))
    hub.settle()
    assert hub.waiting() == []
    assert set(hub.records()) == {instance}


def test_a_form_closed_at_the_hub_is_closed_at_the_station_and_open_again_when_it_is(hub: Node, west: Node) -> None:
    for state in ("closed", "open", "retired"):
        form_life.set_state(hub.store, hub.access, "flock_count", state)
        west.meet(hub)
        with west.store.read() as connection:
            assert connection.execute(select(Form.state).filter_by(form_id="flock_count")).scalar_one() == state


def test_a_file_of_a_form_that_is_replaced_and_put_back_is_so_at_the_station(hub: Node, west: Node) -> None:
    hub.publish(
        renamed(FLOCK, "with_media", extra='<instance id="v" src="jr://file-csv/v.csv"/>'), media={"v.csv": b"name,label\na,A\n"}
    )
    west.meet(hub)
    for content in (b"name,label\nb,B\n", b"name,label\na,A\n"):
        form_life.replace_media(hub.store, hub.blobs, hub.access, "with_media", {"v.csv": content})
        west.meet(hub)
        with west.store.read() as connection:
            (sha256,) = connection.execute(select(FormMedia.sha256).filter_by(replaced_at=None)).scalars()
        with west.blobs.open(sha256) as file:
            assert file.read() == content


def test_other_bytes_of_a_version_at_the_station_stay_there_and_hide_no_record(hub: Node, new_node: NewNode) -> None:
    station = new_node("west")
    station.publish(renamed(FLOCK, "flock_count", extra="<!-- other -->"))
    station.enrol(hub)
    station.meet(hub)
    instance = new_id()
    station.receive(flock(instance))
    assert station.meet(hub).safe
    assert set(hub.records()) == {instance}
    with station.store.read() as connection:
        assert b"<!-- other -->" in connection.execute(select(FormVersion.xform).filter_by(form_id="flock_count")).scalar_one()


def test_a_kind_of_a_newer_version_waits_and_is_kept(hub: Node, west: Node) -> None:
    project = relayed(west)
    record = written(
        west.me, "sighting", channel(DATA, project.key), datetime.now(UTC), b"of a later year", f="flock_count", i="uuid:1"
    )
    scribe = scribe_of(west.answerer, PROJECT)
    west.store.write(lambda connection: log.append(connection, [log.Entry(record, PROJECT, body=sealed_body(west.store, record))]))
    assert scribe.key == project.key
    assert west.meet(hub).safe
    assert hub.waiting() == ["kind"]
    assert record.id in hub.ids()


def relayed(node: Node):  # type: ignore[no-untyped-def]
    with node.store.read() as connection:
        return connection.execute(select(*RelayProject.__table__.columns)).one()
