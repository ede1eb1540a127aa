"""What is kept of a person is found, handed over and erased through every copy, and nothing else is broken."""

import io
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import insert, inspect, select, text, update

from forms.personal import ERASED
from forms.problems import Problem
from records import entities, reviews
from records.blobs import BlobStore
from records.contact import read_contact
from records.models import (
    AuditEvent,
    ConflictReport,
    Entity,
    Erasure,
    FormDraft,
    IncidentPair,
    KeptAside,
    Submission,
    SubmissionVersion,
)
from records.personal import open_contact, open_xml
from records.store import Store
from records.submissions import found
from sync import trial
from sync.delivery import Delivery, ReceivedFile
from sync.entities import settle_waiting
from sync.intake import Intake
from sync.person import erasing, finding
from sync.person.copying import write_copy
from sync.person.finding import Person
from tests.support.small import record, xform
from tests.support.stores import EVERYTHING, PROJECT, publish_form

KIND = 'xmlns:t="urn:tulliana:xforms" t:personal'
SECRETS = ("Gholam", "Rezaei", "0912", "9123456789", "H-12", "h12", "غلام")
PHOTO = b"\xff\xd8\xff a photo of Gholam's goats " * 50
SAVE = 'xmlns:entities="http://www.opendatakit.org/xforms/entities" entities:saveto'


def claim_form(version: str = "1", form_id: str = "claim") -> bytes:
    binds = (
        f'<bind nodeset="/data/owner" type="string" {KIND}="contact"/><bind nodeset="/data/code" type="string" {KIND}="code"/>'
        f'<bind nodeset="/data/by" type="string" {KIND}="reporter"/><bind nodeset="/data/photo" type="binary"/>'
    )
    return xform("<owner/><code/><by/><photo/><remarks/><n/>", binds, form_id=form_id, version=version)


REGISTER = (
    '<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"'
    ' xmlns:entities="http://www.opendatakit.org/xforms/entities"><h:head><h:title>Register</h:title>'
    '<model entities:entities-version="2024.1.0"><instance><data id="register" version="1"><code/><village/><meta>'
    '<entity dataset="households" id="" create="1"><label/></entity></meta></data></instance>'
    f'<bind nodeset="/data/code" type="string" entities:saveto="code" {KIND}="register"/>'
    '<bind nodeset="/data/village" type="string" entities:saveto="village"/></model></h:head><h:body/></h:html>'
).encode()
UUID = "5f3d8b1e-0c51-4a77-9b7e-0d2f3c4b5a69"


class World:
    """A project in which a person left traces everywhere, and another person too."""

    def __init__(self, store: Store, blobs: BlobStore) -> None:
        self.store, self.blobs = store, blobs
        self.intake = Intake(store, blobs)
        for form in (claim_form(), REGISTER):
            publish_form(store, blobs, form)
        self.photo = ReceivedFile(("1.jpg",), blobs.put(PHOTO, sealed=True), "image/jpeg")
        self.one = self.send("uuid:1", "Gholam Rezaei 0912 345 6789", "H-12", by="R-7", remarks="ask Gholam", photo="1.jpg")
        self.send("uuid:1b", "Gholam Rezaei", "H-12", by="R-7", deprecated_id="uuid:1", photo="1.jpg")
        self.send("uuid:2", "", "h12", by="H-12", remarks="H-12 was away")
        self.send("uuid:3", "Maryam Karimi", "H-120", by="H-12", remarks="seen with H-12's dog")
        self.send("uuid:4", "Maryam Karimi", "H-120", by="R-7", remarks="all well, says H-12")
        entity = f'<meta><entity dataset="households" id="{UUID}" create="1"><label>H-12 Karan</label></entity></meta>'
        self.deliver(record(f"<code>H-12</code><village>Karan</village>{entity}", form_id="register", instance_id="uuid:5"))
        settle_waiting(store)
        reviews.comment(store, EVERYTHING, "claim", "uuid:1", "Rezaei called")
        reviews.comment(store, EVERYTHING, "claim", "uuid:4", "the neighbour of H-12")
        reviews.comment(store, EVERYTHING, "claim", "uuid:4", "looks right")
        with pytest.raises(Problem):
            self.deliver(b"<data>H-12 Gholam", self.photo)
        with pytest.raises(Problem):
            self.deliver(b"<data>somebody else")
        self._trial()
        store.write(self._more)

    def _more(self, connection: Any) -> None:
        facts = {"date_precision": "", "time_of_day": "", "country": "", "place": "", "predator": "", "reporter_role": ""}
        facts |= {"device": "", "losses": {}, "photos": []}
        for number, household in ((1, "h12"), (2, "h12"), (4, "h120")):
            key = {"project_id": PROJECT, "form_id": "claim", "instance_id": f"uuid:{number}"}
            connection.execute(insert(ConflictReport).values(**key, **facts, household=household, reporter="r7"))
        pair = {"project_id": PROJECT, "first_form": "claim", "first_id": "uuid:1", "second_form": "claim", "second_id": "uuid:2"}
        more = {"score": 1, "band": "likely", "evidence": {"household": {"value": "H-12"}}, "rule": "", "comment": "both H-12"}
        connection.execute(
            insert(IncidentPair).values(**pair, **more, proposed_at=datetime.now(UTC), decided_by="x", decision="same")
        )
        event = {"at": datetime.now(UTC), "project_id": PROJECT, "actor": "x", "action": "entity.delete"}
        connection.execute(insert(AuditEvent).values(**event, target="H-12", detail={"label": "H-12 Karan", "n": 1}))
        flags = [{"code": "constraint", "path": "owner", "message": "“Gholam Rezaei” is odd", "values": {"text": "Rezaei"}}]
        connection.execute(update(Submission).filter_by(instance_id="uuid:1").values(flags=flags))

    def _trial(self) -> None:
        draft = {"project_id": PROJECT, "form_id": "claim", "version": "2", "title": "t", "md5": "0", "sha256": "0"}
        draft |= {
            "source_name": "s",
            "note": "",
            "media": [],
            "token_sha256": "0",
            "created_at": datetime.now(UTC),
            "xform": claim_form("2"),
        }
        self.store.write(lambda connection: connection.execute(insert(FormDraft).values(draft)))
        with self.store.read() as connection:
            row = connection.execute(select(FormDraft.__table__)).one()
        content = self.content("Gholam Rezaei", "H-12")
        trial.receive(self.store, row, Delivery(PROJECT, record(content, form_id="claim", version="2", instance_id="uuid:t")))

    @staticmethod
    def content(owner: str, code: str, by: str = "", remarks: str = "", photo: str = "") -> str:
        return f"<owner>{owner}</owner><code>{code}</code><by>{by}</by><photo>{photo}</photo><remarks>{remarks}</remarks><n>3</n>"

    def send(self, instance_id: str, owner: str, code: str, *, photo: str = "", deprecated_id: str = "", **more: str) -> Delivery:
        content = self.content(owner, code, photo=photo, **more)
        xml = record(content, form_id="claim", instance_id=instance_id, deprecated_id=deprecated_id)
        return self.deliver(xml, *([self.photo] if photo else []))

    def deliver(self, xml: bytes, *files: ReceivedFile) -> Delivery:
        delivery = Delivery(PROJECT, xml, files)
        self.intake.receive(delivery)
        return delivery

    def find(self, text: str) -> Person:
        return finding.find(self.store, self.blobs, self.intake.schemas, EVERYTHING, text)

    def erase(self, person: Person, reason: str = "asked by letter 17") -> dict[str, int]:
        return dict(erasing.erase(self.store, self.blobs, self.intake.schemas, EVERYTHING, person, reason).counts)

    def answers(self, instance_id: str) -> Any:
        with self.store.read() as connection:
            return found(connection, EVERYTHING, instance_id, None).answers

    def everything(self) -> str:
        """Every row of every table, with what is sealed opened."""
        rows = []
        with self.store.read() as connection:
            for table in inspect(self.store.engine).get_table_names():
                rows += [repr(row) for row in connection.execute(text(f"SELECT * FROM {table}")) if table != "form_version"]
            for version in connection.execute(select(SubmissionVersion.__table__)):
                rows.append(open_xml(self.store.vault, version).decode())
            for row in connection.execute(select(Submission.__table__)):
                rows += [each.text for each in open_contact(self.store.vault, row)]
        return "\n".join(rows)

    def files(self) -> Iterator[bytes]:
        for path in self.blobs.folder.rglob("*"):
            if path.is_file():
                yield self.blobs.open(path.name).read()


@pytest.fixture
def world(store: Store, blobs: BlobStore) -> World:
    return World(store, blobs)


def ids(keys: list[tuple[str, str]]) -> set[str]:
    return {instance_id for _, instance_id in keys}


@pytest.mark.parametrize("asked", ["H-12", "h 12", "۰۹۱۲۳۴۵۶۷۸۹", "+98 912 345 6789", "Gholam Rezaei", "غلام رضایی"])
def test_a_person_is_found_by_code_number_or_name_in_every_place(world: World, asked: str) -> None:
    if "غ" in asked:
        world.send("uuid:6", "غلام رضايي", "H-12")
    person = world.find(asked)
    assert ids(person.about) == {"uuid:1", "uuid:2", "uuid:5"} | ({"uuid:6"} if "غ" in asked else set())
    assert ids(person.written) == {"uuid:3", "uuid:4"}
    assert ids(person.mentions) == {"uuid:1", "uuid:4"}
    assert person.entities == [("households", UUID)]
    assert [each[1] for each in person.trials] == ["uuid:t"]
    assert len(person.aside) == 1


def test_a_person_is_found_by_a_record_about_them(world: World) -> None:
    person = finding.of_records(world.store, world.blobs, world.intake.schemas, EVERYTHING, [("claim", "uuid:2")])
    assert ids(person.about) == {"uuid:1", "uuid:2", "uuid:5"}


def test_somebody_else_is_not_found(world: World) -> None:
    assert world.find("H-1").is_nobody
    assert world.find("0912 345 6780").is_nobody
    assert ids(world.find("Maryam Karimi").about) == {"uuid:3", "uuid:4"}


def test_looking_for_a_person_is_noted_without_saying_for_whom(world: World) -> None:
    world.find("Gholam Rezaei")
    with world.store.read() as connection:
        [row] = connection.execute(select(AuditEvent.target, AuditEvent.detail).filter_by(action="personal.find")).all()
    assert (row.target, row.detail) == ("", {})


def test_what_is_kept_can_be_taken_home(world: World) -> None:
    target = io.BytesIO()
    assert write_copy(world.store, world.blobs, world.intake.schemas, EVERYTHING, world.find("H-12"), target) == 3
    with zipfile.ZipFile(target) as archive:
        data = orjson.loads(archive.read("data.json"))
        page = archive.read("index.html").decode()
        photos = [archive.read(name) for name in archive.namelist() if name.endswith(".jpg")]
    first = next(each for each in data["records"] if each["instance_id"] == "uuid:1")
    assert first["answers"]["owner"] == "Gholam Rezaei"
    assert [step["comment"] for step in first["history"]] == ["Rezaei called"]
    assert photos == [PHOTO]
    assert "Gholam Rezaei" in page
    assert "H-12 Karan" in page
    assert "Maryam" not in orjson.dumps(data).decode()


def test_everything_of_a_person_is_erased_and_nothing_of_another(world: World) -> None:
    before = world.everything()
    assert all(secret in before for secret in ("Gholam", "Rezaei", "H-12", "h12"))
    counts = world.erase(world.find("H-12"))
    after = world.everything()
    left = after.replace("H-120", "").replace("h120", "")
    assert [secret for secret in SECRETS if secret in left] == []
    assert all(kept in after for kept in ("Maryam Karimi", "H-120", "h120", "looks right", "all well", "R-7", "Karan"))
    assert not any(b"Gholam" in content for content in world.files())
    assert any(b"somebody else" in content for content in world.files())
    assert counts == {"records": 5, "versions": 6, "files": 2, "comments": 2, "trials": 1, "kept aside": 1, "entities": 1} | {
        "lines of the log": 1
    }


def test_what_happened_stays_under_one_made_up_code(world: World) -> None:
    world.erase(world.find("Gholam Rezaei"))
    first, second, third = (world.answers(f"uuid:{number}") for number in (1, 2, 3))
    assert first["code"] == second["code"] == third["by"]
    assert first["code"] not in {"H-12", ERASED, ""}
    assert (first["n"], first["owner"], first["photo"], first["by"]) == ("3", ERASED, ERASED, "R-7")
    assert (third["code"], third["owner"]) == ("H-120", "withheld")
    with world.store.read() as connection:
        households = connection.execute(select(ConflictReport.household).order_by(ConflictReport.instance_id)).scalars().all()
        decision = connection.execute(select(IncidentPair.decision)).scalar()
    assert households == [first["code"].lower(), first["code"].lower(), "h120"]
    assert decision == "same"


def test_what_a_reporter_wrote_about_others_stays_but_for_their_code(world: World) -> None:
    world.erase(world.find("R-7"))
    assert read_contact(world.store, EVERYTHING, "claim", "uuid:1")[0].text == "Gholam Rezaei"
    assert any(content == PHOTO for content in world.files())
    assert "R-7" not in world.everything()


def test_a_person_in_a_list_is_in_it_no_more_and_phones_get_it_anew(world: World) -> None:
    with world.store.read() as connection:
        before = entities.list_row(connection, EVERYTHING, "households").revision
    world.erase(world.find("H-12"))
    with world.store.read() as connection:
        row = connection.execute(select(Entity.__table__)).one()
        assert entities.list_row(connection, EVERYTHING, "households").revision > before
        assert entities.entities(connection, EVERYTHING, "households") == []
    assert (row.label, row.data) == (ERASED, {})
    assert row.deleted_at is not None
    settle_waiting(world.store)
    with world.store.read() as connection:
        assert connection.execute(select(Entity.label)).scalar() == ERASED


def test_a_phone_that_sends_it_again_is_thanked_and_nothing_comes_back(world: World) -> None:
    world.erase(world.find("H-12"))
    before = world.everything()
    world.blobs.put(PHOTO, sealed=True)  # the upload writes it before anybody knows
    assert world.intake.receive(world.one).outcome == "duplicate"
    late = ReceivedFile(("2.jpg",), world.blobs.put(b"another photo of Gholam", sealed=True), "image/jpeg")
    assert world.intake.receive(Delivery(PROJECT, world.one.xml, (late,))).outcome == "duplicate"
    with pytest.raises(Problem):
        world.deliver(b"<data>H-12 Gholam", ReceivedFile(("1.jpg",), world.blobs.put(PHOTO, sealed=True), "image/jpeg"))
    assert world.everything() == before
    assert not any(b"Gholam" in content for content in world.files())


def test_a_correction_that_comes_afterwards_is_kept_and_says_so(world: World) -> None:
    world.erase(world.find("H-12"))
    world.send("uuid:1c", "Gholam Rezaei", "H-12", deprecated_id="uuid:1b")
    with world.store.read() as connection:
        assert "after_erasure" in {item["code"] for item in found(connection, EVERYTHING, "uuid:1").flags}
    world.erase(world.find("H-12"))
    assert "Gholam" not in world.everything()


def test_a_file_that_another_record_has_too_stays_for_that_one(world: World) -> None:
    world.send("uuid:7", "Maryam Karimi", "H-120", photo="1.jpg")
    world.erase(world.find("H-12"))
    assert any(content == PHOTO for content in world.files())
    world.erase(world.find("H-120"))
    assert not any(content == PHOTO for content in world.files())


def test_that_it_was_done_is_kept_without_saying_for_whom(world: World) -> None:
    person = world.find("H-12")
    counts = world.erase(person)
    with world.store.read() as connection:
        row = connection.execute(select(Erasure.__table__)).one()
        [event] = connection.execute(select(AuditEvent.__table__).filter_by(action="personal.erase")).all()
    assert (row.actor, row.reason, row.counts) == ("test", "asked by letter 17", counts)
    assert event.detail == counts
    assert not any(secret in repr((row, event)) for secret in SECRETS)


@pytest.mark.parametrize("reason", ["", " ", "x" * 501, "H-12 asked", "Rezaei wants it"])
def test_a_reason_is_needed_that_names_nobody(world: World, reason: str) -> None:
    with pytest.raises(Problem, match="reason"):
        world.erase(world.find("H-12"), reason)
    assert "Gholam" in world.everything()


def test_an_erasure_that_was_interrupted_is_finished_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person = world.find("H-12")
    monkeypatch.setattr(erasing, "remove_files", lambda *_: None)
    world.erase(person)
    assert any(content == PHOTO for content in world.files())
    monkeypatch.undo()
    erasing.finish(world.store, world.blobs)
    assert not any(content == PHOTO for content in world.files())


def test_all_is_erased_or_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person, before = world.find("H-12"), world.everything()
    monkeypatch.setattr("sync.person.elsewhere.clear", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        world.erase(person)
    assert world.everything() == before


def test_no_byte_of_it_is_left_in_the_files_of_the_database(sqlite_store: Store, blobs: BlobStore) -> None:
    world = World(sqlite_store, blobs)
    path = Path(sqlite_store.engine.url.database or "")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"H-12 was away" in path.read_bytes()
    world.erase(world.find("H-12"))
    for file in path.parent.glob(f"{path.name}*"):
        content = file.read_bytes().replace(b"H-120", b"").replace(b"h120", b"")
        assert [secret for secret in SECRETS if secret.encode() in content] == [], file


def test_who_may_not_know_may_not_look(world: World) -> None:
    from records.access import Access

    reviewer = Access.of_role(PROJECT, "r", "reviewer", 1)
    with pytest.raises(Problem) as caught:
        finding.find(world.store, world.blobs, world.intake.schemas, reviewer, "H-12")
    assert caught.value.kind.code == "not_allowed"


def test_records_of_another_project_are_left_alone(world: World) -> None:
    with world.store.read() as connection:
        assert connection.execute(select(KeptAside.sha256)).first() is not None
    foreign = finding.find(world.store, world.blobs, world.intake.schemas, EVERYTHING.__class__.everything(2, "x"), "H-12")
    assert foreign.is_nobody
