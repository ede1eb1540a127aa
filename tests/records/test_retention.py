"""Names and telephone numbers go when their time is over: from the record, from every version of it, and they do not come back."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from forms.personal import DELETED, WITHHELD
from forms.problems import Problem
from forms.schema import FormSchema
from records.audit import events
from records.blobs import BlobStore
from records.contact import read_contact
from records.models import DraftSubmission, Feed, FormDraft, IncidentLink, KeptAside, Submission, SubmissionVersion
from records.orphans import remove_files
from records.personal import open_xml
from records.retention import CLOSED, drop_due
from records.store import Store
from records.submissions import found
from sync.delivery import Delivery, ReceivedFile
from sync.intake import Intake
from tests.support.small import record, xform
from tests.support.stores import EVERYTHING, PROJECT, publish_form

NOW = datetime.now(UTC)
FORM = xform(
    "<owner/><people><phone/></people><q/>",
    '<bind nodeset="/data/owner" type="string" xmlns:t="urn:tulliana:xforms" t:personal="contact"/>'
    '<bind nodeset="/data/people/phone" type="string" xmlns:t="urn:tulliana:xforms" t:personal="contact"/>',
    '<group ref="/data/people"><repeat nodeset="/data/people"/></group>',
)
TOLD = "<owner>Gholam Rezaei</owner><people><phone/></people><people><phone>0912 345 6789</phone></people><q>7</q>"
SECRETS = (b"Gholam", b"0912")


@pytest.fixture
def intake(store: Store, blobs: BlobStore) -> Intake:
    publish_form(store, blobs, FORM)
    return Intake(store, blobs)


def send(intake: Intake, instance_id: str = "uuid:1", content: str = TOLD, **more: str) -> str:
    return intake.receive(Delivery(PROJECT, record(content, instance_id=instance_id, **more))).outcome


def age(store: Store, days: float, *instance_ids: str) -> None:
    old = update(SubmissionVersion).where(SubmissionVersion.instance_id.in_(instance_ids))
    store.write(lambda connection: connection.execute(old.values(received_at=NOW - timedelta(days=days))))


def drop(store: Store) -> int:
    return drop_due(store, months=24, now=NOW, actor="schedule").versions


def contents(store: Store) -> dict[str, bytes]:
    with store.read() as connection:
        rows = connection.execute(select(SubmissionVersion.__table__)).all()
    return {row.instance_id: open_xml(store.vault, row) for row in rows}


def answers(store: Store, instance_id: str = "uuid:1") -> Any:
    with store.read() as connection:
        return found(connection, EVERYTHING, instance_id).answers


def visit(
    store: Store, status: str, number: int = 1, *, incident: str = "uuid:1", state: str = "received", deleted: bool = False
) -> None:
    """A visit about the claim of an incident."""
    key = {"project_id": PROJECT, "form_id": "small", "instance_id": f"visit {number}"}

    def work(connection: Any) -> None:
        row = dict(connection.execute(select(Submission.__table__).limit(1)).mappings().one())
        row |= key | {"answers": {"status": status}, "contact": None, "review_state": state, "received_at": NOW + timedelta(number)}
        connection.execute(insert(Submission).values(row | {"deleted_at": NOW if deleted else None}))
        link = {"role": "compensation", "how": "reference", "reference": incident, "incident_id": incident}
        connection.execute(insert(IncidentLink).values(key | link))

    store.write(work)


def report(store: Store, instance_id: str, incident: str) -> None:
    key = {"project_id": PROJECT, "form_id": "small", "instance_id": instance_id}
    link = {"role": "report", "how": "own", "reference": instance_id, "incident_id": incident}
    store.write(lambda connection: connection.execute(insert(IncidentLink).values(key | link)))


def test_after_two_years_the_contacts_of_a_record_are_gone_and_the_rest_stays(intake: Intake, store: Store) -> None:
    send(intake)
    age(store, 725, "uuid:1")
    assert drop(store) == 0
    assert answers(store)["owner"] == WITHHELD
    age(store, 735, "uuid:1")
    assert drop(store) == 1
    assert answers(store)["owner"] == answers(store)["people"][1]["phone"] == DELETED
    assert answers(store)["q"] == "7"
    assert read_contact(store, EVERYTHING, "small", "uuid:1") == []
    xml = contents(store)["uuid:1"]
    assert not any(secret in xml for secret in SECRETS)
    assert b"<q>7</q>" in xml
    assert drop(store) == 0


def test_every_version_is_emptied_also_one_that_is_not_current(intake: Intake, store: Store) -> None:
    send(intake)
    send(intake, "uuid:2", TOLD.replace("Gholam", "Gholam H."), deprecated_id="uuid:1")
    send(intake, "uuid:2", TOLD.replace("Gholam", "Gholam T."), deprecated_id="uuid:1")  # a conflict
    age(store, 800, "uuid:1", "uuid:2")
    assert drop(store) == 3
    assert not any(secret in xml for xml in contents(store).values() for secret in SECRETS)
    with store.read() as connection:
        assert connection.execute(select(Feed.kind).order_by(Feed.position.desc()).limit(3)).scalars().all() == ["redaction"] * 3


def test_a_correction_is_kept_for_its_own_time(intake: Intake, store: Store) -> None:
    send(intake)
    send(intake, "uuid:2", TOLD.replace("Gholam", "Maryam"), deprecated_id="uuid:1")
    age(store, 800, "uuid:1")
    assert drop(store) == 1
    assert read_contact(store, EVERYTHING, "small", "uuid:1")[0].text == "Maryam Rezaei"


def test_the_same_record_sent_again_brings_nothing_back(intake: Intake, store: Store) -> None:
    send(intake)
    age(store, 800, "uuid:1")
    drop(store)
    assert send(intake) == "duplicate"
    assert answers(store)["owner"] == DELETED
    assert not any(secret in contents(store)["uuid:1"] for secret in SECRETS)
    with store.read() as connection:
        row = connection.execute(select(SubmissionVersion.sha256, SubmissionVersion.redacted_at)).one()
    assert row.sha256 == hashlib.sha256(record(TOLD)).hexdigest()
    assert row.redacted_at is not None


@pytest.mark.parametrize("status", ["submitted", "approved", "part_paid", *sorted(CLOSED)])
def test_a_closed_claim_ends_their_time_and_an_open_one_does_not(intake: Intake, store: Store, status: str) -> None:
    send(intake)
    report(store, "uuid:1", "uuid:1")
    visit(store, status)
    assert drop(store) == (status in CLOSED)


def test_a_claim_closes_every_report_of_its_incident_and_of_no_other(intake: Intake, store: Store) -> None:
    for number in (1, 2, 3):
        send(intake, f"uuid:{number}")
    report(store, "uuid:1", "uuid:1")
    report(store, "uuid:2", "uuid:1")
    report(store, "uuid:3", "uuid:3")
    visit(store, "paid")
    assert drop(store) == 2
    assert answers(store, "uuid:3")["owner"] == WITHHELD


@pytest.mark.parametrize(
    "last", [{"status": "verifying"}, {"status": "paid", "deleted": True}, {"status": "paid", "state": "rejected"}]
)
def test_the_latest_visit_that_counts_decides(intake: Intake, store: Store, last: dict[str, Any]) -> None:
    send(intake)
    report(store, "uuid:1", "uuid:1")
    visit(store, "submitted" if last["status"] == "paid" else "paid")
    visit(store, number=2, **last)
    assert drop(store) == 0


def test_records_of_a_trial_go_too(intake: Intake, store: Store) -> None:
    key = {"project_id": PROJECT, "form_id": "small"}
    draft = key | {"version": "1", "title": "t", "md5": "0", "sha256": "0", "source_name": "s", "note": "", "media": []}
    draft |= {"token_sha256": "0", "created_at": NOW, "xform": FORM}
    trial = key | {"version": "1", "device_id": "", "files": [], "flags": [], "answers": {}, "xml": b"x"}

    def work(connection: Any) -> None:
        connection.execute(insert(FormDraft).values(draft))
        for number, days in enumerate((700, 800)):
            row = trial | {"instance_id": str(number), "sha256": str(number), "received_at": NOW - timedelta(days)}
            connection.execute(insert(DraftSubmission).values(row))

    store.write(work)
    assert drop_due(store, months=24, now=NOW, actor="schedule").drafts == 1
    with store.read() as connection:
        assert connection.execute(select(DraftSubmission.instance_id)).scalars().all() == ["0"]


def test_what_was_refused_goes_too_and_its_files(intake: Intake, store: Store, blobs: BlobStore) -> None:
    photo = ReceivedFile(("1.jpg",), blobs.put(b"a photo", sealed=True), "image/jpeg")
    for content in (b"<data>Gholam", b"<data>Maryam"):
        with pytest.raises(Problem):
            intake.receive(Delivery(PROJECT, content, (photo,)))
    old = update(KeptAside).filter_by(sha256=hashlib.sha256(b"<data>Gholam").hexdigest())
    store.write(lambda connection: connection.execute(old.values(last_at=NOW - timedelta(800))))
    done = drop_due(store, months=24, now=NOW, actor="schedule")
    remove_files(store, blobs, done.digests)
    assert done.aside == 1
    kept = [blobs.open(file.name).read() for file in blobs.folder.glob("??/*")]
    assert b"<data>Maryam" in kept
    assert b"a photo" in kept  # the other needs it
    assert b"<data>Gholam" not in kept


def test_a_record_whose_answers_could_not_be_read_is_emptied_too(
    intake: Intake, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(FormSchema, "read", lambda *_: 1 / 0)
        send(intake)
    age(store, 800, "uuid:1")
    assert drop(store) == 1
    xml = contents(store)["uuid:1"]
    assert not any(secret in xml for secret in SECRETS)
    assert b"<q>7</q>" in xml


def test_the_log_says_how_many_and_nothing_of_whom(intake: Intake, store: Store) -> None:
    send(intake)
    send(intake, "uuid:2")
    age(store, 800, "uuid:1", "uuid:2")
    drop(store)
    with store.read() as connection:
        [event] = [row for row in events(connection, EVERYTHING, limit=99) if row.action == "personal.drop"]
        kept = connection.execute(select(Submission.__table__)).all()
    assert (event.actor, event.target, event.detail) == ("schedule", "", {"versions": 2})
    assert "Gholam" not in repr(kept)


REFUSABLE = xform(
    "<consent/><owner/><code/><rows><by/></rows><remarks/><q/>",
    '<bind nodeset="/data/consent" type="string"/><bind nodeset="/data/remarks" type="string"/>'
    + "".join(
        f'<bind nodeset="/data/{path}" type="string" xmlns:t="urn:tulliana:xforms" t:personal="{kind}"/>'
        for path, kind in (("owner", "contact"), ("code", "code"), ("rows/by", "reporter"))
    ),
    '<group ref="/data/rows"><repeat nodeset="/data/rows"/></group>',
    form_id="asked",
)


def refused(code: str = "H-12", consent: str = "no") -> bytes:
    content = f"<consent>{consent}</consent><owner>Gholam Rezaei</owner><code>{code}</code><rows><by>R-77</by></rows>"
    return record(f"{content}<remarks>of Gholam Rezaei</remarks><q>7</q>", form_id="asked")


def test_of_who_does_not_take_part_nothing_is_kept_and_the_rest_is(intake: Intake, store: Store, blobs: BlobStore) -> None:
    publish_form(store, blobs, REFUSABLE)
    assert intake.receive(Delivery(PROJECT, refused())).outcome == "created"
    with store.read() as connection:
        row = connection.execute(select(Submission.__table__)).one()
        version = connection.execute(select(SubmissionVersion.__table__)).one()
    assert (row.contact, version.contact_paths, version.redacted_at is None) == (None, None, False)
    assert row.answers["code"] is row.answers["owner"] is row.answers["rows"][0]["by"] is row.answers["remarks"] is None
    assert row.answers["q"] == "7"
    assert [(item["code"], item["path"]) for item in row.flags] == [("consent_contradicted", "owner")]
    kept = open_xml(store.vault, version)
    assert not any(secret in kept for secret in (b"Gholam", b"H-12", b"R-77"))
    assert b"<q>7</q>" in kept
    assert intake.receive(Delivery(PROJECT, refused())).outcome == "duplicate"


@pytest.mark.parametrize("consent", ["yes", ""])
def test_of_who_takes_part_everything_is_kept(intake: Intake, store: Store, blobs: BlobStore, consent: str) -> None:
    publish_form(store, blobs, REFUSABLE)
    intake.receive(Delivery(PROJECT, refused(consent=consent)))
    with store.read() as connection:
        row = connection.execute(select(Submission.__table__)).one()
    assert row.answers["code"] == "H-12"
    assert row.contact is not None
    assert row.flags == []


def test_who_does_not_take_part_and_is_not_named_is_no_contradiction(intake: Intake, store: Store, blobs: BlobStore) -> None:
    publish_form(store, blobs, REFUSABLE)
    xml = record("<consent>no</consent><owner/><code>NEW</code><q>7</q>", form_id="asked")
    intake.receive(Delivery(PROJECT, xml))
    with store.read() as connection:
        row = connection.execute(select(Submission.__table__)).one()
        version = connection.execute(select(SubmissionVersion.__table__)).one()
    assert (row.flags, version.redacted_at, open_xml(store.vault, version)) == ([], None, xml)
