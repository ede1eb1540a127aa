"""What an older version of the program kept in the clear is sealed, and what was marked since is taken out of the answers."""

import hashlib

import pytest
from sqlalchemy import select, update

from forms.personal import ATTENDANCE, NAMESPACE, PICTURE, WITHHELD, Told
from records import keys
from records.blobs import BlobStore
from records.contact import read_contact
from records.forms import Schemas
from records.models import Attachment, KeptAside, Submission, SubmissionVersion
from records.personal import is_sealed
from records.store import Store
from records.submissions import found, version_xml
from sync import aside
from sync.delivery import Delivery, ReceivedFile
from sync.intake import Intake
from sync.sealing import is_due, seal_all
from tests.support.small import record, xform
from tests.support.stores import EVERYTHING, PROJECT, publish_form

BINDS = '<bind nodeset="/data/owner" type="string"{}/><bind nodeset="/data/sheet" type="binary"{}/>'
MARK = ' xmlns:t="urn:tulliana:xforms" t:personal="{}"'
XML = record("<owner>Gholam Rezaei</owner><sheet>1.jpg</sheet><remarks>ask Gholam Rezaei</remarks>")


def form(version: str, *, marked: bool) -> bytes:
    binds = BINDS.format(*(MARK.format(kind) if marked else "" for kind in ("contact", "attendance")))
    return xform("<owner/><sheet/><remarks/>", binds=binds, version=version)


def test_the_namespace_is_the_one_of_the_forms() -> None:
    assert NAMESPACE in MARK


@pytest.fixture
def old(store: Store, blobs: BlobStore) -> Store:
    """A database as version 0.2 left it: nothing sealed, nothing marked; then the survey came with its marks."""
    keys.ready(store)
    publish_form(store, blobs, form("1", marked=False))
    intake = Intake(store, blobs)
    sheet = ReceivedFile(("1.jpg",), blobs.put(b"the sheet"), "image/jpeg")
    intake.receive(Delivery(PROJECT, XML, (sheet,)))
    stray = blobs.put(b"<data")
    intake._store.write(lambda connection: connection.execute(update(SubmissionVersion).values(xml=XML, contact_paths=None)))
    with pytest.raises(Exception, match="cannot be read"):
        intake.receive(Delivery(PROJECT, b"<data"))
    blobs.put(b"<data")
    assert not blobs.is_current(stray.sha256)
    publish_form(store, blobs, form("2", marked=True))
    return store


def everything(store: Store) -> str:
    with store.read() as connection:
        rows = [*connection.execute(select(Submission.__table__)), *connection.execute(select(SubmissionVersion.__table__))]
    return " ".join(map(repr, rows))


def test_what_was_kept_in_the_clear_is_sealed_and_read_as_before(old: Store, blobs: BlobStore) -> None:
    assert "Gholam" in everything(old)
    with old.read() as connection:
        assert is_due(connection)
    done = seal_all(old, blobs, Schemas(old))
    assert (done.versions, done.files) == (1, 2)
    assert "Gholam" not in everything(old)
    with old.read() as connection:
        kept = found(connection, EVERYTHING, "uuid:1")
        version = connection.execute(select(SubmissionVersion.__table__)).one()
        [attachment] = connection.execute(select(Attachment.__table__)).all()
        assert not is_due(connection)
    assert (kept.answers["owner"], kept.answers["remarks"], kept.has_contact) == (WITHHELD, WITHHELD, True)
    assert read_contact(old, EVERYTHING, "small", "uuid:1") == [
        Told("owner", "Gholam Rezaei"),
        Told("remarks", "ask Gholam Rezaei"),
    ]
    assert (is_sealed(version.xml), version.contact_paths, attachment.personal) == (True, ["owner", "remarks"], ATTENDANCE)
    assert b"the sheet" not in blobs.path(attachment.sha256).read_bytes()
    assert blobs.open(attachment.sha256).read() == b"the sheet"
    with old.read() as connection:
        digest = hashlib.sha256(XML).hexdigest()
        assert b"Gholam" not in version_xml(connection, EVERYTHING, "small", "uuid:1", digest)


def test_sealing_twice_does_nothing_twice(old: Store, blobs: BlobStore) -> None:
    seal_all(old, blobs, Schemas(old))
    before = everything(old)
    done = seal_all(old, blobs, Schemas(old))
    assert (done.versions, done.files) == (0, 0)
    assert everything(old) == before


def test_a_new_key_takes_over_everything_and_the_old_one_can_go(old: Store, blobs: BlobStore) -> None:
    seal_all(old, blobs, Schemas(old))
    fresh = old.vault.add_key()
    keys.ready(old)
    with old.read() as connection:
        assert is_due(connection)
    done = seal_all(old, blobs, Schemas(old))
    assert (done.versions, done.files) == (1, 2)
    text = old.vault.path.read_text().splitlines()  # type: ignore[union-attr]
    newest = next(line for line in text if line and not line.startswith("#"))
    old.vault.path.write_text(newest)  # type: ignore[union-attr]
    old.vault._load()
    assert old.vault.key_ids == [fresh]
    assert read_contact(old, EVERYTHING, "small", "uuid:1")[0].text == "Gholam Rezaei"
    with old.read() as connection:
        [sha256] = connection.execute(select(Attachment.sha256)).scalars()
    assert blobs.open(sha256).read() == b"the sheet"


def test_it_can_be_stopped_and_goes_on_later(old: Store, blobs: BlobStore) -> None:
    assert seal_all(old, blobs, Schemas(old), stop=lambda: True).versions == 0
    with old.read() as connection:
        assert is_due(connection)
    assert seal_all(old, blobs, Schemas(old)).versions == 1


def test_a_phone_with_the_old_version_of_the_form_tells_its_contacts_apart_too(old: Store, blobs: BlobStore) -> None:
    Intake(old, blobs).receive(Delivery(PROJECT, record("<owner>Maryam Karimi</owner>", instance_id="uuid:2")))
    assert "Maryam" not in everything(old)


def test_a_server_that_is_running_learns_of_marks_within_seconds(
    store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("records.forms._STATES_SECONDS", 0.0)
    publish_form(store, blobs, form("1", marked=False))
    intake = Intake(store, blobs)
    intake.receive(Delivery(PROJECT, record("<owner>Gholam Rezaei</owner>")))
    assert "Gholam" in everything(store)
    publish_form(store, blobs, form("2", marked=True))
    intake.schemas.state(PROJECT, "small")
    intake.receive(Delivery(PROJECT, record("<owner>Maryam Karimi</owner>", instance_id="uuid:2")))
    assert "Maryam" not in everything(store)
    assert seal_all(store, blobs, intake.schemas, again=True).versions == 2
    assert "Gholam" not in everything(store)


def test_a_file_that_no_mark_speaks_of_is_a_picture(store: Store, blobs: BlobStore) -> None:
    publish_form(store, blobs, form("1", marked=False))
    photo = ReceivedFile(("1.jpg",), blobs.put(b"x", sealed=True), "image/jpeg")
    Intake(store, blobs).receive(Delivery(PROJECT, XML, (photo,)))
    with store.read() as connection:
        assert connection.execute(select(Attachment.personal)).scalar() == PICTURE


def test_what_was_kept_aside_is_sealed_with_its_files(old: Store, blobs: BlobStore) -> None:
    seal_all(old, blobs, Schemas(old))
    with old.read() as connection:
        [sha256] = connection.execute(select(KeptAside.sha256)).scalars()
        assert aside.found(connection, EVERYTHING, sha256).reason == "xml_unreadable"
    assert blobs.is_current(sha256)
