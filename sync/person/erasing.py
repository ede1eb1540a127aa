"""Erasing what is kept of a person: from every version of their records, and from wherever else they are named.

What happened stays, without whom: place, day and losses, under a made-up code that nobody can turn back, so that counts, maps and
incidents are as they were. A phone that sends the same again is thanked, and nothing comes back.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from forms.definition import Field, FormDefinition
from forms.personal import CODES, CONTACT, ERASED, rewritten
from forms.problems import Problem
from records.access import Access, Right
from records.audit import note
from records.blobs import BlobStore
from records.flags import flag_columns
from records.forms import Schemas
from records.models import Attachment, ConflictReport, Erasure, Feed, Picture, Submission, SubmissionVersion
from records.orphans import is_needed, remove_files
from records.personal import open_xml, seal_xml
from records.store import Store, vault_of
from sync.person import elsewhere
from sync.person.finding import Person, RecordKey
from sync.person.identity import Identity

_IDENTITY = {("meta", "instanceID"), ("meta", "deprecatedID"), ("instanceID",), ("deprecatedID",)}
_SEALED_KEY = ("base64EncryptedKey",)
MOST_REASON = 500  # characters
Change = Callable[[tuple[str, ...], str], str]
Names = Mapping[tuple[str, ...], Field]


@dataclass(slots=True)
class Done:
    """What was erased: how many of what, and the digests of files that are to be taken off the disk."""

    counts: Counter[str] = field(default_factory=Counter)
    digests: list[str] = field(default_factory=list)


def erase(store: Store, blobs: BlobStore, schemas: Schemas, access: Access, person: Person, reason: str) -> Done:
    """Erase what was found of a person, all of it or nothing. The reason must not name them: it is kept.

    Raises `Problem` value_invalid, not_allowed, personal_key_missing or busy.
    """
    access.require(Right.CONTACT)
    reason = reason.strip()
    if not reason or len(reason) > MOST_REASON:
        raise Problem("value_invalid", f"A reason is needed, of at most {MOST_REASON} characters.")
    if person.identity.is_in(reason, own=True):
        raise Problem("value_invalid", "The reason names the person; it is kept, so it must not.")
    definitions = _Definitions(schemas, access.project_id)
    done = store.write(lambda connection: _Work(connection, access, person, definitions).run(reason))
    remove_files(store, blobs, done.digests)
    store.compact()
    return done


def erasures(connection: Connection, access: Access, *, limit: int | None = None) -> Sequence[Row[Any]]:
    """(id, at, actor, reason, counts) of what was erased in a project, the newest first. Raises `Problem("not_allowed")`."""
    access.require(Right.CONTACT)
    row = Erasure
    query = select(row.id, row.at, row.actor, row.reason, row.counts).filter_by(project_id=access.project_id)
    return connection.execute(query.order_by(row.id.desc()).limit(limit)).all()


def finish(store: Store, blobs: BlobStore) -> None:
    """Take off the disk what an erasure that was interrupted left there."""
    with store.read() as connection:
        for digests in connection.execute(select(Erasure.digests)).scalars().all():
            remove_files(store, blobs, [sha256 for sha256 in digests if blobs.has(sha256)])


class _Definitions:
    """Definitions of forms, looked up before the work so that it waits for nothing."""

    def __init__(self, schemas: Schemas, project_id: int) -> None:
        self._schemas, self._project_id = schemas, project_id

    def get(self, form_id: str, version: str) -> FormDefinition:
        return self._schemas.get(self._project_id, form_id, version)[0].definition


class _Work:
    """The one unit of work of an erasure."""

    def __init__(self, connection: Connection, access: Access, person: Person, definitions: _Definitions) -> None:
        self.connection, self.access, self.person, self.definitions = connection, access, person, definitions
        self.vault, self.now, self.done = vault_of(connection), datetime.now(UTC), Done()
        self.project = {"project_id": access.project_id}

    def run(self, reason: str) -> Done:
        """Erase, and leave a row that says so and nothing about whom."""
        for key in self.person.about:
            self._record(key, _about(self.person.identity))
        for key in self.person.written:
            self._record(key, _written(self.person.identity))
        elsewhere.clear(self.connection, self.access, self.person, self.done.counts, self.done.digests)
        self._pictures()
        counts = dict(self.done.counts)
        row = {**self.project, "at": self.now, "actor": self.access.actor, "reason": reason, "counts": counts}
        self.connection.execute(insert(Erasure).values(**row, digests=self.done.digests))
        note(self.connection, "personal.erase", "", actor=self.access.actor, **self.project, **counts)
        return self.done

    def _record(self, key: RecordKey, change_for: Callable[[Names], Change]) -> None:
        record = {**self.project, "form_id": key[0], "instance_id": key[1]}
        query = select(*Submission.__table__.columns).filter_by(**record)
        row = self.connection.execute(query.with_for_update()).one()
        is_about = key in self.person.about
        version = SubmissionVersion
        of_record = select(*version.__table__.columns).filter_by(**self.project, form_id=key[0])
        for each in self.connection.execute(of_record.where(version.root_id == key[1])).all():
            self._version(each, change_for(self._names(key[0], each.version)), is_about=is_about)
        change = change_for(self._names(key[0], row.version))
        own = self.person.identity
        flags = [self._flag(item, own=is_about) for item in row.flags]
        values = {
            "answers": _changed(row.answers, (), change),
            "instance_name": own.cleared(row.instance_name, own=is_about),
            "updated_at": self.now,
            "content_sha256": None,
            "counted": None,
            **flag_columns(flags),
        }
        if is_about:
            values |= {"contact": None, "files": []}
        self.connection.execute(update(Submission).filter_by(**record).values(values))
        self.connection.execute(insert(Feed).values(kind="erasure", **record, sha256=row.current_sha256))
        self.done.counts["records"] += 1

    def _version(self, version: Row[Any], change: Change, *, is_about: bool) -> None:
        key = {name: getattr(version, name) for name in ("project_id", "form_id", "instance_id", "sha256")}
        values: dict[str, Any] = {"xml": seal_xml(self.vault, key, rewritten(open_xml(self.vault, version), change))}
        values["redacted_at"] = self.now
        if is_about:
            values |= {"contact_paths": None, "erased_at": self.now}
            self._files(version)
        self.connection.execute(update(SubmissionVersion).filter_by(**key).values(values))
        self.done.digests.append(version.sha256)
        self.done.counts["versions"] += 1

    def _files(self, version: Row[Any]) -> None:
        of_version = {**self.project, "form_id": version.form_id, "instance_id": version.instance_id}
        gone = self.connection.execute(delete(Attachment).filter_by(**of_version).returning(Attachment.sha256)).scalars().all()
        self.done.digests += gone
        self.done.counts["files"] += len(gone)

    def _pictures(self) -> None:
        """What the pictures showed, where they are of nothing else."""
        for sha256 in set(self.done.digests):
            if not is_needed(self.connection, sha256):
                self.connection.execute(delete(Picture).filter_by(sha256=sha256))
        for form_id, instance_id in self.person.about:
            report = {**self.project, "form_id": form_id, "instance_id": instance_id}
            self.connection.execute(update(ConflictReport).filter_by(**report).values(photos=[]))

    def _flag(self, item: dict[str, Any], *, own: bool) -> dict[str, Any]:
        cleared = {name: self.person.identity.cleared(item[name], own=own) for name in ("message", "values") if name in item}
        return item | cleared

    def _names(self, form_id: str, version: str) -> Names:
        return self.definitions.get(form_id, version).by_path


def _about(identity: Identity) -> Callable[[Names], Change]:
    """How a record about the person changes: no contact, no file, other codes, no word that names them."""

    def change_for(names: Names) -> Change:
        def change(path: tuple[str, ...], text: str) -> str:
            item = names.get(path)
            if path in _IDENTITY:
                return text
            if path == _SEALED_KEY or (item is not None and (item.personal == CONTACT or item.is_file)):
                return ""
            if item is not None and item.personal in CODES:
                return identity.without_codes(text)
            is_free = item is None or (item.type == "string" and item.choices is None)
            return str(identity.cleared(text, own=True)) if is_free else text

        return change

    return change_for


def _written(identity: Identity) -> Callable[[Names], Change]:
    """How a record changes that they wrote about somebody else: another code for them."""

    def change_for(names: Names) -> Change:
        def change(path: tuple[str, ...], text: str) -> str:
            item = names.get(path)
            is_free = item is None or (item.type == "string" and item.choices is None)
            return str(identity.cleared(text)) if is_free and path not in _IDENTITY and not _is_contact(item) else text

        return change

    return change_for


def _is_contact(item: Field | None) -> bool:
    return item is not None and item.personal == CONTACT


def _changed(value: Any, path: tuple[str, ...], change: Change) -> Any:
    """Answers with each text changed; where nothing is left, a word says that it was erased."""
    if isinstance(value, str):
        return change(path, value) or (ERASED if value else value)
    if isinstance(value, dict):
        return {name: _changed(each, (*path, name), change) for name, each in value.items()}
    return [_changed(each, path, change) for each in value] if isinstance(value, list) else value
