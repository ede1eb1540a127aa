"""The door for other nodes: one address that takes packets and answers with packets; see `sync.relay`."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.services import services
from sync.relay.messages import HEADING, MOST_PACKET

relay_door = Blueprint("relay_door", __name__)
PACKET = "application/octet-stream"
MOST_OF_ONE = 2 * MOST_PACKET
"""So many bytes of one node are held at once: a heading that was overheard can be said again, with anything behind it."""
_CHUNK = 64 * 1024
_lock = threading.Lock()
_held: Counter[str] = Counter()


@relay_door.post("/relay/1")
def answer() -> Response:
    """Answer a packet. Strangers, and what is none, get a problem in JSON, and no more of theirs is read than its heading."""
    length = request.content_length
    if length is None or length > MOST_PACKET:
        raise Problem("too_large", f"A packet has at most {MOST_PACKET} bytes.")
    answerer, outside = services().answerer(), services().turnstile.outside
    with outside():
        heading = _read(HEADING)
    with _room(answerer.expect(heading, length), length):
        with outside():
            packet = heading + _read(length - len(heading))
        return Response(answerer.answer(packet), content_type=PACKET)


@contextmanager
def _room(sender: str, size: int) -> Iterator[None]:
    """Room for a packet of a node. Raises `Problem("busy")` where it has sent too much at once."""
    with _lock:
        if _held[sender] + size > MOST_OF_ONE:
            raise Problem("busy")
        _held[sender] += size
    try:
        yield
    finally:
        with _lock:
            _held[sender] -= size
            if not _held[sender]:
                del _held[sender]


def _read(size: int) -> bytes:
    """The next bytes of the body; fewer where it ends. Always by a number: asked for all, Granian forgets what it holds."""
    found = bytearray()
    while len(found) < size and (more := request.stream.read(min(size - len(found), _CHUNK))):
        found += more
    return bytes(found)
