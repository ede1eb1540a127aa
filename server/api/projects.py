"""Projects, and what hangs on one as a whole."""

from typing import Any

from flask import Response
from sqlalchemy import Connection, Row

from exports.odata.rows import moment
from records import catalogue
from records.access import Access, Right
from server.api.blueprint import PROJECT, access, answer, central, store
from server.api.describe import FLAG, MOMENT, TEXT, WHOLE, described, many, or_null, shape
from server.identity import require_person

_PROJECT = shape(
    id=WHOLE,
    name=TEXT,
    description=or_null(TEXT),
    archived=or_null(FLAG),
    keyId=or_null(WHOLE),
    appUsers=WHOLE,
    forms=WHOLE,
    lastSubmission=or_null(MOMENT),
    createdAt=MOMENT,
    updatedAt=or_null(MOMENT),
    deletedAt=or_null(MOMENT),
)


@central.get("/projects")
@described(many(_PROJECT))
def projects() -> Response:
    """The projects in which who asks has a role."""
    asking = require_person()
    only = None if asking.is_administrator else sorted(asking.roles)
    with store().read() as connection:
        rows = catalogue.projects(connection, only)
        return answer([_project(connection, asking.access(row.id), row) for row in rows])


@central.get(PROJECT)
@described(_PROJECT)
def project() -> Response:
    """One project."""
    with store().read() as connection:
        row = catalogue.projects(connection, [access().project_id])[0]
        return answer(_project(connection, access(), row))


@central.get("/audits")
@described(many(shape(more=True)))
def audits() -> Response:
    """The server-wide audit log is read in the pages; programs get none of it."""
    return answer([])


def _project(connection: Connection, access: Access, row: Row[Any]) -> dict[str, Any]:
    sees = access.may(Right.SEE)
    return {
        "id": row.id,
        "name": row.name,
        "description": None,
        "archived": None,
        "keyId": None,
        "appUsers": row.app_users if sees else 0,
        "forms": row.forms if sees else 0,
        "lastSubmission": moment(catalogue.last_arrival(connection, access)),
        "createdAt": moment(row.created_at),
        "updatedAt": None,
        "deletedAt": None,
    }
