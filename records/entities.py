"""Entity lists as they are kept: making them, noting what is asked of them, reading them (ODK Entities)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from forms.definition import FormDefinition
from forms.entities import Request, lists_fed
from forms.problems import Problem
from records import audit
from records.access import Access, Right
from records.models import Entity, EntityAction, EntityList, Feed
from records.store import Store, insert_new

_IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ListSummary:
    """A list and how it stands: entities, those in conflict, and what was asked but waits or failed."""

    name: str
    approval: bool
    properties: list[str]
    entities: int
    conflicts: int
    waiting: int
    failed: int


def make_lists(connection: Connection, project_id: int, definition: FormDefinition) -> None:
    """Make the lists that a form feeds, with the properties it gives them, if they are not there."""
    for name, properties in lists_fed(definition).items():
        make_list(connection, project_id, name, properties)


def make_list(connection: Connection, project_id: int, name: str, properties: Iterable[str]) -> None:
    """Make a list, or add to one the properties it has not. Raises `Problem("value_invalid")` for a name no file can have."""
    if not name or name.startswith(".") or any(not (each.isalnum() or each in "-_.") for each in name):
        raise Problem("value_invalid", f"The entity list {name}: a name has letters, digits, hyphens and underscores.")
    key = {"project_id": project_id, "name": name}
    wanted = list(dict.fromkeys(properties))
    row = {**key, "created_at": datetime.now(UTC), "approval": False, "revision": 1, "properties": wanted}
    if connection.execute(insert_new(connection, EntityList), row).rowcount:
        return
    present = connection.execute(select(EntityList.properties).filter_by(**key).with_for_update()).scalar_one()
    if missing := [each for each in wanted if each not in present]:
        values = {"properties": [*present, *missing], "revision": EntityList.revision + 1}
        connection.execute(update(EntityList).filter_by(**key).values(**values))


def set_approval(store: Store, access: Access, name: str, approval: bool) -> None:
    """Have records that feed this list wait for their approval, or no longer. Raises `Problem` "not_found" or "not_allowed"."""
    access.require(Right.ENTITIES)

    def work(connection: Connection) -> None:
        change = update(EntityList).filter_by(project_id=access.project_id, name=name).values(approval=approval)
        if not connection.execute(change).rowcount:
            raise Problem("not_found", f"There is no entity list {name}.")
        note(connection, access, "entity_list.approval", name, {"approval": approval})

    store.write(work)


def add_requests(connection: Connection, source: dict[str, Any], requests: Sequence[Request], *, actor: str, at: datetime) -> None:
    """Note what a version of a submission asks; `source` is its key."""
    rows = [
        {
            **source,
            "list_name": request.list_name,
            "uuid": request.uuid,
            "kind": request.kind,
            "at": at,
            "actor": actor,
            "ordinal": ordinal,
            "base_version": request.base_version,
            "trunk_version": request.trunk_version,
            "branch_id": request.branch_id,
            "label": request.label,
            "data": request.data,
            "state": "failed" if request.problem else "waiting",
            "detail": request.problem,
            "version": None,
        }
        for ordinal, request in enumerate(requests)
    ]
    for row in rows:
        connection.execute(insert_new(connection, EntityAction), row)


def names(connection: Connection, project_id: int) -> set[str]:
    """The names of a project's lists."""
    return set(connection.execute(select(EntityList.name).filter_by(project_id=project_id)).scalars())


def summaries(connection: Connection, access: Access) -> list[ListSummary]:
    """All lists of a project by name. Raises `Problem("not_allowed")`."""
    access.require(Right.ENTITIES)
    project_id = access.project_id
    mine = Entity.project_id == project_id
    alive = _counts(connection, select(Entity.list_name, func.count()).where(mine, Entity.deleted_at.is_(None)))
    torn = _counts(
        connection, select(Entity.list_name, func.count()).where(mine, Entity.deleted_at.is_(None), Entity.conflict.is_not(None))
    )
    asked = select(EntityAction.list_name, func.count()).where(EntityAction.project_id == project_id)
    waiting = _counts(connection, asked.where(EntityAction.state == "waiting"))
    failed = _counts(connection, asked.where(EntityAction.state == "failed"))
    lists = connection.execute(select(*EntityList.__table__.columns).filter_by(project_id=project_id).order_by(EntityList.name))
    return [
        ListSummary(
            row.name,
            row.approval,
            row.properties,
            alive.get(row.name, 0),
            torn.get(row.name, 0),
            waiting.get(row.name, 0),
            failed.get(row.name, 0),
        )
        for row in lists
    ]


def _counts(connection: Connection, query: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(query.group_by(query.selected_columns[0]))}


def list_row(connection: Connection, access: Access, name: str) -> Row[Any]:
    """One list. Raises `Problem` "not_found" or "not_allowed"."""
    access.require(Right.ENTITIES)
    row = connection.execute(select(*EntityList.__table__.columns).filter_by(project_id=access.project_id, name=name)).first()
    if row is None:
        raise Problem("not_found", f"There is no entity list {name}.")
    return row


def entities(connection: Connection, access: Access, name: str, *, limit: int | None = None) -> Sequence[Row[Any]]:
    """The entities of a list, those in conflict first, then in the order they were made. Raises `Problem("not_allowed")`."""
    access.require(Right.ENTITIES)
    query = select(*Entity.__table__.columns).filter_by(project_id=access.project_id, list_name=name, deleted_at=None)
    return connection.execute(query.order_by(Entity.conflict.is_(None), Entity.created_at, Entity.uuid).limit(limit)).all()


def entity(connection: Connection, access: Access, uuid: str, name: str | None = None) -> Row[Any]:
    """The entity with this id (of this list), a deleted one too. Raises `Problem` "not_found" or "not_allowed"."""
    access.require(Right.ENTITIES)
    query = select(*Entity.__table__.columns).filter_by(project_id=access.project_id, uuid=uuid)
    row = connection.execute(query if name is None else query.filter_by(list_name=name)).first()
    if row is None:
        raise Problem("not_found", f"There is no entity {uuid}.")
    return row


def unsettled(connection: Connection, access: Access, name: str | None = None, *, limit: int = 200) -> Sequence[Row[Any]]:
    """What was asked of the lists and waits or failed, newest first. Raises `Problem("not_allowed")`."""
    access.require(Right.ENTITIES)
    query = select(*EntityAction.__table__.columns).where(
        EntityAction.project_id == access.project_id, EntityAction.state.in_(["waiting", "failed"])
    )
    query = query if name is None else query.where(EntityAction.list_name == name)
    return connection.execute(query.order_by(EntityAction.id.desc()).limit(limit)).all()


def deleted_among(connection: Connection, project_id: int, name: str, uuids: Collection[str]) -> dict[str, bool]:
    """Which of these are deleted; ids the list never had are left out, since their record may still be on its way."""
    found: dict[str, bool] = {}
    wanted = sorted(set(uuids))
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        some = Entity.uuid.in_(wanted[start : start + _IDS_AT_ONCE])
        query = select(Entity.uuid, Entity.deleted_at).where(Entity.project_id == project_id, Entity.list_name == name, some)
        found |= {row.uuid: row.deleted_at is not None for row in connection.execute(query)}
    return found


def note(connection: Connection, access: Access, action: str, target: str, detail: dict[str, Any]) -> None:
    """Write down what a person did with a list or an entity."""
    audit.note(connection, action, target, actor=access.actor, project_id=access.project_id, **detail)


def append_to_feed(connection: Connection, project_id: int, name: str, uuid: str) -> None:
    """Tell readers of the feed that an entity changed."""
    row = {"kind": "entity", "project_id": project_id, "form_id": name, "instance_id": uuid, "sha256": ""}
    connection.execute(insert(Feed), row)
