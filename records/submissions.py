"""Reading what is kept of submissions: their current state, their files, their exact bytes."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, String, and_, cast, or_, select, union

from forms.problems import Problem
from records.models import AppUser, Attachment, Submission, SubmissionVersion

_PAGE = 500
_POINT = ("form_id", "instance_id", "latitude", "longitude", "event_date", "received_at", "flags")
Position = tuple[datetime, str]
"""Where a page of records ends: when its last record arrived, and its instance id."""


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


def newest(
    connection: Connection,
    project_id: int,
    *,
    limit: int,
    before: Position | None = None,
    form_id: str | None = None,
    only_flagged: bool = False,
) -> list[Record]:
    """The records that arrived last, newest first, of all forms or one; `before` continues after the last one of a page."""
    query = _narrowed(_query(project_id), form_id, only_flagged)
    if before is not None:
        moment, instance_id = before
        earlier = and_(Submission.received_at == moment, Submission.instance_id < instance_id)
        query = query.where(Submission.received_at <= moment, or_(Submission.received_at < moment, earlier))
    return list(_records(connection, project_id, connection.execute(_newest_first(query).limit(limit)).all()))


def points(
    connection: Connection, project_id: int, *, limit: int, form_id: str | None = None, only_flagged: bool = False
) -> Sequence[Row[Any]]:
    """(form_id, instance_id, latitude, longitude, event_date, received_at, flags, app_user) of the newest records with a place."""
    columns = [getattr(Submission, name) for name in _POINT]
    query = _query(project_id).with_only_columns(*columns, AppUser.name.label("app_user"))
    query = _narrowed(query.where(Submission.latitude.is_not(None)), form_id, only_flagged)
    rows: Sequence[Row[Any]] = connection.execute(_newest_first(query).limit(limit)).all()
    return rows


def found(connection: Connection, project_id: int, instance_id: str, form_id: str | None = None) -> Record:
    """The record with this id, or one whose version has it. Raises `Problem("submission_unknown")`."""
    key = {"project_id": project_id, "instance_id": instance_id} | ({} if form_id is None else {"form_id": form_id})
    roots = select(SubmissionVersion.root_id).filter_by(**key)
    query = _narrowed(_query(project_id).where(Submission.instance_id.in_(roots)), form_id)
    rows = connection.execute(query.limit(1)).all()
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


def versions_of(
    connection: Connection, project_id: int, form_id: str, instance_id: str
) -> Sequence[Row[str, str, str | None, datetime]]:
    """(instance_id, sha256, deprecated_id, received_at) of every version kept of one record, in the order they arrived."""
    version = SubmissionVersion
    columns = (version.instance_id, version.sha256, version.deprecated_id, version.received_at)
    of_form = select(*columns).filter_by(project_id=project_id, form_id=form_id)
    edits = of_form.where(version.deprecated_id > "", version.root_id == instance_id)  # by the index of edits, which are few
    either = union(of_form.where(version.instance_id == instance_id), edits).subquery()
    return connection.execute(select(*either.c).order_by(either.c.received_at, either.c.sha256)).all()


def version_xml(connection: Connection, project_id: int, form_id: str, instance_id: str, sha256: str) -> bytes:
    """The exact bytes of one version. Raises `Problem("submission_unknown")`."""
    key = {"project_id": project_id, "form_id": form_id, "instance_id": instance_id, "sha256": sha256}
    xml = connection.execute(select(SubmissionVersion.xml).filter_by(**key)).scalar()
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


def _narrowed(query: Any, form_id: str | None, only_flagged: bool = False) -> Any:
    if form_id is not None:
        query = query.where(Submission.form_id == form_id)
    return query.where(cast(Submission.flags, String) != "[]") if only_flagged else query


def _newest_first(query: Any) -> Any:
    return query.order_by(Submission.received_at.desc(), Submission.instance_id.desc())


def _records(connection: Connection, project_id: int, rows: Sequence[Any]) -> Iterator[Record]:
    ids = {row.current_instance_id for row in rows} | {row.instance_id for row in rows}
    files = _files(connection, project_id, {row.form_id for row in rows}, ids)
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


def _files(
    connection: Connection, project_id: int, form_ids: Collection[str], instance_ids: Collection[str]
) -> dict[tuple[str, str], list[KeptFile]]:
    """Files by (form id, instance id). The forms are named too, because the key begins with them."""
    files: dict[tuple[str, str], list[KeptFile]] = defaultdict(list)
    rows = connection.execute(
        select(Attachment)
        .with_only_columns(*Attachment.__table__.columns)
        .where(Attachment.project_id == project_id, Attachment.form_id.in_(form_ids), Attachment.instance_id.in_(instance_ids))
        .order_by(Attachment.name, Attachment.received_at)
    )
    for row in rows:
        files[row.form_id, row.instance_id].append(KeptFile(row.name, row.size, row.sha256, row.content_type))
    return files
