"""The log of a node: all its signed records in the order they came, and how far it has read the logs of others.

The number of a record in a log is never its identity: a database that is put back gives numbers a second time. So a place in a log
is a number and the chain there, and places of another history match nothing.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, text, update

from records.models import RelayFile, RelayPosition, RelayProject, RelayRecord
from sync.relay.batch import START, Place, Record

MOST_POSITIONS = 32
"""So many places are remembered of each channel of a peer: old ones only save sending again what is here."""
HOLLOW = "hollow"
"""A record waits for its body, which the sender had no more."""
_LOCK = text("SELECT pg_advisory_xact_lock(1919249505)")  # "rela"
_IDS_AT_ONCE = 500
_COLUMNS = RelayRecord.__table__.columns


@dataclass(frozen=True, slots=True)
class Entry:
    """A record on its way into the log. `body` is sealed already; the others as in the table."""

    record: Record
    project_id: int
    via: str | None = None
    sha256: str = ""
    body: bytes | None = None
    files: Sequence[Sequence[Any]] = ()
    waiting: str | None = None


def lock(connection: Connection) -> None:
    """Until the end of the work, nobody else appends: a reader must never pass by a number that is committed later."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)


def last(connection: Connection) -> Place:
    """The newest place in the log."""
    row = connection.execute(select(RelayRecord.seq, RelayRecord.chain).order_by(RelayRecord.seq.desc()).limit(1)).first()
    return START if row is None else (row.seq, row.chain)


def held(connection: Connection, ids: Collection[str], *, whole: bool = False) -> set[str]:
    """Which of these records are here; `whole`: with the bodies they should have."""
    wanted, found = sorted(set(ids)), set[str]()
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        query = select(RelayRecord.id).where(RelayRecord.id.in_(wanted[start : start + _IDS_AT_ONCE]))
        if whole:
            query = query.where(RelayRecord.waiting.is_distinct_from(HOLLOW))
        found.update(connection.execute(query).scalars())
    return found


def append(connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
    """Add those of these records that are not here behind all others, under the `lock`; which these were."""
    lock(connection)
    present = held(connection, [entry.record.id for entry in entries])
    fresh = list({entry.record.id: entry for entry in entries if entry.record.id not in present}.values())
    seq, chain = last(connection)
    rows = []
    for entry in fresh:
        seq, chain = seq + 1, after(chain, entry.record.id)
        about = entry.record.about
        rows.append(
            {
                "id": entry.record.id,
                "seq": seq,
                "chain": chain,
                "channel": about["c"],
                "kind": about["k"],
                "origin": about["n"],
                "via": entry.via,
                "project_id": entry.project_id,
                "form_id": about["f"],
                "instance_id": about["i"],
                "sha256": entry.sha256,
                "header": entry.record.header,
                "signature": entry.record.signature,
                "body": entry.body,
                "files": list(entry.files),
                "waiting": entry.waiting,
            }
        )
    if rows:
        connection.execute(insert(RelayRecord), rows)
    return fresh


def after(chain: bytes, record_id: str) -> bytes:
    """The chain behind the next record: the digest of all ids so far, in order."""
    return hashlib.sha256(chain + bytes.fromhex(record_id)).digest()[: len(START[1])]


def common(connection: Connection, offered: Sequence[Place]) -> Place | None:
    """The furthest of these places that our own log passed through; None if it did not pass through any."""
    numbers = {seq for seq, _ in offered}
    rows = connection.execute(select(RelayRecord.seq, RelayRecord.chain).where(RelayRecord.seq.in_(numbers)))
    ours = {(row.seq, row.chain) for row in rows} | {START}
    return max((each for each in offered if each in ours), default=None)


def listed(connection: Connection, channel: str, behind: Place, *, most: int) -> Sequence[Any]:
    """The rows of a channel behind a place, in order."""
    query = select(*_COLUMNS).where(RelayRecord.channel == channel, RelayRecord.seq > behind[0])
    return connection.execute(query.order_by(RelayRecord.seq).limit(most)).all()


def channels(connection: Connection, project_id: int) -> dict[str, Place]:
    """The channels of a project in the log, each with its newest place."""
    newest = select(func.max(RelayRecord.seq)).filter_by(project_id=project_id).group_by(RelayRecord.channel)
    rows = connection.execute(select(RelayRecord.channel, RelayRecord.seq, RelayRecord.chain).where(RelayRecord.seq.in_(newest)))
    return {row.channel: (row.seq, row.chain) for row in rows}


def begin_anew(connection: Connection, project_id: int, known: Collection[str]) -> None:
    """Forget the log of a project if others than these wrote in it, as this node under a key that was lost, or a hub that was left:
    the scribe writes it again under today's, and what came from others is got again.
    """
    others = select(RelayRecord.id).where(RelayRecord.project_id == project_id, RelayRecord.origin.not_in(known))
    if connection.execute(others.limit(1)).first() is not None:
        forget(connection, project_id)


def forget(connection: Connection, project_id: int) -> None:
    """Forget the log of a project, and how far others were read; from its first arrival on it is written again."""
    row = RelayRecord
    of_project = select(row.id).where(row.project_id == project_id)
    connection.execute(delete(RelayFile).where(RelayFile.record_id.in_(of_project)))
    channels = select(row.channel).where(row.project_id == project_id)
    connection.execute(delete(RelayPosition).where(RelayPosition.channel.in_(channels)))
    connection.execute(delete(row).where(row.project_id == project_id))
    connection.execute(update(RelayProject).filter_by(project_id=project_id).values(authored_to=0))


def positions(connection: Connection, peer: str, channel: str, *, most: int = MOST_POSITIONS) -> list[Place]:
    """How far a channel of a peer was read, the newest first."""
    row = RelayPosition
    query = select(row.seq, row.chain).filter_by(peer=peer, channel=channel, after=None).order_by(row.id.desc())
    return [(seq, chain) for seq, chain in connection.execute(query.limit(most))]


def read_of(connection: Connection, peer: str) -> list[str]:
    """The channels of a peer that were read."""
    return sorted(connection.execute(select(RelayPosition.channel).filter_by(peer=peer).distinct()).scalars())


def read_up_to(connection: Connection, peer: str, channel: str, behind: Place, upto: Place) -> Place | None:
    """Remember that everything a peer lists behind one place up to another is here. Returns how far it is known without a gap.

    What comes behind a gap is remembered apart until the gap is filled.
    """
    row, of_channel = RelayPosition, {"peer": peer, "channel": channel}
    known = [START, *positions(connection, peer, channel)]
    if behind not in known:
        same = and_(row.seq == upto[0], row.chain == upto[1], row.after == behind[0], row.after_chain == behind[1])
        if upto not in known and connection.execute(select(row.id).filter_by(**of_channel).where(same)).first() is None:
            gap = {"after": behind[0], "after_chain": behind[1]}
            connection.execute(insert(row).values(**of_channel, seq=upto[0], chain=upto[1], **gap))
        return known[1] if len(known) > 1 else None
    reached = upto
    while island := _island(connection, of_channel, reached):
        connection.execute(delete(row).filter_by(id=island.id))
        reached = max(reached, (island.seq, island.chain))
    connection.execute(delete(row).filter_by(**of_channel, seq=reached[0], chain=reached[1], after=None))
    connection.execute(insert(row).values(**of_channel, seq=reached[0], chain=reached[1]))
    _thin(connection, of_channel)
    return reached


def _island(connection: Connection, of_channel: dict[str, str], at: Place) -> Any:
    """What was read behind this place before it was reached."""
    row = RelayPosition
    return connection.execute(
        select(row.id, row.seq, row.chain).filter_by(**of_channel, after=at[0], after_chain=at[1]).order_by(row.seq.desc()).limit(1)
    ).first()


def _thin(connection: Connection, of_channel: dict[str, str]) -> None:
    """Forget old places: the newest third stay, of the others every second one."""
    row = RelayPosition
    query = select(row.id).filter_by(**of_channel, after=None).order_by(row.id.desc())
    ids = list(connection.execute(query).scalars())
    if len(ids) > MOST_POSITIONS:
        connection.execute(delete(row).where(or_(*(row.id == each for each in ids[MOST_POSITIONS // 3 :: 2]))))
