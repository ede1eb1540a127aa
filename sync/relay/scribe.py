"""The scribe: signs what arrived here and puts it into the log, so that peers can read it.

It reads the arrival feed behind the intake, which costs phones nothing, and gives a station that joins after months its past. What
it writes for a hub is in `sync.relay.upward`, what for the stations of a hub in `sync.relay.downward`.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlalchemy import Connection, Row, func, select, text, update

from forms.personal import ERASED
from records.models import Feed, RelayProject, RelayRecord, ReviewEvent, SubmissionVersion
from records.personal import open_xml
from records.reviews import STATES
from records.store import Store
from sync.relay import log
from sync.relay.batch import Record, written
from sync.relay.identity import Identity
from sync.relay.log import Entry

AT_ONCE = 500
SUBMISSION, FILES, REVIEW, ERASURE = "sub", "att", "review", "erase"
DECIDED = {"state", "delete", "restore"}
"""Reviews of which the last one counts; the others only add."""
To = Mapping[str, Collection[tuple[str, str]]]
"""Channels, each with the (instance id, SHA-256) that its reader brought of the record; the hub gets everything: none are named."""
_SETTLED_IN = text("LOCK TABLE feed IN SHARE MODE")


def barrier(store: Store) -> int:
    """A position of the arrival feed before which nothing comes any more: whoever still writes is waited for."""

    def work(connection: Connection) -> int:
        if not store.is_sqlite:
            connection.execute(_SETTLED_IN)
        return connection.execute(select(func.max(Feed.position))).scalar() or 0

    return store.write(work)


def sealed_body(store: Store, record: Record) -> bytes | None:
    """The body of a record as it is kept."""
    return None if record.body is None else store.vault.seal(record.body, "relay", record.id)


@dataclass(slots=True)
class Scribe(ABC):
    """Writes the log of one project."""

    store: Store
    me: Identity
    project_id: int
    key: str
    is_upward: ClassVar[bool] = False

    def run(self) -> int:
        """Write down everything that arrived; how many rows of the feed."""
        if not self.has_work():
            return 0
        upto, done = barrier(self.store), 0
        while written_now := self._step(upto):
            done += written_now
        return done

    def has_work(self) -> bool:
        """Whether anything arrived that is not written down."""
        begun = select(RelayProject.authored_to).filter_by(project_id=self.project_id).scalar_subquery()
        with self.store.read() as connection:
            return connection.execute(select(Feed.position).where(Feed.position > begun).limit(1)).first() is not None

    def _step(self, upto: int) -> int:
        """Write down the next few; 0 when there is nothing more."""
        with self.store.snapshot() as connection:
            begun = connection.execute(select(RelayProject.authored_to).filter_by(project_id=self.project_id)).scalar_one()
            page = connection.execute(
                select(*Feed.__table__.columns)
                .where(Feed.position > begun, Feed.position <= upto)
                .order_by(Feed.position)
                .limit(AT_ONCE)
            ).all()
            entries = list(self.entries(connection, [row for row in page if row.project_id == self.project_id]))
        if not page:
            return 0

        def work(connection: Connection) -> None:
            log.lock(connection)
            progress = update(RelayProject).filter_by(project_id=self.project_id, authored_to=begun)
            if connection.execute(progress.values(authored_to=page[-1].position)).rowcount:
                log.append(connection, entries)

        self.store.write(work)
        return len(page)

    @abstractmethod
    def entries(self, connection: Connection, page: Sequence[Row[Any]]) -> Iterable[Entry]:
        """What is to be told of these rows of the feed."""

    def review(self, connection: Connection, row: Row[Any], to: To) -> Iterator[Entry]:
        """What a person did with a record, for these channels: here or, for stations, at another station that brought it. Who said
        it first is told only that a comment was erased. Told again, it is the same record."""
        event = connection.execute(select(*ReviewEvent.__table__.columns).filter_by(id=row.event_id)).first()
        if event is None or (self.is_upward and "relay" in event.detail):
            return
        name = event.detail.get("relay") or event_name(self.me.node_id, event)
        more = {"a": event.action, "e": name} | ({} if event.state is None else {"s": event.state})
        told = said_of(connection, self.project_id, row.form_id, row.instance_id)
        before = {each.origin: each.about for each in told if more.items() <= each.about.items()}
        if event.action in DECIDED:
            first = before.get(self.me.node_id) or next(filter(is_decision, before.values()), None)
            more["o"] = first["o"] if first else known_before(connection, self.me.node_id, event)
        if "relay" in event.detail and not before:
            return
        detail = {each: said for each, said in event.detail.items() if each != "relay"}
        body = orjson.dumps({"actor": event.actor, "comment": event.comment, "detail": detail, "at": event.at.isoformat()})
        for channel, brought in to.items():
            is_theirs = any(channel.endswith(f":{origin}") for origin in before)
            if not is_theirs or event.comment == ERASED:
                ids = {instance_id for instance_id, _ in brought} or {row.instance_id}
                instance = row.instance_id if row.instance_id in ids else min(ids)
                yield self.written(REVIEW, channel, event.at, body, f=row.form_id, i=instance, **more)

    def erasure(self, connection: Connection, row: Row[Any], to: To) -> Iterator[Entry]:
        """What is left of a record about a person that was erased here, version by version, for these channels; nothing back to
        where it was erased first, nor to who did not bring that version."""
        query = select(*SubmissionVersion.__table__.columns).filter_by(project_id=self.project_id, form_id=row.form_id)
        versions = connection.execute(query.where(SubmissionVersion.root_id == row.instance_id)).all()
        here = {(each.instance_id, each.sha256) for each in versions}
        for each in versions:
            if each.redacted_at is None:  # it came since, and nobody erased it
                continue
            about: dict[str, Any] = {"f": each.form_id, "i": each.instance_id, "x": each.sha256}
            if each.erased_at is None:  # the person wrote it about somebody else: the rest of it stays
                about["w"] = True
            of_version = {"project_id": self.project_id, "form_id": each.form_id, "instance_id": each.instance_id}
            told = select(RelayRecord.channel, RelayRecord.via, RelayRecord.sha256).filter_by(**of_version, kind=ERASURE)
            known = [
                other
                for other in connection.execute(told)
                if other.sha256 == each.sha256 or (each.instance_id, other.sha256) not in here
            ]
            xml, at = open_xml(self.store.vault, each), each.redacted_at or datetime.now(UTC)
            for channel in (channel for channel, brought in to.items() if not brought or _is_among(each, brought, here)):
                if not any(other.channel == channel or (other.via and (self.is_upward or other.via in channel)) for other in known):
                    yield self.written(ERASURE, channel, at, xml, **about)

    def written(self, kind: str, channel: str, at: datetime, body: bytes, **more: Any) -> Entry:
        """A record whose body stays in the log."""
        record = written(self.me, kind, channel, at, body, **more)
        return Entry(
            record, self.project_id, sha256=more.get("x") or hashlib.sha256(body).hexdigest(), body=sealed_body(self.store, record)
        )


def known_before(connection: Connection, node_id: str, event: Row[Any]) -> list[str]:
    """The decisions that whoever took this one could see here: what had come but was not settled yet, nobody saw."""
    of_record = {"project_id": event.project_id, "form_id": event.form_id, "instance_id": event.instance_id}
    query = select(*ReviewEvent.__table__.columns).filter_by(**of_record).where(ReviewEvent.id < event.id)
    alike = query.where(ReviewEvent.action.in_(["state"] if event.action == "state" else DECIDED - {"state"}))
    return sorted(each.detail.get("relay") or event_name(node_id, each) for each in connection.execute(alike))


def unwritten(connection: Connection, node_id: str, record: Mapping[str, Any], told: Iterable[str]) -> list[dict[str, Any]]:
    """Decisions taken here on a record (its key) that are not in the log yet, as their headers will say them."""
    query = select(*ReviewEvent.__table__.columns).filter_by(**record).where(ReviewEvent.action.in_(DECIDED))
    events = {event_name(node_id, each): each for each in connection.execute(query) if "relay" not in each.detail}
    return [
        {"a": each.action, "e": name, "o": known_before(connection, node_id, each)} | ({"s": each.state} if each.state else {})
        for name, each in events.items()
        if name not in set(told)
    ]


def event_name(node_id: str, event: Row[Any]) -> str:
    """By which a review is known on all nodes."""
    text = f"{node_id} {event.id} {event.at.isoformat()} {event.form_id} {event.action}"  # the record may yet become an edit
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_among(version: Row[Any], brought: Collection[tuple[str, str]], here: Collection[tuple[str, str]]) -> bool:
    """Whether a station brought this version; what it brought under another digest may be here without its contacts."""
    key = (version.instance_id, version.sha256)
    return any(each == key or (each[0] == key[0] and each not in here) for each in brought)


class Said(NamedTuple):
    """What a person did with a submission, as it is signed: the id of the signed record, who wrote it, its header and body."""

    id: str
    origin: str
    about: dict[str, Any]
    body: bytes | None


def said_of(connection: Connection, project_id: int, form_id: str, root_id: str) -> list[Said]:
    """What people did with a record (the id of its first version), here and elsewhere, as it was signed."""
    row, of_form = RelayRecord, {"project_id": project_id, "form_id": form_id}
    versions = select(SubmissionVersion.instance_id).filter_by(**of_form, root_id=root_id)
    query = select(row.id, row.origin, row.header, row.body).filter_by(**of_form, kind=REVIEW).where(row.instance_id.in_(versions))
    rows = connection.execute(query.order_by(row.seq))
    return [Said(each.id, each.origin, orjson.loads(each.header), each.body) for each in rows]


def is_decision(about: Mapping[str, Any]) -> bool:
    """Whether a header tells of a decision as this version knows them: one that does not must not keep others from counting."""
    known = STATES if about.get("a") == "state" else DECIDED
    others = about.get("o", [])
    is_named = isinstance(about.get("e"), str) and isinstance(others, list) and all(isinstance(each, str) for each in others)
    return is_named and about.get("a") in DECIDED and (about.get("s") or about["a"]) in known


def heads(reviews: Iterable[Mapping[str, Any]], action: str) -> dict[str, str]:
    """The decisions that no later one knew of: what each decided, by its name. More than one that differ contradict each other."""
    alike = [each for each in reviews if (each["a"] == "state") == (action == "state")]
    known = {name for each in alike for name in each.get("o", ())}
    return {each["e"]: each.get("s") or each["a"] for each in alike if each["e"] not in known}
