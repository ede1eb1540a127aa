"""What keeps slow, silent and lost phones from holding up the others.

A thread waits for every upload that is under way, so one address may have only so many under way at once; what is more is told to
come again later. And the system is made to ask after phones that fall silent: one that lost its network in the middle of an upload
never says goodbye, and its thread would wait for ever.
"""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

MOST_OF_ONE_ADDRESS = 128
_ASK_AFTER, _ASK_EVERY, _ASK_TIMES = 60, 15, 4  # seconds, seconds, times: gone for two minutes is gone
_DESCRIPTORS, _TRIES = 256, 100  # the listening socket is among the first that a process opens, within ten seconds


class Crowd:
    """Counts the uploads under way by address."""

    def __init__(self, most: int = MOST_OF_ONE_ADDRESS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def place(self, environ: Mapping[str, Any]) -> Iterator[bool]:
        """A place for this request, if it brings a body; False when its address has too many already."""
        if not environ.get("CONTENT_LENGTH") and "HTTP_TRANSFER_ENCODING" not in environ:
            yield True
            return
        address = environ.get("REMOTE_ADDR", "")
        with self._lock:
            self._under_way[address] += 1
            is_free = self._under_way[address] <= self._most
        try:
            yield is_free
        finally:
            with self._lock:
                self._under_way[address] -= 1
                if not self._under_way[address]:
                    del self._under_way[address]


def ask_after_silent_phones(port: int) -> None:
    """Have the connections to come at this port asked after when they fall silent.

    They inherit it from the listening socket, which the WSGI server opens after the application and without such a setting.
    """
    threading.Thread(target=_once_listening, args=(port,), daemon=True).start()


def _once_listening(port: int) -> None:
    for _ in range(_TRIES):
        if any(_prepare(number, port) for number in range(_DESCRIPTORS)):
            return
        time.sleep(0.1)


def _prepare(number: int, port: int) -> bool:
    """Whether this descriptor is the socket that listens at `port`; if so, it is prepared."""
    try:
        found = socket.socket(fileno=number)
    except OSError:
        return False
    try:
        if not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) or found.getsockname()[1:2] != (port,):
            return False
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", _ASK_AFTER), ("TCP_KEEPINTVL", _ASK_EVERY), ("TCP_KEEPCNT", _ASK_TIMES)):
            if hasattr(socket, name):
                found.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        return True
    except OSError:
        return False
    finally:
        found.detach()  # it is not ours to close
