"""Records without their answers: who sent them, when, and how far their review is. For programs that list them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from forms.problems import Problem
from records.access import Access, Right
from records.models import AppUser, Submission, SubmissionVersion

_PAGE = 500
_CURRENT = and_(
    SubmissionVersion.project_id == Submission.project_id,
    SubmissionVersion.form_id == Submission.form_id,
    SubmissionVersion.instance_id == Submission.current_instance_id,
    SubmissionVersion.sha256 == Submission.current_sha256,
)
_COLUMNS = (
    *(Submission.instance_id, Submission.current_instance_id, Submission.current_sha256, Submission.received_at),
    *(Submission.updated_at, Submission.deleted_at, Submission.app_user_id, Submission.device_id, Submission.review_state),
    *(Submission.instance_name, Submission.version, Submission.edits, AppUser.name.label("app_user")),
    *(AppUser.created_at.label("app_user_since"), AppUser.language, SubmissionVersion.user_agent),
    SubmissionVersion.received_at.label("current_received_at"),
    SubmissionVersion.app_user_id.label("current_app_user_id"),
    SubmissionVersion.device_id.label("current_device_id"),
)


def summaries(
    read: Callable[[], AbstractContextManager[Connection]],
    access: Access,
    form_id: str,
    *,
    limit: int | None = None,
    offset: int = 0,
    deleted: bool = False,
) -> Iterator[Row[Any]]:
    """The records of a form, newest first, read page by page; `deleted` gives only those that were deleted."""
    query = _query(access, form_id, with_deleted=deleted)
    if deleted:
        query = query.where(Submission.deleted_at.is_not(None))
    left, last = limit, None
    while left is None or left > 0:
        size = _PAGE if left is None else min(left, _PAGE)
        page = query if last is None else query.where(_after(last))
        with read() as connection:
            rows = connection.execute(page.limit(size).offset(offset if last is None else 0)).all()
        yield from rows
        if len(rows) < size:
            return
        last, left = rows[-1], None if left is None else left - size


def summary(connection: Connection, access: Access, form_id: str, instance_id: str) -> Row[Any]:
    """One record that was not deleted, by its first instance id. Raises `Problem("submission_unknown")`."""
    row: Row[Any] | None = connection.execute(_query(access, form_id).where(Submission.instance_id == instance_id)).first()
    if row is None:
        raise Problem("submission_unknown", instance_id)
    return row


def _query(access: Access, form_id: str, *, with_deleted: bool = False) -> Any:
    access.require(Right.SEE)
    return (
        select(*_COLUMNS)
        .join_from(Submission, SubmissionVersion, _CURRENT, isouter=True)
        .join(AppUser, AppUser.id == Submission.app_user_id, isouter=True)
        .where(*access.visible(with_deleted=with_deleted), Submission.form_id == form_id)
        .order_by(Submission.received_at.desc(), Submission.instance_id.desc())
    )


def _after(last: Row[Any]) -> Any:
    same = and_(Submission.received_at == last.received_at, Submission.instance_id < last.instance_id)
    return and_(Submission.received_at <= last.received_at, or_(Submission.received_at < last.received_at, same))
