"""Entity lists as phones get them: CSV, whole or not at all (ODK Entities, OpenRosa manifest)."""

import csv
import hashlib
import io
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from forms.problems import Problem
from records.models import Entity, EntityList
from records.store import Store

_OWN_COLUMNS = ("name", "label", "__version")  # Collect drops the whole list if one of them is missing
_LISTS_KEPT = 64


@dataclass(frozen=True, slots=True)
class ListFile:
    """An entity list as phones get it."""

    name: str
    approval: bool
    content: bytes
    md5: str


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
