"""Filling an entity list from a table that people keep, such as a register of households."""

import csv
import io
from collections import Counter
from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, select

from forms.entities import normal_uuid
from forms.problems import Problem
from records import entities as kept
from records.access import Access, Right
from records.models import Entity
from records.store import Store
from sync.entities import ask
from sync.entity_fold import LABEL

_NAME = "name"
MADE, CHANGED, UNCHANGED, DELETED = "made", "changed", "unchanged", "deleted before"


def import_csv(store: Store, access: Access, name: str, content: bytes) -> Counter[str]:
    """Make or change one entity per row; the columns are `label`, `name` if the rows have ids (UUIDs), and the properties.

    A row without an id is known again by its label, so a table may be imported as often as it changes; what it lacks stays. All
    rows or none. Counts what became of the rows. Raises `Problem` "value_invalid" naming the line, or "not_allowed".
    """
    access.require(Right.ENTITIES)
    rows = _rows(access, name, content)

    def work(connection: Connection) -> Counter[str]:
        properties = dict.fromkeys(key for _, values in rows for key in values if key != LABEL)
        kept.make_list(connection, access.project_id, name, properties)
        counts = Counter(_import(connection, access, name, uuid, values) for uuid, values in rows)
        kept.note(connection, access, "entity.import", name, dict(counts))
        return counts

    return store.write(work)


def _rows(access: Access, name: str, content: bytes) -> list[tuple[str, dict[str, str]]]:
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        table = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Problem("value_invalid", f"This is not a CSV file in UTF-8: {error}.") from error
    if LABEL not in (reader.fieldnames or ()):
        raise Problem("value_invalid", "The table needs a column named label.")
    return [_row(access, name, line, row) for line, row in table]


def _row(access: Access, name: str, line: int, row: Mapping[str, str | None]) -> tuple[str, dict[str, str]]:
    if None in row or None in row.values():
        raise Problem("value_invalid", f"Line {line} has another number of cells than the header.")
    label, given = (row[LABEL] or "").strip(), (row.get(_NAME) or "").strip()
    if not label:
        raise Problem("value_invalid", f"Line {line} has no label.")
    uuid = normal_uuid(given) if given else str(uuid5(NAMESPACE_URL, f"{access.project_id}/{name}/{label}"))
    if not uuid:
        raise Problem("value_invalid", f"Line {line}: {given} is not a UUID.")
    values = {key: value or "" for key, value in row.items() if key != _NAME and not key.startswith("__")}
    return uuid, values | {LABEL: label}


def _import(connection: Connection, access: Access, name: str, uuid: str, values: dict[str, str]) -> str:
    key = {"project_id": access.project_id, "list_name": name, "uuid": uuid}
    query = select(Entity.label, Entity.data, Entity.version, Entity.deleted_at).filter_by(**key)
    found = connection.execute(query).first()
    if found is None:
        ask(connection, access, name, uuid, "create", values)
        return MADE
    if found.deleted_at is not None:
        return DELETED
    if values.items() <= {**found.data, LABEL: found.label}.items():
        return UNCHANGED
    ask(connection, access, name, uuid, "update", values, found.version)
    return CHANGED
