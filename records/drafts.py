"""Drafts: the next version of a form, tried on phones of its own before anybody else gets it. Its records never count."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from forms.definition import FormDefinition
from forms.problems import Problem
from records import audit
from records.access import Access, Right
from records.blobs import BlobStore
from records.models import DraftSubmission, FormDraft, FormVersion
from records.publishing import Publication, missing_files, publish_with
from records.store import Store, insert_new

_COLUMNS = FormDraft.__table__.columns


@dataclass(frozen=True, slots=True)
class Saved:
    """A draft that was saved. `is_new`: there was none before, so its key is new too."""

    form_id: str
    version: str
    is_new: bool


def save(
    store: Store,
    blobs: BlobStore,
    access: Access,
    *,
    xform: bytes,
    source_name: str,
    token_sha256: str,
    needed: Sequence[str] = (),
    media: Mapping[str, bytes] | None = None,
    note: str = "",
) -> Saved:
    """Make or replace the draft of a form. A draft that was there keeps its key and its files of the names still needed.

    Raises `Problem` "form_version_taken" where it could never be published, "form_media_missing", "not_allowed".
    """
    access.require(Right.FORMS)
    definition = FormDefinition.from_xform(xform)
    kept = {name: blobs.put(data) for name, data in sorted((media or {}).items())}

    def work(connection: Connection) -> Saved:
        key = {"project_id": access.project_id, "form_id": definition.form_id}
        before = connection.execute(select(FormDraft.media).filter_by(**key)).scalar()
        files = {file["name"]: file for file in before or () if file["name"] in needed}
        files |= {name: {"name": name, "md5": blob.md5, "sha256": blob.sha256, "size": blob.size} for name, blob in kept.items()}
        if missing := missing_files(connection, access.project_id, definition, needed, files):
            raise Problem("form_media_missing", ", ".join(missing))
        digest = hashlib.sha256(xform).hexdigest()
        published = connection.execute(select(FormVersion.sha256).filter_by(**key, version=definition.version)).scalar()
        if published not in {None, digest}:
            raise Problem("form_version_taken", f"Form {definition.form_id}, version “{definition.version}”.")
        content = {
            "version": definition.version,
            "title": definition.title,
            "md5": hashlib.md5(xform, usedforsecurity=False).hexdigest(),
            "sha256": digest,
            "source_name": source_name,
            "note": note.strip(),
            "media": [files[name] for name in sorted(files)],
            "created_at": datetime.now(UTC),
            "xform": xform,
        }
        is_new = connection.execute(insert_new(connection, FormDraft), key | content | {"token_sha256": token_sha256}).rowcount == 1
        if not is_new:
            connection.execute(update(FormDraft).filter_by(**key).values(content))
        audit.note(
            connection,
            "draft.save",
            definition.form_id,
            actor=access.actor,
            project_id=access.project_id,
            version=definition.version,
        )
        return Saved(definition.form_id, definition.version, is_new)

    return store.write(work)


def change_key(store: Store, access: Access, form_id: str, token_sha256: str) -> None:
    """Give a draft another key: phones that had the old one lose it. Raises `Problem` "not_found" or "not_allowed"."""
    access.require(Right.FORMS)

    def work(connection: Connection) -> None:
        key = {"project_id": access.project_id, "form_id": form_id}
        if connection.execute(update(FormDraft).filter_by(**key).values(token_sha256=token_sha256)).rowcount == 0:
            raise _unknown(form_id)
        audit.note(connection, "draft.change_key", form_id, actor=access.actor, project_id=access.project_id)

    store.write(work)


def publish(store: Store, access: Access, form_id: str) -> str:
    """Make the draft the current version of its form, for all phones; it and the records of its trial go. The version.

    Raises `Problem` "not_found", "form_version_taken", "form_media_missing" or "not_allowed".
    """
    access.require(Right.FORMS)

    def work(connection: Connection) -> str:
        row = draft_of(connection, access, form_id)
        definition = FormDefinition.from_xform(row.xform)
        publication = Publication(access.project_id, definition, row.xform, row.source_name, row.media, row.note, access.actor)
        publish_with(connection, publication)
        _remove(connection, access, form_id)
        return definition.version

    return store.write(work)


def discard(store: Store, access: Access, form_id: str) -> None:
    """Throw a draft away, with the records of its trial. Raises `Problem` "not_found" or "not_allowed"."""
    access.require(Right.FORMS)

    def work(connection: Connection) -> None:
        draft_of(connection, access, form_id)
        _remove(connection, access, form_id)
        audit.note(connection, "draft.discard", form_id, actor=access.actor, project_id=access.project_id)

    store.write(work)


def draft_of(connection: Connection, access: Access, form_id: str) -> Row[Any]:
    """The draft of a form: the columns of `form_draft`. Raises `Problem` "not_found" or "not_allowed"."""
    access.require(Right.FORMS)
    row = connection.execute(select(*_COLUMNS).filter_by(project_id=access.project_id, form_id=form_id)).first()
    if row is None:
        raise _unknown(form_id)
    return row


def listed(connection: Connection, access: Access) -> Sequence[Row[str, str, str, str, datetime]]:
    """(form_id, version, title, note, created_at) of all drafts, in the order of their form ids."""
    access.require(Right.FORMS)
    columns = (FormDraft.form_id, FormDraft.version, FormDraft.title, FormDraft.note, FormDraft.created_at)
    return connection.execute(select(*columns).filter_by(project_id=access.project_id).order_by(FormDraft.form_id)).all()


def with_key(connection: Connection, project_id: int, form_id: str, token_sha256: str) -> Row[Any] | None:
    """The draft that this key opens, or None: it was published or discarded, or the key was never right."""
    key = {"project_id": project_id, "form_id": form_id, "token_sha256": token_sha256}
    return connection.execute(select(*_COLUMNS).filter_by(**key)).first()


def trials(connection: Connection, access: Access, form_id: str, *, limit: int = 100) -> Sequence[Row[Any]]:
    """(instance_id, sha256, version, received_at, files, flags, answers) of the records of a trial, the newest first."""
    access.require(Right.FORMS)
    record = DraftSubmission
    columns = (record.instance_id, record.sha256, record.version, record.received_at, record.files, record.flags, record.answers)
    query = select(*columns).filter_by(project_id=access.project_id, form_id=form_id)
    return connection.execute(query.order_by(record.received_at.desc()).limit(limit)).all()


def _unknown(form_id: str) -> Problem:
    return Problem("not_found", f"There is no draft of {form_id}.")


def _remove(connection: Connection, access: Access, form_id: str) -> None:
    connection.execute(delete(FormDraft).filter_by(project_id=access.project_id, form_id=form_id))
