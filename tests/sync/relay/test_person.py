"""A person who is erased at the hub is in nothing that the relay keeps, and comes back by no way."""

from typing import Any

import orjson
import pytest
from sqlalchemy import select

from records import reviews
from records.models import Entity, EntityAction, RelayFile, RelayRecord
from sync.entities import settle_waiting
from sync.person import erasing, finding
from tests.support.relay import Node
from tests.support.small import record
from tests.sync.relay.conftest import NewNode
from tests.sync.test_erasure import REGISTER, UUID, World, claim_form

PHOTO = b"\xff\xd8\xff a photo of Gholam's goats " * 50
TRACES = ("Gholam", "H-12", "9123456789")


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    return new_node("hub", forms=(claim_form(), REGISTER))


@pytest.fixture
def station(new_node: NewNode, hub: Node) -> Node:
    made = new_node("station")
    made.enrol(hub)
    made.meet(hub)
    return made


def claim(instance_id: str, form_id: str = "claim", photo: str = "") -> bytes:
    content = World.content("Gholam 0912 345 6789", "H-12", remarks="ask Gholam", photo=photo)
    return record(content, form_id=form_id, instance_id=instance_id)


def erase(node: Node, *texts: str) -> None:
    for text in texts:
        where = (node.store, node.blobs, node.intake.schemas, node.access)
        erasing.erase(*where, finding.find(*where, text), "letter 17")


def kept(node: Node) -> str:
    """All that the relay keeps, opened with the key, and entities."""
    found: list[Any] = []
    with node.store.read() as connection:
        for row in connection.execute(select(*RelayRecord.__table__.columns)):
            body = b"" if row.body is None else node.vault.open(row.body, "relay", row.id)
            found.append([row.kind, row.header.decode(), row.files, body.decode()])
        found += [list(row) for row in connection.execute(select(RelayFile.name, RelayFile.sha256))]
        found += [[row.label, row.data] for row in connection.execute(select(Entity.label, Entity.data))]
        found += [[row.label, row.data] for row in connection.execute(select(EntityAction.label, EntityAction.data))]
    return orjson.dumps(found).decode()


def named(node: Node) -> list[str]:
    return [trace for trace in TRACES if trace in kept(node)]


def test_what_waits_at_the_hub_is_found_erased_and_not_asked_for_again(hub: Node, station: Node) -> None:
    station.publish(claim_form(form_id="own"))
    station.receive(claim("uuid:1", "own"))
    station.meet(hub)
    assert hub.waiting() == ["form"]
    assert named(hub)
    erase(hub, "H-12", "Gholam")
    assert named(hub) == []
    station.meet(hub)
    assert (named(hub), hub.waiting()) == ([], [])


def test_names_of_files_comments_and_photos_on_their_way_go_too(hub: Node, station: Node) -> None:
    station.receive(claim("uuid:1", photo="Gholam.jpg"), {"Gholam.jpg": PHOTO})
    station.meet(hub, files=False)
    reviews.comment(hub.store, hub.access, "claim", "uuid:1", "Gholam called")
    hub.write_down()
    assert named(hub)
    erase(hub, "H-12")
    assert named(hub) == []
    station.meet(hub)
    station.meet(hub)
    assert named(hub) == []
    assert named(station) == []
    assert not any(path.stat().st_size > 1000 for path in hub.folder.rglob("blobs/??/*"))


def test_a_household_that_is_erased_at_the_hub_is_off_the_lists_of_stations(hub: Node, station: Node) -> None:
    entity = f'<meta><entity dataset="households" id="{UUID}" create="1"><label>H-12 Karan</label></entity></meta>'
    xml = record(f"<code>H-12</code><village>Karan</village>{entity}", form_id="register", instance_id="uuid:5")
    hub.receive(xml)
    settle_waiting(hub.store)
    station.meet(hub)
    assert named(station) == ["H-12"]
    erase(hub, "H-12")
    station.meet(hub)
    assert named(hub) == []
    assert named(station) == []
