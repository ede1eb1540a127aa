"""What a hub defines, taken over by a station: forms with their files, their states, the entities of lists."""

from typing import Any

import orjson
from sqlalchemy import Connection, Row, delete, select, update

from forms.definition import FormDefinition
from forms.problems import Problem
from records import entities as kept
from records.access import Access
from records.blobs import BlobStore
from records.form_life import replace_file
from records.models import Entity, EntityAction, Form, FormVersion, RelayFile, RelayRecord
from records.publishing import Publication, list_changed, publish_with
from records.store import Store
from sync import entities
from sync.relay.downward import rank
from sync.relay.waits import Waits


def form(store: Store, blobs: BlobStore, row: Row[Any], body: bytes, by: str) -> None:
    """Publish a version once all of it is here: phones get a form only whole. Other bytes of that version that are here stay."""
    said = orjson.loads(body)
    (_, xform_sha256, _), *media = said["files"]
    key = {"project_id": row.project_id, "form_id": row.form_id, "version": row.instance_id}
    with store.read() as connection:
        here = connection.execute(select(FormVersion.xform).filter_by(**key, sha256=xform_sha256)).scalar()
        is_replaced = _is_replaced(connection, row)
    if is_replaced:
        store.write(lambda connection: connection.execute(delete(RelayFile).filter_by(record_id=row.id)))
        return
    was_here = here is not None
    needed = [sha256 for _, sha256, _ in media] + ([] if here is not None else [xform_sha256])
    if not all(map(blobs.has, needed)):
        raise Waits("files")
    if here is None:
        with blobs.open(xform_sha256) as file:
            here = file.read()
    files = [{"name": name, "md5": blobs.described(sha256).md5, "sha256": sha256, "size": size} for name, sha256, size in media]
    definition = FormDefinition.from_xform(here)
    publication = Publication(row.project_id, definition, here, said["source"], files, said["note"], by)

    def work(connection: Connection) -> None:
        for name, sha256, _ in media if was_here else ():
            replace_file(connection, {**key, "name": name}, blobs.described(sha256))
        publish_with(connection, publication)
        connection.execute(delete(RelayFile).filter_by(record_id=row.id))

    store.write(work)


def state(store: Store, row: Row[Any], body: bytes) -> None:
    """Open, close or retire a form as the hub did, and make its current version ours."""
    said = orjson.loads(body)
    of_form = {"project_id": row.project_id, "form_id": row.form_id}

    def work(connection: Connection) -> None:
        if _is_replaced(connection, row):
            return
        known = connection.execute(select(FormVersion.version).filter_by(**of_form, version=said["current"])).first()
        if known is None:
            raise Waits("files")
        values = {"state": said["state"], "current_version": said["current"], "confidential": said["confidential"]}
        connection.execute(update(Form).filter_by(**of_form).values(**values))
        list_changed(connection, row.project_id)

    store.write(work)


def entity(store: Store, row: Row[Any], body: bytes, by: str) -> None:
    """Bring an entity to what it is at the hub."""
    said = orjson.loads(body)
    access = Access.everything(row.project_id, by)
    name, uuid = row.form_id, row.instance_id

    def work(connection: Connection) -> None:
        kept.make_list(connection, row.project_id, name, said["properties"])
        query = select(Entity.label, Entity.data, Entity.deleted_at).filter_by(project_id=row.project_id, list_name=name, uuid=uuid)
        here = connection.execute(query).first()
        if here is not None and here.deleted_at is not None:
            return
        if said["deleted"]:
            if here is not None:
                entities.ask(connection, access, name, uuid, "delete", {})
                if not said["data"]:
                    _forget(connection, row, said["label"])
        elif here is None or (here.label, here.data) != (said["label"], said["data"]):
            entities.ask(connection, access, name, uuid, "upsert", said["data"] | {"label": said["label"]})

    try:
        store.write(work)
    except Problem as problem:
        raise Waits(problem.kind.code) from None


def _forget(connection: Connection, row: Row[Any], label: str) -> None:
    """Keep nothing of what an entity said before: at the hub the person whom it named was erased."""
    key = {"project_id": row.project_id, "list_name": row.form_id, "uuid": row.instance_id}
    for model in (Entity, EntityAction):
        connection.execute(update(model).filter_by(**key).values(label=label, data={}))
    same = {"project_id": row.project_id, "kind": row.kind, "form_id": row.form_id, "instance_id": row.instance_id}
    connection.execute(update(RelayRecord).filter_by(**same).where(RelayRecord.id != row.id).values(body=None))


def _is_replaced(connection: Connection, row: Row[Any]) -> bool:
    """Whether the hub has said something else since about the same: what waited must not come after it."""
    same = {"project_id": row.project_id, "kind": row.kind, "form_id": row.form_id, "instance_id": row.instance_id}
    said = connection.execute(select(RelayRecord.header).filter_by(**same, origin=row.origin)).scalars()
    return rank(row.header) < max(map(rank, said))
