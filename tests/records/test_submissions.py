"""Reading what is kept: complete, in order, and of one project only."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from forms.problems import Problem
from records import projects
from records.access import Access
from records.blobs import BlobStore
from records.models import Submission
from records.store import Store
from records.submissions import found, listed, newest, points, xml_of
from sync.delivery import Delivery, ReceivedFile
from sync.intake import Intake
from tests.support.small import asked, record, xform
from tests.support.stores import EVERYTHING, publish_form


@pytest.fixture
def intake(store: Store, blobs: BlobStore) -> Intake:
    publish_form(store, blobs, xform("<q/><photo/>", '<bind nodeset="/data/photo" type="binary"/>', '<upload ref="/data/photo"/>'))
    return Intake(store, blobs)


def send(intake: Intake, content: str, instance_id: str, deprecated_id: str = "", files: dict[str, bytes] | None = None) -> None:
    kept = tuple(ReceivedFile((name,), intake._blobs.put(data), "image/jpeg") for name, data in (files or {}).items())
    intake.receive(Delivery(1, record(content, instance_id=instance_id, deprecated_id=deprecated_id), kept))


def test_a_record_is_found_by_its_id_and_by_that_of_any_version(intake: Intake, store: Store) -> None:
    send(intake, "<q>1</q>", "a", files={"x.jpg": b"1"})
    send(intake, "<q>2</q>", "b", "a")
    with store.read() as connection:
        for name in ("a", "b"):
            record_found = found(connection, EVERYTHING, name)
            assert (record_found.instance_id, record_found.answers["q"], record_found.edits) == ("a", "2", 1)
        assert b"<q>1</q>" in xml_of(connection, EVERYTHING, "a")
        assert b"<q>2</q>" in xml_of(connection, EVERYTHING, "b")
        for read in (found, xml_of):
            for access, name in ((EVERYTHING, "c"), (Access.everything(2, "test"), "a")):
                with pytest.raises(Problem) as caught:
                    read(connection, access, name)
                assert caught.value.kind.code == "submission_unknown"


def test_an_edit_inherits_the_files_it_did_not_bring_again(intake: Intake, store: Store) -> None:
    send(intake, "<photo>x.jpg</photo>", "a", files={"x.jpg": b"first", "y.jpg": b"other"})
    send(intake, "<photo>x.jpg</photo>", "b", "a", files={"x.jpg": b"second"})
    with store.read() as connection:
        files = found(connection, EVERYTHING, "a").attachments
    assert [(file.name, file.size) for file in files] == [("x.jpg", 6), ("y.jpg", 5)]


def test_the_same_names_in_two_records_do_not_mix(intake: Intake, store: Store) -> None:
    send(intake, "<photo>x.jpg</photo>", "a", files={"x.jpg": b"1", "audit.csv": b"11"})
    send(intake, "<photo>x.jpg</photo>", "b", files={"x.jpg": b"222", "audit.csv": b"2222"})
    with store.read() as connection:
        sizes = {item.instance_id: [file.size for file in item.attachments] for item in listed(connection, EVERYTHING, "small")}
    assert sizes == {"a": [2, 1], "b": [4, 3]}


def test_a_list_longer_than_a_page_holds_every_record_once(store: Store, blobs: BlobStore, intake: Intake) -> None:
    send(intake, "<q>1</q>", "first")
    now = datetime.now(UTC)
    row = {
        "project_id": 1, "form_id": "small", "current_sha256": "0", "version": "1", "device_id": "", "instance_name": "",
        "review_state": "received", "edits": 0, "files": [], "flags": [], "answers": {}, "received_at": now,
    }  # fmt: skip
    names = [f"id {number:04}" for number in range(1200)]
    rows = [{**row, "instance_id": name, "current_instance_id": name} for name in names]
    store.write(lambda connection: connection.execute(insert(Submission), rows))
    with store.read() as connection:
        assert [item.instance_id for item in listed(connection, EVERYTHING, "small")] == sorted(["first", *names])
        seen: list[str] = []
        before = None
        while page := newest(connection, EVERYTHING, limit=500, before=before):
            seen += [item.instance_id for item in page]
            before = (page[-1].received_at, page[-1].instance_id)
    assert sorted(seen) == sorted(["first", *names])  # all of one instant, and still each once


def test_another_project_sees_nothing(intake: Intake, store: Store) -> None:
    send(intake, "<q>1</q>", "a")
    other = Access.everything(projects.add(store, "Other", "other"), "test")
    with store.read() as connection:
        assert list(listed(connection, other, "small")) == newest(connection, other, limit=5) == []
        assert list(listed(connection, EVERYTHING, "other")) == []


def test_only_flagged_records_are_listed_when_asked(intake: Intake, store: Store) -> None:
    send(intake, "<q>1</q>", "a")
    send(intake, "<q>1</q><new>2</new>", "b")
    with store.read() as connection:
        assert [item.instance_id for item in newest(connection, EVERYTHING, limit=5, only_flagged=True)] == ["b"]
        assert [item.instance_id for item in newest(connection, EVERYTHING, limit=5, form_id="small")] == ["b", "a"]


def test_places_are_given_for_the_map(store: Store, blobs: BlobStore) -> None:
    publish_form(store, blobs, asked("geopoint"))
    intake = Intake(store, blobs)
    send(intake, "<q>35.7 51.4 0 0</q>", "a")
    send(intake, "<q/>", "b")
    with store.read() as connection:
        (point,) = points(connection, EVERYTHING, limit=5)
    assert (point.instance_id, point.latitude, point.longitude) == ("a", 35.7, 51.4)


def test_times_come_back_with_their_offset(intake: Intake, store: Store) -> None:
    send(intake, "<q>1</q>", "a")
    with store.read() as connection:
        received = found(connection, EVERYTHING, "a").received_at
    assert received.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - received) < timedelta(minutes=5)
