"""The relay by stick: the packets that would go by line are files, one by one written, synced and named when whole.

Files lie in `tulliana-relay/<to>/<from>/`, named after what they hold, so that what is there, and right, is not written again; none
has more than 16 MB. They may be brought in any order, any number of times, and the stick may be pulled out at any moment: what is
whole counts. Who only carries them, another station say, can neither read nor change them.
"""

import hashlib
import os
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from forms.problems import Problem
from records.durable import write_file
from records.models import Attachment
from sync.relay import comparing, enrolment, log, projects, stick_files
from sync.relay.answering import BEGINNING, MOST_AGAIN, MOST_PIECE, MOST_WANTS, Answerer
from sync.relay.batch import START, Batch, Place, place, texts
from sync.relay.messages import MAGIC, Peer, addressed, is_heading_of, is_whole, new_nonce, sealed
from sync.relay.receiving import has_room, is_old
from sync.relay.scribes import scribe_of
from sync.relay.settling import missing
from sync.relay.stick_files import SUFFIX, Full
from sync.relay.taking import files_of

GIVEN = "given"
_ASK, _HAVE, _RECORDS, _FILE = "0", "1", "2", "3"
"""How names begin, in the order in which packets are taken."""
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
    """What a stick brought: how many packets were taken, later, carried, left, damaged, refused, and why the last two; and the
    names of stations that joined by it.
    """

    counts: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)


def write(answerer: Answerer, peer: Row[Any], stick: Path, *, anew: bool = False) -> Written:
    """Put on a stick what the peer lacks as far as is known, in place of what it lacked before. What is written is read again.

    Where it does not all fit, the next stick gets the rest; `anew`: a stick was lost, begin from what the peer said it has.
    Raises `Problem` not_found or stick_unusable.
    """
    scribe_of(answerer, peer.project_id).run()
    done, me = Written(), answerer.me
    given = set() if anew else set(peer.state.get(GIVEN, ()))
    lacking = {name for name, _ in _packets(answerer, peer)}
    try:
        folder = stick_files.on_stick(stick, peer.id, me.node_id)
        for path in _named(folder):
            if path.stem not in lacking and path.stem[:1] != _HAVE:
                _take_away(path)
        before = _named(folder, _HAVE)
        for name, make in _packets(answerer, peer):
            if name not in given:
                _put(folder / f"{name}{SUFFIX}", make, lambda found: is_whole(found) and is_heading_of(found, me.verify_key), done)
                for path in before:
                    _take_away(path)
                before = []
    except Full:
        done.full = True
    os.sync()
    given = {*given, *(path.stem for path in _named(folder))} if done.full else set()  # the next stick goes on behind
    answerer.store.write(lambda connection: projects.remember(connection, peer.id, {GIVEN: sorted(given)}))
    return done


def hand_on(answerer: Answerer, stick: Path) -> Written:
    """Put on a stick what is carried for others. Raises `Problem("stick_unusable")`."""
    done = Written()
    try:
        for path in _carried(answerer):
            packet = path.read_bytes()
            folder = stick_files.on_stick(stick, path.parent.parent.name, path.parent.name)
            _put(folder / path.name, lambda packet=packet: packet, packet.__eq__, done)  # type: ignore[misc]
    except Full:
        done.full = True
    os.sync()
    return done


def bring(answerer: Answerer, stick: Path) -> Brought:
    """Take from a stick all that is for this node, and carry what is for others.

    Nothing on the stick is changed: it may be brought to others too. Raises `Problem` not_found for one that holds nothing of the
    relay, stick_unusable for one that was taken out; what was read until then is taken.
    """
    _forget_old(answerer)
    done, later = Brought(), _later(answerer)
    for path in [*stick_files.packets(stick), *sorted(later.glob(f"*{SUFFIX}"))]:
        try:
            packet = stick_files.read(path)
            sender, receiver = addressed(packet)
            if not is_whole(packet):
                raise Problem("relay_unreadable", "It was cut or changed on its way.")
        except (OSError, Problem) as error:
            if not stick_files.is_plugged_in(stick):
                raise Problem("stick_unusable", f"{stick} was taken out while it was read. Put it in and read it again.") from error
            done.counts["damaged"] += 1
            done.reasons.append(f"{stick_files.shown(path.name)}: {stick_files.shown(error)}")
            continue
        if receiver == answerer.me.node_id:
            _hear(answerer, path, packet, later, done)
        elif sender != answerer.me.node_id:
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
    """(name, how to make it) of everything for a peer: asking to join, what we have and lack, then records, then files, small ones
    first."""
    to = Peer.of(peer.verify_key, peer.seal_key)
    me = answerer.me
    if asked := enrolment.asked(peer):
        yield f"{_ASK}-{asked['nonce']}", lambda: b64decode(asked["packet"])
    with answerer.store.snapshot() as connection:
        project = projects.relayed(connection, peer.project_id)
        if project is None:
            raise Problem("not_found", "This project is not exchanged.")
        ours = log.channels(connection, peer.project_id)
        have = _what_we_have(answerer, connection, peer, project.key)
    now = datetime.now(UTC)

    def packed(said: dict[str, Any], data: bytes = b"") -> bytes:
        return sealed(me, to, said | {"nonce": new_nonce()}, data, small=True)

    yield f"{_HAVE}-{now:%Y%m%dt%H%M%S%f}", lambda: packed({"type": "have", "at": now.isoformat(), **have})
    if peer.role == projects.HUB:
        channels = [projects.channel(projects.DATA, project.key)]
    else:
        channels = sorted(projects.readable(peer, project.key))
    told, files = peer.state.get("have", {}), _files(answerer, peer)
    for channel in (each for each in channels if each in ours):
        for batch in _batches(answerer, peer, channel, _start(answerer, told.get(channel, []))):
            name = f"{_RECORDS}-{_bounds(batch)}"
            yield name, lambda batch=batch: packed({"type": "push", **batch.said()}, batch.data())  # type: ignore[misc]
            files |= {sha256: size for record in batch.records for _, sha256, size in files_of(record)}
    for batch in _given_back(answerer, peer, projects.channel(projects.DATA, project.key)):
        name = f"{_RECORDS}-back-{hashlib.sha256(''.join(record.id for record in batch.records).encode()).hexdigest()[:16]}"
        yield name, lambda batch=batch: packed({"type": "push", **batch.said()}, batch.data())  # type: ignore[misc]
    for sha256, size in sorted(files.items(), key=lambda item: item[1]):
        for offset in range(0, max(size, 1), MOST_PIECE):
            name = f"{_FILE}-{size:012d}-{sha256[:24]}-{offset:012d}"
            yield name, lambda at=(sha256, offset, size): _piece(answerer, packed, *at)  # type: ignore[misc]


def _what_we_have(answerer: Answerer, connection: Connection, peer: Row[Any], key: str) -> dict[str, Any]:
    """How far we have read the peer, what we lack of it, and what is here of the station, whichever of both that is."""
    channel = projects.channel(projects.DATA, key)
    wanted, own = (missing(connection, answerer.blobs, peer.id, own=own) for own in (False, True))
    have = {name: texts(log.positions(connection, peer.id, name)) for name in log.read_of(connection, peer.id)}
    groups = comparing.groups(connection, channel, of=peer.id if peer.role == projects.STATION else answerer.me.node_id)
    called = enrolment.belongs(connection, peer) if peer.role == projects.STATION else {}
    return {"have": have, "wants": list(wanted.items())[:MOST_WANTS], "groups": groups, "files": len(own), **called}


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


def _put(path: Path, make: Callable[[], bytes], is_right: Callable[[bytes], bool], done: Written) -> None:
    """Write one packet unless it is there and right."""
    if stick_files.is_there(path, is_right):
        done.present += 1
        return
    try:
        packet = make()
    except Problem as problem:
        if problem.kind.code != "not_found":
            raise
        return  # a file that is not here itself
    stick_files.put(path, packet)
    done.packets += 1
    done.bytes += len(packet)


def _named(folder: Path, begin: str = "") -> list[Path]:
    """The packets in a folder of a stick whose names begin so."""
    with stick_files.used(folder):
        return [path for path in folder.glob(f"{begin}*{SUFFIX}") if path.is_symlink() or not path.is_dir()]


def _take_away(path: Path) -> None:
    with stick_files.used(path):
        path.unlink(missing_ok=True)


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
            write_file(later / stick_files.kept_name(path, packet), packet)
        done.counts["later"] += 1
        return
    error = said.get("error")
    if error in {"busy", "disk_full"}:
        raise Problem(str(error), str(said.get("detail", "")))
    done.counts["taken" if error is None else "refused" if error == "relay_refused" else "damaged"] += 1
    if error is not None:
        done.reasons.append(f"{stick_files.shown(path.name)}: {said.get('detail', error)}")
    if joined := said.get("joined"):
        done.joined.append(str(joined))
    if back := said.get("back"):
        _keep(answerer, back, stick_files.kept_name(path, packet))
    if path.parent == later:
        path.unlink(missing_ok=True)


def _carry(answerer: Answerer, path: Path, packet: bytes, done: Brought) -> None:
    is_kept = _keep(answerer, packet, stick_files.kept_name(path, packet))
    done.counts["carried" if is_kept else "left"] += 1


def _keep(answerer: Answerer, packet: bytes, name: str) -> bool:
    """Keep a packet for another node until it is handed on; whether there was room."""
    sender, receiver = addressed(packet)
    target = _made(answerer.folder / "carried" / receiver / sender) / name
    if not target.exists() and has_room(answerer.folder, len(packet)):
        write_file(target, packet)
    return target.exists()


def _forget_old(answerer: Answerer) -> None:
    """Take away what was carried, or waits for its record, for very long: who wrote it has it still."""
    for path in [*_carried(answerer), *_later(answerer).glob(f"*{SUFFIX}")]:
        if is_old(path):
            path.unlink(missing_ok=True)


def _carried(answerer: Answerer) -> list[Path]:
    return sorted((answerer.folder / "carried").glob(f"*/*/*{SUFFIX}"))


def _later(answerer: Answerer) -> Path:
    return _made(answerer.folder / "later")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
