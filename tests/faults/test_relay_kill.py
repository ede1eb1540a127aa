"""kill -9 of a station and its hub while they meet, and a hub whose disk is full: what was safe is there, the rest comes again."""

import random
import resource
import subprocess
import time

from tests.conftest import NewServer
from tests.faults.test_kill import check, limit_files
from tests.support.collect import Collect, Record
from tests.support.records import LOSS, loss, new_id
from tests.support.servers import COMMAND, Server

RECORDS = 30
ROUNDS = 3
PHOTO = 60_000
SAFE = "safe at the hub: it was compared"


def joined(new_server: NewServer) -> tuple[Server, Server, Collect]:
    """A hub, a station of it, and a phone of the station; both have the form."""
    hub, station = (new_server("sqlite", {"TULLIANA_RELAY_MINUTES": "never"}) for _ in range(2))
    for node in (hub, station):
        node.publish(LOSS)
    _, code = hub.here("relay", "invite", "North", "--url", f"http://127.0.0.1:{hub.port}")
    assert station.here("relay", "enrol", code.partition("relay enrol ")[2].split()[0])[0] == 0
    return hub, station, Collect(station.app_user("ranger")["url"])


def settled(hub: Server, count: int) -> None:
    """Wait until the hub has made so many records part of what people see, files and all."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        kept = hub.submissions("livestock_loss")
        if len(kept) == count and all(each["files_present"] == 1 for each in kept):
            return
        time.sleep(0.2)
    raise AssertionError(f"{len(hub.submissions('livestock_loss'))} of {count} records are there")


def sent(phone: Collect, count: int, chance: random.Random) -> list[Record]:
    """Records with a photo each that the phone has delivered to its station."""
    records = []
    for _ in range(count):
        instance = new_id()
        name = f"{instance[5:13]}.jpg"
        records.append(Record(loss(instance, name), {name: chance.randbytes(PHOTO)}))
    phone.outbox = records
    assert len(phone.send_all()) == count
    return records


def test_kill_9_of_station_and_hub_while_they_meet_loses_nothing(new_server: NewServer) -> None:
    chance = random.Random(20261123)
    hub, station, phone = joined(new_server)
    records = sent(phone, RECORDS, chance)
    broken_off = 0
    for number in range(ROUNDS):
        meeting = subprocess.Popen([COMMAND, "relay", "run"], env=station.environment, cwd="/", stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.8, 2.0))
        broken_off += meeting.poll() is None
        if number == 1:
            hub.kill()
            hub.start()
        else:
            meeting.kill()
        meeting.wait()
    assert broken_off, "all meetings were over before the kill: nothing was tried"
    assert SAFE in station.here("relay", "run")[1]
    hub.kill()  # what was called safe has to be
    hub.start()
    settled(hub, RECORDS)
    check(hub, records)
    check(station, records)


def test_a_hub_whose_disk_is_full_says_so_and_has_everything_once_there_is_room(new_server: NewServer) -> None:
    hub, station, phone = joined(new_server)
    records = sent(phone, 5, random.Random(1))
    limit_files(hub, 20_000)
    code, said = station.here("relay", "run")
    assert SAFE not in said
    assert code != 0
    limit_files(hub, resource.RLIM_INFINITY)
    assert SAFE in station.here("relay", "run")[1]
    settled(hub, 5)
    check(hub, records)
