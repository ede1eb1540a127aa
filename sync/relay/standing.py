"""How things stand with each peer, in numbers that are counted: what is here, what is there, what is on its way."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from forms.datatypes import instant
from forms.problems import Problem
from records.access import Access, Right
from records.blobs import BlobStore
from records.models import Attachment, Feed, KeptAside, RelayProject, RelayRecord, Submission
from sync.relay import comparing, enrolment, projects
from sync.relay.answering import Answerer
from sync.relay.batch import place
from sync.relay.scribe import SUBMISSION
from sync.relay.settling import missing, why_waiting

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_TOLD = timedelta(days=30)  # so long it is told that data were put back


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer as people see it. `records` it brought, or has of ours; `files` and `bytes` are what is still on its way.

    `clock`: seconds its clock was ahead of ours. `seconds`: how long the rest takes at the rate of the last meeting; None: unknown.
    `regressed`: within a month it was seen that its data were put back to an earlier state, or copied. `asked`: it has not answered
    yet whether it lets this node in; `refused`: why it did not, by the names of `enrolment.REFUSALS`.
    """

    id: str
    name: str
    role: str
    met_at: datetime | None
    revoked_at: datetime | None
    records: int
    files: int
    bytes: int
    clock: float
    seconds: float | None
    regressed: bool
    shares: tuple[str, ...] = ()
    asked: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A project in the relay: `here` reports in all, `there` of them proved to be at the hub; None where it has none.

    `safe`: at the last meeting all was compared and is there, files too, and nothing came since. `aside`: what was kept aside here
    and goes nowhere until a person settles it.
    """

    here: int
    there: int | None
    safe: bool
    peers: list[Peer]
    waiting: dict[str, int]
    aside: int


def standing(answerer: Answerer, access: Access) -> Standing:
    """How things stand for a project. Raises `Problem("not_allowed")`."""
    access.require(Right.SEE)
    project_id = access.project_id
    with answerer.store.snapshot() as connection:
        project = projects.relayed(connection, project_id)
        rows = projects.nodes(connection, project_id)
        here = connection.execute(select(func.count()).select_from(Submission).where(*access.visible())).scalar_one()
        waiting = why_waiting(connection, access)
        peers = [_peer(connection, answerer.blobs, row) for row in rows]
        hub = next((row for row in rows if project is not None and row.id == project.hub), None)
        there = None if hub is None or project is None else _there(connection, hub, projects.channel(projects.DATA, project.key))
        mine = 0 if there is None else _written(connection, project_id, answerer.me.node_id)
        new, aside = unsigned(connection, project_id), kept_aside(connection, project_id)
    safe = bool(hub is not None and hub.state.get("safe") and there == mine and not aside and not new)
    return Standing(here, there, safe, peers, waiting, aside)


def unsigned(connection: Connection, project_id: int) -> int:
    """How many submissions and files arrived that are not yet in the log."""
    begun = select(RelayProject.authored_to).filter_by(project_id=project_id).scalar_subquery()
    arrived = select(func.count()).where(Feed.project_id == project_id, Feed.position > begun)
    return connection.execute(arrived.where(Feed.kind.in_(["submission", "attachment"]))).scalar_one()


def kept_aside(connection: Connection, project_id: int) -> int:
    """How much was kept aside here, since nobody could say what it is, and waits for a person: it goes nowhere until then."""
    waiting = select(func.count()).select_from(KeptAside).where(KeptAside.project_id == project_id, KeptAside.settled_at.is_(None))
    return connection.execute(waiting).scalar_one()


@dataclass(frozen=True, slots=True)
class Compared:
    """The records of one form and day: how many are here and there (None: not compared yet), their digest here, and the ids of
    those that only one side has.
    """

    form_id: str
    day: str
    here: int
    there: int | None
    digest: str
    only_here: tuple[str, ...] = ()
    only_there: tuple[str, ...] = ()


def compared(answerer: Answerer, access: Access, node_id: str) -> tuple[Row[Any], list[Compared]]:
    """A hub or a station, and what the last meeting with it found out, form by form and day by day, the newest days first.

    Raises `Problem` not_found or not_allowed.
    """
    access.require(Right.SEE)
    with answerer.store.snapshot() as connection:
        project = projects.relayed(connection, access.project_id)
        row = next((each for each in projects.nodes(connection, access.project_id) if each.id == node_id), None)
        if project is None or row is None:
            raise Problem("not_found", f"There is no node {node_id}.")
        writer = answerer.me.node_id if row.role == projects.HUB else row.id
        channel = projects.channel(projects.DATA, project.key)
        groups = comparing.groups(connection, channel, of=writer)
        compared_then = groups
        if row.role == projects.HUB:  # what was written down since is not there
            compared_then = comparing.groups(connection, channel, of=writer, upto=_reached(row, channel))
    other = {each["group"]: each for each in row.state.get("differing", ())}
    is_known = row.state.get("same") is not None
    found = []
    for name in sorted(groups.keys() | other.keys(), key=lambda name: (name.rsplit(" ", 1)[-1], name), reverse=True):
        form_id, day = name.rsplit(" ", 1)
        here, digest = groups.get(name, (0, ""))
        difference = other.get(name)
        there = difference["there"] if difference else compared_then.get(name, (0, ""))[0] if is_known else None
        only = (tuple(difference["only_here"]), tuple(difference["only_there"])) if difference else ((), ())
        found.append(Compared(form_id, day, here, there, digest, *only))
    return row, found


def _peer(connection: Connection, blobs: BlobStore, row: Row[Any]) -> Peer:
    state = row.state
    if row.role in {projects.HUB, projects.RANGE}:
        files, size = _unsent(connection, row) if row.role == projects.HUB else (0, 0)
        records = 0
    else:
        wanted = missing(connection, blobs, row.id)
        files, size = len(wanted), sum(wanted.values())
        of_peer = select(func.count()).where(RelayRecord.via == row.id, RelayRecord.kind == SUBMISSION)
        records = connection.execute(of_peer).scalar_one()
    rate = float(state.get("rate") or 0)
    return Peer(
        row.id,
        row.name,
        row.role,
        row.met_at,
        row.revoked_at,
        records,
        files,
        size,
        float(state.get("clock") or 0),
        size / rate if rate and size else (0.0 if not size else None),
        datetime.now(UTC) - (instant(state.get("regressed_at", "")) or _LONG_AGO) < _TOLD,
        tuple(state.get("shares", ())),
        enrolment.asked(row) is not None,
        str(state.get("refused") or ""),
    )


def _unsent(connection: Connection, hub: Row[Any]) -> tuple[int, int]:
    """How many files, and bytes, the hub lacked when it was met last, and have come since."""
    pending = hub.state.get("pending") or {}
    file = Attachment
    query = select(func.count(), func.coalesce(func.sum(file.size), 0)).where(file.project_id == hub.project_id)
    came, size = connection.execute(query if hub.met_at is None else query.where(file.received_at > hub.met_at)).one()
    return int(pending.get("files", 0)) + came, int(pending.get("bytes", 0)) + int(size)


def _there(connection: Connection, hub: Row[Any], channel: str) -> int:
    """How many of our submissions the hub said it has read."""
    row = RelayRecord
    query = select(func.count()).where(row.channel == channel, row.kind == SUBMISSION, row.seq <= _reached(hub, channel))
    return connection.execute(query).scalar_one()


def _reached(hub: Row[Any], channel: str) -> int:
    """How far the hub has read this channel, as it said."""
    return max((at[0] for at in map(place, hub.state.get("have", {}).get(channel, [])) if at is not None), default=0)


def _written(connection: Connection, project_id: int, me: str) -> int:
    row = RelayRecord
    query = select(func.count()).where(row.project_id == project_id, row.origin == me, row.kind == SUBMISSION)
    return connection.execute(query).scalar_one()
