"""Files of a record: those that are still missing, pictures taken somewhere else, pictures that came before with another record."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from forms.problems import Problem
from forms.submission import case_number
from records.blobs import BlobStore
from records.file_kinds import SHOWN
from records.flags import Flag, flag
from records.geography import km_between
from records.models import Attachment, Picture, PictureBand, Submission, SubmissionVersion
from records.pictures import NEAR, Seen, bands, distance, look_at
from records.store import Store, insert_new
from records.turnstile import Turnstile
from sync.checks.case import Case, Shown
from sync.delivery import same_name

ELSEWHERE_KM = 5.0
"""Cameras note the last place they knew, which in a valley may be kilometres back."""
SAME_VIEW = {"camera_station"}
"""Forms whose pictures look alike by design: a fixed camera's test pictures. Only the very same file is told of these."""
_NAMES_TOLD = 5
_log = logging.getLogger(__name__)


def examine(store: Store, blobs: BlobStore, turnstile: Turnstile, cases: Sequence[Case]) -> None:
    """Tell each case which of its files are missing and what its pictures show; a picture is looked at once, whoever sends it."""
    expecting = [case for case in cases if case.files]
    if not expecting:
        return
    with store.read() as connection:
        files = _files(connection, expecting)
        shown = sorted({row.sha256 for rows in files.values() for row in rows if row.content_type in SHOWN})
        known = {row.sha256: _seen(row) for row in connection.execute(_PICTURES.where(Picture.sha256.in_(shown)))} if shown else {}
    fresh = {}
    with turnstile.outside():
        for sha256 in set(shown) - set(known):
            fresh[sha256] = _look(blobs, sha256)
    if fresh:
        store.write(lambda connection: _keep(connection, fresh))
    known |= fresh
    for case in expecting:
        own = files[case.project_id, case.form_id, case.instance_id]
        present = {same_name(row.name) for row in own}
        case.missing = [name for name in case.files if name not in present]
        pictures = {row.sha256: row for row in own if row.sha256 in known and same_name(row.name) in case.files}.values()
        case.pictures = [Shown(row.name, row.sha256, known[row.sha256].dhash, known[row.sha256].point) for row in pictures]


_PICTURES = select(Picture.sha256, Picture.dhash, Picture.latitude, Picture.longitude, Picture.taken_at)
_OF_RECORD = and_(
    SubmissionVersion.project_id == Submission.project_id,
    SubmissionVersion.form_id == Submission.form_id,
    SubmissionVersion.root_id == Submission.instance_id,
)
_OF_VERSION = and_(
    Attachment.project_id == SubmissionVersion.project_id,
    Attachment.form_id == SubmissionVersion.form_id,
    Attachment.instance_id == SubmissionVersion.instance_id,
)


def _files(connection: Connection, cases: Sequence[Case]) -> dict[tuple[int, str, str], list[Any]]:
    """The files of records, of all their versions: an edit brings only what is new. By project, form and record."""
    version = SubmissionVersion
    wanted: dict[tuple[int, str], set[str]] = defaultdict(set)
    for case in cases:
        wanted[case.project_id, case.form_id] |= {case.instance_id, case.current_instance_id}
    edited = {case.instance_id for case in cases if case.edits}
    found: dict[tuple[int, str, str], list[Any]] = defaultdict(list)
    for (project_id, form_id), instance_ids in wanted.items():
        own: ColumnElement[bool] = version.instance_id.in_(instance_ids)
        if edited & instance_ids:  # by the index of edits, which are few
            own = or_(own, and_(version.deprecated_id > "", version.root_id.in_(edited)))
        names = (version.root_id, Attachment.name, Attachment.sha256, Attachment.content_type)
        query = select(*names).join_from(version, Attachment, _OF_VERSION).distinct()
        query = query.where(version.project_id == project_id, version.form_id == form_id, own).order_by(Attachment.name)
        for row in connection.execute(query):
            found[project_id, form_id, row.root_id].append(row)
    return found


def _seen(row: Any) -> Seen:
    return Seen(row.dhash, (row.latitude, row.longitude) if row.latitude is not None else None, row.taken_at)


def _look(blobs: BlobStore, sha256: str) -> Seen:
    """What a picture shows; nothing of one that cannot be read. Pillow fails in many ways on broken EXIF data."""
    try:
        with blobs.open(sha256) as file:
            return look_at(file)
    except Problem:
        return Seen()
    except Exception:
        _log.exception("The picture %s could not be looked at", sha256)
        return Seen()


def _keep(connection: Connection, fresh: dict[str, Seen]) -> None:
    rows: list[dict[str, Any]] = []
    for sha256, seen in fresh.items():
        latitude, longitude = seen.point or (None, None)
        rows.append(
            {"sha256": sha256, "dhash": seen.dhash, "latitude": latitude, "longitude": longitude, "taken_at": seen.taken_at}
        )
    connection.execute(insert_new(connection, Picture), rows)
    quarters = [{"band": band, "sha256": row["sha256"]} for row in rows if row["dhash"] is not None for band in bands(row["dhash"])]
    if quarters:
        connection.execute(insert_new(connection, PictureBand), quarters)


def missing(case: Case) -> Iterator[Flag]:
    """Not all files are here yet."""
    if case.missing:
        rest = len(case.missing) - _NAMES_TOLD
        yield flag("picture_missing", names=", ".join(case.missing[:_NAMES_TOLD]) + (f" … {rest}" if rest > 0 else ""))


def elsewhere(case: Case) -> Iterator[Flag]:
    """A picture that says it was taken far from the record's position."""
    for picture in case.pictures:
        if case.point is not None and picture.point is not None:
            km = km_between(case.point, picture.point) - (case.accuracy or 0) / 1000
            if km > ELSEWHERE_KM:
                yield flag("picture_elsewhere", name=picture.name, km=round(km, 1))


def reused(connection: Connection, case: Case) -> Iterator[Flag]:
    """A picture that came before with another record of the project, the same to the byte or nearly the same to the eye."""
    for picture in () if case.is_test else case.pictures:
        alike = {picture.sha256} if case.form_id in SAME_VIEW else _alike(connection, picture)
        record = (Submission.project_id, Submission.form_id, Submission.instance_id)
        other = connection.execute(
            select(Submission.form_id, Submission.instance_id)
            .join_from(Attachment, SubmissionVersion, _OF_VERSION)
            .join(Submission, _OF_RECORD)
            .where(Attachment.sha256.in_(alike), record[0] == case.project_id, Submission.deleted_at.is_(None))
            .where(or_(record[1] != case.form_id, record[2] != case.instance_id))
            .where(
                or_(
                    Submission.received_at < case.received_at,
                    and_(Submission.received_at == case.received_at, record[2] < case.instance_id),
                )
            )
            .order_by(Submission.received_at)
            .limit(1)
        ).first()
        if other is not None:
            yield flag("picture_reused", name=picture.name, case=case_number(other.instance_id))


def _alike(connection: Connection, picture: Shown) -> set[str]:
    """The pictures that differ from this one in at most `NEAR` bits of their hashes, itself included."""
    if picture.dhash is None:
        return {picture.sha256}
    near = select(PictureBand.sha256).where(PictureBand.band.in_(bands(picture.dhash)))
    rows = connection.execute(select(Picture.sha256, Picture.dhash).where(Picture.sha256.in_(near)))
    return {picture.sha256} | {row.sha256 for row in rows if row.dhash is not None and distance(row.dhash, picture.dhash) <= NEAR}


CHECKS = (missing, elsewhere)
COMPARISONS = (reused,)
