"""Signing in and out as programs do with ODK Central: a token instead of a cookie."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response

from exports.odata.rows import moment
from server import accounts, identity
from server.accounts import SESSION_DAYS
from server.api.blueprint import answer, body, central, store, text_of
from server.api.describe import MOMENT, SUCCESS, TEXT, WHOLE, described, or_null, shape

_SESSION = shape(token=TEXT, csrf=or_null(TEXT), createdAt=MOMENT, expiresAt=MOMENT)
USER = shape(id=WHOLE, type=TEXT, displayName=TEXT, email=TEXT, createdAt=MOMENT, updatedAt=or_null(MOMENT))


@central.post("/sessions")
@described(_SESSION, takes=shape(more=True, email=TEXT, password=TEXT), is_open=True)
def sign_in() -> Response:
    """Begin a session with the name and password of an account; `email` is the name of the account."""
    given = body()
    token = identity.sign_in(text_of(given, "email").strip(), text_of(given, "password"))
    now = datetime.now(UTC)
    return answer({"token": token, "csrf": None, "createdAt": moment(now), "expiresAt": moment(now + timedelta(days=SESSION_DAYS))})


@central.delete("/sessions/current")
@described(SUCCESS)
def sign_out() -> Response:
    """End the session this request belongs to."""
    accounts.end_session(store(), identity.session_token())
    return answer({"success": True})


@central.delete("/sessions/<token>")
@described(SUCCESS)
def end_session(token: str) -> Response:
    """End the session with this token."""
    accounts.end_session(store(), token)
    return answer({"success": True})


@central.get("/users/current")
@described(USER)
def current_user() -> Response:
    """Who asks."""
    return answer(user(identity.require_person()))


def user(person: accounts.Person) -> dict[str, Any]:
    """A person as ODK Central describes one."""
    with store().read() as connection:
        since = accounts.since(connection, person)
    names = {"displayName": person.name, "email": person.name}
    return {"id": person.id, "type": "user", **names, "createdAt": moment(since), "updatedAt": None}
