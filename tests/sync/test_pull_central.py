"""What a real ODK Central (2026.2) answered to three pulls, the second after changes there; see tests/peers."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from sqlalchemy import select

from records import entities as kept
from records.blobs import BlobStore
from records.models import Attachment, EntityList, Form, FormMedia, Submission, SubmissionVersion
from records.store import Store
from records.submissions import xml_of
from sync import entities
from sync.intake import Intake
from sync.pull.central import Central
from sync.pull.client import Client
from sync.pull.receiving import Receiver, Tally
from tests.support.recorded import Answer, Recorded, playing, written_down
from tests.support.records import loss
from tests.support.stores import EVERYTHING

ANSWERS = Path(__file__).parent.parent / "support" / "data" / "central_answers.json"
JPEG = b"\xff\xd8\xff\xe0 "
Entries = dict[str, tuple[dict[str, str], int, str | None]]


@pytest.fixture
def played() -> Iterator[Recorded]:
    session = {"/v1/sessions": [Answer({"token": "tok"})]}
    with playing(session | written_down(ANSWERS)) as recorded:
        yield recorded


def pulled(store: Store, blobs: BlobStore, played: Recorded, origin: str = "pull from there") -> Tally:
    client = Client(played.url, backoff=0)
    client.sign_in("viewer@example.org", "very secret")
    return Central(Receiver(store, blobs, Intake(store, blobs), EVERYTHING, origin), client, 1).pull()


def uuid_of(name: str) -> str:
    return str(UUID(int=uuid5(NAMESPACE_URL, name).int, version=4))


def entries(store: Store, name: str = "households") -> Entries:
    with store.read() as connection:
        rows = kept.entities(connection, EVERYTHING, name)
    return {row.label: (row.data, row.version, row.conflict) for row in rows}


def files(store: Store, form_id: str) -> dict[str, list[str]]:
    """The names of the files of every version of a record."""
    with store.read() as connection:
        ids = connection.execute(select(SubmissionVersion.instance_id).filter_by(form_id=form_id)).scalars().all()
        rows = connection.execute(select(Attachment.instance_id, Attachment.name).filter_by(form_id=form_id)).all()
    return {own: sorted(row.name for row in rows if row.instance_id == own) for own in ids}


def states(store: Store) -> dict[str, tuple[str, int]]:
    with store.read() as connection:
        rows = connection.execute(select(Submission.instance_id, Submission.review_state, Submission.edits)).all()
    return {row.instance_id: (row.review_state, row.edits) for row in rows}


def test_records_come_with_every_version_its_files_and_its_state(store: Store, blobs: BlobStore, played: Recorded) -> None:
    tally = pulled(store, blobs, played)
    found = states(store)
    losses = {"uuid:a": ("edited", 2), "uuid:b": ("hasIssues", 0), "uuid:e": ("approved", 0), "uuid:weird / id é": ("received", 0)}
    assert losses.items() <= found.items()
    assert "uuid:gone" not in found
    assert (tally.counts["created"], tally.counts["edited"], tally.counts["comment"]) == (14, 2, 1)
    assert tally.counts["incomplete"] == 1
    came = {"uuid:a": ["a.jpg"], "uuid:a2": ["a.jpg"], "uuid:a3": ["b.jpg"], "uuid:c": ["۱ گوسفند.jpg"]}
    assert came.items() <= files(store, "livestock_loss").items()
    assert files(store, "flock_count") == {"uuid:sealed": ["submission.xml.enc"]}
    with store.read() as connection:
        assert xml_of(connection, EVERYTHING, "uuid:a") == loss("uuid:a", "a.jpg")
        photo = connection.execute(select(Attachment.sha256).filter_by(instance_id="uuid:a3")).scalar_one()
    assert photo == hashlib.sha256(JPEG + b"b").hexdigest()


def test_forms_come_with_their_files_and_a_list_stays_a_list(store: Store, blobs: BlobStore, played: Recorded) -> None:
    assert pulled(store, blobs, played).counts["form"] == 5
    with store.read() as connection:
        media = connection.execute(select(FormMedia.form_id, FormMedia.name)).all()
        forms = {row.form_id: (row.current_version, row.state) for row in connection.execute(select(Form.__table__)).all()}
        lists = {row.name: row.properties for row in connection.execute(select(EntityList.__table__)).all()}
    assert sorted(map(tuple, media)) == [("village_visit", "villages.csv"), ("village_visit", "نقشه (۲).jpg")]
    assert forms["livestock_loss"] == ("2", "open")
    assert forms["village_visit"] == ("1", "closed")
    assert lists == {"households": ["herd", "note"], "rangers": ["phone-model"]}
    assert not any(path.endswith("households.csv") for path in played.paths())


def test_lists_come_with_every_version_and_without_what_was_deleted(store: Store, blobs: BlobStore, played: Recorded) -> None:
    tally = pulled(store, blobs, played)
    assert entries(store) == {
        "H-a": ({"herd": "13"}, 2, None),  # made and changed by records
        "H-b": ({"herd": "99", "note": "from the page"}, 3, None),  # by a record, on the page, by a record that builds on it
        "H-d": ({"herd": "12"}, 1, None),
        "H-e": ({"herd": "12"}, 1, None),
    }
    assert entries(store, "rangers") == {f"R{n}": ({"phone-model": "گوشی"}, 1, None) for n in range(4)}
    assert (tally.counts["entity"], tally.counts["entity_gone"]) == (5, 1)
    with store.read() as connection:
        assert not kept.unsettled(connection, EVERYTHING)


def test_what_changed_on_both_sides_is_put_together_and_marked(store: Store, blobs: BlobStore, played: Recorded) -> None:
    pulled(store, blobs, played)
    entities.change(store, EVERYTHING, uuid_of("a"), "resolve", {"note": "changed here"})
    tally = pulled(store, blobs, played)
    assert entries(store) == {
        "H-a": ({"herd": "20", "note": "changed here"}, 4, "soft"),
        "H-b": ({"herd": "99", "note": "from the page"}, 3, None),
        "H-D": ({"herd": "12"}, 3, None),  # changed and changed back
    }
    assert (tally.counts["entity"], tally.counts["entity_gone"]) == (2, 1)
    found = states(store)
    assert (found["uuid:b"], found["uuid:e"], found["uuid:new"]) == (("edited", 1), ("rejected", 0), ("received", 0))
    assert files(store, "livestock_loss")["uuid:c"] == ["x y.jpg", "۱ گوسفند.jpg"]
    with store.read() as connection:
        current = connection.execute(select(Form.current_version).filter_by(form_id="livestock_loss")).scalar()
    assert current == "3"
    before = entries(store)
    assert pulled(store, blobs, played).lines() == ["nothing new"]
    assert entries(store) == before


def test_an_entry_deleted_here_stays_deleted(store: Store, blobs: BlobStore, played: Recorded) -> None:
    pulled(store, blobs, played)
    entities.change(store, EVERYTHING, uuid_of("d"), "delete")
    tally = pulled(store, blobs, played)
    assert "H-D" not in entries(store)
    assert "list households, H-D: it was deleted here and stays so" in tally.lines()


def test_an_entry_changed_back_there_is_changed_back_here(store: Store, blobs: BlobStore, played: Recorded) -> None:
    pulled(store, blobs, played)
    place = f"/v1/projects/1/datasets/households/entities/{uuid_of('b')}/versions"
    *_, said = played.answers[place]
    back = {**said.body[1], "version": 4, "dataReceived": {"herd": "12"}}
    played.answers[place] = [Answer([*said.body, back])]
    system = {"createdAt": back["createdAt"], "updatedAt": back["createdAt"], "updates": 3, "version": 4}
    row = {"__id": uuid_of("b"), "label": "H-b", "herd": "12", "note": "from the page", "__system": system}
    played.answers["/v1/projects/1/datasets/households.svc/Entities"] = [Answer({"value": []}), Answer({"value": [row]})]
    pulled(store, blobs, played)
    assert entries(store)["H-b"] == ({"herd": "12", "note": "from the page"}, 4, None)
