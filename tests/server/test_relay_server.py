"""The relay over HTTP, at a real server: packets of any size, and a station whose key was lost."""

import os
import re
import select
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sync.relay import enrolment
from sync.relay.enrolment import PREFIX, Code
from sync.relay.link import PATH, Link
from sync.relay.meeting import Meeting, Outcome
from sync.relay.messages import HEADING, MOST_PACKET, Peer, sealed
from tests.conftest import NewServer
from tests.support.raw import exchange, head
from tests.support.records import LOSS, loss, new_id
from tests.support.relay import Node
from tests.support.servers import Server

PHOTO = b"\xff\xd8\xff" + os.urandom(300_000)  # does not compress


@pytest.fixture(scope="module")
def hub(new_server: NewServer) -> Server:
    server = new_server("sqlite")
    server.run("form", "publish", str(LOSS))
    return server


@pytest.fixture
def station(sqlite_template: Path, tmp_path: Path) -> Iterator[Node]:
    folder = tmp_path / "station"
    folder.mkdir()
    made = Node("station", folder, f"sqlite:///{shutil.copy(sqlite_template, folder / 'tulliana.sqlite3')}")
    made.publish(LOSS.read_bytes())
    yield made
    made.close()


def enrol(station: Node, hub: Server) -> Link:
    said = hub.run("relay", "invite", "Golestan", "--url", f"http://127.0.0.1:{hub.port}").stdout.decode()
    code = Code.read(PREFIX + re.findall(re.escape(PREFIX) + r"([\w-]+)", said)[0])
    link = Link(f"http://127.0.0.1:{hub.port}")
    enrolment.join(station.store, station.me, station.access, code, "station", link)
    return link


def meet(station: Node, link: Link) -> Outcome:
    with station.store.read() as connection:
        (peer,) = (row for row in enrolment.projects.nodes(connection, 1) if row.role == "hub")
    return Meeting(station.answerer, peer, link).run()


def test_packets_of_any_size_arrive_whole(hub: Server, station: Node) -> None:
    link = enrol(station, hub)
    for number in range(3):
        station.receive(loss(new_id(), "1.jpg", remarks="کوه " * 9000), {"1.jpg": PHOTO + bytes([number])})
    outcome = meet(station, link)
    assert outcome.bytes_out > 3 * len(PHOTO)
    assert (outcome.pushed, outcome.files_sent, outcome.safe) == (3, 3, True)
    link.close()


def test_a_station_whose_key_was_lost_enrols_anew_and_brings_everything(hub: Server, station: Node) -> None:
    enrol(station, hub).close()
    instance = new_id()
    station.receive(loss(instance))
    station.write_down()
    station.close()
    (station.folder / "keys" / "relay.key").unlink()
    station.open()
    link = enrol(station, hub)
    assert meet(station, link).safe
    for _ in range(300):  # its leader settles what came every few seconds
        if instance in {record["instance_id"] for record in hub.submissions("livestock_loss")}:
            break
        time.sleep(0.2)
    else:
        pytest.fail("It never became part of what people see.")
    link.close()


def test_a_heading_that_somebody_else_made_or_overheard_brings_little_into_memory(hub: Server, station: Node) -> None:
    enrol(station, hub).close()
    with station.store.read() as connection:
        (peer,) = (row for row in enrolment.projects.nodes(connection, 1) if row.role == "hub")
    packet = sealed(station.me, Peer.of(peer.verify_key, peer.seal_key), {"type": "hello"}, os.urandom(MOST_PACKET - 4096))
    url = f"http://127.0.0.1:{hub.port}{PATH}"
    start = head("POST", url, Content_Length=str(len(packet)), Content_Type="application/octet-stream", Accept="application/json")
    assert b"did not sign" in exchange(url, [start + packet[: HEADING - 64] + bytes(64)])
    with ExitStack() as lines:
        begun = [lines.enter_context(socket.create_connection(("127.0.0.1", hub.port), timeout=60)) for _ in range(3)]
        for line in begun:
            line.sendall(start + packet[:HEADING])
        [refused], _, _ = select.select(begun, [], [], 60)
        assert refused.recv(12) == b"HTTP/1.1 503"
        waits = next(line for line in begun if line is not refused)
        waits.sendall(packet[HEADING:])
        assert waits.recv(12) == b"HTTP/1.1 200"
    assert exchange(url, [start + packet]).startswith(b"HTTP/1.1 200")
