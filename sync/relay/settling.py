"""Settling: what came from a peer becomes part of what people see here, each record by the way it has here anyway.

Submissions go through the one intake many at a time, all else one after the other, since one may build on another.

It can be cut off and run again at any moment. What cannot be settled yet, because a form is unknown or a file missing, waits and
says why; it is tried again, and never refused.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from traceback import format_tb
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, literal, select, tuple_, update

from forms.datatypes import instant
from forms.problems import Problem
from records.access import Access, Right
from records.blobs import BlobStore
from records.file_kinds import HEAD_BYTES, kind_of
from records.models import Feed, Form, FormVersion, RelayFile, RelayNode, RelayRecord, ReviewEvent, SubmissionVersion
from records.orphans import remove_files
from records.personal import open_xml
from records.store import Store
from sync.delivery import Delivery, Receipt, ReceivedFile, file_name
from sync.intake import Intake, or_error
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
_CHANGE = update(RelayRecord).where(RelayRecord.id == bindparam("record"), RelayRecord.waiting == bindparam("before"))
_WAITS, _IS_PART = _CHANGE.values(waiting=bindparam("reason")), _CHANGE.values(waiting=None, body=None)
_INSTANCE = (SubmissionVersion.project_id, SubmissionVersion.form_id, SubmissionVersion.instance_id)
_Rows = Sequence[Row[Any]]
_log = logging.getLogger(__name__)


class _Given(NamedTuple):
    """A record, its submission, and its files that are here; the digest of the submission, where it is here already."""

    row: Row[Any]
    xml: bytes
    files: _Rows
    sha256: str = ""


class Settler:
    """Settles what waits. One at a time in all processes (the leader's)."""

    def __init__(self, store: Store, blobs: BlobStore, intake: Intake, me: Identity) -> None:
        self.store, self.blobs, self.intake, self.me = store, blobs, intake, me
        self._names: dict[str, str] = {}
        self._clocks: dict[str, timedelta] = {}
        self._ways: dict[str, Callable[[Row[Any], bytes], None]] = {
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
            reasons = self._submissions(plain)
            self._tell_again([row for row, reason in zip(plain, reasons, strict=True) if reason is None])
            done += self._write_down(plain, reasons)
            for row in rows:
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
        changed = [(row, reason) for row, reason in zip(rows, reasons, strict=True) if reason != row.waiting]
        keys = {row.id: {"record": row.id, "before": row.waiting} for row, _ in changed}
        parts = [keys[row.id] for row, reason in changed if reason is None and row.kind == SUBMISSION]
        others = [keys[row.id] | {"reason": reason} for row, reason in changed if reason or row.kind != SUBMISSION]

        def work(connection: Connection) -> None:
            for change, values in ((_IS_PART, parts), (_WAITS, others)):
                if values:
                    connection.execute(change, values)

        if changed:
            self.store.write(work)
        return sum(reason is None for reason in reasons)

    def _settle(self, row: Row[Any]) -> str | None:
        """Settle one record; why it still waits, if it does."""
        way = self._ways.get(row.kind)
        try:
            if way is None:
                raise Waits("kind")
            way(row, self._body(row))
        except Exception as error:
            return self._why(row, error)
        return None

    def _why(self, row: Row[Any], error: Exception) -> str:
        """Why a record waits that could not be settled. Raises `Problem` when nothing can be: the disk is full, say."""
        if isinstance(error, Waits):
            return str(error)
        if isinstance(error, Problem):
            if error.kind.status >= 500 and error.kind.code != "seal_broken":
                raise error
            return error.kind.code
        if row.waiting != "failed":  # once, and without words of the record
            where = "".join(format_tb(error.__traceback__))
            _log.error("The record %s of another node could not be settled: %s\n%s", row.id, type(error).__name__, where)
        return "failed"

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
                    of_hub = select(RelayNode.state).filter_by(project_id=row.project_id, role=projects.HUB, revoked_at=None)
                    name = (connection.execute(of_hub).scalar() or {}).get("called")
            self._names[row.origin] = name or row.origin
        return self._names[row.origin]

    def _submissions(self, rows: _Rows) -> list[str | None]:
        """Hand submissions to the intake; of each why it still waits, if it does."""
        forms, whole = self._forms(rows), self._whole(rows)
        files = self._here([row.id for row in rows if row.files])
        reasons, given = dict[str, str](), list[_Given]()
        for row in rows:
            try:
                xml, _ = parts_of(self._body(row))
                version = (row.project_id, row.form_id, row.instance_id, hashlib.sha256(xml).hexdigest())
                if version[:2] not in forms:
                    raise Waits("form")
                if _is_emptied(row) and (*version[:3], row.sha256) in whole:
                    continue  # it was emptied there; here it stays whole until its day has come here
                whole.add(version)
                given.append(_Given(row, xml, files.get(row.id, ())))
            except Exception as error:
                reasons[row.id] = self._why(row, error)
        for each, became in zip(given, self._deliver(given), strict=True):
            if isinstance(became, Exception):
                reasons[each.row.id] = self._why(each.row, became)
        return [reasons.get(row.id) for row in rows]

    def _forms(self, rows: _Rows) -> set[tuple[Any, ...]]:
        """Those of their forms, (project id, form id), that are published here."""
        key = (Form.project_id, Form.form_id)
        query = select(*key).where(tuple_(*key).in_({(row.project_id, row.form_id) for row in rows}))
        with self.store.read() as connection:
            return {tuple(row) for row in connection.execute(query)}

    def _whole(self, rows: _Rows) -> set[tuple[Any, ...]]:
        """The keys of versions that are here of what comes emptied."""
        emptied = [(row.project_id, row.form_id, row.instance_id) for row in rows if _is_emptied(row)]
        query = select(*_INSTANCE, SubmissionVersion.sha256).where(tuple_(*_INSTANCE).in_(emptied))
        with self.store.read() as connection:
            return {tuple(row) for row in connection.execute(query)} if emptied else set()

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
            again = decisions.came_whole(connection, brought)
        if entries:
            self.store.write(lambda connection: connection.execute(insert(Feed), entries))
        if again:
            self.store.write(
                lambda connection: connection.execute(update(RelayRecord).where(RelayRecord.id.in_(again)).values(waiting=NEW))
            )

    def _files(self, row: Row[Any], body: bytes) -> None:
        if self._version(row) is None:
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
        records = list(dict.fromkeys(row.record_id for row in wanted if self.blobs.has(row.sha256)))
        return sum(self._attach(records[begin : begin + _AT_ONCE]) for begin in range(0, len(records), _AT_ONCE))

    def _attach(self, record_ids: Sequence[str]) -> int:
        """Give records their files; where that fails for one, it must not stop the others, and is tried again. How many files."""
        query = select(*RelayRecord.__table__.columns).where(RelayRecord.id.in_(record_ids))
        with self.store.read() as connection:
            rows = connection.execute(query.order_by(RelayRecord.seq)).all()
        files, given = self._here(record_ids), list[_Given]()
        for row in rows:
            try:
                if row.id in files and (here := self._version(row)) is not None:
                    given.append(_Given(row, open_xml(self.store.vault, here), files[row.id], here.sha256))
            except Exception as error:
                self._note(row, error)
        became = self._deliver(given)
        for one, each in zip(given, became, strict=True):
            if isinstance(each, Exception):
                self._note(one.row, each)
        return sum(len(one.files) for one, each in zip(given, became, strict=True) if isinstance(each, Receipt))

    def _note(self, row: Row[Any], error: Exception) -> None:
        """Note that the files of a record could not be taken. Raises `Problem` when nothing can be: the disk is full, say."""
        if isinstance(error, Problem) and error.kind.status >= 500:
            raise error
        _log.error("The files of the record %s of another node could not be taken", row.id, exc_info=error)

    def _version(self, row: Row[Any]) -> Row[Any] | None:
        """The version that a record is about."""
        key = {"project_id": row.project_id, "form_id": row.form_id, "instance_id": row.instance_id}
        query = select(*SubmissionVersion.__table__.columns).filter_by(**key).order_by(SubmissionVersion.received_at)
        with self.store.read() as connection:
            versions = connection.execute(query).all()
        mine = [version for version in versions if version.sha256 == row.sha256] or versions
        return mine[0] if mine else None

    def _submit(self, row: Row[Any], xml: bytes) -> None:
        """Hand one submission to the intake."""
        if not self._forms([row]):
            raise Waits("form")
        [became] = self._deliver([_Given(row, xml, self._here([row.id]).get(row.id, ()))])
        if isinstance(became, Exception):
            raise became

    def _here(self, record_ids: Sequence[str]) -> dict[str, list[Row[Any]]]:
        """The files that each of these records waits for and that are here now."""
        found: dict[str, list[Row[Any]]] = defaultdict(list)
        query = select(*RelayFile.__table__.columns).where(RelayFile.record_id.in_(record_ids)).order_by(RelayFile.id)
        with self.store.read() as connection:
            rows = connection.execute(query).all() if record_ids else []
        for row in rows:
            if self.blobs.has(row.sha256):
                found[row.record_id].append(row)
        return found

    def _deliver(self, given: Sequence[_Given]) -> list[Receipt | Exception]:
        """Hand submissions with files to the one intake; of each its receipt, or why it could not be taken."""
        deliveries = [or_error(self._delivery, each) for each in given]
        receipts = iter(self.intake.receive_all([each for each in deliveries if isinstance(each, Delivery)]))
        became = [next(receipts) if isinstance(each, Delivery) else each for each in deliveries]
        taken = [file for one, each in zip(given, became, strict=True) if isinstance(each, Receipt) for file in one.files]
        if taken:
            gone = delete(RelayFile).where(RelayFile.id.in_([file.id for file in taken]))
            self.store.write(lambda connection: connection.execute(gone))
            remove_files(self.store, self.blobs, [file.sha256 for file in taken])  # those of a record that was erased
        return became

    def _delivery(self, given: _Given) -> Delivery:
        row, xml, files, sha256 = given
        about = decisions.header(row)
        told = f"{self._name(row)}, phone {about['u']}" if about.get("u") else self._name(row)
        received = tuple(self._received(file) for file in files)
        device_id, at = str(about.get("d", "")), self._came_there(row, about)
        known = Delivery(row.project_id, xml, received, device_id=device_id, user_agent=told, first_received_at=at)
        return replace(known, sha256=sha256)

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


def _is_emptied(row: Row[Any]) -> bool:
    """Whether a submission came without its contacts, which were dropped where it was."""
    return "x" in decisions.header(row)


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


def missing(connection: Connection, blobs: BlobStore, peer: str | None = None, *, own: bool = False) -> dict[str, int]:
    """The size of each file that is named and not here, from one peer or all, small ones first; `own`: in what that peer wrote."""
    query = select(RelayFile.sha256, RelayFile.size).order_by(RelayFile.size, RelayFile.id)
    query = query.where(RelayFile.sha256.not_in(select(FormVersion.sha256)))  # the same form was published here
    if own:
        query = query.join(RelayRecord, RelayRecord.id == RelayFile.record_id).where(RelayRecord.origin == peer)
    rows = connection.execute(query if peer is None else query.where(RelayFile.peer == peer))
    return {row.sha256: row.size for row in rows if not blobs.has(row.sha256)}
