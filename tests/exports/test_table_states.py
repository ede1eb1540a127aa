"""T136: a table holds the current state of each record and says its review state; what was deleted is not in it."""

import csv
import io

import pytest

from exports.tables import write_csv
from records import reviews
from records.blobs import BlobStore
from records.store import Store
from sync.delivery import Delivery
from sync.intake import Intake
from tests.support.small import asked, record
from tests.support.stores import EVERYTHING, PROJECT, publish_form

ENVELOPE = (
    '<data xmlns="http://opendatakit.org/submissions" id="small" version="1" encrypted="yes">'
    "<base64EncryptedKey>AAAA</base64EncryptedKey>"
    '<orx:meta xmlns:orx="http://openrosa.org/xforms"><orx:instanceID>uuid:secret</orx:instanceID></orx:meta>'
    "<encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>"
)


@pytest.fixture
def intake(store: Store, blobs: BlobStore) -> Intake:
    publish_form(store, blobs, asked("int"))
    return Intake(store, blobs)


def send(intake: Intake, xml: bytes) -> None:
    intake.receive(Delivery(PROJECT, xml))


def rows(store: Store) -> list[tuple[str, str, str, str]]:
    """(KEY, q, ReviewState, Status) of the table."""
    stream = io.StringIO(newline="")
    with store.snapshot() as connection:
        write_csv(connection, EVERYTHING, "small", stream)
    table = csv.DictReader(stream.getvalue().removeprefix("\ufeff").splitlines())
    return [(row["KEY"], row["q"], row["ReviewState"], row["Status"]) for row in table]


def test_t136_only_the_current_version_under_the_id_of_the_first(intake: Intake, store: Store) -> None:
    send(intake, record("<q>1</q>"))
    send(intake, record("<q>2</q>", instance_id="uuid:2", deprecated_id="uuid:1"))
    send(intake, record("<q>3</q>", instance_id="uuid:3", deprecated_id="uuid:2"))
    assert rows(store) == [("uuid:1", "3", "edited", "")]


def test_a_rejected_record_is_listed_as_rejected_and_a_deleted_one_not_at_all(intake: Intake, store: Store) -> None:
    for number in (1, 2, 3):
        send(intake, record(f"<q>{number}</q>", instance_id=f"uuid:{number}"))
    reviews.set_state(store, EVERYTHING, "small", "uuid:1", "rejected")
    reviews.delete(store, EVERYTHING, "small", "uuid:2")
    assert rows(store) == [("uuid:1", "1", "rejected", ""), ("uuid:3", "3", "", "")]
    reviews.restore(store, EVERYTHING, "small", "uuid:2")
    assert [key for key, *_ in rows(store)] == ["uuid:1", "uuid:2", "uuid:3"]


def test_an_encrypted_record_is_listed_as_such(intake: Intake, store: Store) -> None:
    send(intake, ENVELOPE.encode())
    assert rows(store) == [("uuid:secret", "", "", "notDecrypted")]
