"""Settling: what came from a peer becomes part of what people see here, one record at a time, each by the way it has here anyway.

It can be cut off and run again at any moment. What cannot be settled yet, because a form is unknown or a file missing, waits and
says why; it is tried again, and never refused.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from traceback import format_tb
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, literal, select, tuple_, update

from forms.datatypes import instant
from forms.problems import Problem
from records.access import Access, Right
from records.blobs import BlobStore
from records.file_kinds import HEAD_BYTES, kind_of
from records.models import Feed, FormVersion, RelayFile, RelayNode, RelayRecord, ReviewEvent, SubmissionVersion
from records.orphans import remove_files
from records.personal import open_xml
from records.store import Store
from sync.delivery import Delivery, ReceivedFile, file_name
from sync.intake import Intake
from sync.relay import decisions, definitions, projects, sharing
from sync.relay.downward import ENTITY, FORM, FORM_STATE, NODE
from sync.relay.identity import Identity
from sync.relay.log import HOLLOW
from sync.relay.scribe import ERASURE, FILES, REVIEW, SUBMISSION
from sync.relay.sharing import RELEASE
from sync.relay.taking import NEW
from sync.relay.upward import parts_of
from sync.relay.waits import Waits

ASKED = "asked"
"""It waits for a person: a station asks for an erasure."""
_AT_ONCE = 200
_THREADS = 4  # so that a commit serves several
_log = logging.getLogger(__name__)


class Settler:
    """Settles what waits. One at a time in all processes (the leader's)."""

    def __init__(self, store: Store, blobs: BlobStore, intake: Intake, me: Identity) -> None:
        self.store, self.blobs, self.intake, self.me = store, blobs, intake, me
        self._names: dict[str, str] = {}
        self._clocks: dict[str, timedelta] = {}
        self._ways: dict[str, Callable[[Row[Any], bytes], None]] = {
            SUBMISSION: self._submission,
            FILES: self._files,
            REVIEW: lambda row, body: decisions.replay(self.store, row, body, self._name(row), self.me.node_id),
            ERASURE: self._erasure,
            FORM: lambda row, body: definitions.form(self.store, self.blobs, row, body, self._name(row)),
            FORM_STATE: lambda row, body: definitions.state(self.store, row, body),
            ENTITY: lambda row, body: definitions.entity(self.store, row, body, self._name(row)),
            RELEASE: lambda row, body: sharing.settle(self.store, self.blobs, row, body),
            NODE: lambda *_: None,  # it is enough to have it in the log
        }

    def run(self) -> int:
        """Settle everything that can be settled; how many records and files."""
        done, reached = 0, 0
        self._clocks.clear()
        while rows := self._waiting(reached):
            reached = rows[-1].seq
            plain = [row for row in rows if row.kind == SUBMISSION]
            with ThreadPoolExecutor(_THREADS, "settling") as pool:
                reasons = list(pool.map(self._settle, plain))
            self._tell_again([row for row, reason in zip(plain, reasons, strict=True) if reason is None])
            done += self._write_down(plain, reasons)
            for row in rows:  # in order, since one may build on another
                if row.kind != SUBMISSION:
                    done += self._write_down([row], [self._settle(row)])
        decisions.pass_over(self.store, self.me.node_id)
        return done + self._attach_what_came()

    def waits(self) -> bool:
        """Whether there is anything that nobody has tried to settle."""
        with self.store.read() as connection:
            query = select(RelayRecord.seq).filter_by(waiting=NEW).limit(1)
            return connection.execute(query).first() is not None

    def _waiting(self, reached: int) -> Sequence[Row[Any]]:
        row = RelayRecord
        with self.store.read() as connection:
            query = select(*row.__table__.columns).where(row.waiting.is_not(None), row.waiting.not_in([HOLLOW, ASKED]))
            return connection.execute(query.where(row.seq > reached).order_by(row.seq).limit(_AT_ONCE)).all()

    def _write_down(self, rows: Sequence[Row[Any]], reasons: Sequence[str | None]) -> int:
        """Write down of each why it waits now (None: it is settled), unless somebody else settled it; how many are settled."""
        changes = [
            update(RelayRecord)
            .filter_by(id=row.id, waiting=row.waiting)
            .values({"waiting": reason} | ({"body": None} if reason is None and row.kind == SUBMISSION else {}))
            for row, reason in zip(rows, reasons, strict=True)
            if reason != row.waiting
        ]

        def work(connection: Connection) -> None:
            for change in changes:
                connection.execute(change)

        if changes:
            self.store.write(work)
        return sum(reason is None for reason in reasons)

    def _settle(self, row: Row[Any]) -> str | None:
        """Settle one record; why it still waits, if it does."""
        way = self._ways.get(row.kind)
        try:
            if way is None:
                raise Waits("kind")
            way(row, self._body(row))
        except Waits as reason:
            return str(reason)
        except Problem as problem:
            if problem.kind.status >= 500 and problem.kind.code != "seal_broken":  # the disk is full, say: later
                raise
            return problem.kind.code
        except Exception as error:
            if row.waiting != "failed":  # once, and without words of the record
                where = "".join(format_tb(error.__traceback__))
                _log.error("The record %s of another node could not be settled: %s\n%s", row.id, type(error).__name__, where)
            return "failed"
        return None

    def _body(self, row: Row[Any]) -> bytes:
        if row.body is None:
            raise Waits(HOLLOW)
        return self.store.vault.open(row.body, "relay", row.id)

    def _name(self, row: Row[Any]) -> str:
        """How people call the node that wrote a record."""
        if row.origin not in self._names:
            with self.store.read() as connection:
                name = connection.execute(select(RelayNode.name).filter_by(id=row.origin)).scalar()
                if row.origin == self.me.node_id:  # ours, that a peer gave back: as the hub calls us
                    of_hub = select(RelayNode.state).filter_by(project_id=row.project_id, role=projects.HUB)
                    name = (connection.execute(of_hub).scalar() or {}).get("called")
            self._names[row.origin] = name or row.origin
        return self._names[row.origin]

    def _submission(self, row: Row[Any], body: bytes) -> None:
        xml, _ = parts_of(body)
        about = decisions.header(row)
        key = {"project_id": row.project_id, "form_id": row.form_id, "instance_id": row.instance_id}
        if about.get("x"):  # it was emptied there; if it is here whole, it stays so until its day has come here
            with self.store.read() as connection:
                if connection.execute(select(SubmissionVersion.sha256).filter_by(**key, sha256=about["x"])).first() is not None:
                    return
        self._submit(row, xml)

    def _submit(self, row: Row[Any], xml: bytes) -> None:
        try:
            self.intake.schemas.get(row.project_id, row.form_id, "")
        except Problem as problem:
            if problem.kind.code == "form_unknown":
                raise Waits("form") from None
            raise
        self._deliver(row, xml, self._here(row.id) if row.files else [])

    def _tell_again(self, rows: Sequence[Row[Any]]) -> None:
        """A node that brings what was decided about or erased here is to know it too: what was told before did not go to it."""
        version, event, keys = SubmissionVersion, ReviewEvent, {(row.project_id, row.form_id, row.instance_id) for row in rows}
        brought = tuple_(version.project_id, version.form_id, version.instance_id).in_(keys)
        of_record = and_(
            event.project_id == version.project_id, event.form_id == version.form_id, event.instance_id == version.root_id
        )
        record = (version.project_id, version.form_id, version.root_id.label("instance_id"))
        erased = select(literal("erasure").label("kind"), *record, version.sha256).where(brought, version.erased_at.is_not(None))
        done = select(literal("review").label("kind"), *record, literal("").label("sha256"), event.id.label("event_id"))
        done = done.join(event, of_record).where(brought).distinct().order_by(event.id)
        with self.store.read() as connection:
            entries = [dict(row) for row in connection.execute(done).mappings()]
            entries += [{**row, "event_id": None} for row in connection.execute(erased).mappings()]
        if entries:
            self.store.write(lambda connection: connection.execute(insert(Feed), entries))

    def _files(self, row: Row[Any], body: bytes) -> None:
        if self._xml(row) is None:
            raise Waits("original")

    def _erasure(self, row: Row[Any], body: bytes) -> None:
        with self.store.read() as connection:
            role = connection.execute(select(RelayNode.role).filter_by(id=row.origin)).scalar()
        if role != projects.HUB and row.origin != self.me.node_id:
            if self._came_erased(row, body):
                decisions.erase(self.store, self.blobs, self.intake, row, body, self.me.node_id)
                return
            decisions.hide(self.store, row, self._name(row))
            raise Waits(ASKED)
        decisions.erase(self.store, self.blobs, self.intake, row, body, self.me.node_id)

    def _came_erased(self, row: Row[Any], left: bytes) -> bool:
        """Whether a record was erased before it came, so that nobody here had more of it than is left; which is here then."""
        key = {"project_id": row.project_id, "form_id": row.form_id, "instance_id": row.instance_id}
        brought = select(RelayRecord.id).filter_by(**key, kind=SUBMISSION, origin=row.origin, waiting=HOLLOW)
        with self.store.read() as connection:
            here = connection.execute(select(*SubmissionVersion.__table__.columns).filter_by(**key)).all()
            is_hollow = connection.execute(brought).first() is not None
        if here or not is_hollow:
            return bool(here) and all(open_xml(self.store.vault, version) == left for version in here)
        self._submit(row, left)
        return True

    def accept_erasure(self, access: Access, record_id: str) -> None:
        """Erase here what a station erased. Raises `Problem` not_found or not_allowed."""
        access.require(Right.CONTACT)
        with self.store.read() as connection:
            row = connection.execute(
                select(*RelayRecord.__table__.columns).filter_by(id=record_id, waiting=ASKED, project_id=access.project_id)
            ).first()
        if row is None:
            raise Problem("not_found", f"No erasure {record_id} waits.")
        decisions.erase(self.store, self.blobs, self.intake, row, self._body(row), self.me.node_id, is_agreed=True)
        decisions.show(self.store, row)
        self.store.write(lambda connection: connection.execute(update(RelayRecord).filter_by(id=row.id).values(waiting=None)))

    def _attach_what_came(self) -> int:
        """Give records the files that came after them; how many files."""
        with self.store.read() as connection:
            wanted = connection.execute(
                select(RelayFile.id, RelayFile.sha256, RelayFile.record_id)
                .join(RelayRecord, RelayRecord.id == RelayFile.record_id)
                .where(RelayRecord.waiting.is_(None), RelayRecord.kind.in_([SUBMISSION, FILES]))
            ).all()
        records = dict.fromkeys(row.record_id for row in wanted if self.blobs.has(row.sha256))
        return sum(self._attach(record_id) for record_id in records)

    def _attach(self, record_id: str) -> int:
        """Give one record its files; where that fails, it must not stop the others, and is tried again."""
        try:
            return self._attach_one(record_id)
        except Problem as problem:
            if problem.kind.status >= 500:  # the disk is full, say: later
                raise
            _log.error("The files of the record %s of another node could not be taken: %s", record_id, problem)
        except Exception:
            _log.exception("The files of the record %s of another node could not be taken", record_id)
        return 0

    def _attach_one(self, record_id: str) -> int:
        with self.store.read() as connection:
            row = connection.execute(select(*RelayRecord.__table__.columns).filter_by(id=record_id)).one()
        files, xml = self._here(record_id), self._xml(row)
        if xml is None or not files:
            return 0
        self._deliver(row, xml, files)
        return len(files)

    def _xml(self, row: Row[Any]) -> bytes | None:
        """The submission that a record is about, as it is here."""
        key = {"project_id": row.project_id, "form_id": row.form_id, "instance_id": row.instance_id}
        query = select(*SubmissionVersion.__table__.columns).filter_by(**key).order_by(SubmissionVersion.received_at)
        with self.store.read() as connection:
            versions = connection.execute(query).all()
        mine = [version for version in versions if version.sha256 == row.sha256] or versions
        return open_xml(self.store.vault, mine[0]) if mine else None

    def _here(self, record_id: str) -> list[Row[Any]]:
        """The files that a record waits for and that are here now."""
        with self.store.read() as connection:
            rows = connection.execute(select(*RelayFile.__table__.columns).filter_by(record_id=record_id)).all()
        return [row for row in rows if self.blobs.has(row.sha256)]

    def _deliver(self, row: Row[Any], xml: bytes, files: Sequence[Row[Any]]) -> None:
        """Hand a submission with files to the one intake."""
        about = decisions.header(row)
        told = f"{self._name(row)}, phone {about['u']}" if about.get("u") else self._name(row)
        received = tuple(self._received(file) for file in files)
        device_id, at = str(about.get("d", "")), self._came_there(row, about)
        self.intake.receive(Delivery(row.project_id, xml, received, device_id=device_id, user_agent=told, first_received_at=at))
        taken = delete(RelayFile).where(RelayFile.id.in_([file.id for file in files]))
        if files:
            self.store.write(lambda connection: connection.execute(taken))
            remove_files(self.store, self.blobs, [file.sha256 for file in files])  # those of a record that was erased

    def _came_there(self, row: Row[Any], about: dict[str, Any]) -> datetime | None:
        """When the other node got a submission, by our clock."""
        at = instant(str(about["t"]))
        if row.origin not in self._clocks:
            with self.store.read() as connection:
                state = connection.execute(select(RelayNode.state).filter_by(id=row.origin)).scalar() or {}
            self._clocks[row.origin] = timedelta(seconds=float(state.get("clock") or 0))
        return None if at is None or at.tzinfo is None else at - self._clocks[row.origin]

    def _received(self, file: Row[Any]) -> ReceivedFile:
        with self.blobs.open(file.sha256) as content:
            head = content.read(HEAD_BYTES)
        return ReceivedFile((file_name(file.name),), self.blobs.described(file.sha256), kind_of(head, file.name))


def asked(connection: Connection, access: Access) -> Sequence[Row[str, str, str, str]]:
    """(id, form_id, instance_id, origin) of the erasures of stations that wait for a person. Raises `Problem("not_allowed")`."""
    access.require(Right.CONTACT)
    row = RelayRecord
    query = select(row.id, row.form_id, row.instance_id, row.origin).filter_by(project_id=access.project_id, waiting=ASKED)
    return connection.execute(query.order_by(row.seq)).all()


def why_waiting(connection: Connection, access: Access) -> dict[str, int]:
    """How many records of other nodes wait, by the reason. Raises `Problem("not_allowed")`."""
    access.require(Right.SEE)
    row = RelayRecord
    query = select(row.waiting, func.count()).where(row.project_id == access.project_id, row.waiting.is_not(None))
    return {str(reason): count for reason, count in connection.execute(query.group_by(row.waiting).order_by(row.waiting))}


def missing(connection: Connection, blobs: BlobStore, peer: str | None = None) -> dict[str, int]:
    """The size of each file that is named and not here, from one peer or all, small ones first."""
    query = select(RelayFile.sha256, RelayFile.size).order_by(RelayFile.size, RelayFile.id)
    query = query.where(RelayFile.sha256.not_in(select(FormVersion.sha256)))  # the same form was published here
    rows = connection.execute(query if peer is None else query.where(RelayFile.peer == peer))
    return {row.sha256: row.size for row in rows if not blobs.has(row.sha256)}
