"""Reading what is kept of submissions: their current state, their files, their exact bytes."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from forms.problems import Problem
from records.models import AppUser, Attachment, Submission, SubmissionVersion

_PAGE = 500


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of a record."""

    name: str
    size: int
    sha256: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Record:
    """A record in its current state, as people look at it. Place in degrees; `flags` are [{code, path, message}]."""

    instance_id: str
    form_id: str
    version: str
    received_at: datetime
    app_user: str | None
    review_state: str
    instance_name: str
    latitude: float | None
    longitude: float | None
    event_date: Any
    edits: int
    flags: list[dict[str, str]]
    files_expected: list[str]
    answers: dict[str, Any]
    attachments: Sequence[KeptFile]


def listed(connection: Connection, project_id: int, form_id: str) -> Iterator[Record]:
    """All records of a form in the order of their ids, read page by page."""
    last = ""
    while True:
        query = _query(project_id).where(Submission.form_id == form_id, Submission.instance_id > last)
        page = connection.execute(query.order_by(Submission.instance_id).limit(_PAGE)).all()
        yield from _records(connection, project_id, page)
        if len(page) < _PAGE:
            return
        last = page[-1].instance_id


def newest(connection: Connection, project_id: int, *, limit: int, before: datetime | None = None) -> list[Record]:
    """The records of all forms that arrived last, newest first; `before` continues a list."""
    query = _query(project_id)
    if before is not None:
        query = query.where(Submission.received_at < before)
    return list(
        _records(connection, project_id, connection.execute(query.order_by(Submission.received_at.desc()).limit(limit)).all())
    )


def found(connection: Connection, project_id: int, instance_id: str) -> Record:
    """The record with this id, or one whose version has it. Raises `Problem("submission_unknown")`."""
    roots = select(SubmissionVersion.root_id).filter_by(project_id=project_id, instance_id=instance_id)
    rows = connection.execute(_query(project_id).where(Submission.instance_id.in_(roots)).limit(1)).all()
    for record in _records(connection, project_id, rows):
        return record
    raise Problem("submission_unknown", instance_id)


def xml_of(connection: Connection, project_id: int, instance_id: str) -> bytes:
    """The exact bytes received first under this id. Raises `Problem("submission_unknown")`."""
    xml = connection.execute(
        select(SubmissionVersion.xml)
        .filter_by(project_id=project_id, instance_id=instance_id)
        .order_by(SubmissionVersion.received_at)
        .limit(1)
    ).scalar()
    if xml is None:
        raise Problem("submission_unknown", instance_id)
    return xml


def _query(project_id: int) -> Any:
    return (
        select(Submission, AppUser.name.label("app_user"))
        .with_only_columns(*Submission.__table__.columns, AppUser.name.label("app_user"))
        .join(AppUser, AppUser.id == Submission.app_user_id, isouter=True)
        .where(Submission.project_id == project_id)
    )


def _records(connection: Connection, project_id: int, rows: Sequence[Any]) -> Iterator[Record]:
    files = _files(connection, project_id, [row.current_instance_id for row in rows] + [row.instance_id for row in rows])
    for row in rows:
        own = files[row.form_id, row.current_instance_id]
        first = files[row.form_id, row.instance_id] if row.edits else []
        names = {file.name for file in own}
        yield Record(
            instance_id=row.instance_id,
            form_id=row.form_id,
            version=row.version,
            received_at=row.received_at,
            app_user=row.app_user,
            review_state=row.review_state,
            instance_name=row.instance_name,
            latitude=row.latitude,
            longitude=row.longitude,
            event_date=row.event_date,
            edits=row.edits,
            flags=row.flags,
            files_expected=row.files,
            answers=row.answers,
            attachments=[*own, *(file for file in first if file.name not in names)],
        )


def _files(connection: Connection, project_id: int, instance_ids: Sequence[str]) -> dict[tuple[str, str], list[KeptFile]]:
    files: dict[tuple[str, str], list[KeptFile]] = defaultdict(list)
    rows = connection.execute(
        select(Attachment)
        .with_only_columns(*Attachment.__table__.columns)
        .where(Attachment.project_id == project_id, Attachment.instance_id.in_(set(instance_ids)))
        .order_by(Attachment.name, Attachment.received_at)
    )
    for row in rows:
        files[row.form_id, row.instance_id].append(KeptFile(row.name, row.size, row.sha256, row.content_type))
    return files
