"""Entities kept up with what submissions and people ask of them.

What a submission asks is noted with it (`records.entities.add_requests`) and applied right after, in a transaction of its own:
nothing here can cost a record. Whatever was noted and not applied is taken up again by `settle_waiting`.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, String, bindparam, func, insert, select, update

from forms.entities import Request
from forms.problems import Problem
from records import entities as kept
from records.access import Access
from records.models import Entity, EntityAction, EntityList, Submission, SubmissionVersion
from records.store import Store, insert_new
from sync.entity_fold import APPLIED, LABEL, WAITING, Action, History, fold

PATIENCE = timedelta(days=7)
"""How long a change waits for the one before it on the same phone; a lost phone must not hold up the others."""
ORIGINAL_MISSING = "The record it corrects has not come."
NOT_APPROVED = "Its record is not approved."
_ALONE = select(
    func.pg_advisory_xact_lock(func.hashtextextended(bindparam("uuid", type_=String), bindparam("project", type_=BigInteger)))
)
_ROWS = (  # built once: every record of a form that feeds a list asks it
    select(
        *EntityAction.__table__.columns,
        SubmissionVersion.deprecated_id,
        Submission.review_state,
        EntityList.approval,
        EntityList.properties,
    )
    .join(
        SubmissionVersion,
        (SubmissionVersion.project_id == EntityAction.project_id)
        & (SubmissionVersion.form_id == EntityAction.form_id)
        & (SubmissionVersion.instance_id == EntityAction.instance_id)
        & (SubmissionVersion.sha256 == EntityAction.sha256),
        isouter=True,
    )
    .join(
        Submission,
        (Submission.project_id == SubmissionVersion.project_id)
        & (Submission.form_id == SubmissionVersion.form_id)
        & (Submission.instance_id == SubmissionVersion.root_id),
        isouter=True,
    )
    .join(
        EntityList, (EntityList.project_id == EntityAction.project_id) & (EntityList.name == EntityAction.list_name), isouter=True
    )
    .where(
        EntityAction.project_id == bindparam("project"),
        EntityAction.list_name == bindparam("name"),
        EntityAction.uuid == bindparam("uuid"),
    )
    .order_by(EntityAction.id)
)
_CHANGE = (
    update(EntityAction)
    .where(EntityAction.id == bindparam("action"))
    .values(state=bindparam("new_state"), detail=bindparam("new_detail"), version=bindparam("new_version"))
)
_log = logging.getLogger(__name__)


def settle(store: Store, project_id: int, requests: Iterable[Request]) -> None:
    """Apply what a submission asked, and what waited for it. Never raises: what cannot be done now is done by `settle_waiting`."""
    _settle_all(store, project_id, {(request.list_name, request.uuid) for request in requests if not request.problem})


def _settle_all(store: Store, project_id: int, keys: Iterable[tuple[str, str]]) -> None:
    """Together, or where that fails, one by one."""
    some = sorted(keys)
    if not some:
        return
    try:
        store.write(lambda connection: _settle(connection, project_id, some))
    except Exception:
        if len(some) == 1:
            _log.exception("The entity %s of %s could not be brought up to date; it is tried again", *reversed(some[0]))
            return
        for key in some:
            _settle_all(store, project_id, [key])


def settle_waiting(store: Store, project_id: int | None = None) -> None:
    """Apply everything that can be applied: after a crash, when patience ends, when a record was approved."""
    query = select(EntityAction.project_id, EntityAction.list_name, EntityAction.uuid).filter_by(state=WAITING).distinct()
    with store.read() as connection:
        rows = connection.execute(query if project_id is None else query.filter_by(project_id=project_id)).all()
    for row in rows:
        _settle_all(store, row.project_id, [(row.list_name, row.uuid)])


def history(connection: Connection, access: Access, uuid: str, name: str | None = None) -> tuple[History, list[Row[Any]]]:
    """All versions of an entity (of this list), and everything asked of it, in the order it came.

    Raises `Problem` "not_found" or "not_allowed".
    """
    found = kept.entity(connection, access, uuid, name)
    rows = _rows(connection, access.project_id, found.list_name, uuid)
    return fold(_action(row) for row in rows), rows


def change(store: Store, access: Access, uuid: str, kind: str, values: Mapping[str, str] | None = None) -> None:
    """What a person does with an entity: `delete` it, or `resolve` its conflict, with other `values` if need be.

    Raises `Problem` "not_found", also for an entity that was deleted before, "value_invalid" or "not_allowed".
    """

    def work(connection: Connection) -> None:
        found = kept.entity(connection, access, uuid)
        _lock(connection, access.project_id, uuid)
        if found.deleted_at is not None:
            raise Problem("not_found", f"The entity {uuid} was deleted.")
        given = dict(values or {})
        unknown = set(given) - {LABEL, *kept.list_row(connection, access, found.list_name).properties}
        if unknown:
            raise Problem("value_invalid", f"The list {found.list_name} has no property {', '.join(sorted(unknown))}.")
        ask(connection, access, found.list_name, uuid, kind, given)
        kept.note(connection, access, f"entity.{kind}", uuid, {"list": found.list_name, "values": given})

    store.write(work)


def ask(
    connection: Connection,
    access: Access,
    name: str,
    uuid: str,
    kind: str,
    values: Mapping[str, str],
    base_version: int | None = None,
) -> None:
    """Note what a person asks of an entity and apply it."""
    data = {key: value for key, value in values.items() if key != LABEL}
    row = {
        "project_id": access.project_id,
        "list_name": name,
        "uuid": uuid,
        "kind": kind,
        "at": datetime.now(UTC),
        "actor": access.actor,
        "ordinal": 0,
        "base_version": base_version,
        "label": values.get(LABEL),
        "data": data,
        "state": WAITING,
        "detail": "",
    }
    connection.execute(insert(EntityAction), row)
    _settle(connection, access.project_id, [(name, uuid)])


def _lock(connection: Connection, project_id: int, uuid: str) -> None:
    """On PostgreSQL: one worker at a time per entity. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(_ALONE, {"uuid": uuid, "project": project_id})


def _rows(connection: Connection, project_id: int, name: str, uuid: str) -> list[Row[Any]]:
    return list(connection.execute(_ROWS, {"project": project_id, "name": name, "uuid": uuid}))


def _action(row: Row[Any]) -> Action:
    hold = NOT_APPROVED if row.approval and row.form_id is not None and row.review_state != "approved" else ""
    return Action(
        id=row.id,
        kind=row.kind,
        values={**row.data, **({} if row.label is None else {LABEL: row.label})},
        source=row.instance_id or "",
        replaces=row.deprecated_id or "",
        base_version=row.base_version,
        trunk_version=row.trunk_version,
        branch_id=row.branch_id,
        hold=hold,
        overdue=datetime.now(UTC) - row.at > PATIENCE,
        state=row.state,
        detail=row.detail,
        version=row.version,
    )


def _settle(connection: Connection, project_id: int, keys: Sequence[tuple[str, str]]) -> None:
    """Bring these entities, (list, uuid), up to date."""
    for uuid in sorted({uuid for _, uuid in keys}):  # all before anything is written: no two wait for each other
        _lock(connection, project_id, uuid)
    for name, uuid in keys:
        _settle_one(connection, project_id, name, uuid)


def _settle_one(connection: Connection, project_id: int, name: str, uuid: str) -> None:
    """Fold everything asked of one entity and write down what came of it."""
    rows = _rows(connection, project_id, name, uuid)
    before = {row.id: (row.state, row.detail, row.version) for row in rows}
    actions = [_action(row) for row in rows]
    for row, action in zip(rows, actions, strict=True):
        if action.replaces and action.state == WAITING and not action.overdue and not _has_come(connection, row):
            action.hold = action.hold or ORIGINAL_MISSING
    result = fold(actions)
    changed = [action for action in actions if before[action.id] != (action.state, action.detail, action.version)]
    if changed:
        values = [
            {"action": each.id, "new_state": each.state, "new_detail": each.detail, "new_version": each.version} for each in changed
        ]
        connection.execute(_CHANGE, values)
    if any(action.state == APPLIED for action in changed):
        known = rows[0].properties
        if known is None or not {*known, LABEL}.issuperset(result.versions[-1]):
            kept.make_list(connection, project_id, name, (each for each in result.versions[-1] if each != LABEL))
        _write(connection, project_id, name, uuid, result)


def _has_come(connection: Connection, row: Row[Any]) -> bool:
    key = {"project_id": row.project_id, "form_id": row.form_id, "instance_id": row.deprecated_id}
    return connection.execute(select(SubmissionVersion.instance_id).filter_by(**key).limit(1)).first() is not None


def _write(connection: Connection, project_id: int, name: str, uuid: str, result: History) -> None:
    now, current = datetime.now(UTC), dict(result.versions[-1])
    state = {
        "label": current.pop(LABEL, ""),
        "data": current,
        "version": len(result.versions),
        "conflict": result.conflict,
        "updated_at": now,
        "deleted_at": now if result.deleted else None,
    }
    key = {"project_id": project_id, "list_name": name, "uuid": uuid}
    new = {**key, **state, "created_at": now, "updated_at": None}
    if connection.execute(insert_new(connection, Entity), new).rowcount == 0:
        connection.execute(update(Entity).filter_by(**key).values(**state))
    connection.execute(update(EntityList).filter_by(project_id=project_id, name=name).values(revision=EntityList.revision + 1))
    kept.append_to_feed(connection, project_id, name, uuid)
