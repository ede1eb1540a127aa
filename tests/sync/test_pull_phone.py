"""A phone's own folder: what Collect left on the card is taken in as if the phone had sent it."""

import os
import unicodedata
from pathlib import Path

import pytest

from forms.problems import Problem
from records.access import Access, Right
from records.blobs import BlobStore
from records.store import Store
from records.submissions import listed
from sync.aside import waiting
from sync.intake import Intake
from sync.pull import receiving
from sync.pull.phone import instances, pull_phone
from sync.pull.receiving import Receiver, Tally
from tests.support.small import record, xform
from tests.support.stores import EVERYTHING, PROJECT, publish_form

PHOTO = b"\xff\xd8\xff\xe0 a photo"
FORM = xform(
    "<end/><photo/>",
    '<bind nodeset="/data/end" type="dateTime" jr:preload="timestamp" jr:preloadParams="end"/>'
    '<bind nodeset="/data/photo" type="binary"/>',
    '<upload ref="/data/photo" mediatype="image/*"/>',
)
ENVELOPE = (
    b'<data xmlns="http://www.opendatakit.org/xforms/encrypted" id="small" version="1" encrypted="yes"><base64EncryptedKey>AA=='
    b'</base64EncryptedKey><orx:meta xmlns:orx="http://openrosa.org/xforms"><orx:instanceID>uuid:sealed</orx:instanceID></orx:meta>'
    b"<encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>"
)


def put(folder: Path, name: str, xml: bytes, **media: bytes) -> Path:
    place = folder / "instances" / name
    place.mkdir(parents=True)
    (place / f"{name}.xml").write_bytes(xml)
    for file, content in media.items():
        (place / file.replace("__", ".")).write_bytes(content)
    return place


def answers(number: str, photo: str = "", end: str = "2026-05-02T10:00:00.000+03:30") -> bytes:
    return record(f"<end>{end}</end><photo>{photo}</photo>", instance_id=f"uuid:{number}")


@pytest.fixture
def receiver(store: Store, blobs: BlobStore) -> Receiver:
    publish_form(store, blobs, FORM)
    return Receiver(store, blobs, Intake(store, blobs), EVERYTHING, "a phone")


def again(receiver: Receiver) -> Receiver:
    return Receiver(receiver.store, receiver.blobs, receiver.intake, receiver.access, receiver.origin)


def kept(receiver: Receiver) -> dict[str, list[str]]:
    with receiver.store.read() as connection:
        return {each.instance_id: [file.name for file in each.attachments] for each in listed(connection, EVERYTHING, "small")}


def outline(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def test_records_come_with_their_ids_and_media_and_again_changes_nothing(receiver: Receiver, tmp_path: Path) -> None:
    folder = tmp_path / "card"
    name = "گوسفند é.jpg"
    put(folder, "small_1", answers("1", "1700.JPG"), **{"1700__jpg": PHOTO})
    place = put(folder, "small_2", answers("2", unicodedata.normalize("NFC", name)))
    (place / unicodedata.normalize("NFD", name)).write_bytes(PHOTO + b"2")
    before = outline(folder)
    assert pull_phone(receiver, folder).counts["created"] == 2
    assert kept(receiver) == {"uuid:1": ["1700.JPG"], "uuid:2": [unicodedata.normalize("NFC", name)]}
    second = pull_phone(again(receiver), folder / "instances")
    assert (second.counts["duplicate"], second.counts["created"]) == (2, 0)
    assert outline(folder) == before


def test_what_was_not_finished_is_left_unless_asked_for(receiver: Receiver, tmp_path: Path) -> None:
    put(tmp_path, "small_1", answers("1", end=""))
    tally = pull_phone(receiver, tmp_path)
    assert not kept(receiver)
    assert "1 that were not finished on the phone" in tally.lines()[0]
    assert "small_1/small_1.xml" in tally.lines()[1]
    pull_phone(again(receiver), tmp_path, unfinished=True)
    assert list(kept(receiver)) == ["uuid:1"]


def test_an_encrypted_record_is_kept_as_it_is_and_open_answers_beside_it_are_not_taken(receiver: Receiver, tmp_path: Path) -> None:
    place = put(tmp_path, "small_1", answers("plain"))
    (place / "submission.xml").write_bytes(ENVELOPE)
    (place / "submission.xml.enc").write_bytes(b"\x00sealed")
    tally = pull_phone(receiver, tmp_path)
    assert kept(receiver) == {"uuid:sealed": ["submission.xml.enc"]}
    assert tally.counts["encrypted"] == 1
    assert any("answers lie open" in line for line in tally.lines())


def test_what_cannot_be_placed_is_kept_aside_and_the_others_come(receiver: Receiver, tmp_path: Path) -> None:
    put(tmp_path, "a_1", b"<data")
    put(tmp_path, "b_1", record("<q>1</q>", form_id="other", instance_id="uuid:b"))
    put(tmp_path, "c_1", answers("c"))
    tally = pull_phone(receiver, tmp_path)
    assert (tally.counts["aside"], tally.counts["created"]) == (2, 1)
    assert any(line.startswith("a_1/a_1.xml: The XML cannot be read.") for line in tally.lines())
    with receiver.store.read() as connection:
        assert {row.reason for row in waiting(connection, EVERYTHING)} == {"xml_unreadable", "form_unknown"}


def test_forms_hidden_files_and_links_are_no_records(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "small.xml").write_bytes(FORM)
    place = put(tmp_path, "small_1", answers("1"))
    (place / ".hidden.xml").write_bytes(answers("2"))
    (place / "link.xml").symlink_to(tmp_path / "forms" / "small.xml")
    assert [found.xmls for found in instances(tmp_path)] == [("small_1.xml",)]
    (tmp_path / "empty").mkdir()
    with pytest.raises(Problem) as caught:
        pull_phone(receiver, tmp_path / "empty")
    assert caught.value.kind.code == "not_found"


def test_the_folders_are_read_one_by_one(tmp_path: Path) -> None:
    for number in range(30):
        put(tmp_path, f"small_{number:02}", answers(str(number)))
    found = instances(tmp_path)
    next(found)
    for path in sorted((tmp_path / "instances").iterdir())[20:]:
        (path / f"{path.name}.xml").unlink()
    assert len(list(found)) == 19


def test_only_who_may_publish_and_review_takes_over(store: Store, blobs: BlobStore) -> None:
    for right in (Right.FORMS, Right.REVIEW):
        with pytest.raises(Problem):
            Receiver(store, blobs, Intake(store, blobs), Access(PROJECT, "x", frozenset(Right) - {right}), "x")


def test_a_long_list_of_oddities_ends_with_how_many_more() -> None:
    tally = Tally()
    for number in range(receiving._MOST_TOLD + 3):
        tally.tell(str(number))
    assert tally.lines()[-1] == "and 3 more like these"


def test_records_of_several_projects_are_not_mixed(receiver: Receiver, tmp_path: Path) -> None:
    put(tmp_path / "projects" / "ours", "small_1", answers("1"))
    put(tmp_path / "projects" / "theirs", "other_1", record("<q>1</q>", form_id="other", instance_id="uuid:b"))
    with pytest.raises(Problem) as caught:
        pull_phone(receiver, tmp_path / "projects")
    assert caught.value.kind.code == "value_invalid"
    assert "ours/instances, theirs/instances" in str(caught.value)
    assert not kept(receiver)
    pull_phone(again(receiver), tmp_path / "projects" / "ours")
    assert list(kept(receiver)) == ["uuid:1"]
    assert pull_phone(again(receiver), tmp_path / "projects" / "ours" / "instances").counts["duplicate"] == 1
    assert pull_phone(again(receiver), tmp_path / "projects" / "ours" / "instances" / "small_1").counts["duplicate"] == 1


@pytest.mark.parametrize("written", [b"", b"\0" * 4096, b"\n"])
def test_what_the_phone_had_no_time_to_write_is_told_and_not_kept_aside(receiver: Receiver, tmp_path: Path, written: bytes) -> None:
    put(tmp_path, "small_1", written)
    put(tmp_path, "small_2", answers("2", "1.jpg"), **{"1__jpg": b""})
    tally = pull_phone(receiver, tmp_path)
    assert (tally.counts["created"], tally.counts["aside"]) == (1, 0)
    assert "small_1/small_1.xml: it is empty; its answers are lost on this phone" in tally.lines()
    assert "small_2/1.jpg: it is empty" in tally.lines()
    assert kept(receiver) == {"uuid:2": []}


def test_a_half_written_record_is_kept_aside_once(receiver: Receiver, tmp_path: Path) -> None:
    put(tmp_path, "small_1", answers("1")[:-20])
    for _ in range(2):
        assert pull_phone(again(receiver), tmp_path).counts["aside"] == 1
    with receiver.store.read() as connection:
        assert [row.reason for row in waiting(connection, EVERYTHING)] == ["xml_unreadable"]


def test_a_photo_that_is_gone_from_the_phone_is_told_and_taken_once_it_is_found(receiver: Receiver, tmp_path: Path) -> None:
    place = put(tmp_path, "small_1", answers("1", "1.jpg"))
    tally = pull_phone(receiver, tmp_path)
    assert "small_1/small_1.xml: 1 of its 1 files are not in the folder" in tally.lines()
    (place / "1.jpg").write_bytes(PHOTO)
    tally = pull_phone(again(receiver), tmp_path)
    assert tally.lines() == ["1 records whose missing files came"]
    assert kept(receiver) == {"uuid:1": ["1.jpg"]}


def test_an_xml_file_that_somebody_attached_is_no_record(receiver: Receiver, tmp_path: Path) -> None:
    place = put(tmp_path, "small_1", answers("1", "note.xml"))
    (place / "note.xml").write_bytes(answers("not a record"))
    assert pull_phone(receiver, tmp_path).counts["created"] == 1
    assert kept(receiver) == {"uuid:1": ["note.xml"]}


def test_a_folder_that_somebody_renamed_is_read_all_the_same(receiver: Receiver, tmp_path: Path) -> None:
    put(tmp_path, "small_1", answers("1")).rename(tmp_path / "instances" / "copied for the office")
    pull_phone(receiver, tmp_path)
    assert list(kept(receiver)) == ["uuid:1"]


def test_open_answers_of_a_form_that_encrypts_are_not_finished(receiver: Receiver, tmp_path: Path) -> None:
    form = FORM.replace(b"</model>", b'<submission base64RsaPublicKey="AA=="/></model>').replace(b'version="1"', b'version="2"')
    publish_form(receiver.store, receiver.blobs, form)
    place = put(tmp_path, "small_1", answers("1").replace(b'version="1"', b'version="2"'))
    (place / "submission.xml.enc").write_bytes(b"\x00half")
    tally = pull_phone(receiver, tmp_path)
    assert tally.counts["unfinished"] == 1
    assert not kept(receiver)


def test_an_envelope_whose_answers_are_gone_is_kept_and_told(receiver: Receiver, tmp_path: Path) -> None:
    place = put(tmp_path, "small_1", ENVELOPE)
    (place / "small_1.xml").rename(place / "submission.xml")
    tally = pull_phone(receiver, tmp_path)
    assert kept(receiver) == {"uuid:sealed": []}
    assert "small_1/submission.xml: 1 of its 1 files are not in the folder" in tally.lines()


def test_what_is_no_file_is_left_alone(receiver: Receiver, tmp_path: Path) -> None:
    place = put(tmp_path, "small_1", answers("1"))
    os.mkfifo(place / "1.jpg")
    (place / "2.jpg").mkdir()
    pull_phone(receiver, tmp_path)
    assert kept(receiver) == {"uuid:1": []}
