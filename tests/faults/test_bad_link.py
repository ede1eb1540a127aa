"""The bad link itself: it is as slow, far and lossy as it was asked to be, by counts of packets, and leaves nothing behind."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NewServer
from tests.support.bad_link import BadLink
from tests.support.collect import Collect, Record
from tests.support.line import Conditions, Line
from tests.support.records import LOSS, loss, new_id

CLEAN = Conditions(rate=64_000, rtt=2, queue=10_000_000)


def line(conditions: Conditions) -> Line:
    return Line(conditions, random.Random(conditions.seed))


def all_arrivals(line: Line) -> Iterator[tuple[float, bytes]]:
    """What is on its way, with the time of each arrival."""
    while (due := line.due) is not None:
        for packet in line.arrivals(due):
            yield due, packet


def wait_until(is_so: Callable[[], bool]) -> None:
    """Fail where it never becomes so."""
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_bytes_arrive_at_the_rate_and_half_a_round_trip_later() -> None:
    slow = line(CLEAN)
    for _ in range(100):
        slow.offer(10.0, bytes(1000))
    times = [when for when, _ in all_arrivals(slow)]
    assert times[0] == pytest.approx(10 + 1000 * 8 / 64_000 + 1)
    assert times[-1] - times[0] == pytest.approx(99 * 1000 * 8 / 64_000)
    assert slow.counts.arrived_bytes == 100_000


def test_jitter_spreads_the_delay() -> None:
    shaky = line(replace(CLEAN, rate=8e9, jitter=0.3))
    for number in range(5000):
        shaky.offer(number, bytes(100))
    delays = [when - number for number, (when, _) in enumerate(all_arrivals(shaky))]
    assert 0.7 <= min(delays) < 0.71
    assert 1.29 < max(delays) <= 1.3 + 1e-6


def test_jitter_keeps_the_order() -> None:
    shaky = line(replace(CLEAN, rate=8e9, jitter=0.3))
    for number in range(5000):
        shaky.offer(number / 100, number.to_bytes(4, "big"))
    found = list(all_arrivals(shaky))
    assert found == sorted(found)
    assert len({when for when, _ in found}) > 100


@pytest.mark.parametrize("loss", [0.02, 0.1, 0.3])
def test_the_asked_share_of_packets_is_lost(loss: float) -> None:
    lossy = line(replace(CLEAN, loss=loss))
    for number in range(20_000):
        lossy.offer(number, bytes(100))
    assert sum(1 for _ in all_arrivals(lossy)) == lossy.counts.arrived == 20_000 - lossy.counts.lost
    assert lossy.counts.lost / 20_000 == pytest.approx(loss, abs=4 * (loss * (1 - loss) / 20_000) ** 0.5)


def test_what_finds_the_queue_full_is_dropped_and_what_has_left_it_makes_room() -> None:
    narrow = line(replace(CLEAN, queue=10_000))
    for _ in range(100):
        narrow.offer(0, bytes(1000))
    assert narrow.counts.dropped == 90
    for _ in range(100):
        narrow.offer(0.51, bytes(1000))  # 64,000 bit/s are 8,000 bytes a second: four packets have left
    assert narrow.counts.dropped == 90 + 96
    assert sum(1 for _ in all_arrivals(narrow)) == 14


def test_nothing_that_is_sent_while_the_link_is_down_arrives() -> None:
    gone = line(replace(CLEAN, rtt=0, down=15, every=60))
    for second in range(180):
        gone.offer(second, second.to_bytes(1, "big"))
    assert [packet[0] for _, packet in all_arrivals(gone)] == [second for second in range(180) if second % 60 < 45]
    assert gone.counts.lost == 45


@given(
    st.lists(st.tuples(st.floats(0, 5), st.integers(20, 1500)), max_size=60),
    st.builds(
        Conditions,
        rate=st.sampled_from([1200, 64_000, 1e6]), rtt=st.floats(0, 3), jitter=st.floats(0, 1), loss=st.floats(0, 1),
        queue=st.integers(1500, 20_000), down=st.floats(0, 10), every=st.just(30.0),
    ),
)  # fmt: skip
def test_every_packet_arrives_is_lost_or_is_dropped_and_never_sooner_than_the_rate_allows(
    packets: list[tuple[float, int]], conditions: Conditions
) -> None:
    any_line, now, found = line(conditions), 0.0, []
    for number, (gap, size) in enumerate(packets):
        now += gap
        any_line.offer(now, number.to_bytes(2, "big") + bytes(size - 2))
    found = [(when, int.from_bytes(packet[:2], "big")) for when, packet in all_arrivals(any_line)]
    counts = any_line.counts
    assert counts.offered == len(packets) == counts.arrived + counts.lost + counts.dropped
    assert found == sorted(found)
    needed = sum(8 * packets[number][1] for _, number in found) / conditions.rate
    assert not found or found[-1][0] >= needed


def test_packets_between_two_machines_are_lost_as_asked_and_none_is_quicker_than_the_link() -> None:
    conditions = Conditions(rate=1_000_000, rtt=0.2, loss=0.3)
    with BadLink(conditions) as link:
        with link.far.here():
            ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            ear.bind((link.far.address, 5000))
        with link.near.here():
            mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with ear, mouth:
            begun = time.monotonic()
            for number in range(60):
                mouth.sendto(number.to_bytes(1, "big") + bytes(971), (link.far.address, 5000))  # 1,000 bytes with IP and UDP
            wait_until(lambda: link.counts()[0].arrived + link.counts()[0].lost == 60)
            there, _ = link.counts()
            heard = [ear.recv(2000)[0] for _ in range(there.arrived)]
            passed = time.monotonic() - begun
    assert passed >= conditions.rtt / 2 + there.arrived * 8000 / conditions.rate
    assert (there.offered, there.offered_bytes, there.arrived_bytes) == (60, 60_000, 1000 * there.arrived)
    assert there.dropped == 0
    assert 7 <= there.lost <= 31
    assert heard == sorted(heard)


def test_a_link_can_change_while_it_is_used() -> None:
    with BadLink(Conditions(rate=1_000_000, rtt=0, loss=1)) as link:
        with link.far.here():
            ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            ear.bind((link.far.address, 5000))
        with link.near.here():
            mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with ear, mouth:
            mouth.sendto(b"lost", (link.far.address, 5000))
            wait_until(lambda: link.counts()[0].lost == 1)
            link.change(Conditions(rate=1_000_000, rtt=0))
            mouth.sendto(b"heard", (link.far.address, 5000))
            assert ear.recv(100) == b"heard"


def test_the_two_machines_reach_nothing_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as outside, BadLink(Conditions(rtt=0)) as link:
        with link.near.here(), pytest.raises(ConnectionRefusedError):
            socket.create_connection(outside.getsockname(), timeout=5)
        with link.near.here(), pytest.raises(OSError, match="unreachable"):
            socket.create_connection(("192.0.2.1", 80), timeout=5)
        socket.create_connection(outside.getsockname(), timeout=5).close()  # and this machine is itself again


def test_the_link_ends_with_whoever_made_it_even_when_that_is_killed() -> None:
    code = (
        "import time; from tests.support.bad_link import BadLink, Conditions; link = BadLink(Conditions()).__enter__(); "
        "print(link.near.namespace, link.far.namespace, flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert owner.stdout
    with owner:
        namespaces = [Path(path) for path in owner.stdout.readline().split()]
        assert [path.exists() for path in namespaces] == [True, True]
        owner.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(path.exists() for path in namespaces))


def test_without_root_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "pytest"])  # a process of pytest-xdist has another
    with pytest.raises(RuntimeError, match=r"as root: sudo python -m pytest"), BadLink(Conditions()):
        pass


def test_an_algorithm_of_tcp_that_is_not_here_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="relay of the bad link ended"), BadLink(Conditions(), congestion="pigeon"):
        pass
    assert "tcp_congestion_control" in capfd.readouterr().err


def test_a_command_runs_at_one_end_and_its_peer_at_the_other(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("from the other side")
    ask = (
        "import os, time, urllib.request as r\n"
        "while True:\n"
        "    try: print(r.urlopen(f'http://{os.environ[\"PEER\"]}:8000/letter').read().decode()); break\n"
        "    except OSError: time.sleep(0.05)\n"
        "raise SystemExit(7)"
    )
    peer = f"exec {sys.executable} -m http.server -d {tmp_path}"
    options = ["--rate", "1e6", "--rtt", "0.05", "--loss", "0.02", "--peer", peer]
    command = [sys.executable, "-m", "tests.support.bad_link", *options, "--", sys.executable, "-c", ask]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2], check=False)
    assert (done.returncode, done.stdout.strip()) == (7, "from the other side"), done.stderr


def test_a_phone_far_from_its_station_delivers_everything_once(new_server: NewServer) -> None:
    with BadLink(Conditions(rate=256_000, rtt=0.2, jitter=0.05, loss=0.1)) as link:
        with link.far.here():
            station = new_server("sqlite", {"TULLIANA_HOST": "0.0.0.0"})
        station.publish(LOSS)
        key = station.app_user("ranger")["url"].partition("/v1/")[2]
        phone = Collect(f"http://{link.far.address}:{station.port}/v1/{key}")
        photo = random.Random(1).randbytes(10_000)
        phone.outbox = [Record(loss(instance, "photo.jpg"), {"photo.jpg": photo}) for instance in (new_id(), new_id(), new_id())]
        with link.near.here():
            wait_until(lambda: len(phone.send_all()) == 3)
        there, _ = link.counts()
        kept = station.submissions("livestock_loss")
    assert there.lost > 0
    assert there.arrived_bytes > 30_000
    assert len(kept) == 3
    assert [record["files_present"] for record in kept] == [1, 1, 1]
