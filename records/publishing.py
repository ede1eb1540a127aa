"""Publishing a form: its bytes become a version that never changes and that all phones get from now on."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from forms.definition import FormDefinition
from forms.entities import list_of, lists_fed
from forms.library.sources import confidential_ids
from forms.problems import Problem
from records import entities as entity_lists
from records.audit import note
from records.blobs import BlobStore
from records.forms import media_of
from records.models import Form, FormMedia, FormVersion, Project
from records.store import Store


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a publication: `created` is False when these very bytes were published before."""

    form_id: str
    version: str
    created: bool


@dataclass(frozen=True, slots=True)
class Publication:
    """What is to be published. `media` are [{name, md5, sha256, size}] of files that are kept already."""

    project_id: int
    definition: FormDefinition
    xform: bytes
    source_name: str
    media: Sequence[Mapping[str, Any]]
    note: str = ""
    actor: str = ""


def publish(
    store: Store,
    blobs: BlobStore,
    project_id: int,
    *,
    xform: bytes,
    source_name: str,
    needed: Sequence[str] = (),
    media: Mapping[str, bytes] | None = None,
    note: str = "",
    actor: str = "",
) -> Published:
    """Publish an XForm with the files it refers to (`needed` names them) and make it the current version of its form.

    An entity list stands for the file of its name; the lists that the form feeds are made. The bytes of a (form id, version) never
    change: raises `Problem` "form_version_taken" for other bytes, "form_media_missing".
    """
    definition = FormDefinition.from_xform(xform)
    media = media or {}
    with store.read() as connection:
        if missing := missing_files(connection, project_id, definition, needed, media):
            raise Problem("form_media_missing", ", ".join(missing))
    kept = []
    for name, data in sorted(media.items()):
        blob = blobs.put(data)
        kept.append({"name": name, "md5": blob.md5, "sha256": blob.sha256, "size": blob.size})
    publication = Publication(project_id, definition, xform, source_name, kept, note, actor)
    return store.write(lambda connection: publish_with(connection, publication))


def missing_files(
    connection: Connection, project_id: int, definition: FormDefinition, needed: Sequence[str], given: Collection[str]
) -> list[str]:
    """The files a form needs that are neither given nor entity lists."""
    lists = entity_lists.names(connection, project_id) | set(lists_fed(definition))
    return [name for name in sorted(needed) if name not in given and list_of(name) not in lists]


def publish_with(connection: Connection, publication: Publication) -> Published:
    """Publish, within a unit of work."""
    definition, now = publication.definition, datetime.now(UTC)
    form_id, version = definition.form_id, definition.version
    form = {"project_id": publication.project_id, "form_id": form_id}
    key = {**form, "version": version}
    digest = hashlib.sha256(publication.xform).hexdigest()
    known = connection.execute(select(FormVersion.sha256).filter_by(**key)).scalar()
    if known is not None:
        _require_same(connection, publication, same_form=known == digest)
        back = update(Form).filter_by(**form).where(Form.current_version != version).values(current_version=version)
        if connection.execute(back).rowcount:
            _told(connection, publication)
        return Published(form_id, version, created=False)
    if connection.execute(select(Form.form_id).filter_by(**form)).scalar() is None:
        values = {
            **form,
            "state": "open",
            "confidential": form_id in confidential_ids(),
            "current_version": version,
            "created_at": now,
        }
        connection.execute(insert(Form).values(values))
    else:
        connection.execute(update(Form).filter_by(**form).values(current_version=version))
    content = {
        "title": definition.title,
        "md5": hashlib.md5(publication.xform, usedforsecurity=False).hexdigest(),
        "sha256": digest,
        "published_at": now,
        "source_name": publication.source_name,
        "note": publication.note.strip(),
        "picks_from": sorted(definition.files),
        "xform": publication.xform,
    }
    connection.execute(insert(FormVersion).values(**key, **content))
    entity_lists.make_lists(connection, publication.project_id, definition)
    if publication.media:
        connection.execute(insert(FormMedia), [{**key, **file, "added_at": now} for file in publication.media])
    _told(connection, publication)
    return Published(form_id, version, created=True)


def _told(connection: Connection, publication: Publication) -> None:
    """Phones get another version from now on."""
    form_id, version = publication.definition.form_id, publication.definition.version
    list_changed(connection, publication.project_id)
    note(connection, "form.publish", form_id, actor=publication.actor, project_id=publication.project_id, version=version)


def list_changed(connection: Connection, project_id: int) -> None:
    """Say that the list of open forms is another from now on."""
    connection.execute(update(Project).filter_by(id=project_id).values(forms_revision=Project.forms_revision + 1))


def _require_same(connection: Connection, publication: Publication, *, same_form: bool) -> None:
    """What was published stays as it was. Raises `Problem("form_version_taken")`."""
    form_id, version = publication.definition.form_id, publication.definition.version
    if not same_form:
        raise Problem("form_version_taken", f"Form {form_id}, version “{version}”.")
    before = {row.name: row.sha256 for row in media_of(connection, publication.project_id, form_id, version)}
    if before != {file["name"]: file["sha256"] for file in publication.media}:
        raise Problem("form_version_taken", f"Form {form_id}, version “{version}”, has other files.")
