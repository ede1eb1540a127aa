"""The relay by stick: the packets that would go by line are files, one by one written, synced and named when whole.

Files lie in `tulliana-relay/<to>/<from>/`, named after what they hold, so that what is there is not written again; none has more
than 16 MB. They may be brought in any order, any number of times, and the stick may be pulled out at any moment: what is whole
counts. Who only carries them, another station say, can neither read nor change them.
"""

import errno
import hashlib
import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from forms.problems import Problem
from records.durable import sync_folder, write_file
from records.models import Attachment
from sync.relay import comparing, log, projects
from sync.relay.answering import BEGINNING, MOST_AGAIN, MOST_PIECE, MOST_WANTS, Answerer
from sync.relay.batch import START, Batch, Place, place, texts
from sync.relay.messages import MAGIC, MOST_PACKET, Peer, addressed, new_nonce, sealed
from sync.relay.receiving import LONG_SECONDS, has_room
from sync.relay.scribes import scribe_of
from sync.relay.settling import missing
from sync.relay.taking import files_of

FOLDER = "tulliana-relay"
GIVEN = "given"
SUFFIX = ".tul"
_BATCH_BYTES = 1024 * 1024


@dataclass(slots=True)
class Written:
    """What was put on a stick: packets and bytes written, those that were there. `full`: it did not all fit."""

    packets: int = 0
    bytes: int = 0
    present: int = 0
    full: bool = False


@dataclass(slots=True)
class Brought:
    """What a stick brought: how many packets were taken, later, carried, left, damaged, refused; and why the last two."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)


def write(answerer: Answerer, peer: Row[Any], stick: Path, *, anew: bool = False) -> Written:
    """Put on a stick what the peer lacks as far as is known, and what is carried for others. What is written is read again.

    Where it does not all fit, the next stick gets the rest; `anew`: a stick was lost, begin from what the peer said it has.
    Raises `Problem` not_found or relay_unreadable.
    """
    scribe_of(answerer, peer.project_id).run()
    done = Written()
    folder = _on_stick(stick, peer.id, answerer.me.node_id)
    given = set() if anew else set(peer.state.get(GIVEN, ()))
    try:
        for name, packet in _packets(answerer, peer):
            if name not in given:
                _put(folder, name, packet, done)
        for path in _carried(answerer):
            target = _on_stick(stick, path.parent.parent.name, path.parent.name)
            _put(target, path.name, path.read_bytes, done)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise
        done.full = True
    os.sync()
    given = {*given, *(path.stem for path in folder.glob(f"*{SUFFIX}"))} if done.full else set()  # the next stick goes on behind
    answerer.store.write(lambda connection: projects.remember(connection, peer.id, {GIVEN: sorted(given)}))
    return done


def bring(answerer: Answerer, stick: Path) -> Brought:
    """Take from a stick all that is for this node, and carry what is for others. Raises `Problem("not_found")` for an empty one.

    Nothing on the stick is changed: it may be brought to others too.
    """
    root = stick / FOLDER
    _forget_old(answerer)
    if not root.is_dir():
        raise Problem("not_found", f"There is no folder {FOLDER} on {stick}.")
    done, later = Brought(), _later(answerer)
    for path in [*sorted(root.glob(f"*/*/*{SUFFIX}"), key=lambda path: path.name), *sorted(later.glob(f"*{SUFFIX}"))]:
        try:
            packet = _read(path)
            sender, receiver = addressed(packet)
        except (OSError, Problem) as error:
            done.counts["damaged"] += 1
            done.reasons.append(f"{path.name}: {error}")
            continue
        if receiver == answerer.me.node_id:
            _hear(answerer, path, packet, later, done)
        elif sender != answerer.me.node_id and (path.parent.parent.name, path.parent.name) == (receiver, sender):
            _carry(answerer, path, packet, done)
    return done


def deliver(answerer: Answerer, peer: Row[Any], call: Callable[[bytes], bytes]) -> int:
    """Hand over what is carried for a peer, now that it is met; how many packets."""
    count = 0
    for path in _carried(answerer):
        if path.parent.parent.name == peer.id:
            packet = path.read_bytes()
            try:
                answer = call(packet)
                if not answer.startswith(MAGIC) or addressed(answer) != (peer.id, addressed(packet)[0]):
                    raise Problem("relay_unreachable", "Something else answers in place of the hub.")
            except Problem as problem:
                if problem.kind.code == "relay_unreachable":
                    raise
            path.unlink(missing_ok=True)
            count += 1
    return count


def _packets(answerer: Answerer, peer: Row[Any]) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """(name, how to make it) of everything for a peer: what we have and lack, then records, then files, small ones first."""
    to = Peer.of(peer.verify_key, peer.seal_key)
    me = answerer.me
    with answerer.store.snapshot() as connection:
        project = projects.relayed(connection, peer.project_id)
        if project is None:
            raise Problem("not_found", "This project is not exchanged.")
        ours = log.channels(connection, peer.project_id)
        have = _what_we_have(answerer, connection, peer, project.key)
    now = datetime.now(UTC)

    def packed(said: dict[str, Any], data: bytes = b"") -> bytes:
        return sealed(me, to, said | {"nonce": new_nonce()}, data, small=True)

    yield f"0-{now:%Y%m%dT%H%M%S%f}", lambda: packed({"type": "have", "at": now.isoformat(), **have})
    if peer.role == projects.HUB:
        channels = [projects.channel(projects.DATA, project.key)]
    else:
        channels = sorted(projects.readable(peer, project.key))
    told, files = peer.state.get("have", {}), _files(answerer, peer)
    for channel in (each for each in channels if each in ours):
        for batch in _batches(answerer, peer, channel, _start(answerer, told.get(channel, []))):
            name = f"1-{_bounds(batch)}"
            yield name, lambda batch=batch: packed({"type": "push", **batch.said()}, batch.data())  # type: ignore[misc]
            if peer.role == projects.HUB:
                files |= {sha256: size for record in batch.records for _, sha256, size in files_of(record)}
    for batch in _given_back(answerer, peer, projects.channel(projects.DATA, project.key)):
        name = f"1-back-{hashlib.sha256(''.join(record.id for record in batch.records).encode()).hexdigest()[:16]}"
        yield name, lambda batch=batch: packed({"type": "push", **batch.said()}, batch.data())  # type: ignore[misc]
    for sha256, size in sorted(files.items(), key=lambda item: item[1]):
        for offset in range(0, max(size, 1), MOST_PIECE):
            yield f"2-{size:015d}-{sha256}-{offset:015d}", lambda at=(sha256, offset, size): _piece(answerer, packed, *at)  # type: ignore[misc]


def _what_we_have(answerer: Answerer, connection: Connection, peer: Row[Any], key: str) -> dict[str, Any]:
    """How far we have read the peer, what we lack of it, and what is here of the station, whichever of both that is."""
    channel = projects.channel(projects.DATA, key)
    wanted = missing(connection, answerer.blobs, peer.id)
    have = {name: texts(log.positions(connection, peer.id, name)) for name in log.read_of(connection, peer.id)}
    groups = comparing.groups(connection, channel, of=peer.id if peer.role == projects.STATION else answerer.me.node_id)
    return {"have": have, "wants": list(wanted.items())[:MOST_WANTS], "groups": groups}


def _given_back(answerer: Answerer, peer: Row[Any], channel: str) -> Iterator[Batch]:
    """What a station once brought and said it has not, or not all of it, by form and day: its database was put back."""
    told = {name: tuple(each) for name, each in peer.state.get("back", {}).items()}
    with answerer.store.snapshot() as connection:
        ours = comparing.groups(connection, channel, of=peer.id) if told else {}
        names = [name for name, each in told.items() if ours.get(name) != each]
        ids = [each for some in comparing.ids(connection, channel, names, of=peer.id).values() for each in some]
    while records := answerer.sender.some(ids[:MOST_AGAIN], of=peer.id, most_bytes=_BATCH_BYTES):
        yield Batch(channel, None, None, records, ())
        done = {record.id for record in records}
        ids = [each for each in ids if each not in done]


def _start(answerer: Answerer, told: list[list[Any]]) -> Place:
    with answerer.store.read() as connection:
        return log.common(connection, [each for each in map(place, told) if each is not None]) or START


def _batches(answerer: Answerer, peer: Row[Any], channel: str, start: Place) -> Iterator[Batch]:
    while (
        batch := answerer.sender.batch(peer.id, channel, start, _BATCH_BYTES, whole=None)
    ) is not None and batch.upto is not None:
        yield batch
        start = batch.upto


def _bounds(batch: Batch) -> str:
    (after, _), (upto, chain) = batch.after or START, batch.upto or START
    return f"{batch.channel.split(':')[0]}-{after:012d}-{upto:012d}-{chain.hex()[:8]}"


def _files(answerer: Answerer, peer: Row[Any]) -> dict[str, int]:
    """The files a peer may lack of what it has read, with their sizes."""
    if peer.role != projects.HUB:  # whatever a station that was stolen asks for
        wanted: dict[str, int] = dict(peer.state.get("wants", []))
        return {sha256: size for sha256, size in wanted.items() if _may_have(answerer, peer, sha256, size)}
    told: list[str] | None = peer.state.get("lacks")
    lacks = None if told is None else set(told)
    with answerer.store.read() as connection:
        kept = connection.execute(select(Attachment.sha256, Attachment.size).where(Attachment.project_id == peer.project_id))
        return {row.sha256: row.size for row in kept if lacks is None or row.sha256[: 2 * BEGINNING] in lacks}


def _may_have(answerer: Answerer, peer: Row[Any], sha256: str, size: int) -> bool:
    """Whether a file that a station asks for is for stations, and as large as it says."""
    try:
        return answerer.sender.may_have(peer, sha256) and answerer.sender.piece(sha256, 0, 0)[1] == size
    except Problem:
        return False  # it is not here itself


def _piece(answerer: Answerer, packed: Callable[[dict[str, Any], bytes], bytes], sha256: str, offset: int, size: int) -> bytes:
    data, _ = answerer.sender.piece(sha256, offset, MOST_PIECE)
    return packed({"type": "put", "sha256": sha256, "offset": offset, "size": size}, data)


def _put(folder: Path, name: str, make: Callable[[], bytes], done: Written) -> None:
    """Write one packet unless it is there, and read it again."""
    path = folder / (name if name.endswith(SUFFIX) else name + SUFFIX)
    if path.exists():
        done.present += 1
        return
    try:
        packet = make()
    except Problem as problem:
        if problem.kind.code != "not_found":
            raise
        return  # a file that is not here itself
    part = path.with_suffix(".part")
    try:
        part.unlink(missing_ok=True)  # of a stick that was pulled out, or a link to somewhere else
        with part.open("xb") as file:
            file.write(packet)
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if part.read_bytes() != packet:
            raise Problem("relay_unreadable", f"{path} is not what was written: this stick is broken.", hint="Take another stick.")
        part.rename(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(folder)
    done.packets += 1
    done.bytes += len(packet)


def _read(path: Path) -> bytes:
    """What is in a file of a stick, which may be anybody's: links and pipes in it lead nowhere."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Problem("relay_unreadable", "It is no file.")
        packet = file.read(MOST_PACKET + 1)
    if len(packet) > MOST_PACKET:
        raise Problem("relay_unreadable", "It is larger than a packet may be.")
    return packet


def _hear(answerer: Answerer, path: Path, packet: bytes, later: Path, done: Brought) -> None:
    """Take one packet; a piece of a file whose record has not come is kept until it has."""
    try:
        said = answerer.hear(packet)
    except Problem as problem:
        if problem.kind.status >= 500:
            raise
        said = {"error": problem.kind.code, "detail": problem.detail}
    if said.get("later"):
        if path.parent != later and has_room(answerer.folder, len(packet)):
            write_file(later / f"{path.parent.name}-{path.name}", packet)
        done.counts["later"] += 1
        return
    error = said.get("error")
    if error in {"busy", "disk_full"}:
        raise Problem(str(error), str(said.get("detail", "")))
    done.counts["taken" if error is None else "refused" if error == "relay_refused" else "damaged"] += 1
    if error is not None:
        done.reasons.append(f"{path.name}: {said.get('detail', error)}")
    if path.parent == later:
        path.unlink(missing_ok=True)


def _carry(answerer: Answerer, path: Path, packet: bytes, done: Brought) -> None:
    target = _made(answerer.folder / "carried" / path.parent.parent.name / path.parent.name) / path.name
    if not target.exists() and has_room(answerer.folder, len(packet)):
        write_file(target, packet)
    done.counts["carried" if target.exists() else "left"] += 1


def _forget_old(answerer: Answerer) -> None:
    """Take away what was carried, or waits for its record, for very long: who wrote it has it still."""
    for path in [*_carried(answerer), *_later(answerer).glob(f"*{SUFFIX}")]:
        if path.stat().st_mtime < time.time() - LONG_SECONDS:
            path.unlink(missing_ok=True)


def _carried(answerer: Answerer) -> list[Path]:
    return sorted((answerer.folder / "carried").glob(f"*/*/*{SUFFIX}"))


def _later(answerer: Answerer) -> Path:
    return _made(answerer.folder / "later")


def _on_stick(stick: Path, *names: str) -> Path:
    """A folder of packets on a stick. Raises `Problem("relay_unreadable")` where a link leads away from it."""
    folder = _made(stick / FOLDER / Path(*names))
    if not folder.resolve().is_relative_to(stick.resolve()):
        raise Problem("relay_unreadable", f"{folder} leads away from the stick.", hint="Take another stick.")
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
