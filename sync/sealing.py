"""Sealing what was kept before anything was sealed, or with a key that has a successor; and taking out contacts marked since.

Page by page, each in a transaction of its own, beside a server that works: it can be stopped at any time and begun again.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select, true, tuple_, union, update

from forms.personal import WITHHELD, emptied, is_copy, put
from forms.problems import Problem
from forms.schema import Reading
from forms.submission import Submission as Incoming
from forms.submission import identify
from records.blobs import BlobStore
from records.forms import Schemas
from records.models import Attachment, DraftSubmission, KeptAside, PersonalKey, Submission, SubmissionVersion
from records.personal import contact_paths, open_contact, open_xml, seal_contact, seal_xml
from records.store import Store, vault_of
from sync.delivery import same_name
from sync.intake import file_kind, read_answers

PAGE = 25
_VERSION = ("project_id", "form_id", "instance_id", "sha256")
_RECORD = ("project_id", "form_id", "instance_id")
Stop = Callable[[], bool]
"""Asked before each page; True ends the work."""


@dataclass(slots=True)
class Sealed:
    """How many were sealed now, versions of records and of drafts, and files."""

    versions: int = 0
    files: int = 0


@dataclass(frozen=True, slots=True)
class _Judged:
    """A version, its bytes, and what it says; nothing where that was deleted, or cannot be read."""

    row: Row[Any]
    xml: bytes
    incoming: Incoming | None = None
    reading: Reading | None = None


def is_due(connection: Connection) -> bool:
    """Whether there may be something that is not sealed with today's key."""
    newest = vault_of(connection).key_ids[:1]
    return connection.execute(select(PersonalKey.sealed_at).where(PersonalKey.key_id.in_(newest))).scalar() is None


def seal_all(store: Store, blobs: BlobStore, schemas: Schemas, *, again: bool = False, stop: Stop = lambda: False) -> Sealed:
    """Seal everything with today's key. `again`: look into every version for contacts, also where all is sealed.

    Raises `Problem("personal_key_missing")`.
    """
    store.vault.require()
    done, beginning = Sealed(), store.vault.beginning

    def pages(model: Any, names: Sequence[str], column: Any, *, everything: bool = False) -> Iterator[Sequence[Row[Any]]]:
        is_old = true() if everything else func.substr(column, 1, len(beginning)) != beginning
        return _pages(store, model, names, is_old)

    for rows in pages(SubmissionVersion, _VERSION, SubmissionVersion.xml, everything=again):
        if stop():
            return done
        _write(store, _keep_version, [_judged(store, schemas, row) for row in rows])
        done.versions += len(rows)
    for rows in pages(DraftSubmission, _VERSION, DraftSubmission.xml):
        _write(store, _keep_draft, rows)
        done.versions += len(rows)
    for rows in pages(Submission, _RECORD, Submission.contact):
        _write(store, _keep_contact, rows)
    for sha256 in _files(store):
        if stop():
            return done
        done.files += _keep_file(blobs, sha256)
    store.compact()  # or the file would still hold what stood there before
    finished = update(PersonalKey).filter_by(key_id=store.vault.key_ids[0]).values(sealed_at=datetime.now(UTC))
    store.write(lambda connection: connection.execute(finished))
    return done


def _pages(store: Store, model: Any, names: Sequence[str], condition: ColumnElement[bool]) -> Iterator[Sequence[Row[Any]]]:
    """The rows of a table for which this holds, in the order of its key."""
    key = [getattr(model, name) for name in names]
    query = select(*model.__table__.columns).where(condition).order_by(*key).limit(PAGE)
    last: list[Any] = []
    while True:
        with store.read() as connection:
            rows = connection.execute(query.where(tuple_(*key) > tuple_(*last)) if last else query).all()
        if rows:
            yield rows
        if len(rows) < PAGE:
            return
        last = [getattr(rows[-1], name) for name in names]


def _write(store: Store, keep: Callable[[Connection, Any], None], items: Sequence[Any]) -> None:
    def work(connection: Connection) -> None:
        for item in items:
            keep(connection, item)

    store.write(work)


def _judged(store: Store, schemas: Schemas, version: Row[Any]) -> _Judged:
    xml = open_xml(store.vault, version)
    if version.redacted_at is None:
        with contextlib.suppress(Problem):
            incoming = identify(xml)
            schema, _ = schemas.get(version.project_id, version.form_id, version.version)
            return _Judged(version, xml, incoming, read_answers(schema, incoming))
    return _Judged(version, xml)


def _keep_version(connection: Connection, judged: _Judged) -> None:
    vault, key = vault_of(connection), {name: getattr(judged.row, name) for name in _VERSION}
    reading = judged.reading
    paths = contact_paths(reading.contact) if reading is not None else None
    if reading is not None and reading.is_refused and paths:
        values: dict[str, Any] = {"xml": seal_xml(vault, key, emptied(judged.xml, paths)), "redacted_at": datetime.now(UTC)}
    else:
        values = {"xml": seal_xml(vault, key, judged.xml)}
    if reading is not None:
        values["contact_paths"] = None if reading.is_refused else paths
    unchanged = SubmissionVersion.xml == judged.row.xml  # or something was deleted in it meanwhile
    if connection.execute(update(SubmissionVersion).filter_by(**key).where(unchanged).values(values)).rowcount and reading:
        _keep_kinds(connection, key, reading)
        if reading.contact and judged.incoming is not None:
            _take_out(connection, judged.row, judged.incoming, reading)


def _keep_kinds(connection: Connection, version: dict[str, Any], reading: Reading) -> None:
    """Which of the files hold the names of people."""
    of_version = {name: version[name] for name in _RECORD}
    for file in connection.execute(select(Attachment.name, Attachment.personal).filter_by(**of_version)).all():
        kind = file_kind(same_name(file.name), reading)
        if kind != file.personal:
            connection.execute(update(Attachment).filter_by(**of_version, name=file.name).values(personal=kind))


def _take_out(connection: Connection, version: Row[Any], incoming: Incoming, reading: Reading) -> None:
    """Keep the contacts apart from the answers of the record whose current content this version is."""
    record = {"project_id": version.project_id, "form_id": version.form_id, "instance_id": version.root_id}
    current = {"current_instance_id": version.instance_id, "current_sha256": version.sha256}
    query = select(Submission.answers, Submission.instance_name).filter_by(**record, **current)
    row = connection.execute(query.with_for_update()).first()
    if row is None:
        return
    for told in reading.contact:
        put(row.answers, told.path, None if reading.is_refused else WITHHELD)
    name = WITHHELD if is_copy(incoming.instance_name, reading.contact) else row.instance_name
    key = {each: getattr(version, each) for each in _VERSION}
    sealed = None if reading.is_refused else seal_contact(vault_of(connection), key, reading.contact)
    connection.execute(update(Submission).filter_by(**record).values(answers=row.answers, instance_name=name, contact=sealed))


def _keep_draft(connection: Connection, row: Row[Any]) -> None:
    key = {name: getattr(row, name) for name in _VERSION}
    vault = vault_of(connection)
    xml = open_xml(vault, row)
    connection.execute(update(DraftSubmission).filter_by(**key).values(xml=seal_xml(vault, key, xml)))


def _keep_contact(connection: Connection, row: Row[Any]) -> None:
    """Seal the contacts of a record anew, unless they were deleted or replaced meanwhile."""
    vault, record = vault_of(connection), {name: getattr(row, name) for name in _RECORD}
    version = record | {"instance_id": row.current_instance_id, "sha256": row.current_sha256}
    sealed = seal_contact(vault, version, open_contact(vault, row))
    unchanged = Submission.contact == row.contact
    connection.execute(update(Submission).filter_by(**record).where(unchanged).values(contact=sealed))


def _files(store: Store) -> Sequence[str]:
    """The digests of everything that phones sent as files, and of what was kept aside."""
    with store.read() as connection:
        found = set(connection.execute(union(select(Attachment.sha256), select(KeptAside.sha256))).scalars())
        for files in connection.execute(select(KeptAside.files)).scalars():
            found |= {file[-1] for file in files}
        for files in connection.execute(select(DraftSubmission.files)).scalars():
            found |= {file["sha256"] for file in files}
    return sorted(found)


def _keep_file(blobs: BlobStore, sha256: str) -> bool:
    """Seal a file; whether it was not sealed with today's key. One that is gone is for the doctor to tell."""
    try:
        if blobs.is_current(sha256):
            return False
        blobs.reseal(sha256)
    except Problem as problem:
        if problem.kind.code != "not_found":
            raise
        return False
    return True
