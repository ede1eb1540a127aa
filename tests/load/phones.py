"""Many phones in one cheap process: prebuilt requests over raw keep-alive sockets, one selector, no library in the way."""

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import quantiles


@dataclass
class Burst:
    """What a burst of requests saw: seconds from first byte sent to last byte received, and how often each status came."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.waits) / self.seconds

    def percentile(self, share: int) -> float:
        """Milliseconds within which `share` percent were answered."""
        return 1000 * quantiles(self.waits, n=100, method="inclusive")[share - 1]


@dataclass
class Phone:
    """One connection and where it stands with its request."""

    line: socket.socket
    outgoing: memoryview = field(default_factory=lambda: memoryview(b""))
    incoming: bytearray = field(default_factory=bytearray)
    began: float = 0.0


def burst(address: tuple[str, int], request: Callable[[], bytes], *, phones: int, seconds: float) -> Burst:
    """Let `phones` connections send what `request` makes, each its next when the last was answered, for `seconds`."""
    result, selector = Burst(), selectors.DefaultSelector()
    began = time.perf_counter()
    end = began + seconds
    busy = 0
    for _ in range(phones):
        line = socket.create_connection(address)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setblocking(False)
        phone = Phone(line)
        selector.register(line, selectors.EVENT_READ, phone)
        _begin(selector, phone, request())
        busy += 1
    while busy:
        for key, events in selector.select(60):
            phone = key.data
            if events & selectors.EVENT_WRITE:
                _push(selector, phone)
            if events & selectors.EVENT_READ and (status := _pull(phone)):
                now = time.perf_counter()
                result.waits.append(now - phone.began)
                result.statuses[status] = result.statuses.get(status, 0) + 1
                if now < end:
                    _begin(selector, phone, request())
                else:
                    selector.unregister(phone.line)
                    phone.line.close()
                    busy -= 1
    result.seconds = time.perf_counter() - began
    return result


def _begin(selector: selectors.BaseSelector, phone: Phone, request: bytes) -> None:
    phone.outgoing, phone.began = memoryview(request), time.perf_counter()
    _push(selector, phone)


def _push(selector: selectors.BaseSelector, phone: Phone) -> None:
    """Send what the socket takes; ask to be called again only while something is left."""
    try:
        while phone.outgoing:
            phone.outgoing = phone.outgoing[phone.line.send(phone.outgoing) :]
    except BlockingIOError:
        selector.modify(phone.line, selectors.EVENT_READ | selectors.EVENT_WRITE, phone)
        return
    if selector.get_key(phone.line).events != selectors.EVENT_READ:
        selector.modify(phone.line, selectors.EVENT_READ, phone)


def _pull(phone: Phone) -> int:
    """Read what is there; the status once the answer is whole, else 0."""
    piece = phone.line.recv(262_144)
    if not piece:
        raise ConnectionError(f"the server hung up after {bytes(phone.incoming)[:200]!r}")
    phone.incoming += piece
    start, blank, body = phone.incoming.partition(b"\r\n\r\n")
    if not blank:
        return 0
    status, headers = int(start[9:12]), start.lower()
    length = headers.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    if status not in {204, 304}:
        if length and len(body) < int(length):
            return 0
        if not length and not body.endswith(b"0\r\n\r\n"):
            return 0
    phone.incoming.clear()
    return status
