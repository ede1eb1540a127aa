"""The life of a published form after its publication: closed to new phones, retired, open again; files that change on their own."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, select, update

from forms.problems import Problem
from records.access import Access, Right
from records.audit import note
from records.blobs import Blob, BlobStore
from records.models import Form, FormMedia, FormVersion
from records.publishing import list_changed
from records.store import Store, insert_new

STATES = ("open", "closed", "retired")
"""open: phones get it. closed: no phone gets it any more; what comes is kept and flagged. retired: likewise, none is expected."""


def set_state(store: Store, access: Access, form_id: str, state: str) -> None:
    """Open, close or retire a form. Records are never refused. Raises `Problem` value_invalid, form_unknown or not_allowed."""
    access.require(Right.FORMS)
    if state not in STATES:
        raise Problem("value_invalid", f"State {state}: one of {', '.join(STATES)}.")

    def work(connection: Connection) -> None:
        key = {"project_id": access.project_id, "form_id": form_id}
        if connection.execute(update(Form).filter_by(**key).values(state=state)).rowcount == 0:
            raise Problem("form_unknown", form_id)
        list_changed(connection, access.project_id)
        note(connection, f"form.{state}", form_id, actor=access.actor, project_id=access.project_id)

    store.write(work)


def set_confidential(store: Store, access: Access, form_id: str, confidential: bool) -> None:
    """Say whether only coordinators see the records of a form. Raises `Problem` form_unknown or not_allowed."""
    access.require(Right.FORMS)

    def work(connection: Connection) -> None:
        key = {"project_id": access.project_id, "form_id": form_id}
        if connection.execute(update(Form).filter_by(**key).values(confidential=confidential)).rowcount == 0:
            raise Problem("form_unknown", form_id)
        action = "form.confidential" if confidential else "form.not_confidential"
        note(connection, action, form_id, actor=access.actor, project_id=access.project_id)

    store.write(work)


def replace_media(store: Store, blobs: BlobStore, access: Access, form_id: str, media: Mapping[str, bytes]) -> list[str]:
    """Give the current version of a form these files in place of those it has; phones fetch what changed. The names that changed.

    The version stays: answers mean the same. What was there before can still be fetched at its address. Raises `Problem`
    form_unknown, not_allowed, or form_media_missing for a file the form does not use.
    """
    access.require(Right.FORMS)
    kept = {name: blobs.put(data) for name, data in sorted(media.items())}

    def work(connection: Connection) -> list[str]:
        version = connection.execute(select(Form.current_version).filter_by(project_id=access.project_id, form_id=form_id)).scalar()
        if version is None:
            raise Problem("form_unknown", form_id)
        key = {"project_id": access.project_id, "form_id": form_id, "version": version}
        known = set(connection.execute(select(FormMedia.name).filter_by(**key)).scalars())
        if strangers := sorted(set(kept) - known):
            hint = f"It uses: {', '.join(sorted(known)) or 'none'}."
            raise Problem("form_media_missing", f"The form does not use {', '.join(strangers)}.", hint=hint)
        changed = [name for name, blob in kept.items() if replace_file(connection, key | {"name": name}, blob)]
        if changed:
            detail = {"version": version, "files": changed}
            note(connection, "form.media", form_id, actor=access.actor, project_id=access.project_id, **detail)
        return changed

    return store.write(work)


def overview(connection: Connection, access: Access) -> Sequence[Row[str, str, str, str, datetime]]:
    """(form_id, state, current_version, title, published_at) of every form, in the order of their ids."""
    access.require(Right.FORMS)
    is_current = (
        (Form.project_id == FormVersion.project_id)
        & (Form.form_id == FormVersion.form_id)
        & (Form.current_version == FormVersion.version)
    )
    columns = (Form.form_id, Form.state, Form.current_version, FormVersion.title, FormVersion.published_at)
    query = select(*columns).join_from(Form, FormVersion, is_current).where(Form.project_id == access.project_id)
    return connection.execute(query.order_by(Form.form_id)).all()


def state_of(connection: Connection, access: Access, form_id: str) -> Row[str, str, bool]:
    """(state, current_version, confidential) of a form. Raises `Problem("form_unknown")`."""
    access.require(Right.FORMS)
    columns = (Form.state, Form.current_version, Form.confidential)
    row = connection.execute(select(*columns).filter_by(project_id=access.project_id, form_id=form_id)).first()
    if row is None:
        raise Problem("form_unknown", form_id)
    return row


def versions(connection: Connection, project_id: int, form_id: str) -> Sequence[Row[str, str, str, datetime, str, str]]:
    """(version, title, note, published_at, source_name, md5) of every version of a form, the newest first."""
    columns = (FormVersion.version, FormVersion.title, FormVersion.note)
    more = (FormVersion.published_at, FormVersion.source_name, FormVersion.md5)
    query = select(*columns, *more).filter_by(project_id=project_id, form_id=form_id)
    return connection.execute(query.order_by(FormVersion.published_at.desc(), FormVersion.version.desc())).all()


def version_xform(connection: Connection, project_id: int, form_id: str, version: str) -> bytes:
    """The bytes of one version. Raises `Problem("not_found")`."""
    key = {"project_id": project_id, "form_id": form_id, "version": version}
    xform = connection.execute(select(FormVersion.xform).filter_by(**key)).scalar()
    if xform is None:
        raise Problem("not_found", f"Version “{version}” of {form_id} was never published here.")
    return xform


def replace_file(connection: Connection, key: dict[str, object], blob: Blob) -> bool:
    """Make this the content of the file; whether it was not before."""
    now = datetime.now(UTC)
    current = connection.execute(select(FormMedia.sha256).filter_by(**key, replaced_at=None)).scalar()
    if current == blob.sha256:
        return False
    connection.execute(update(FormMedia).filter_by(**key, replaced_at=None).values(replaced_at=now))
    row = {**key, "sha256": blob.sha256, "md5": blob.md5, "size": blob.size, "added_at": now}
    if connection.execute(insert_new(connection, FormMedia), row).rowcount == 0:  # it was here before, and comes back
        connection.execute(update(FormMedia).filter_by(**key, sha256=blob.sha256).values(replaced_at=None, added_at=now))
    return True
