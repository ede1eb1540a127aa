"""App users as ODK Central lists them. What opens their doors is not kept and so is never told."""

from flask import Response

from exports.odata.rows import moment
from records.access import Right
from server import app_users as kept
from server.api.blueprint import PROJECT, access, answer, central, store
from server.api.describe import MOMENT, TEXT, WHOLE, described, many, or_null, shape

_APP_USER = shape(
    projectId=WHOLE,
    id=WHOLE,
    type=TEXT,
    displayName=TEXT,
    token=or_null(TEXT),
    createdAt=MOMENT,
    updatedAt=or_null(MOMENT),
    deletedAt=or_null(MOMENT),
)


@central.get(f"{PROJECT}/app-users")
@described(many(_APP_USER))
def app_users() -> Response:
    """The phones of a project, for who looks after them."""
    access().require(Right.PHONES)
    with store().read() as connection:
        rows = [row for row in kept.listed(connection, access().project_id) if row.revoked_at is None]
    return answer(
        [
            {
                "projectId": access().project_id,
                "id": row.id,
                "type": "field_key",
                "displayName": row.name,
                "token": None,
                "createdAt": moment(row.created_at),
                "updatedAt": None,
                "deletedAt": None,
            }
            for row in rows
        ]
    )
