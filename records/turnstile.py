"""Few threads compute at a time; any number wait.

Python runs one thread at once, and sixteen that all want to run spend more time on taking turns than on their work (measured: three
times the processor time for a form list). So a thread passes the turnstile before it computes, and steps out while it waits, for a
slow phone, the disk or another process: a phone that sends one byte a second holds up nobody.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context


class Turnstile:
    """Lets `width` threads in at a time. For one process; a thread that is in may step out and comes back in by itself."""

    def __init__(self, width: int) -> None:
        # a semaphore of the operating system: that of `threading` is written in Python and costs what it should save
        self._places = threading.Lock() if width == 1 else get_context("spawn").Semaphore(width)
        self._here = threading.local()

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Compute in turn."""
        self._places.acquire()
        self._here.inside = True
        try:
            yield
        finally:
            self._here.inside = False
            self._places.release()

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Step out while waiting; for a thread that is not in, this does nothing."""
        if not getattr(self._here, "inside", False):
            yield
            return
        self._here.inside = False
        self._places.release()
        try:
            yield
        finally:
            self._places.acquire()
            self._here.inside = True
