"""Files are judged by what is in them; whatever is odd about one, it is kept."""

import pytest
from sqlalchemy import select

from records.blobs import BlobStore
from records.file_kinds import HEAD_BYTES, kind_of
from records.models import Attachment
from records.store import Store
from records.submissions import found
from sync.delivery import Delivery, ReceivedFile
from sync.intake import Intake
from tests.support.small import asked, record
from tests.support.stores import EVERYTHING, PROJECT, publish_form

PICTURE, PAGE = b"\xff\xd8\xff\xe0 photo", b"<html>no photo"


def sent(store: Store, blobs: BlobStore, mediatype: str, *deliveries: dict[str, bytes]) -> list[str]:
    """The codes of the flags of a record with one file question, after these deliveries."""
    publish_form(
        store,
        blobs,
        asked("binary", control="upload", inside="").replace(b"<upload ", f'<upload mediatype="{mediatype}" '.encode()),
    )
    intake = Intake(store, blobs)
    for files in deliveries:
        came = tuple(ReceivedFile((name,), blobs.put(data), kind_of(data[:HEAD_BYTES], name)) for name, data in files.items())
        intake.receive(Delivery(PROJECT, record("<q>1.jpg</q>"), came))
    with store.read() as connection:
        return [item["code"] for item in found(connection, EVERYTHING, "uuid:1").flags]


@pytest.mark.parametrize(
    ("mediatype", "data", "codes"),
    [
        ("image/*", PICTURE, []),
        ("image/*", PAGE, ["file_kind"]),
        ("image/jpeg", b"%PDF-1.7", ["file_kind"]),
        ("image/*", b"", ["file_empty"]),
        ("audio/*", PAGE, []),
        ("application/*", PICTURE, []),
    ],
)
def test_a_file_that_is_no_picture_is_flagged_where_one_was_asked_for(
    store: Store, blobs: BlobStore, mediatype: str, data: bytes, codes: list[str]
) -> None:
    assert sent(store, blobs, mediatype, {"1.jpg": data}) == codes
    with store.read() as connection:
        assert connection.execute(select(Attachment.size)).scalar() == len(data)


def test_a_file_that_comes_later_is_judged_too_and_once(store: Store, blobs: BlobStore) -> None:
    assert sent(store, blobs, "image/*", {}, {"1.jpg": PAGE}, {"1.jpg": PAGE}) == ["file_kind"]


def test_of_two_files_of_one_name_the_odd_one_is_told(store: Store, blobs: BlobStore) -> None:
    assert sorted(sent(store, blobs, "image/*", {"1.jpg": PICTURE}, {"1.jpg": PAGE})) == ["file_kind", "file_twice"]


def test_what_is_stored_is_what_the_bytes_say(store: Store, blobs: BlobStore) -> None:
    sent(store, blobs, "image/*", {"1.jpg": PAGE, "2.bin": PICTURE})
    with store.read() as connection:
        kinds = connection.execute(select(Attachment.content_type).order_by(Attachment.name)).scalars().all()
    assert kinds == ["text/plain", "image/jpeg"]
