"""Reading what is kept of submissions: their current state, their files, their exact bytes. Who reads is asked for by `Access`."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, literal, or_, select, union

from forms.problems import Problem
from records.access import Access, Right
from records.audit import RECORD, note_look
from records.contact import note_reading
from records.models import AppUser, Attachment, Submission, SubmissionVersion
from records.personal import open_xml, shown_xml
from records.store import Store, vault_of

_PAGE = 500
_POINT = ("form_id", "instance_id", "latitude", "longitude", "event_date", "received_at", "flags")
Position = tuple[datetime, str]
"""Where a page of records ends: when its last record arrived, and its instance id."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of a record; one that is `withheld` is not for who asks."""

    name: str
    size: int
    sha256: str
    content_type: str
    withheld: bool = False

    def require(self) -> "KeptFile":
        """This file. Raises `Problem("withheld")`."""
        if self.withheld:
            raise Problem("withheld")
        return self


@dataclass(frozen=True, slots=True)
class Record:
    """A record in its current state, as people look at it. Place in degrees; `flags` as in the table.

    `has_contact` says that answers which tell who somebody is are kept apart.
    """

    instance_id: str
    current_instance_id: str
    current_sha256: str
    form_id: str
    version: str
    received_at: datetime
    app_user: str | None
    review_state: str
    instance_name: str
    latitude: float | None
    longitude: float | None
    country: str | None
    admin1: str | None
    study_area: str | None
    event_date: Any
    edits: int
    flags: list[dict[str, Any]]
    attention: bool
    encrypted: bool
    deleted_at: datetime | None
    files_expected: list[str]
    answers: dict[str, Any]
    has_contact: bool
    attachments: Sequence[KeptFile]


def listed(connection: Connection, access: Access, form_id: str) -> Iterator[Record]:
    """All records of a form in the order of their ids, read page by page."""
    last = ""
    while True:
        query = _query(access).where(Submission.form_id == form_id, Submission.instance_id > last)
        page = connection.execute(query.order_by(Submission.instance_id).limit(_PAGE)).all()
        yield from _records(connection, access, page)
        if len(page) < _PAGE:
            return
        last = page[-1].instance_id


def newest(
    connection: Connection,
    access: Access,
    *,
    limit: int,
    before: Position | None = None,
    form_id: str | None = None,
    only_flagged: bool = False,
    review_state: str | None = None,
) -> list[Record]:
    """The records that arrived last, newest first, of all forms or one; `before` continues after the last one of a page."""
    query = _narrowed(_query(access), form_id, only_flagged, review_state)
    if before is not None:
        moment, instance_id = before
        earlier = and_(Submission.received_at == moment, Submission.instance_id < instance_id)
        query = query.where(Submission.received_at <= moment, or_(Submission.received_at < moment, earlier))
    return list(_records(connection, access, connection.execute(_newest_first(query).limit(limit)).all()))


def by_arrival(
    connection: Connection,
    access: Access,
    form_id: str,
    *,
    limit: int,
    condition: ColumnElement[bool] | None = None,
    after: Position | None = None,
    newest_first: bool = False,
    offset: int = 0,
) -> list[Record]:
    """The records of a form in the order they arrived, or the other way round; `after` continues behind the last one of a page."""
    query = _query(access).where(Submission.form_id == form_id)
    if condition is not None:
        query = query.where(condition)
    columns = (Submission.received_at, Submission.instance_id)
    if after is not None:
        moment, instance_id = after
        further = columns[0] < moment if newest_first else columns[0] > moment
        tied = columns[1] < instance_id if newest_first else columns[1] > instance_id
        same = columns[0] == moment
        bound = columns[0] <= moment if newest_first else columns[0] >= moment
        query = query.where(bound, or_(further, and_(same, tied)))
    query = query.order_by(*(each.desc() if newest_first else each.asc() for each in columns))
    return list(_records(connection, access, connection.execute(query.limit(limit).offset(offset)).all()))


def points(
    connection: Connection,
    access: Access,
    *,
    limit: int,
    form_id: str | None = None,
    only_flagged: bool = False,
    review_state: str | None = None,
) -> Sequence[Row[Any]]:
    """(form_id, instance_id, latitude, longitude, event_date, received_at, flags, app_user) of the newest records with a place."""
    columns = [getattr(Submission, name) for name in _POINT]
    query = _query(access).with_only_columns(*columns, AppUser.name.label("app_user"))
    query = _narrowed(query.where(Submission.latitude.is_not(None)), form_id, only_flagged, review_state)
    rows: Sequence[Row[Any]] = connection.execute(_newest_first(query).limit(limit)).all()
    return rows


def found(connection: Connection, access: Access, instance_id: str, form_id: str | None = None) -> Record:
    """The record with this id, or one whose version has it; a deleted one too. Raises `Problem("submission_unknown")`."""
    key = {"project_id": access.project_id, "instance_id": instance_id} | ({} if form_id is None else {"form_id": form_id})
    roots = union(
        select(SubmissionVersion.root_id).filter_by(**key), select(literal(instance_id))
    )  # a split record has an id of its own
    query = _narrowed(_query(access, with_deleted=True).where(Submission.instance_id.in_(roots)), form_id)
    rows = connection.execute(query.order_by((Submission.instance_id == instance_id).desc()).limit(1)).all()
    for record in _records(connection, access, rows):
        return record
    raise Problem("submission_unknown", instance_id)


def xml_of(connection: Connection, access: Access, instance_id: str) -> bytes:
    """What was received first under this id: the exact bytes for who may know who somebody is. Raises "submission_unknown"."""
    query = _of_versions(access, *SubmissionVersion.__table__.columns).where(SubmissionVersion.instance_id == instance_id)
    row = connection.execute(query.order_by(SubmissionVersion.received_at).limit(1)).first()
    if row is None:
        raise Problem("submission_unknown", instance_id)
    return (open_xml if access.may(Right.CONTACT) else shown_xml)(vault_of(connection), row)


def versions_of(connection: Connection, access: Access, record: Record) -> Sequence[Row[Any]]:
    """(instance_id, sha256, deprecated_id, received_at, version) of every version kept of a record, in the order they arrived."""
    version = SubmissionVersion
    columns = (version.instance_id, version.sha256, version.deprecated_id, version.received_at, version.version)
    of_record = _of_versions(access, *columns).where(version.form_id == record.form_id, version.root_id == record.instance_id)
    edits = of_record.where(version.deprecated_id > "")  # by the index of edits, which are few
    ids = {record.instance_id, record.current_instance_id}
    either = union(of_record.where(version.instance_id.in_(ids)), edits).subquery()
    return connection.execute(select(*either.c).order_by(either.c.received_at, either.c.sha256)).all()


def version_xml(connection: Connection, access: Access, form_id: str, instance_id: str, sha256: str) -> bytes:
    """One version without what tells who somebody is, else exactly as it came. Raises `Problem("submission_unknown")`."""
    return shown_xml(vault_of(connection), _version(connection, access, form_id, instance_id, sha256))


def read_version(store: Store, access: Access, form_id: str, instance_id: str, sha256: str, *, of_download: bool = False) -> bytes:
    """One version for a person: exactly as it came for who may know who somebody is. It is noted in the log.

    `of_download`: it is one of many that are taken, which are noted together; only the reading of names is noted apart.
    """
    with store.read() as connection:
        row = _version(connection, access, form_id, instance_id, sha256)
        is_open = access.may(Right.CONTACT) and bool(row.contact_paths)
        xml = (open_xml if is_open else shown_xml)(store.vault, row)
    if is_open:
        note_reading(store, access, form_id, row.root_id, "xml")
    elif not of_download:
        note_look(store, access, RECORD, row.root_id, form_id=form_id, what="xml")
    return xml


def _version(connection: Connection, access: Access, form_id: str, instance_id: str, sha256: str) -> Row[Any]:
    version = SubmissionVersion
    of_record = _of_versions(access, *version.__table__.columns).where(version.form_id == form_id)
    row: Row[Any] | None = connection.execute(of_record.where(version.instance_id == instance_id, version.sha256 == sha256)).first()
    if row is None:
        raise Problem("submission_unknown", instance_id)
    return row


def _of_versions(access: Access, *columns: Any) -> Any:
    """These columns of the versions of records that may be seen."""
    access.require(Right.SEE)
    of_record = and_(
        Submission.project_id == SubmissionVersion.project_id,
        Submission.form_id == SubmissionVersion.form_id,
        Submission.instance_id == SubmissionVersion.root_id,
    )
    return select(*columns).join_from(SubmissionVersion, Submission, of_record).where(*access.visible(with_deleted=True))


def _query(access: Access, *, with_deleted: bool = False) -> Any:
    access.require(Right.SEE)
    return (
        select(Submission, AppUser.name.label("app_user"))
        .with_only_columns(*Submission.__table__.columns, AppUser.name.label("app_user"))
        .join(AppUser, AppUser.id == Submission.app_user_id, isouter=True)
        .where(*access.visible(with_deleted=with_deleted))
    )


def _narrowed(query: Any, form_id: str | None, only_flagged: bool = False, review_state: str | None = None) -> Any:
    if form_id is not None:
        query = query.where(Submission.form_id == form_id)
    if review_state is not None:
        query = query.where(Submission.review_state == review_state)
    return query.where(Submission.attention) if only_flagged else query


def _newest_first(query: Any) -> Any:
    return query.order_by(Submission.received_at.desc(), Submission.instance_id.desc())


def _records(connection: Connection, access: Access, rows: Sequence[Any]) -> Iterator[Record]:
    versions = _versions(connection, access.project_id, [row for row in rows if row.edits])
    ids = {row.current_instance_id for row in rows} | {row.instance_id for row in rows}
    ids |= {instance_id for chain in versions.values() for instance_id in chain}
    files = _files(connection, access, {row.form_id for row in rows}, ids)
    for row in rows:
        chain = [row.current_instance_id, *versions[row.form_id, row.instance_id], row.instance_id]
        yield Record(
            instance_id=row.instance_id,
            current_instance_id=row.current_instance_id,
            current_sha256=row.current_sha256,
            form_id=row.form_id,
            version=row.version,
            received_at=row.received_at,
            app_user=row.app_user,
            review_state=row.review_state,
            instance_name=row.instance_name,
            latitude=row.latitude,
            longitude=row.longitude,
            country=row.country,
            admin1=row.admin1,
            study_area=row.study_area,
            event_date=row.event_date,
            edits=row.edits,
            flags=row.flags,
            attention=row.attention,
            encrypted=row.encrypted,
            deleted_at=row.deleted_at,
            files_expected=row.files,
            answers=row.answers,
            has_contact=row.contact is not None,
            attachments=_inherited(files[row.form_id, instance_id] for instance_id in dict.fromkeys(chain)),
        )


def _inherited(of_versions: Iterable[Sequence[KeptFile]]) -> list[KeptFile]:
    """The files of a record: those of its current version, then what older versions had under other names."""
    kept: list[KeptFile] = []
    for files in of_versions:
        names = {file.name for file in kept}
        kept += [file for file in files if file.name not in names]
    return kept


def _versions(connection: Connection, project_id: int, rows: Sequence[Any]) -> dict[tuple[str, str], list[str]]:
    """The instance ids of the edits of these records by (form id, id of the record), the newest first."""
    chains: dict[tuple[str, str], list[str]] = defaultdict(list)
    if rows:
        version = SubmissionVersion
        found = connection.execute(
            select(version.form_id, version.root_id, version.instance_id)
            .where(version.project_id == project_id, version.form_id.in_({row.form_id for row in rows}), version.deprecated_id > "")
            .where(version.root_id.in_({row.instance_id for row in rows}))
            .order_by(version.received_at.desc())
        )
        for row in found:
            chains[row.form_id, row.root_id].append(row.instance_id)
    return chains


def _files(
    connection: Connection, access: Access, form_ids: Collection[str], instance_ids: Collection[str]
) -> dict[tuple[str, str], list[KeptFile]]:
    """Files by (form id, instance id). The forms are named too, because the key begins with them."""
    files: dict[tuple[str, str], list[KeptFile]] = defaultdict(list)
    rows = connection.execute(
        select(Attachment)
        .with_only_columns(*Attachment.__table__.columns)
        .where(Attachment.project_id == access.project_id, Attachment.form_id.in_(form_ids))
        .where(Attachment.instance_id.in_(instance_ids))
        .order_by(Attachment.name, Attachment.received_at)
    )
    shown = access.file_kinds()
    for row in rows:
        kept = KeptFile(row.name, row.size, row.sha256, row.content_type, row.personal not in shown)
        files[row.form_id, row.instance_id].append(kept)
    return files
