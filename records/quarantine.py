"""The quarantine: records that are kept and wait for a person, because something about them is odd."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Text, cast, func, or_, select

from records.access import Access, Right
from records.models import AppUser, KeptAside, Submission

MOST_COUNTED = 999


def waiting(connection: Connection, access: Access, *, limit: int) -> Sequence[Row[Any]]:
    """(form_id, instance_id, received_at, flags, instance_name, app_user) of what waits, errors first, then the oldest."""
    names = ("form_id", "instance_id", "received_at", "flags", "instance_name")
    query: Any = (
        select(*(getattr(Submission, name) for name in names), AppUser.name.label("app_user"))
        .join_from(Submission, AppUser, AppUser.id == Submission.app_user_id, isouter=True)
        .where(Submission.attention, *_waits(access))
        .order_by(Submission.excluded.desc(), Submission.received_at, Submission.instance_id)
        .limit(limit)
    )
    rows: Sequence[Row[Any]] = connection.execute(query).all()
    return rows


def count(connection: Connection, access: Access) -> int:
    """How many records and things kept aside wait; at most one more than `MOST_COUNTED`."""
    records = select(Submission.instance_id).where(Submission.attention, *_waits(access)).limit(MOST_COUNTED + 1).subquery()
    aside = select(KeptAside.sha256).filter_by(project_id=access.project_id, settled_at=None).limit(MOST_COUNTED + 1).subquery()
    counts = [connection.execute(select(func.count()).select_from(each)).scalar_one() for each in (records, aside)]
    return min(sum(counts), MOST_COUNTED + 1)


def _waits(access: Access) -> Sequence[ColumnElement[bool]]:
    """The conditions beside `attention`; of deleted records only those wait for which a correction came after they were deleted."""
    access.require(Right.REVIEW)
    corrected = cast(Submission.flags, Text).contains('"after_delete"')
    return [*access.visible(with_deleted=True), or_(Submission.deleted_at.is_(None), corrected)]
