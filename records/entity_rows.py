"""Entities of a list with who made them, read page by page in the order of their ids."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, String, cast, func, literal, select

from records.access import Access, Right
from records.models import Account, AppUser, Entity, EntityAction

_PAGE = 500
_PHONE = "app-user:"
_FIRST = (
    (EntityAction.project_id == Entity.project_id)
    & (EntityAction.list_name == Entity.list_name)
    & (EntityAction.uuid == Entity.uuid)
    & (EntityAction.version == 1)
)


def rows(
    read: Callable[[], AbstractContextManager[Connection]],
    access: Access,
    name: str,
    *,
    uuid: str | None = None,
    with_deleted: bool = False,
    where: Sequence[ColumnElement[bool]] = (),
    after: str = "",
    skip: int = 0,
    limit: int | None = None,
) -> Iterator[Row[Any]]:
    """The columns of `entity`, creator_id and creator (a phone or a person); deleted ones only where that is said.

    Raises `Problem("not_allowed")`.
    """
    access.require(Right.ENTITIES)
    actor = select(EntityAction.actor).where(_FIRST).order_by(EntityAction.id).limit(1).scalar_subquery()
    asked = select(*Entity.__table__.columns, actor.label("actor")).where(
        Entity.project_id == access.project_id, Entity.list_name == name, *where
    )
    if uuid is not None:
        asked = asked.where(Entity.uuid == uuid)
    if not with_deleted:
        asked = asked.where(Entity.deleted_at.is_(None))
    left = limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(left, _PAGE)
        page = asked.where(Entity.uuid > after).order_by(Entity.uuid).limit(size).offset(skip).subquery()
        phone = page.c.actor == literal(_PHONE, String) + cast(AppUser.id, String)
        query = (
            select(
                *page.c,
                func.coalesce(AppUser.id, Account.id).label("creator_id"),
                func.coalesce(AppUser.name, page.c.actor).label("creator"),
            )
            .join_from(page, AppUser, phone, isouter=True)
            .join(Account, Account.name == page.c.actor, isouter=True)
            .order_by(page.c.uuid)
        )
        with read() as connection:
            batch: Sequence[Any] = connection.execute(query).all()
        yield from batch
        if len(batch) < size:
            return
        after, skip, left = batch[-1].uuid, 0, None if left is None else left - size
