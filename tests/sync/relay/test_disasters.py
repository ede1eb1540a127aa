"""Databases put back, cards copied, keys mislaid, people erased: what one node holds is not lost, what was erased stays so."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from forms.problems import Problem
from records import entities, form_life, retention, reviews
from records.models import Attachment, Entity, RelayFile, RelayRecord, Submission, SubmissionVersion
from records.personal import open_contact, open_xml
from sync.entities import ask
from sync.person import erasing, finding
from sync.relay import settling
from tests.support.records import FLOCK, LOSS, flock, loss, new_id
from tests.support.relay import Node
from tests.support.small import record, xform
from tests.support.stores import PROJECT
from tests.sync.relay.conftest import NewNode

UUID = "5f3d8b1e-0c51-4a77-9b7e-0d2f3c4b5a69"
KIND = 'xmlns:t="urn:tulliana:xforms" t:personal'
CLAIM = xform(
    "<owner/><code/><by/><photo/><remarks/>",
    f'<bind nodeset="/data/owner" type="string" {KIND}="contact"/><bind nodeset="/data/code" type="string" {KIND}="code"/>'
    f'<bind nodeset="/data/by" type="string" {KIND}="reporter"/><bind nodeset="/data/photo" type="binary"/>',
    form_id="claim",
    version="1",
)
SECRETS = (b"Gholam", b"Rezaei", b"0912 555")
PHOTO = b"\xff\xd8\xff a photo of Gholam's goats " * 50


def claim(instance: str, *, village: str = "Gholam saw it, north", photo: str = "", code: str = "H-12") -> bytes:
    owner = "Gholam Rezaei 0912 555 7788" if code == "H-12" else "Maryam"
    content = f"<owner>{owner}</owner><code>{code}</code><by>R-1</by><photo>{photo}</photo><remarks>{village}</remarks>"
    return record(content, instance_id=instance, form_id="claim", version="1")


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    return new_node("hub", forms=(LOSS.read_bytes(), FLOCK.read_bytes(), CLAIM))


def clone(node: Node, new_node: NewNode, name: str) -> Node:
    """The card of a node copied: the same database, files and keys in another machine."""
    other = new_node(name)
    other.close()
    node.close()
    for folder in ("keys", "blobs"):
        if (node.folder / folder).exists():
            shutil.copytree(node.folder / folder, other.folder / folder, dirs_exist_ok=True)
    shutil.copy(node.database, other.database)
    node.open()
    other.__post_init__()
    return other


def erase(node: Node, instance: str) -> None:
    """Erase the person of this claim here."""
    schemas = node.intake.schemas
    person = finding.of_records(node.store, node.blobs, schemas, node.access, [("claim", instance)])
    erasing.erase(node.store, node.blobs, schemas, node.access, person, "asked by letter")


def told(node: Node) -> list[str]:
    """Everything readable here in which the person is named: every column of every row, every file, opened."""
    found = []
    with node.store.read() as connection:
        for row in connection.execute(select(*SubmissionVersion.__table__.columns)):
            found += [f"version {row.instance_id}"] * any(secret in open_xml(node.vault, row) for secret in SECRETS)
        for row in connection.execute(select(*Submission.__table__.columns)):
            known = str((row.answers, row.instance_name, [each.text for each in open_contact(node.vault, row)])).encode()
            found += [f"record {row.instance_id}"] * any(secret in known for secret in SECRETS)
        for row in connection.execute(select(*RelayRecord.__table__.columns)):
            body = b"" if row.body is None else node.vault.open(row.body, "relay", row.id)
            found += [f"log {row.kind}"] * any(secret in body + row.header for secret in SECRETS)
    for file in node.folder.rglob("*"):
        if file.is_file():
            found += [f"file {file.name}"] * any(secret in file.read_bytes() for secret in SECRETS)
    digests = {path.name for path in (node.folder / "blobs").rglob("*") if len(path.name) == 64 and path.is_file()}
    kept = {name: node.blobs.open(name).read() for name in digests if node.blobs.has(name)}
    found += [f"blob {name}" for name, content in kept.items() if SECRETS[0] in content]
    return found


# --- erasing ---


def test_an_erasure_at_the_hub_reaches_the_station_in_every_version_file_and_log(hub: Node, west: Node) -> None:
    instance = new_id()
    west.receive(claim(instance, photo="1.jpg"), {"1.jpg": PHOTO})
    west.receive(claim(instance, village="south"))  # the same id with other bytes
    west.meet(hub)
    assert told(hub)
    assert told(west)
    erase(hub, instance)
    west.meet(hub)
    west.meet(hub)
    assert told(west) == []
    assert told(hub) == []
    assert (hub.waiting(), west.waiting()) == ([], [])
    assert west.meet(hub).safe


def test_an_erasure_at_a_station_hides_the_record_at_the_hub_until_a_person_agrees(hub: Node, west: Node) -> None:
    instance = new_id()
    west.receive(claim(instance, photo="1.jpg"), {"1.jpg": PHOTO})
    west.meet(hub)
    erase(west, instance)
    west.meet(hub)
    assert hub.waiting() == ["asked"]
    assert hub.records()[instance].deleted_at is not None
    with hub.store.read() as connection:
        (asked,) = settling.asked(connection, hub.access)
    hub.settler.accept_erasure(hub.access, asked.id)
    assert told(hub) == []
    assert hub.records()[instance].deleted_at is None
    west.meet(hub)
    assert west.meet(hub).safe


def test_an_erasure_that_breaks_off_before_the_photos_are_gone_takes_them_away_the_next_time(
    hub: Node, west: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = new_id()
    west.receive(claim(instance, photo="1.jpg"), {"1.jpg": PHOTO})
    west.meet(hub)
    erase(hub, instance)
    with monkeypatch.context() as patch:
        patch.setattr("sync.relay.decisions.remove_files", lambda *_: 1 / 0)
        west.meet(hub)
    assert told(west)
    west.settle()
    assert told(west) == []


@pytest.mark.parametrize("how", ["erased", "emptied"])
def test_a_photo_that_comes_after_the_report_was_erased_or_emptied_at_the_hub_makes_no_second_version(
    hub: Node, west: Node, how: str
) -> None:
    instance = new_id()
    west.receive(claim(instance, photo="1.jpg"))
    west.meet(hub)
    if how == "erased":
        erase(hub, instance)
    else:
        retention.drop_due(hub.store, months=6, now=datetime.now(UTC) + timedelta(days=400), actor="schedule")
    west.receive(claim(instance, photo="1.jpg"), {"1.jpg": PHOTO})
    west.meet(hub)
    west.meet(hub)
    assert len(hub.versions()) == 1
    with hub.store.read() as connection:
        photos = connection.execute(select(Attachment.name)).scalars().all()
    assert (photos, told(hub), told(west)) == ([], [], []) if how == "erased" else photos == ["1.jpg"]


def test_an_erasure_ends_the_wait_for_the_files_of_the_record(hub: Node, west: Node) -> None:
    instance = new_id()
    west.receive(claim(instance, photo="1.jpg"), {"1.jpg": PHOTO})
    west.meet(hub, files=False)
    erase(west, instance)
    west.meet(hub)
    with hub.store.read() as connection:
        (asked,) = settling.asked(connection, hub.access)
    hub.settler.accept_erasure(hub.access, asked.id)
    assert west.meet(hub).safe


def test_what_was_erased_at_the_hub_is_erased_at_a_station_that_brings_it_later(hub: Node, west: Node, east: Node) -> None:
    instance = new_id()
    for station in (west, east):
        station.receive(claim(instance, photo="1.jpg"), {"1.jpg": PHOTO})
    west.meet(hub)
    erase(hub, instance)
    west.meet(hub)
    east.meet(hub)
    east.meet(hub)
    assert told(hub) == told(west) == told(east) == []


def test_what_was_erased_stays_so_when_a_station_is_put_back(hub: Node, west: Node, tmp_path: Path) -> None:
    instance = new_id()
    west.receive(claim(instance, photo="1.jpg"), {"1.jpg": PHOTO})
    west.meet(hub)
    back = west.backup(tmp_path / "backup")
    erase(hub, instance)
    west.meet(hub)
    back()
    assert told(west)
    west.meet(hub)
    assert told(west) == told(hub) == []


def test_an_erasure_reaches_a_record_whose_contacts_were_dropped_before_it_was_sent(hub: Node, west: Node) -> None:
    instance = new_id()
    west.receive(claim(instance, village="north", photo="1.jpg"), {"1.jpg": PHOTO})
    west.write_down()
    later = datetime.now(UTC) + timedelta(days=400)
    assert retention.drop_due(west.store, months=6, now=later, actor="schedule").versions == 1
    west.meet(hub)
    assert hub.records()[instance].files == ["1.jpg"]
    with hub.store.read() as connection:
        assert connection.execute(select(RelayFile.id)).all() == []
    assert b"0912" not in b"".join(xml_of(hub, instance))
    erase(hub, instance)
    west.meet(hub)
    assert (told(west), west.waiting()) == ([], [])


def xml_of(node: Node, instance: str) -> list[bytes]:
    with node.store.read() as connection:
        rows = connection.execute(select(*SubmissionVersion.__table__.columns).filter_by(instance_id=instance)).all()
    return [open_xml(node.vault, row) for row in rows]


def test_files_of_a_record_that_was_emptied_before_it_was_sent_come_to_the_hub(hub: Node, west: Node) -> None:
    west.receive(claim(new_id(), photo="1.jpg"), {"1.jpg": PHOTO})
    west.write_down()
    retention.drop_due(west.store, months=6, now=datetime.now(UTC) + timedelta(days=400), actor="schedule")
    outcome = west.meet(hub)
    assert outcome.files_sent == 1


# --- databases that are put back ---


def test_a_station_put_back_twice_to_one_backup_loses_nothing_it_still_has(hub: Node, west: Node, tmp_path: Path) -> None:
    back = west.backup(tmp_path / "backup")
    for _ in range(2):
        west.receive(flock(new_id()))
        assert west.meet(hub).safe
        back()
    west.receive(flock(new_id()))
    west.meet(hub)
    assert len(hub.versions()) == 3
    assert west.versions() <= hub.versions()


def test_a_hub_put_back_gets_its_records_forms_decisions_and_erasures_from_its_stations(
    hub: Node, west: Node, tmp_path: Path
) -> None:
    first, second, third = new_id(), new_id(), new_id()
    west.receive(flock(first, herder="Maryam"))
    west.receive(claim(third))
    west.meet(hub)
    back = hub.backup(tmp_path / "backup")
    hub.publish(FLOCK.read_bytes().replace(b'version="2026050201"', b'version="2"'))
    form_life.set_state(hub.store, hub.access, "livestock_loss", "closed")
    reviews.set_state(hub.store, hub.access, "flock_count", first, "rejected")
    erase(hub, third)
    west.receive(flock(second, herder="Maryam"))
    west.meet(hub)
    back()
    west.meet(hub)
    assert west.meet(hub).safe
    assert hub.versions() == west.versions()
    assert hub.records()[first].review_state == "rejected"
    with hub.store.read() as connection:
        assert form_life.state_of(connection, hub.access, "livestock_loss").state == "closed"
    assert (told(hub), hub.waiting()) == ([], [])


def test_a_copied_card_loses_nothing_and_is_noticed(hub: Node, west: Node, new_node: NewNode) -> None:
    west.receive(flock(new_id()))
    west.meet(hub)
    twin = clone(west, new_node, "twin")
    expected = set(hub.versions())
    noticed = False
    for _ in range(3):
        for node in (west, twin):
            instance = new_id()
            node.receive(loss(instance, "1.jpg"), {"1.jpg": instance.encode()})
            expected |= node.versions()
            outcome = node.meet(hub)
            noticed |= outcome.regressed
    assert hub.versions() == expected
    assert noticed
    with hub.store.read() as connection:
        assert connection.execute(select(RelayFile.id)).all() == []


def test_a_packet_from_before_a_hub_was_put_back_leaves_no_gap(hub: Node, west: Node, tmp_path: Path) -> None:
    back = hub.backup(tmp_path / "backup")
    hub.publish(FLOCK.read_bytes().replace(b'version="2026050201"', b'version="2"'))
    west.receive(flock(new_id()))
    packets: list[bytes] = []

    def kept(packet: bytes) -> bytes:
        packets.append(packet)
        return hub.answerer.answer(packet)

    west.meet(hub, kept)
    west.receive(flock(new_id()))
    west.meet(hub, kept)
    back()
    for packet in reversed(packets):
        hub.answerer.answer(packet)
    assert west.meet(hub).safe
    assert hub.versions() == west.versions()
    assert west.ids() <= hub.ids()


# --- keys and clocks ---


@pytest.mark.parametrize("whose", ["hub", "west"])
def test_without_the_key_for_personal_data_nothing_is_lost_and_it_goes_on_when_it_is_back(
    hub: Node, west: Node, whose: str, request: pytest.FixtureRequest
) -> None:
    instance = new_id()
    west.receive(claim(instance))
    victim: Node = request.getfixturevalue(whose)
    key = victim.folder / "keys" / "personal.key"
    key.rename(key.with_suffix(".away"))
    victim.close()
    victim.vault = type(victim.vault)(key)
    victim.open()
    with pytest.raises(Problem):
        west.meet(hub)
    key.with_suffix(".away").rename(key)
    victim.close()
    victim.vault = type(victim.vault)(key)
    victim.open()
    assert west.meet(hub).safe
    assert xml_of(hub, instance) == [claim(instance)]


@pytest.mark.parametrize("year", [1970, 2090])
def test_clocks_that_are_wrong_by_decades_change_nothing(hub: Node, west: Node, year: int, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(year, 1, 2, tzinfo=UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):  # type: ignore[no-untyped-def]
            return moment

    for module in ("sync.intake", "sync.relay.meeting", "sync.relay.scribe", "sync.relay.upward", "records.reviews"):
        monkeypatch.setattr(f"{module}.datetime", Clock, raising=False)
    instance = new_id()
    west.receive(loss(instance, "1.jpg"), {"1.jpg": PHOTO})
    reviews.set_state(west.store, west.access, "livestock_loss", instance, "rejected")
    assert west.meet(hub).safe
    assert hub.records()[instance].review_state == "rejected"


def test_what_the_person_wrote_about_others_keeps_its_pictures_on_all_nodes(hub: Node, west: Node) -> None:
    own, other = new_id(), new_id()
    west.receive(claim(own))
    west.receive(claim(other, village="south", photo="1.jpg", code="H-13"), {"1.jpg": b"\xff\xd8\xff of another"})
    west.meet(hub)
    schemas = hub.intake.schemas
    person = finding.of_records(hub.store, hub.blobs, schemas, hub.access, [("claim", own)])
    person.written.append(("claim", other))
    erasing.erase(hub.store, hub.blobs, schemas, hub.access, person, "asked by letter")
    assert west.meet(hub).safe
    for node in (hub, west):
        assert node.records()[other].files == ["1.jpg"]
        with node.store.read() as connection:
            assert connection.execute(select(Attachment.name).filter_by(instance_id=other)).scalars().all() == ["1.jpg"]
    assert xml_of(west, other) == xml_of(hub, other)


def test_entities_come_down_change_and_go(hub: Node, west: Node) -> None:
    hub.store.write(lambda connection: entities.make_list(connection, PROJECT, "villages", ["district"]))
    for kind, values in (
        ("upsert", {"label": "Upper", "district": "north"}),
        ("upsert", {"label": "Upper", "district": "south"}),
        ("delete", {}),
    ):
        hub.store.write(lambda connection, kind=kind, values=values: ask(connection, hub.access, "villages", UUID, kind, values))  # type: ignore[misc]
        west.meet(hub)
        west.meet(hub)
        with hub.store.read() as there, west.store.read() as here:
            of_entity = select(Entity.label, Entity.data, Entity.deleted_at.is_(None)).where(Entity.uuid == UUID)
            assert [tuple(row) for row in here.execute(of_entity)] == [tuple(row) for row in there.execute(of_entity)] != []
    assert west.waiting() == []


def test_a_person_erased_twice_at_once_is_told_of_once_and_stops_nobody(hub: Node, west: Node) -> None:
    instance = new_id()
    west.receive(claim(instance))
    west.meet(hub)
    erase(hub, instance)
    erase(hub, instance)
    west.meet(hub)
    assert told(west) == told(hub) == []


def test_a_form_that_a_hub_lost_before_its_bytes_came_keeps_no_station_from_being_safe(
    hub: Node, west: Node, tmp_path: Path
) -> None:
    back = hub.backup(tmp_path / "backup")
    hub.publish(FLOCK.read_bytes().replace(b'version="2026050201"', b'version="2"'))
    west.meet(hub, files=False)
    back()
    west.receive(flock(new_id()))
    for _ in range(2):
        assert west.meet(hub).safe
