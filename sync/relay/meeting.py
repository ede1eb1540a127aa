"""A meeting with a peer, from our side: both say how far they have read each other, then each gets what it lacks.

Records first, files last, small ones first. Every step is complete in itself: a meeting that breaks off anywhere has still brought
both further, and the next goes on from there. `call` carries a packet to the peer and brings its answer; it is all that a meeting
knows of networks.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from forms.problems import CATALOGUE, Problem
from sync.relay import comparing, log, projects
from sync.relay.answering import BEGINNING, MOST_AGAIN, MOST_BATCH, MOST_GROUPS, NEWEST, Answerer
from sync.relay.batch import START, Batch, Place, Record, place, texts
from sync.relay.messages import Message, Peer, new_nonce, opened, sealed
from sync.relay.scribes import scribe_of
from sync.relay.settling import missing
from sync.relay.standing import kept_aside, unsigned
from sync.relay.taking import take_in

Call = Callable[[bytes], bytes]
SLICE_SECONDS = 15
"""So long should one message take on its way."""
_SMALLEST, _BATCH, _PIECE = 8 * 1024, 256 * 1024, 1024 * 1024
"""Bytes of a message before packing: at least, of records, of a file. Several with records are under way at a time, each in a few
copies, and the memory of a station is small."""
_FAST = 128 * 1024  # bytes per second from which compressing well takes longer than sending
_TELLING = 2048  # bytes of a message whose time tells how fast the line is
_SLOW_TURN = 0.5  # seconds there and back, from which several messages go at once
_WINDOW = 4
_TRIES = 3
_IDS_AT_ONCE = 2000
_SHRINKS = 3  # about so many times are records smaller on their way


@dataclass(slots=True)
class Outcome:
    """What a meeting did. Bytes are those of packets; `clock` is by how many seconds the peer's clock is ahead of ours.

    `safe`: it was compared, and all that is here is there too, files and all. `pending` counts what is not. `have`: how far the
    peer has read each channel; `lacks`: how the digests begin of the files of these that it has not (None: not known).
    `regressed`: our data, or the peer's, were put back to an earlier state, or copied.
    """

    pushed: int = 0
    pulled: int = 0
    files_sent: int = 0
    files_got: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    seconds: float = 0.0
    rate: float = 0.0
    clock: float = 0.0
    safe: bool = False
    pending: dict[str, int] = field(default_factory=dict)
    same: bool | None = None
    differing: list[dict[str, Any]] = field(default_factory=list)
    regressed: bool = False
    peer_regressed: bool = False
    have: dict[str, list[list[Any]]] = field(default_factory=dict)
    lacks: list[str] | None = None


class Meeting:
    """One meeting with the peer of this row. Raises `Problem` relay_unreachable, relay_refused or relay_unreadable from `run`."""

    def __init__(self, answerer: Answerer, peer: Row[Any], call: Call, *, most_seconds: float | None = None) -> None:
        self.answerer, self.row, self._call = answerer, peer, call
        self.store, self.blobs, self.me = answerer.store, answerer.blobs, answerer.me
        self.peer = Peer.of(peer.verify_key, peer.seal_key)
        self.outcome = Outcome(rate=float(peer.state.get("rate", 0)))
        self._until = None if most_seconds is None else time.monotonic() + most_seconds
        self._turn = 0.0
        with self.store.read() as connection:
            project = projects.relayed(connection, peer.project_id)
            if project is None:
                raise Problem("relay_refused", "This project is not exchanged.")
        self.key = str(project.key)
        self.data = projects.channel(projects.DATA, self.key)

    def run(self, *, files: bool = True) -> Outcome:
        """Meet. What was reached before it broke off stays, and is written down. Where nothing is new, one question does."""
        begun = time.monotonic()
        try:
            scribe_of(self.answerer, self.row.project_id).run()
            said = self._hello()
            if self._push_all(said["have"]) | self._pull(said["heads"]):
                said = self._hello()
            if said["same"] is False:
                said = self._mend()
            if files:
                said = self._files(said)
            count, size = said["files"]
            with self.store.read() as connection:
                here = (unsigned(connection, self.row.project_id), kept_aside(connection, self.row.project_id))
            self.outcome.pending = {"records": here[0], "files": count, "bytes": size, "aside": here[1]}
            self.outcome.lacks = self._lacks() if count and self.row.role == projects.HUB else []
            self.outcome.same = said["same"]
            self.outcome.safe = said["same"] is True and not any(self.outcome.pending.values())
        finally:
            self.outcome.seconds = time.monotonic() - begun
            self._remember()
        return self.outcome

    def _hello(self, gone: Collection[str] = ()) -> dict[str, Any]:
        """Say what we have and how we stand, and which files we do not have; what the peer has, offers and lacks, and whether both
        hold the same of ours."""
        mine, _ = self._channels()
        with self.store.snapshot() as connection:
            read = {
                name: texts(log.positions(connection, self.row.id, name, most=1)) for name in log.read_of(connection, self.row.id)
            }
            digest = None
            if self.row.role == projects.HUB:
                digest = self.answerer.sums.whole(connection, self.data, of=self.me.node_id)
        about = {"clock": -self.outcome.clock, "rate": self.outcome.rate, "have": read, "regressed": self.outcome.regressed}
        begun = time.monotonic()
        said = self._ask("hello", channels=sorted(mine), digest=digest, about=about, gone=sorted(gone)).said
        self._turn = time.monotonic() - begun
        self.outcome.clock = (datetime.fromisoformat(said["now"]) - datetime.now(UTC)).total_seconds() + self._turn / 2
        self.outcome.have = {name: said["have"].get(name, []) for name in sorted(mine)}
        return said

    def _channels(self) -> tuple[set[str], dict[str, Place]]:
        """Those of our channels that the peer should have; and the newest place of each."""
        with self.store.read() as connection:
            ours = log.channels(connection, self.row.project_id)
        own = {name for name in ours if name.split(":")[1:2] == [self.key]}
        return own if self.row.role == projects.HUB else ours.keys() & projects.readable(self.row, self.key), ours

    def _push_all(self, have: dict[str, Any]) -> bool:
        """Push what the peer lacks of our channels; whether that was anything."""
        mine, ours = self._channels()
        starts = {name: self._start(name, have.get(name, [])) for name in sorted(mine)}
        for name, start in starts.items():
            if start != ours[name]:
                self._push(name, start)
        return any(start != ours[name] for name, start in starts.items())

    def _start(self, channel: str, told: list[Any]) -> Place:
        """From where on the peer lacks this channel: the furthest of its places that our log passed through."""
        offered = [each for each in map(place, told) if each is not None]
        with self.store.read() as connection:
            start = log.common(connection, offered)
            self.outcome.regressed |= bool(offered) and log.common(connection, offered[:1]) is None
            if start is None and len(offered) == NEWEST:
                everything = self._ask("positions", channel=channel).said["have"]
                start = log.common(connection, [each for each in map(place, everything) if each is not None])
        return start or START

    def _push(self, channel: str, start: Place) -> None:
        """Send a channel from a place on; on a slow line several messages are on their way at once."""
        window = _WINDOW if self._turn > _SLOW_TURN else 2
        with ThreadPoolExecutor(window, "relay") as pool:
            under_way: list[Future[None]] = []
            for batch in self._batches(channel, start):
                under_way.append(pool.submit(self._push_one, batch))
                while len(under_way) >= window:
                    done = next((each for each in under_way if each.done()), None)
                    if done is None:
                        wait(under_way, return_when=FIRST_COMPLETED)
                        continue
                    under_way.remove(done)
                    done.result()
            for each in under_way:
                each.result()

    def _batches(self, channel: str, start: Place) -> Iterator[Batch]:
        while not self._is_over():
            batch = self.answerer.sender.batch(self.row.id, channel, start, self._most())
            if batch is None or batch.upto is None:
                return
            yield batch
            start = batch.upto

    def _push_one(self, batch: Batch) -> None:
        said = self._ask("push", batch.data(), **batch.said()).said
        self.outcome.pushed += said["new"]
        if said["upto"] is not None:
            self.outcome.have[batch.channel] = [said["upto"]]
        if said["lacking"] and batch.after is not None and batch.upto is not None:
            again = self.answerer.sender.batch(
                self.row.id, batch.channel, batch.after, MOST_BATCH, whole=set(said["lacking"]), upto=batch.upto[0]
            )
            if again is not None:
                self.outcome.pushed += self._ask("push", again.data(), **again.said()).said["new"]

    def _pull(self, told: dict[str, Any]) -> bool:
        """Get what the peer offers and we lack; whether that was anything."""
        heads = {name: at for name, text in told.items() if (at := place(text)) is not None}
        before = self.outcome.pulled
        for channel in sorted(heads):
            asked_all, whole = False, False
            while not self._is_over():
                with self.store.read() as connection:
                    have = log.positions(connection, self.row.id, channel, most=log.MOST_POSITIONS if asked_all else NEWEST)
                if heads[channel] in have[:1]:
                    break
                answer = self._ask("pull", channel=channel, have=texts(have), all=asked_all, whole=whole, most=self._most())
                if answer.said.get("unknown"):
                    self.outcome.peer_regressed = asked_all = True
                    continue
                if answer.said.get("empty"):
                    break
                batch = Batch.read(answer.said, answer.data)
                taken = take_in(self.store, self.me, self.row, self.key, batch)
                self.outcome.pulled += taken.new
                if whole and taken.lacking:
                    raise Problem("relay_unreadable", "The peer names records that it does not send.")
                whole = bool(taken.lacking)
                if not whole and not batch.more:
                    break
        return self.outcome.pulled > before

    def _files(self, said: dict[str, Any]) -> dict[str, Any]:
        """Get the files of forms, then send those of records that the peer asks for; what it says then."""
        with self.store.read() as connection:
            wanted = missing(connection, self.blobs, self.row.id)
        for sha256, size in wanted.items():
            self._get(sha256, size)
        gone: set[str] = set()
        while said["wants"] and not self._is_over():
            gone |= {sha256 for sha256, size, offset in said["wants"] if not self._put(sha256, size, offset)}
            said = self._hello(gone)
        return said

    def _get(self, sha256: str, size: int) -> None:
        offset = self.answerer.parts.offset(sha256)
        while not self.blobs.has(sha256) and not self._is_over():
            try:
                answer = self._ask("get", sha256=sha256, offset=offset, most=self._most(_PIECE))
            except Problem as problem:
                if problem.kind.code not in {"not_found", "relay_refused"}:
                    raise
                return  # it is not there either, or no longer for us; what else there is must not wait for it
            offset = self.answerer.parts.add(sha256, offset, answer.data, size)
        self.outcome.files_got += self.blobs.has(sha256)

    def _put(self, sha256: str, size: int, offset: int) -> bool:
        """Send a file from `offset` on; whether it is there now."""
        while not self._is_over():
            try:
                data, whole = self.answerer.sender.piece(sha256, offset, self._most(_PIECE))
            except Problem as problem:
                if problem.kind.code != "not_found":
                    raise
                return False  # erased meanwhile
            if whole != size or (not data and size):
                return False
            offset = self._ask("put", data, sha256=sha256, offset=offset, size=size).said["offset"]
            if offset >= size:
                self.outcome.files_sent += 1
                return True
        return False

    def _mend(self) -> dict[str, Any]:
        """Find out, record by record, what of ours only one side holds in spite of all: send it, or take it back where our database
        was put back; what the peer says then."""
        differing = self._differing()
        self._send([each for group in differing for each in group.only_here])
        self._take_back([each for group in differing for each in group.only_there])
        said = self._hello()
        if self._push_all(said["have"]):  # what came back, by its ids
            said = self._hello()
        if said["same"] is not False:
            return said
        still = self._differing()
        self.outcome.differing = [asdict(group.shortened()) for group in still]
        return said | {"same": not any(group.only_here for group in still)}  # more than here: it is still to come back

    def _send(self, ids: list[str]) -> None:
        while ids and not self._is_over():
            records = self.answerer.sender.some(ids[:MOST_AGAIN], of=self.me.node_id, most_bytes=self._most())
            batch = Batch(self.data, None, None, records, ())
            self.outcome.pushed += self._ask("push", batch.data(), **batch.said()).said["new"]
            ids = _others(ids, records)

    def _take_back(self, ids: list[str]) -> None:
        while ids and not self._is_over():
            answer = self._ask("again", ids=ids[:MOST_AGAIN], most=self._most())
            batch = Batch.read(answer.said, answer.data)
            self.outcome.pulled += take_in(self.store, self.me, self.row, self.key, batch).new
            ids = _others(ids, batch.records)

    def _differing(self) -> list[comparing.Difference]:
        """The forms and days of which the peer does not hold the same of ours as we."""
        with self.store.snapshot() as connection:
            ours = comparing.groups(connection, self.data, of=self.me.node_id)
        theirs = {name: tuple(each) for name, each in self._ask("compare", channel=self.data).said["groups"].items()}
        found, some, size = [], list[str](), 0
        for name in (names := comparing.differing(ours, theirs)):
            some.append(name)
            size += theirs.get(name, (0,))[0]
            if size < _IDS_AT_ONCE and len(some) < MOST_GROUPS and name != names[-1]:
                continue
            there = self._ask("compare", channel=self.data, among=some).said["ids"]
            with self.store.read() as connection:
                here = comparing.ids(connection, self.data, some, of=self.me.node_id)
            for each in some:
                only_here, only_there = set(here[each]) - set(there[each]), set(there[each]) - set(here[each])
                found.append(comparing.Difference(each, len(there[each]), sorted(only_here), sorted(only_there)))
            some, size = [], 0
        return found

    def _ask(self, kind: str, data: bytes = b"", **said: Any) -> Message:
        """One question and its answer; a few times, since every question may be repeated. Raises what the peer answered."""
        small = self.outcome.rate < _FAST
        question = {"type": kind, "nonce": (nonce := new_nonce()), "small": small, **said}
        packet = sealed(self.me, self.peer, question, data, small=small)
        for attempt in range(_TRIES):
            try:
                begun = time.monotonic()
                back = self._call(packet)
                break
            except Problem as problem:
                if problem.kind.code != "relay_unreachable" or attempt == _TRIES - 1:
                    raise
        self._learn(len(packet), len(back), time.monotonic() - begun)
        answer = opened(self.me, back, lambda _: self.peer.verify_key)
        if answer.peer != self.peer.node_id or answer.nonce != nonce:
            raise Problem("relay_unreadable", "It is the answer to something else.")
        if (error := answer.said.get("error")) is not None:
            raise Problem(error if error in CATALOGUE else "relay_unreadable", str(answer.said.get("detail", "")))
        return answer

    def _learn(self, out: int, back: int, seconds: float) -> None:
        """How fast the line is, from messages large enough to tell."""
        self.outcome.bytes_out += out
        self.outcome.bytes_in += back
        if out + back > _TELLING:
            rate = (out + back) / max(seconds - self._turn / 2, 0.001)
            self.outcome.rate = rate if not self.outcome.rate else 0.7 * self.outcome.rate + 0.3 * rate

    def _most(self, limit: int = _BATCH) -> int:
        """How many bytes before packing to put into the next message."""
        if not self.outcome.rate:
            return 8 * _SMALLEST
        slice_bytes = int(self.outcome.rate * SLICE_SECONDS) * (_SHRINKS if limit == _BATCH else 1)
        return max(_SMALLEST, min(slice_bytes, limit))

    def _is_over(self) -> bool:
        return self._until is not None and time.monotonic() > self._until

    def _lacks(self) -> list[str] | None:
        """How the digests begin of the files that the peer still lacks; None for too many to be told."""
        answer = self._ask("lacks")
        begins = range(0, len(answer.data), BEGINNING)
        return None if answer.said["most"] else [answer.data[begin : begin + BEGINNING].hex() for begin in begins]

    def _remember(self) -> None:
        now = datetime.now(UTC)
        seen = {"regressed_at": now.isoformat()} if self.outcome.peer_regressed else {}
        state = {**asdict(self.outcome), **seen, "given": []}
        self.store.write(lambda connection: projects.remember(connection, self.row.id, state, met_at=now))


def _others(ids: Sequence[str], records: Sequence[Record]) -> list[str]:
    """Those of these ids that are of none of these records; none where that would be all of them again."""
    done = {record.id for record in records}
    rest = [each for each in ids if each not in done]
    return rest if len(rest) < len(ids) else []
