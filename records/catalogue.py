"""What a project holds, counted: projects and forms for programs that list them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from forms.problems import Problem
from records.access import Access, Right
from records.models import AppUser, Feed, Form, FormVersion, Project, Submission

_CURRENT = (
    (Form.project_id == FormVersion.project_id)
    & (Form.form_id == FormVersion.form_id)
    & (Form.current_version == FormVersion.version)
)
_COLUMNS = (
    *(Form.form_id, Form.state, Form.created_at, FormVersion.version, FormVersion.title, FormVersion.md5, FormVersion.sha256),
    *(FormVersion.published_at, FormVersion.source_name),
)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many records there are, when the last came, and how many are in each review state."""

    submissions: int
    last: datetime | None
    states: dict[str, int]


NONE = Tally(0, None, {})


def projects(connection: Connection, only: Sequence[int] | None = None) -> Sequence[Row[Any]]:
    """(id, name, account, created_at, forms, app_users) of all projects or some, in the order they were made."""
    forms = select(func.count()).where(Form.project_id == Project.id).scalar_subquery()
    phones = select(func.count()).where(AppUser.project_id == Project.id, AppUser.revoked_at.is_(None)).scalar_subquery()
    columns = (Project.id, Project.name, Project.account, Project.created_at, forms.label("forms"), phones.label("app_users"))
    query = select(*columns).order_by(Project.id)
    return connection.execute(query if only is None else query.where(Project.id.in_(only))).all()


def last_arrival(connection: Connection, access: Access) -> datetime | None:
    """When the last record came that may be seen; None too for who sees none."""
    if not access.may(Right.SEE):
        return None
    newest = select(Submission.received_at).where(*access.visible()).order_by(Submission.received_at.desc())
    found: datetime | None = connection.execute(newest.limit(1)).scalar()
    return found


def forms(connection: Connection, access: Access) -> Sequence[Any]:
    """(form_id, state, created_at, version, title, md5, sha256, published_at, source_name) of all forms, by id."""
    access.require(Right.SEE)
    query = select(*_COLUMNS).join(Form, _CURRENT).where(Form.project_id == access.project_id)
    return connection.execute(query.order_by(Form.form_id)).all()


def form(connection: Connection, access: Access, form_id: str) -> Any:
    """One of them. Raises `Problem("form_unknown")`."""
    access.require(Right.SEE)
    query = select(*_COLUMNS).join(Form, _CURRENT).where(Form.project_id == access.project_id, Form.form_id == form_id)
    row = connection.execute(query).first()
    if row is None:
        raise Problem("form_unknown", form_id)
    return row


def tallies(connection: Connection, access: Access, form_id: str | None = None) -> dict[str, Tally]:
    """What has come of each form, as far as it may be seen."""
    access.require(Right.SEE)
    counted = (
        Submission.form_id,
        Submission.review_state,
        func.count().label("number"),
        func.max(Submission.received_at).label("last"),
    )
    query = select(*counted).where(*access.visible()).group_by(Submission.form_id, Submission.review_state)
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(query if form_id is None else query.where(Submission.form_id == form_id)):
        rows[row.form_id].append(row)
    return {
        name: Tally(
            sum(row.number for row in of_form), max(row.last for row in of_form), {row.review_state: row.number for row in of_form}
        )
        for name, of_form in rows.items()
    }


def state_of(connection: Connection) -> str:
    """A text that is another one whenever anything that is kept has changed, and costs one look.

    SQLite commits in the order of the feed. PostgreSQL does not, but numbers its transactions.
    """
    if connection.dialect.name == "postgresql":
        return str(connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar_one())
    return str(connection.execute(select(func.max(Feed.position))).scalar())
