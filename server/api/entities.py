"""Entity lists as ODK Central shows them: lists, entities, CSV, OData."""

import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote

from flask import Response
from sqlalchemy import Row

from exports.csvfile import write_rows, write_table
from exports.odata.entities import TABLE, EntityReading, entity_metadata
from exports.odata.model import odata_name
from exports.odata.rows import moment
from forms.entities import lists_fed
from records import catalogue
from records import entities as kept
from records.access import Right
from records.audit import note_taken
from records.entity_rows import rows as entity_rows
from server import looks
from server.api import odata
from server.api.blueprint import PROJECT, access, answer, array, central, store, streamed
from server.api.describe import COUNT, FLAG, MOMENT, TEXT, WHOLE, described, many, or_null, shape
from server.services import services

_LIST = f"{PROJECT}/datasets/<path:name>"
_BATCH = 500
_DATASET = shape(more=True, name=TEXT, projectId=WHOLE, createdAt=MOMENT, approvalRequired=FLAG)
_VERSION = shape(
    more=True,
    label=TEXT,
    current=FLAG,
    createdAt=MOMENT,
    creatorId=WHOLE,
    userAgent=TEXT,
    version=WHOLE,
    baseVersion=or_null(WHOLE),
    conflictingProperties=or_null(many(TEXT)),
)
_ENTITY = shape(
    uuid=TEXT,
    creatorId=WHOLE,
    conflict=or_null({"enum": ["soft", "hard"]}),
    createdAt=MOMENT,
    updatedAt=or_null(MOMENT),
    deletedAt=or_null(MOMENT),
    currentVersion=_VERSION,
)
_HEADER = ("__id", "label"), ("__createdAt", "__creatorId", "__creatorName", "__updates", "__updatedAt", "__version")


@central.get(f"{PROJECT}/datasets")
@described(many(_DATASET))
def datasets() -> Response:
    """The entity lists of a project."""
    with store().read() as connection:
        names = [each.name for each in kept.summaries(connection, access())]
        return answer([_dataset(kept.list_row(connection, access(), name)) for name in names])


@central.get(_LIST)
@described(_DATASET)
def dataset(name: str) -> Response:
    """One list, its properties, and the forms that feed it or pick from it."""
    row = _list_row(name)
    with store().read() as connection:
        forms = catalogue.forms(connection, access()) if access().may(Right.SEE) else []
    get = services().intake.schemas.get
    known = {form: get(access().project_id, form.form_id, form.version)[0].definition for form in forms}
    fed = {form: lists_fed(definition).get(name) for form, definition in known.items()}
    properties = [
        {
            "name": each,
            "odataName": odata_name(each),
            "publishedAt": moment(row.created_at),
            "forms": [form.form_id for form, properties in fed.items() if each in (properties or ())],
        }
        for each in row.properties
    ]
    sources = [{"name": form.title, "xmlFormId": form.form_id} for form, properties in fed.items() if properties is not None]
    linked = [
        {"name": form.title, "xmlFormId": form.form_id} for form, definition in known.items() if f"{name}.csv" in definition.files
    ]
    return answer({**_dataset(row), "properties": properties, "sourceForms": sources, "linkedForms": linked})


@central.get(f"{_LIST}/entities")
@described(many(_ENTITY))
def entities(name: str) -> Response:
    """The entities of a list."""
    _list_row(name)
    return looks.at_list(array(_entity(row) for row in entity_rows(store().read, access(), name)), access(), name)


@central.get(f"{_LIST}/entities/<uuid>")
@described(_ENTITY)
def entity(name: str, uuid: str) -> Response:
    """One entity with its data."""
    _list_row(name)
    with store().read() as connection:
        found = kept.entity(connection, access(), uuid, name)
    row = next(iter(entity_rows(store().read, access(), name, uuid=found.uuid, with_deleted=True)))
    return looks.at_entity(answer(_entity(row, data=True)), access(), found.uuid, name)


@central.get(f"{_LIST}/entities.csv")
@described("text/csv", query=(("$filter", TEXT),))
def entities_csv(name: str) -> Response:
    """The entities of a list as a table."""
    properties = _list_row(name).properties
    note_taken(store(), access(), name, "entities.csv")
    header = [*_HEADER[0], *properties, *_HEADER[1]]
    made = streamed(
        _csv(header, ([*_cells(row, properties)] for row in entity_rows(store().read, access(), name))), "text/csv; charset=utf-8"
    )
    file_name = f"{quote(name, safe='')}.csv"
    made.headers["Content-Disposition"] = f"attachment; filename=\"{file_name}\"; filename*=UTF-8''{file_name}"
    return made


@central.get(f"{_LIST}.svc")
@described(odata.SERVICE)
def entity_service(name: str) -> Response:
    """The one table of a list."""
    _list_row(name)
    return odata.service(_address(name), [TABLE])


@central.get(f"{_LIST}.svc/$metadata")
@described("application/xml")
def entity_metadata_document(name: str) -> Response:
    """What is in it, as EDMX."""
    return odata.edmx(entity_metadata(name, _list_row(name).properties))


@central.get(f"{_LIST}.svc/Entities")
@described(odata.TABLE, query=(("$top", COUNT), ("$skip", COUNT), ("$count", FLAG), ("$filter", TEXT), ("$select", TEXT)))
def entity_table(name: str) -> Response:
    """The entities as rows."""
    row = _list_row(name)
    reading = EntityReading(store().read, access(), name, row.properties, odata.read_options())
    etag, same = odata.not_modified(str(row.revision), name)
    if same is not None:
        return same
    if reading.options.place is None:
        note_taken(store(), access(), name, "entities.odata", rows=reading.count)
    return odata.tagged(odata.page(f"{_address(name)}/$metadata#{TABLE}", reading), etag)


def _list_row(name: str) -> Row[Any]:
    with store().read() as connection:
        return kept.list_row(connection, access(), name)


def _address(name: str) -> str:
    return odata.address_of(f"/v1/projects/{access().project_id}/datasets/{name}.svc", safe="")


def _dataset(row: Row[Any]) -> dict[str, Any]:
    return {
        "name": row.name,
        "projectId": access().project_id,
        "createdAt": moment(row.created_at),
        "approvalRequired": row.approval,
        "ownerOnly": False,
    }


def _entity(row: Row[Any], *, data: bool = False) -> dict[str, Any]:
    own = {"createdAt": moment(row.created_at), "creatorId": row.creator_id or 0}
    return {
        "uuid": row.uuid,
        **own,
        "updatedAt": moment(row.updated_at),
        "deletedAt": moment(row.deleted_at),
        "conflict": row.conflict,
        "currentVersion": {
            **own,
            "createdAt": moment(row.updated_at or row.created_at),
            "label": row.label,
            "current": True,
            "userAgent": "",
            "version": row.version,
            "baseVersion": row.version - 1 or None,
            "conflictingProperties": None,
            **({"data": row.data} if data else {}),
        },
    }


def _cells(row: Row[Any], properties: Iterable[str]) -> Iterator[str | int | None]:
    yield from (row.uuid, row.label)
    yield from (row.data.get(name) for name in properties)
    yield from (moment(row.created_at), row.creator_id or 0, row.creator, row.version - 1, moment(row.updated_at), row.version)


def _csv(header: list[str], rows: Iterator[list[Any]]) -> Iterator[bytes]:
    text = io.StringIO(newline="")
    write_table(text, header, islice(rows, _BATCH))
    yield text.getvalue().encode()
    while batch := list(islice(rows, _BATCH)):
        text = io.StringIO(newline="")
        write_rows(text, batch)
        yield text.getvalue().encode()
