"""Intake: what can be identified is kept whatever is wrong with it, and nothing that was sent is thrown away."""

import unicodedata

import pytest
from sqlalchemy import select, update

from forms.problems import Problem
from forms.schema import FormSchema
from records import projects
from records.blobs import BlobStore
from records.models import Attachment, AuditEvent, Form, KeptAside, Submission, SubmissionVersion
from records.personal import open_xml
from records.store import Store
from records.submissions import found
from sync.delivery import Delivery, Receipt, ReceivedFile
from sync.intake import Intake
from tests.support.small import asked, record, xform
from tests.support.stores import EVERYTHING, publish_form

PHOTO = xform(
    "<q/><photo/><place/>",
    '<bind nodeset="/data/q" type="int"/><bind nodeset="/data/photo" type="binary"/><bind nodeset="/data/place" type="geopoint"/>',
    '<input ref="/data/q"/><upload ref="/data/photo"/><input ref="/data/place"/>',
)


@pytest.fixture
def intake(store: Store, blobs: BlobStore) -> Intake:
    publish_form(store, blobs, PHOTO)
    return Intake(store, blobs)


def files(blobs: BlobStore, **named: bytes) -> tuple[ReceivedFile, ...]:
    return tuple(ReceivedFile((name.replace("_jpg", ".jpg"),), blobs.put(data), "image/jpeg") for name, data in named.items())


def send(intake: Intake, content: str, *received: ReceivedFile, **more: str) -> Receipt:
    return intake.receive(Delivery(1, record(content, **more), tuple(received), device_id="collect:1", user_agent="test"))


def flags(store: Store, instance_id: str = "uuid:1") -> dict[str, str]:
    with store.read() as connection:
        return {item["code"]: item["message"] for item in found(connection, EVERYTHING, instance_id).flags}


def test_a_record_is_kept_with_everything_known_about_it(intake: Intake, store: Store, blobs: BlobStore) -> None:
    receipt = send(intake, "<q>5</q><photo>a.jpg</photo><place>35.7 51.4 1320 4.5</place>", *files(blobs, a_jpg=b"photo"))
    assert receipt == Receipt("created", "small", "uuid:1", 1, 1)
    with store.read() as connection:
        row = connection.execute(select(Submission.__table__)).one()
        version = connection.execute(select(SubmissionVersion.__table__)).one()
        kept = found(connection, EVERYTHING, "uuid:1")
    assert (row.latitude, row.longitude, row.accuracy, row.device_id, row.review_state) == (
        35.7,
        51.4,
        4.5,
        "collect:1",
        "received",
    )
    assert (open_xml(store.vault, version), version.user_agent) == (
        record("<q>5</q><photo>a.jpg</photo><place>35.7 51.4 1320 4.5</place>"),
        "test",
    )
    assert (kept.answers["q"], kept.flags, kept.files_expected) == (5, [], ["a.jpg"])
    assert [(file.name, file.size, file.content_type) for file in kept.attachments] == [("a.jpg", 5, "image/jpeg")]


def test_t119_a_version_this_server_never_had_is_kept_and_flagged(intake: Intake, store: Store) -> None:
    assert send(intake, "<q>5</q>", version="lost").outcome == "created"
    assert "lost" in flags(store)["unknown_version"]


def test_t121_a_closed_form_still_takes_what_comes_from_the_mountains(intake: Intake, store: Store) -> None:
    store.write(lambda connection: connection.execute(update(Form).values(state="closed")))
    assert send(intake, "<q>5</q>").outcome == "created"


def test_t122_wrong_values_are_kept_and_flagged(intake: Intake, store: Store) -> None:
    receipt = send(intake, "<q>many</q><strange>1</strange>")
    assert receipt.flags == ("extra", "value_invalid")
    assert set(flags(store)) == {"extra", "value_invalid"}


@pytest.mark.parametrize("text", ["20260502T0741", "2026-W18T07:41", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_no_date_however_odd_costs_a_record_10(store: Store, blobs: BlobStore, text: str) -> None:
    publish_form(store, blobs, asked("dateTime"))
    assert send(Intake(store, blobs), f"<q>{text}</q>").outcome == "created"
    with store.read() as connection:
        assert found(connection, EVERYTHING, "uuid:1").answers["q"] == text


def test_the_strangest_record_the_parser_takes_can_be_kept(intake: Intake, store: Store) -> None:
    for number, content in enumerate(
        (
            "<x>" * 250 + "deep" + "</x>" * 250,
            "<x>1</x>" * 20_000,
            f"<q>{'9' * 19}</q>",
            "<photo>\ufffd\u202e\U0010ffff</photo>",
            "<place>1e308 1e308</place>",
        )
    ):
        assert send(intake, content, instance_id=f"odd {number}").outcome == "created"
        with store.read() as connection:
            assert found(connection, EVERYTHING, f"odd {number}").answers


def test_answers_that_cannot_be_read_do_not_cost_the_record(
    intake: Intake, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no number: " + "malohG"[::-1])

    monkeypatch.setattr(FormSchema, "read", broken)
    assert send(intake, "<q>5</q>").outcome == "created"
    assert flags(store)["answers_unreadable"] == "The answers could not be read: RuntimeError"
    assert "could not be read: RuntimeError" in caplog.text
    assert "in broken" in caplog.text  # where
    assert "Gholam" not in caplog.text


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (b"<data", "xml_unreadable"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><data id="small">&a;</data>', "xml_unreadable"),
        (b"<data/>", "form_id_missing"),
        (b'<data id="never"/>', "form_unknown"),
        (b'<data id="SMALL"/>', "form_unknown"),
        (b'<data id="small"><instanceID>' + b"x" * 300 + b"</instanceID></data>", "value_invalid"),
    ],
)
def test_t098_what_cannot_be_identified_is_refused_and_kept_aside_8(
    intake: Intake, store: Store, blobs: BlobStore, xml: bytes, code: str
) -> None:
    photos = [files(blobs, a_jpg=b"photo"), files(blobs, b_jpg=b"other"), files(blobs, a_jpg=b"photo")]
    for photo in photos:
        with pytest.raises(Problem) as caught:
            intake.receive(Delivery(1, xml, photo, device_id="collect:1"))
        assert caught.value.kind.code == code
    with store.read() as connection:
        kept = connection.execute(select(KeptAside.__table__)).one()
    assert blobs.open(kept.sha256).read() == xml
    assert xml not in blobs.path(kept.sha256).read_bytes()
    assert (kept.reason, kept.times, kept.device_id, kept.settled_at) == (code, 3, "collect:1", None)
    assert kept.first_at <= kept.last_at
    assert kept.files == [["a.jpg", photos[0][0].blob.sha256], ["b.jpg", photos[1][0].blob.sha256]]


def test_a_form_of_another_project_is_unknown_and_kept_aside_there_8(intake: Intake, store: Store) -> None:
    other = projects.add(store, "Other", "other")
    with pytest.raises(Problem) as caught:
        intake.receive(Delivery(other, record("<q>1</q>")))
    assert caught.value.kind.code == "form_unknown"
    with store.read() as connection:
        assert connection.execute(select(KeptAside.project_id, KeptAside.form_id)).all() == [(other, "small")]


@pytest.mark.parametrize(
    ("assigned", "expected"), [(None, ()), (("small",), ()), (("other",), ("not_assigned",)), ((), ("not_assigned",))]
)
def test_a_form_this_phone_should_not_have_is_taken_and_flagged(
    intake: Intake, store: Store, assigned: tuple[str, ...] | None, expected: tuple[str, ...]
) -> None:
    form_ids = None if assigned is None else frozenset(assigned)
    receipt = intake.receive(Delivery(1, record("<q>5</q>"), form_ids=form_ids))
    assert (receipt.outcome, receipt.flags) == ("created", expected)
    assert set(flags(store)) == set(expected)


def test_t116_a_file_no_question_asked_for_is_kept_and_flagged_16(intake: Intake, store: Store, blobs: BlobStore) -> None:
    receipt = send(intake, "<q>5</q>", *files(blobs, stray_jpg=b"1"))
    assert (receipt.outcome, receipt.files_expected, receipt.files_present) == ("created", 0, 0)
    assert "stray.jpg" in flags(store)["file_unexpected"]


def test_t110_t112_what_is_missing_is_counted(intake: Intake, blobs: BlobStore) -> None:
    receipt = send(intake, "<photo>a.jpg</photo>")
    assert (receipt.files_expected, receipt.files_present) == (1, 0)
    receipt = send(intake, "<photo>a.jpg</photo>", *files(blobs, a_jpg=b"1"))
    assert (receipt.outcome, receipt.files_expected, receipt.files_present) == ("attached", 1, 1)
    receipt = send(intake, "<photo>a.jpg</photo>")
    assert (receipt.outcome, receipt.files_expected, receipt.files_present) == ("duplicate", 1, 1)


def test_t115_the_same_name_with_other_bytes_is_kept_twice_and_flagged(intake: Intake, store: Store, blobs: BlobStore) -> None:
    send(intake, "<photo>a.jpg</photo>", *files(blobs, a_jpg=b"one"))
    assert send(intake, "<photo>a.jpg</photo>", *files(blobs, a_jpg=b"other")).outcome == "attached"
    assert set(flags(store)) == {"file_twice"}
    with store.read() as connection:
        assert len(connection.execute(select(Attachment.sha256)).all()) == 2


def test_t118_an_empty_file_is_kept_and_flagged(intake: Intake, store: Store, blobs: BlobStore) -> None:
    send(intake, "<photo>a.jpg</photo>", *files(blobs, a_jpg=b""))
    assert set(flags(store)) == {"file_empty"}


def test_a_name_composed_otherwise_is_the_file_the_question_means_15(intake: Intake, store: Store, blobs: BlobStore) -> None:
    nfd = unicodedata.normalize("NFD", "é.jpg")
    photo = ReceivedFile((nfd,), blobs.put(b"1"), "image/jpeg")
    receipt = send(intake, "<photo>é.jpg</photo>", photo)
    assert (receipt.files_expected, receipt.files_present) == (1, 1)
    assert flags(store) == {}


def test_t105_a_record_without_an_id_is_kept_once(intake: Intake, store: Store) -> None:
    xml = b'<data id="small" version="1"><q>5</q></data>'
    first, again = (intake.receive(Delivery(1, xml)) for _ in "12")
    assert (first.outcome, again.outcome) == ("created", "duplicate")
    assert first.instance_id == again.instance_id


def test_t137_t138_an_encrypted_record_is_kept_and_its_files_may_follow(intake: Intake, store: Store, blobs: BlobStore) -> None:
    content = "<media><file>a.jpg.enc</file></media><encryptedXmlFile>submission.xml.enc</encryptedXmlFile>"
    xml = record(content).replace(b'id="small"', b'id="small" encrypted="yes"')
    first = intake.receive(Delivery(1, xml))
    assert (first.files_expected, first.files_present) == (2, 0)
    enc = tuple(ReceivedFile((name,), blobs.put(name.encode()), "") for name in ("submission.xml.enc", "a.jpg.enc"))
    last = intake.receive(Delivery(1, xml, enc))
    assert (last.outcome, last.files_present) == ("attached", 2)
    assert set(flags(store)) == {"encrypted"}


def test_nothing_is_acknowledged_when_the_database_cannot_take_it(
    intake: Intake, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise Problem("disk_full")

    with monkeypatch.context() as patched:
        patched.setattr(store, "write", full)
        with pytest.raises(Problem) as caught:
            send(intake, "<q>5</q>")
        assert caught.value.kind.code == "disk_full"
    assert send(intake, "<q>5</q>").outcome == "created"


def test_what_phones_send_never_fills_the_audit_trail(intake: Intake, store: Store) -> None:
    with store.read() as connection:
        before = len(connection.execute(select(AuditEvent.id)).all())
    send(intake, "<q>5</q>")
    with pytest.raises(Problem):
        intake.receive(Delivery(1, b"<data"))
    with store.read() as connection:
        assert len(connection.execute(select(AuditEvent.id)).all()) == before
