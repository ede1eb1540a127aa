"""Who did what, when: every change that people make leaves a line, written together with the change, and so does every look at
exact data."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, null, or_, select, union_all

from records.access import Access, Right
from records.models import AuditEvent, ReviewEvent
from records.store import Store

RECORD, LIST, ENTITY = "data.view", "data.list", "entity.view"
LOOKS = (RECORD, LIST, ENTITY)
"""What is noted when nothing is done: who looked at a record, at many at once, at an entity, as they are."""


def note(connection: Connection, action: str, target: str, *, actor: str, project_id: int | None = None, **detail: Any) -> None:
    """Write down that `actor` did `action` with `target`; in a project, or for the server as a whole (None)."""
    event = {"at": datetime.now(UTC), "project_id": project_id, "actor": actor, "action": action, "target": target}
    connection.execute(insert(AuditEvent).values(**event, detail=detail))


def note_taken(store: Store, access: Access, form_id: str, way: str, **detail: Any) -> None:
    """Write down that the exact records of a form, or a list of entities, were taken out, once for a download: which `way`, which
    part, how many rows.

    Raises `Problem("not_allowed")`.
    """
    access.require(Right.SEE, Right.ENTITIES)
    about = {name: value for name, value in detail.items() if value not in (None, "")}
    actor, project_id = access.actor, access.project_id
    store.write(lambda write: note(write, "data.export", form_id, actor=actor, project_id=project_id, format=way, **about))


def note_look(store: Store, access: Access, action: str, target: str, **detail: str) -> None:
    """Write down that somebody was shown something as it is; `action` is one of `LOOKS`. Raises `Problem("not_allowed")`."""
    access.require(Right.SEE, Right.ENTITIES)
    actor, project_id = access.actor, access.project_id
    store.write(lambda write: note(write, action, target, actor=actor, project_id=project_id, **detail))


def events(
    connection: Connection, access: Access, *, limit: int, skip: int = 0, action: str = "", looks: bool | None = None
) -> Sequence[Row[Any]]:
    """What was done, the newest first: (at, actor, action, target, detail, form_id, state).

    Only what is this `action`, or only what is one of `LOOKS`, or (`looks` False) none of them.

    With the project's events come those of its records, whose action is `record.` and that of the review, and, for those who may
    see them, those of no project.
    """
    access.require(Right.LOG)
    event, review = AuditEvent, ReviewEvent
    is_seen = event.project_id == access.project_id
    if access.may(Right.SERVER):
        is_seen = or_(is_seen, event.project_id.is_(None))
    about = (event.at, event.actor, event.action, event.target, event.detail)
    told = select(*about, null().label("form_id"), null().label("state"), event.id).where(is_seen)
    of_record = ("record." + review.action).label("action")
    about_record = (review.at, review.actor, of_record, review.instance_id.label("target"), review.detail)
    reviewed = select(*about_record, review.form_id, review.state, review.id).where(review.project_id == access.project_id)
    both = union_all(told, reviewed).subquery()
    wanted = [both.c.action == action] if action else []
    if looks is not None:
        wanted.append(both.c.action.in_(LOOKS) if looks else both.c.action.not_in(LOOKS))
    newest = select(*both.c).where(*wanted).order_by(both.c.at.desc(), both.c.id.desc())
    return connection.execute(newest.limit(limit).offset(skip)).all()
