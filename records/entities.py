"""Entity lists as they are kept: making them, reading them, and the CSV that phones get (ODK Entities, OpenRosa manifest)."""

import csv
import hashlib
import io
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from forms.definition import FormDefinition
from forms.entities import Request, lists_fed
from forms.problems import Problem
from records.models import Entity, EntityAction, EntityList, Feed
from records.store import Store, insert_new

_OWN_COLUMNS = ("name", "label", "__version")  # Collect drops the whole list if one of them is missing
_LISTS_KEPT = 64
_IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ListFile:
    """An entity list as phones get it."""

    name: str
    approval: bool
    content: bytes
    md5: str


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


def make_list(connection: Connection, project_id: int, name: str, properties: Iterable[str], *, approval: bool = False) -> None:
    """Make a list, or add to one the properties it has not. Raises `Problem("value_invalid")` for a name no file can have."""
    if not name or name.startswith(".") or any(not (each.isalnum() or each in "-_.") for each in name):
        raise Problem("value_invalid", f"The entity list {name}: a name has letters, digits, hyphens and underscores.")
    key = {"project_id": project_id, "name": name}
    wanted = list(dict.fromkeys(properties))
    row = {**key, "created_at": datetime.now(UTC), "approval": approval, "revision": 1, "properties": wanted}
    if connection.execute(insert_new(connection, EntityList), row).rowcount:
        return
    present = connection.execute(select(EntityList.properties).filter_by(**key).with_for_update()).scalar_one()
    if missing := [each for each in wanted if each not in present]:
        values = {"properties": [*present, *missing], "revision": EntityList.revision + 1}
        connection.execute(update(EntityList).filter_by(**key).values(**values))


def set_approval(connection: Connection, project_id: int, name: str, approval: bool) -> None:
    """Have records that feed this list wait for their approval, or no longer. Raises `Problem("not_found")`."""
    if not connection.execute(update(EntityList).filter_by(project_id=project_id, name=name).values(approval=approval)).rowcount:
        raise Problem("not_found", f"There is no entity list {name}.")


def add_requests(
    connection: Connection, source: dict[str, Any], requests: Sequence[Request], *, actor: str, at: datetime
) -> list[tuple[str, str]]:
    """Note what a version of a submission asks; `source` is its key. Returns (list, uuid) of what can be applied."""
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
    return sorted({(request.list_name, request.uuid) for request in requests if not request.problem})


def names(connection: Connection, project_id: int) -> set[str]:
    """The names of a project's lists."""
    return set(connection.execute(select(EntityList.name).filter_by(project_id=project_id)).scalars())


def summaries(connection: Connection, project_id: int) -> list[ListSummary]:
    """All lists of a project by name."""
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
    return {name: count for name, count in connection.execute(query.group_by(query.selected_columns[0]))}


def list_row(connection: Connection, project_id: int, name: str) -> Row[Any]:
    """One list. Raises `Problem("not_found")`."""
    row = connection.execute(select(*EntityList.__table__.columns).filter_by(project_id=project_id, name=name)).first()
    if row is None:
        raise Problem("not_found", f"There is no entity list {name}.")
    return row


def entities(
    connection: Connection, project_id: int, name: str, *, deleted: bool = False, limit: int | None = None
) -> Sequence[Row[Any]]:
    """The entities of a list, those in conflict first, then in the order they were made."""
    query = select(*Entity.__table__.columns).filter_by(project_id=project_id, list_name=name)
    query = query if deleted else query.where(Entity.deleted_at.is_(None))
    return connection.execute(query.order_by(Entity.conflict.is_(None), Entity.created_at, Entity.uuid).limit(limit)).all()


def entity(connection: Connection, project_id: int, uuid: str) -> Row[Any]:
    """The entity with this id. Raises `Problem("not_found")`."""
    row = connection.execute(select(*Entity.__table__.columns).filter_by(project_id=project_id, uuid=uuid)).first()
    if row is None:
        raise Problem("not_found", f"There is no entity {uuid}.")
    return row


def unsettled(connection: Connection, project_id: int, name: str | None = None, *, limit: int = 200) -> Sequence[Row[Any]]:
    """What was asked of the lists and waits or failed, newest first."""
    query = select(*EntityAction.__table__.columns).where(
        EntityAction.project_id == project_id, EntityAction.state.in_(["waiting", "failed"])
    )
    query = query if name is None else query.where(EntityAction.list_name == name)
    return connection.execute(query.order_by(EntityAction.id.desc()).limit(limit)).all()


def deleted_among(connection: Connection, project_id: int, name: str, uuids: Collection[str]) -> dict[str, bool]:
    """Which of these are deleted; ids the list never had are left out, since their record may still be on its way."""
    wanted, found = sorted(set(uuids)), {}
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        some = Entity.uuid.in_(wanted[start : start + _IDS_AT_ONCE])
        query = select(Entity.uuid, Entity.deleted_at).where(Entity.project_id == project_id, Entity.list_name == name, some)
        found |= {row.uuid: row.deleted_at is not None for row in connection.execute(query)}
    return found


def append_to_feed(connection: Connection, project_id: int, name: str, uuid: str) -> None:
    """Tell readers of the feed that an entity changed."""
    row = {"kind": "entity", "project_id": project_id, "form_id": name, "instance_id": uuid, "sha256": ""}
    connection.execute(insert(Feed), row)


class ListFiles:
    """The CSV of every list, written once per revision. One per process; may be used from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, str], tuple[tuple[int, bool], ListFile]] = OrderedDict()

    def get(self, project_id: int, name: str) -> ListFile | None:
        """The list, whole, or None if the project has no such list. Raises `Problem("entity_list_unavailable")`."""
        with self._store.snapshot() as connection:
            columns = (EntityList.revision, EntityList.approval, EntityList.properties)
            row = connection.execute(select(*columns).filter_by(project_id=project_id, name=name)).first()
            if row is None:
                return None
            state = (row.revision, row.approval)
            with self._lock:
                known = self._kept.get((project_id, name))
            if known is not None and known[0] == state:
                return known[1]
            try:
                content = _csv(row.properties, _present(connection, project_id, name))
            except Exception as error:  # half a list would make phones delete the other half
                raise Problem("entity_list_unavailable", name) from error
        file = ListFile(name, row.approval, content, hashlib.md5(content, usedforsecurity=False).hexdigest())
        with self._lock:
            self._kept[project_id, name] = (state, file)
            self._kept.move_to_end((project_id, name))
            while len(self._kept) > _LISTS_KEPT:
                self._kept.popitem(last=False)
        return file


def _present(connection: Connection, project_id: int, name: str) -> Iterable[Row[Any]]:
    columns = (Entity.uuid, Entity.label, Entity.version, Entity.data)
    query = select(*columns).filter_by(project_id=project_id, list_name=name, deleted_at=None)
    return connection.execute(query.order_by(Entity.created_at, Entity.uuid))


def _csv(properties: Sequence[str], rows: Iterable[Row[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_OWN_COLUMNS, *properties])
    for row in rows:
        writer.writerow([row.uuid, row.label, row.version, *(row.data.get(name, "") for name in properties)])
    return text.getvalue().encode()
