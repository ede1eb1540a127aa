"""Anything in any order: a hub, two stations and a copy of one, with every fault there is; what must always hold, always holds.

Checked after each step: of each place to which a peer was read, all records before it are here; the chain is what it says; a packet
that was changed on its way changed nothing. In the end, when all have met again: what anybody held is at the hub, what the
hub gives is with everybody, every station has all that was ever brought under its key, who said that all is safe was right, what
was decided about a report is the same wherever it is, and of what was erased nothing is left anywhere. RELAY_EXAMPLES and
RELAY_STEPS make it longer.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from forms.problems import Problem
from records import reviews
from records.models import RelayPosition, RelayRecord
from sync.person import erasing, finding
from sync.relay import settling, sticks
from tests.support.records import new_id
from tests.support.relay import Node
from tests.support.relay_contents import erased, files, kept, of_channel, without
from tests.support.small import record, xform

EXAMPLES, STEPS = int(os.environ.get("RELAY_EXAMPLES", "6")), int(os.environ.get("RELAY_STEPS", "14"))
STATIONS = st.sampled_from(["west", "east", "twin"])
NODES = st.sampled_from(["hub", "west", "east", "twin"])
FAULTS = st.sampled_from(
    ["none", "none", "lost request", "lost answer", "twice", "changed", "hub stops", "station stops", "put back"]
)
Row = tuple[str, str]


class Stopped(Exception):
    """A machine lost its power."""


def form(number: int) -> bytes:
    binds = '<bind nodeset="/data/photo" type="binary"/><bind nodeset="/data/owner" type="string" '
    binds += 'xmlns:t="urn:tulliana:xforms" t:personal="contact"/>'
    return xform("<n/><owner/><photo/>", binds, form_id="tiny", version=str(number))


def secret(instance: str) -> bytes:
    """What of a report nobody may see any more when the person is erased: the owner, who is in the photo too."""
    return f"Owner of {instance[5:]}".encode()


def tiny(instance: str, photo: str, replaced: str = "") -> bytes:
    content = f"<n>{instance[5:9]}</n><owner>{secret(instance).decode()}</owner><photo>{photo}</photo>"
    return record(content, form_id="tiny", version="0", instance_id=instance, deprecated_id=replaced)


@pytest.fixture(scope="module")
def base(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with a form and two stations that have it, to be copied."""
    folder = tmp_path_factory.mktemp("nodes")
    nodes = {}
    for name in ("hub", "west", "east"):
        (folder / name).mkdir()
        shutil.copy(sqlite_template, folder / name / "tulliana.sqlite3")
        nodes[name] = opened(folder / name)
    nodes["hub"].publish(form(0))
    for name in ("west", "east"):
        nodes[name].enrol(nodes["hub"])
        nodes[name].meet(nodes["hub"])
    for node in nodes.values():
        node.close()
    return folder


def opened(folder: Path) -> Node:
    return Node(folder.name, folder, f"sqlite:///{folder / 'tulliana.sqlite3'}")


def copied(database: Path, to: Path) -> None:
    """A copy of a database that is in use, as a backup makes it."""
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


class AnyOrder(RuleBasedStateMachine):
    """The machine; `base` and `room` are set by the test."""

    base: Path
    room: Path
    runs = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).runs += 1
        self.folder = self.room / str(self.runs)
        shutil.copytree(self.base, self.folder)
        self.nodes = {name: opened(self.folder / name) for name in ("hub", "west", "east")}
        self.prefixes: dict[bytes, tuple[Row, ...]] = {bytes(16): ()}
        self.packets: list[bytes] = []
        self.instances: list[str] = []
        self.photos: list[str] = []
        self.backups: list[str] = []
        self.forms = 0

    def teardown(self) -> None:
        for node in self.nodes.values():
            node.close()
        shutil.rmtree(self.folder)

    # --- what people do ---

    @rule(name=STATIONS, also=st.booleans(), photo=st.sampled_from(["none", "with it", "later"]))
    def submit(self, name: str, also: bool, photo: str) -> None:
        instance = new_id()
        for each in {name, "east" if also else name} & self.nodes.keys():
            if photo == "with it":
                self.take_photo(each, instance)
            else:
                self.nodes[each].receive(tiny(instance, "1.jpg" if photo == "later" else ""))
        self.instances.append(instance)
        if photo != "none":
            self.photos.append(instance)

    def take_photo(self, name: str, instance: str) -> None:
        self.nodes[name].receive(tiny(instance, "1.jpg"), {"1.jpg": secret(instance)})

    @precondition(lambda self: self.photos)
    @rule(name=STATIONS, data=st.data())
    def the_photo_comes(self, name: str, data: st.DataObject) -> None:
        if name in self.nodes:
            self.take_photo(name, data.draw(st.sampled_from(self.photos)))

    @precondition(lambda self: self.instances)
    @rule(name=STATIONS, data=st.data())
    def edit(self, name: str, data: st.DataObject) -> None:
        if name in self.nodes:
            replaced = data.draw(st.sampled_from(self.instances))
            self.nodes[name].receive(tiny(new_id(), "", replaced))

    @precondition(lambda self: self.instances)
    @rule(name=NODES, data=st.data(), state=st.sampled_from(["approved", "rejected", "hasIssues", "delete", "restore"]))
    def review(self, name: str, data: st.DataObject, state: str) -> None:
        if name in self.nodes and (known := sorted(self.nodes[name].records())):
            about = (self.nodes[name].store, self.nodes[name].access, "tiny", data.draw(st.sampled_from(known)))
            if state in reviews.STATES:
                reviews.set_state(*about, state)
            else:
                (reviews.delete if state == "delete" else reviews.restore)(*about)

    @precondition(lambda self: self.instances)
    @rule(name=NODES, data=st.data())
    def erase(self, name: str, data: st.DataObject) -> None:
        if name in self.nodes and (known := sorted(self.nodes[name].records())):
            node = self.nodes[name]
            where = (node.store, node.blobs, node.intake.schemas, node.access)
            person = finding.of_records(*where, [("tiny", data.draw(st.sampled_from(known)))])
            erasing.erase(*where, person, "asked by letter")

    @rule()
    def agree(self) -> None:
        """At the hub a person agrees to what stations erased."""
        hub = self.nodes["hub"]
        with hub.store.read() as connection:
            asked = settling.asked(connection, hub.access)
        for each in asked:
            hub.settler.accept_erasure(hub.access, each.id)

    @precondition(lambda self: self.forms < 3)
    @rule()
    def publish(self) -> None:
        self.forms += 1
        with suppress(Problem):  # the hub was put back, and has it from a station
            self.nodes["hub"].publish(form(self.forms))

    # --- what happens ---

    @rule(name=STATIONS, fault=FAULTS, at=st.integers(0, 6))
    def meet(self, name: str, fault: str, at: int) -> None:
        if (station := self.nodes.get(name)) is None:
            return
        hub = self.nodes["hub"]
        if fault == "put back" and "hub" not in self.backups:
            fault = "none"
        count = -1

        def call(packet: bytes) -> bytes:
            nonlocal count
            count += 1
            self.packets.append(packet)
            if count != at or fault in {"none", "station stops"}:
                return hub.answerer.answer(packet)
            if fault == "lost request":
                raise Stopped
            if fault == "changed":
                before = hub.ids()
                with pytest.raises(Problem):
                    hub.answerer.answer(packet[:-5] + bytes([packet[-5] ^ 1]) + packet[-4:])
                assert hub.ids() == before
            elif fault == "put back":
                self.put_back("hub")
            elif fault == "hub stops":
                stopping(hub, lambda: hub.answerer.answer(packet))
                raise Stopped
            answer = hub.answerer.answer(packet)
            if fault == "lost answer":
                raise Stopped
            return hub.answerer.answer(packet) if fault == "twice" else answer

        try:
            if fault == "station stops":
                stopping(station, lambda: station.meet(hub, call), at)
                return
            outcome = station.meet(hub, call)
        except (Stopped, Problem):
            return
        if outcome.safe and fault != "put back":
            self.is_safe(station)

    @precondition(lambda self: self.packets)
    @rule(data=st.data())
    def old_packet(self, data: st.DataObject) -> None:
        packet = data.draw(st.sampled_from(self.packets))
        hub = self.nodes["hub"]
        held = []
        for _ in range(2):
            with suppress(Problem):
                hub.answerer.answer(packet)
            held.append(hub.ids())
        assert held[0] == held[1]

    @rule(name=NODES)
    def back_up(self, name: str) -> None:
        if name in self.nodes:
            copied(self.nodes[name].database, self.folder / f"{name}.backup")
            self.backups.append(name)

    @precondition(lambda self: self.backups)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        self.put_back(data.draw(st.sampled_from(self.backups)))

    @precondition(lambda self: "twin" not in self.nodes)
    @rule()
    def copy_the_card(self) -> None:
        west = self.nodes["west"]
        folder = self.folder / "twin"
        shutil.copytree(west.folder, folder, ignore=shutil.ignore_patterns("*.sqlite3*"))
        copied(west.database, folder / "tulliana.sqlite3")
        self.nodes["twin"] = opened(folder)

    @rule(name=STATIONS, is_down=st.booleans())
    def stick(self, name: str, is_down: bool) -> None:
        if name not in self.nodes:
            return
        one, other = self.nodes[name], self.nodes["hub"]
        one, other = (other, one) if is_down else (one, other)
        place = self.folder / "stick"
        place.mkdir(exist_ok=True)
        sticks.write(one.answerer, one.peer(other), place)
        sticks.bring(other.answerer, place)
        other.settle()

    def put_back(self, name: str) -> None:
        node = self.nodes[name]
        node.close()
        for leftover in node.folder.glob("tulliana.sqlite3*"):
            leftover.unlink()
        shutil.copy(self.folder / f"{name}.backup", node.database)
        node.open()

    # --- what always holds ---

    @invariant()
    def nothing_is_believed_that_is_not_here(self) -> None:
        held = {}
        for name, node in self.nodes.items():
            node.check_sums()
            chain = bytes(16)
            with node.store.read() as connection:
                query = select(RelayRecord.id, RelayRecord.channel, RelayRecord.chain).order_by(RelayRecord.seq)
                rows = connection.execute(query).all()
            for row in rows:
                before = self.prefixes[chain]
                chain = hashlib.sha256(chain + bytes.fromhex(row.id)).digest()[:16]
                assert row.chain == chain
                self.prefixes.setdefault(chain, (*before, (row.channel, row.id)))
            held[name] = {row.id for row in rows}
        for name, node in self.nodes.items():
            with node.store.read() as connection:
                places = connection.execute(select(RelayPosition.channel, RelayPosition.chain).filter_by(after=None)).all()
            for place in places:
                assert {each for channel, each in self.prefixes[place.chain] if channel == place.channel} <= held[name]

    def is_safe(self, station: Node) -> None:
        hub = self.nodes["hub"]
        gone = erased(hub) | erased(station)
        assert of_channel(station, "data", of=station.me.node_id) <= hub.ids()
        assert without(station.versions(), gone) <= hub.versions()
        assert without(files(station), gone) <= files(hub)

    def end(self) -> None:
        """All meet a few times; then nothing is missing anywhere, and nothing is left of what was erased."""
        for node in self.nodes.values():
            node.write_down()
        held = {name: (node.ids(), node.versions(), files(node)) for name, node in self.nodes.items()}
        hub = self.nodes["hub"]
        for _ in range(4):
            outcomes = {name: self.nodes[name].meet(hub) for name in self.nodes if name != "hub"}
            self.agree()
        gone = erased(hub)
        for ids, versions, photos in held.values():
            assert ids <= hub.ids()
            assert without(versions, gone) <= hub.versions()
            assert without(photos, gone) <= files(hub)
        for name, outcome in outcomes.items():
            station = self.nodes[name]
            assert outcome.safe
            assert of_channel(hub, "forms") | of_channel(hub, "nodes") <= station.ids()
            assert of_channel(hub, "rev", of_reader=station.me.node_id) <= station.ids()
            self.has_its_own(station, gone)
            self.is_decided_alike(station)
        for node in self.nodes.values():
            here = kept(node).items()
            assert [(node.name, place) for instance in gone for place, said in here if secret(instance) in said] == []
            query = select(RelayRecord.waiting, RelayRecord.kind).where(RelayRecord.waiting.is_not(None))
            with node.store.read() as connection:
                waiting = {tuple(row) for row in connection.execute(query.where(RelayRecord.instance_id.not_in(gone)))}
            assert waiting <= {("files", "form"), ("files", "state")}  # a hub that was put back lost the form's bytes

    def has_its_own(self, station: Node, gone: set[str]) -> None:
        """All that was ever brought under its key, by whatever machine and before whatever was put back."""
        hub, me = self.nodes["hub"], station.me.node_id
        own = of_channel(hub, "data", of=me)
        assert own <= station.ids()
        with hub.store.read() as connection:
            rows = connection.execute(select(RelayRecord.instance_id, RelayRecord.files).where(RelayRecord.id.in_(own))).all()
        assert {row.instance_id for row in rows} - gone <= {instance for instance, _ in station.versions()}
        assert without({(row.instance_id, name) for row in rows for name, *_ in row.files}, gone) <= files(station)

    def is_decided_alike(self, station: Node) -> None:
        """Of a report without edits, wherever it is."""
        there, here = self.nodes["hub"].records(), station.records()
        for one, other in [(there[each], here[each]) for each in there.keys() & here.keys()]:
            if one.edits == other.edits == 0:
                assert (one.review_state, one.deleted_at is None) == (other.review_state, other.deleted_at is None)


def stopping(node: Node, work: Callable[[], Any], at: int = 0) -> None:
    """Do this on a node whose `at`-th write breaks off before it is committed; it starts again then."""
    write, count = node.store.write, -1

    def breaking(each: Callable[[Any], Any]) -> Any:
        nonlocal count
        count += 1

        def until(connection: Any) -> Any:
            result = each(connection)
            if count == at:
                raise Stopped
            return result

        return write(until)

    node.store.write = breaking  # type: ignore[method-assign]
    with suppress(Stopped, Problem):
        work()
    node.close()
    node.open()


def test_nothing_is_lost_whatever_happens_in_whatever_order(base: Path, tmp_path: Path) -> None:
    class Here(AnyOrder):
        """The machine, with its places."""

        def teardown(self) -> None:
            try:
                self.end()
            finally:
                super().teardown()

    Here.base, Here.room = base, tmp_path
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize="RELAY_EXAMPLES" not in os.environ,
            database=None,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
