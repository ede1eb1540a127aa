"""One direction of a bad link, as arithmetic: when each packet arrives, if it does. Whoever calls says what time it is."""

import random
from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Conditions:
    """What a link is like; both directions alike, each with a line of its own."""

    rate: float = 64_000.0
    """Bits a second, counted on whole IP packets."""
    rtt: float = 2.0
    """Seconds there and back, without the time a packet takes to be sent."""
    jitter: float = 0.0
    """Seconds by which half a round trip may be shorter or longer, evenly spread. Packets keep their order, as radios do."""
    loss: float = 0.0
    """The share of packets that never arrive, each by its own chance."""
    queue: int = 64_000
    """Bytes that may wait to be sent; what comes then is dropped. 64 kB are 8 s at 64 kbit/s: modems have such queues."""
    down: float = 0.0
    """Seconds at the end of every `every` in which nothing that is sent arrives."""
    every: float = 60.0
    seed: int = 1

    def is_down(self, now: float) -> bool:
        """Whether the link is out at this time."""
        return now % self.every >= self.every - self.down


@dataclass
class Counts:
    """Packets and bytes that came to one end and what became of them; what is on its way is in none of the last three."""

    offered: int = 0
    offered_bytes: int = 0
    arrived: int = 0
    arrived_bytes: int = 0
    lost: int = 0
    """By chance or while the link was down."""
    dropped: int = 0
    """Found the queue full."""


@dataclass
class Line:
    """Packets that go one way. Times are seconds, never going back, from when the link was made."""

    conditions: Conditions
    chance: random.Random
    counts: Counts = field(default_factory=Counts)
    _free: float = 0.0
    _waiting: deque[tuple[float, int]] = field(default_factory=deque)
    """When each packet of the queue has left it, and its size."""
    _waiting_bytes: int = 0
    _flying: deque[tuple[float, bytes]] = field(default_factory=deque)
    """In their order: none overtakes the one before it."""

    def offer(self, now: float, packet: bytes) -> None:
        """Take a packet that the sender's machine hands over."""
        size = len(packet)
        self.counts.offered += 1
        self.counts.offered_bytes += size
        while self._waiting and self._waiting[0][0] <= now:
            self._waiting_bytes -= self._waiting.popleft()[1]
        if self._waiting_bytes + size > self.conditions.queue:
            self.counts.dropped += 1
            return
        self._free = max(now, self._free) + 8 * size / self.conditions.rate
        self._waiting.append((self._free, size))
        self._waiting_bytes += size
        if self.chance.random() < self.conditions.loss or self.conditions.is_down(self._free):
            self.counts.lost += 1
            return
        delay = self.conditions.rtt / 2 + self.chance.uniform(-1, 1) * self.conditions.jitter
        self._flying.append((self._free + max(0.0, delay), packet))

    @property
    def due(self) -> float | None:
        """When the next packet arrives; None while none is on its way."""
        return self._flying[0][0] if self._flying else None

    def arrivals(self, now: float) -> list[bytes]:
        """The packets that have arrived by now, each told once."""
        found = []
        while self._flying and self._flying[0][0] <= now:
            found.append(self._flying.popleft()[1])
        self.counts.arrived += len(found)
        self.counts.arrived_bytes += sum(map(len, found))
        return found
