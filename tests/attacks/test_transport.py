"""Attacks on the connection itself, against the running server. Numbers are those of the list in README.md."""

import contextlib
import gzip
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from server.crowding import MOST_OF_ONE_ADDRESS
from tests.conformance.conftest import Site
from tests.support.collect import encode
from tests.support.openrosa import parse_message
from tests.support.processes import peak_memory
from tests.support.raw import exchange, head
from tests.support.records import flock, new_id, parts

KEEPALIVE = "02"  # the kind of timer, in /proc/net/tcp


def upload(site: Site) -> tuple[str, bytes, bytes, str]:
    """(instanceID, address, body, content type) of a good record."""
    instance = new_id()
    body, kind = encode(parts(flock(instance)))
    return instance, f"{site.url}/submission".encode(), body, kind


def statuses(answers: bytes) -> list[bytes]:
    return [piece[1:4] for piece in answers.split(b"HTTP/1.1")[1:]]


def is_kept(site: Site, instance: str) -> bool:
    return instance in {record["instance_id"] for record in site.server.submissions("flock_count")}


@contextlib.contextmanager
def held(url: str, count: int, length: int) -> Iterator[list[socket.socket]]:
    """So many connections that announce a body of `length` bytes, send five of them and fall silent."""
    parts = urlsplit(url)
    start = head("POST", url, Content_Type="multipart/form-data; boundary=x", Content_Length=str(length)) + b"--x\r\n"
    with contextlib.ExitStack() as lines:
        found = [lines.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=30)) for _ in range(count)]
        for line in found:
            line.sendall(start)
        yield found
        for line in found:
            line.setblocking(True)
            with contextlib.suppress(OSError):  # those that were refused
                line.shutdown(socket.SHUT_WR)
        for line in found:
            with contextlib.suppress(ConnectionError):
                while line.recv(65536):  # until the server has let go of it
                    pass


def test_a17_a_body_longer_than_announced_is_refused_and_its_rest_is_no_second_request(lone: Site) -> None:
    instance, url, body, kind = upload(lone)
    start = head("POST", url.decode(), Content_Type=kind, Content_Length=str(len(body) - 50))
    assert set(statuses(exchange(url.decode(), [start, body], until_close=True))) == {b"400"}
    assert not is_kept(lone, instance)


def test_a17_a_body_shorter_than_announced_is_not_taken_when_the_line_breaks(lone: Site) -> None:
    instance, url, body, kind = upload(lone)
    for length in (len(body) + 1, len(body) + 200_000):
        exchange(
            url.decode(), [head("POST", url.decode(), Content_Type=kind, Content_Length=str(length)), body[:-10]], listen=False
        )
    assert not is_kept(lone, instance)
    assert lone.post(parts(flock(instance))).status == 201


@pytest.mark.parametrize("length", ["-5", "+5", "5, 9", "0x10", "²", "9" * 30, "5 5", ""])
def test_a17_a_length_that_is_none_is_refused_at_the_door(lone: Site, length: str) -> None:
    instance, url, body, kind = upload(lone)
    start = head("POST", url.decode(), Content_Type=kind, Content_Length=length, Connection="close")
    assert statuses(exchange(url.decode(), [start, body], until_close=True))[0][:1] == b"4"
    assert not is_kept(lone, instance)


def test_a17_two_lengths_or_an_unknown_coding_are_refused(lone: Site) -> None:
    instance, url, body, kind = upload(lone)
    for lines in (
        b"Content-Length: 5\r\nContent-Length: %d" % len(body),
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding : chunked",
    ):
        start = head("POST", url.decode(), Content_Type=kind)[:-2] + lines + b"\r\n\r\n"
        assert statuses(exchange(url.decode(), [start, body], until_close=True))[0] == b"400"
    assert not is_kept(lone, instance)


def test_a17_of_two_ways_to_say_the_length_chunks_count_and_nothing_is_smuggled(lone: Site) -> None:
    """Where a proxy would believe the length and we the chunks, the rest must not become a request of somebody else's."""
    instance, url, body, kind = upload(lone)
    hidden = head("GET", f"{lone.url}/formList")
    start = head(
        "POST", url.decode(), Content_Type=kind, Content_Length=str(len(body)), Transfer_Encoding="chunked", Connection="close"
    )
    answers = exchange(url.decode(), [start, b"%x\r\n" % len(body), body, b"\r\n0\r\n\r\n", hidden], until_close=True)
    assert statuses(answers) in ([b"201"], [b"400"])
    assert is_kept(lone, instance) == (statuses(answers) == [b"201"])


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"ffffffffffffffffff\r\n", b"-1\r\n", b"5;" + b"x" * 100_000 + b"\r\n"])
def test_a17_chunks_that_lie_are_refused(lone: Site, chunk: bytes) -> None:
    instance, url, body, kind = upload(lone)
    start = head("POST", url.decode(), Content_Type=kind, Transfer_Encoding="chunked")
    with contextlib.suppress(ConnectionError):  # the server may have closed before we said everything
        assert statuses(exchange(url.decode(), [start, chunk, body, b"\r\n0\r\n\r\n"]))[0][:1] == b"4"
    assert not is_kept(lone, instance)


@pytest.mark.parametrize(
    ("address", "length"), [("{url}/submission", 1000), ("{url}/submission", 10_000_000), ("http://{place}/sign-in", 1000)]
)
def test_a17_uploads_that_fall_silent_hold_up_nobody(lone: Site, address: str, length: int) -> None:
    """More than one address may have under way, and no key is needed to try."""
    url = address.format(url=lone.url, place=urlsplit(lone.url).netloc)
    with held(url, MOST_OF_ONE_ADDRESS + 20, length) as lines:
        wait_until(lambda: sum(answer(line) is not None for line in lines) >= 20)
        assert {answer(line) for line in lines} == {None, b"503"}
        assert lone.get().status == 200
    assert lone.post(parts(flock(new_id()))).status == 201


def answer(line: socket.socket) -> bytes | None:
    """The status this connection was answered with, if it was."""
    line.setblocking(False)
    try:
        return line.recv(65536, socket.MSG_PEEK)[9:12]
    except BlockingIOError:
        return None


def wait_until(happened: object) -> None:
    for _ in range(200):
        if happened():  # type: ignore[operator]
            return
        time.sleep(0.05)
    raise AssertionError("it never happened")


def test_a17_a_phone_that_is_told_to_come_again_understands_it(lone: Site) -> None:
    with held(f"{lone.url}/submission", MOST_OF_ONE_ADDRESS + 1, 1_000_000) as lines:
        wait_until(lambda: any(answer(line) for line in lines))
        refusal = lone.post(parts(flock(new_id())))
    assert refusal.status == 503
    assert parse_message(refusal.body)
    assert refusal.headers["x-openrosa-version"] == "1.0"


def test_a17_a_phone_that_falls_silent_is_asked_after(lone: Site) -> None:
    """Else a phone that lost its network holds a thread for ever: it never says goodbye."""
    port = urlsplit(lone.url).port or 0

    def timers() -> set[str]:
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return {row[5][:2] for row in rows if int(row[1].partition(":")[2], 16) == port and row[3] == "01"}

    with held(f"{lone.url}/submission", 2, 1_000_000):
        wait_until(lambda: timers() == {KEEPALIVE})


def test_a17_a_hundred_guesses_at_once_do_not_fill_the_memory(lone: Site) -> None:
    """Every check of a password takes 19 MiB on purpose."""
    url = f"http://{urlsplit(lone.url).netloc}/sign-in"
    before = peak_memory(lone.server.pids())
    with ThreadPoolExecutor(50) as pool:
        bodies = [f"name=guess{number}&password=wrong{number}".encode() for number in range(100)]
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answers = list(pool.map(lambda body: lone.server.raw("POST", url, body, kind).status, bodies))
    assert set(answers) <= {401, 429}
    assert peak_memory(lone.server.pids()) - before < 200


def test_a13_ten_thousand_parts_are_refused_with_words(lone: Site) -> None:
    answer = lone.post([*parts(flock(new_id())), *[("x", None, None, b"1")] * 10_000])
    assert answer.status == 413
    assert parse_message(answer.body)


def test_a18_a_body_that_unpacks_to_much_more_is_never_unpacked(lone: Site) -> None:
    body, kind = encode(parts(flock(new_id(), herder="x" * 200_000_000)))
    packed = gzip.compress(body, 1)
    before = peak_memory(lone.server.pids())
    for coding in ("gzip", "deflate", "br", "gzip, gzip"):
        answer = lone.server.raw("POST", f"{lone.url}/submission", packed, {"Content-Type": kind, "Content-Encoding": coding})
        assert answer.status == 400
        assert parse_message(answer.body)
    assert peak_memory(lone.server.pids()) - before < 32


def test_a12_headers_without_end_are_refused(lone: Site) -> None:
    url = f"{lone.url}/formList"
    for lines in (b"X-Long: " + b"x" * 2_000_000, b"\r\n".join(b"X-%d: 1" % number for number in range(5000))):
        with contextlib.suppress(ConnectionError):
            assert statuses(exchange(url, [head("GET", url)[:-2] + lines + b"\r\n\r\n"], until_close=True))[0] in {b"400", b"431"}
    assert lone.get().status == 200


@pytest.mark.parametrize(
    "start", [b"\x16\x03\x01\x02\x00", b"GET /\r\n\r\n", b"\x00" * 100, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"A" * 10_000]
)
def test_a12_what_is_no_request_costs_nothing(lone: Site, start: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        exchange(lone.url, [start], listen=False)
    assert lone.get().status == 200


def test_a08_addresses_no_database_can_look_up_lead_nowhere(site: Site) -> None:
    start = site.url.rpartition("/")[0]
    place = f"http://{urlsplit(site.url).netloc}"
    for url in (
        f"{start}/{'9' * 30}/formList",
        f"{start}/{'9' * 5000}/formList",
        f"{start}/{2**63}/submission",
        f"{site.url}/forms/a%00b/{'0' * 32}/form.xml",
        f"{site.url}/forms/%ff%fe/{'0' * 32}/manifest",
        f"{site.url}/formList%00",
        f"{place}/v1/key/%00/projects/1/formList",
        f"{place}/%00/formList",
        f"{place}/projects/{'9' * 30}/",
        f"{place}/view/submissionList?formId=%00",
    ):
        assert site.get(url).status in {400, 401, 403, 404}, url
    for query in ("?formID=%00", "?formID=%ff", f"?deviceID={'x' * 20_000}"):
        assert site.get(f"/formList{query}").status == 200
    assert site.post(parts(flock(new_id())), query="?deviceID=%00%ff%F0%9F%90%86").status == 201
