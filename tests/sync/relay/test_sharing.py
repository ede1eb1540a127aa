"""A hub above hubs gets the releases a country chose to give, and not a byte of anything else."""

import zipfile
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from forms.problems import Problem
from records.models import ExportRun
from sync.relay import sharing
from tests.support.records import LOSS, loss, new_id
from tests.support.relay import Node
from tests.support.stores import PROJECT
from tests.sync.relay.conftest import NewNode

NAMES = ("hotspots-partner", "indicators-public")
SECRET = "Gholamreza of the upper well"
AT = datetime(2026, 11, 1, 2, tzinfo=UTC)


def released(node: Node, name: str) -> str:
    """A release of this name with a package."""
    folder = f"1/{name}/{name}_2026-11-01"
    package = node.folder / "releases" / f"{folder}.zip"
    package.parent.mkdir(parents=True)
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("hotspots.csv", f"cell,rate\n{name},3.5\n")
    row = {"project_id": PROJECT, "name": name, "slot": AT, "origin": "schedule", "state": "done", "started_at": AT}
    row |= {"finished_at": AT, "folder": folder, "files": [], "error": ""}
    node.store.write(lambda connection: connection.execute(insert(ExportRun), row))
    return folder


@pytest.fixture
def above(new_node: NewNode) -> Node:
    return new_node("range")


def test_a_country_gives_what_it_chose_and_nothing_else(hub: Node, station: Node, above: Node) -> None:
    hub.publish(LOSS.read_bytes())
    station.meet(hub)
    station.receive(loss(new_id(), remarks=SECRET))
    station.meet(hub)
    hub.enrol(above, "IR")
    for name in NAMES:
        released(hub, name)
    sharing.choose(hub.store, hub.access, above.me.node_id, ["hotspots-partner"], NAMES)
    for _ in range(2):
        sharing.share(hub.store, hub.blobs, hub.me, PROJECT, hub.folder / "releases")
        hub.meet(above)
    (given,) = sharing.shared(above.store, above.blobs, above.access)
    assert (given.node, given.name, given.is_here) == ("hub", "hotspots-partner", True)
    with above.blobs.open(given.sha256) as file, zipfile.ZipFile(file) as archive:
        assert b"hotspots-partner,3.5" in archive.read("hotspots.csv")
    above.store.close()
    everything = b"".join(path.read_bytes() for path in above.folder.rglob("*") if path.is_file())
    assert SECRET.encode() not in everything
    assert b"livestock_loss" not in everything
    assert b"indicators-public" not in everything


def test_by_default_nothing_is_shared(hub: Node, above: Node) -> None:
    hub.enrol(above, "IR")
    released(hub, "hotspots-partner")
    assert sharing.share(hub.store, hub.blobs, hub.me, PROJECT, hub.folder / "releases") == 0
    hub.meet(above)
    assert above.ids() == set()


def test_only_a_release_there_is_can_be_chosen_and_only_for_a_hub_above(hub: Node, station: Node, above: Node) -> None:
    hub.enrol(above, "IR")
    with pytest.raises(Problem, match="raw-data: releases are"):
        sharing.choose(hub.store, hub.access, above.me.node_id, ["raw-data"], NAMES)
    with pytest.raises(Problem, match="no hub above"):
        sharing.choose(hub.store, hub.access, station.me.node_id, ["hotspots-partner"], NAMES)
