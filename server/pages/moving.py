"""Moving here: the servers that forms and records are pulled from, what came, what failed, and pulling now."""

from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy import Row

from forms.problems import CATALOGUE, Problem
from records.access import Right
from server import pulling
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.rendering import number, page, translate
from server.services import services
from sync.pull import servers
from sync.pull.receiving import WORDS

_PAGE = f"{PROJECT}/moving"
KINDS = {servers.CENTRAL: "ODK Central", servers.KOBO: "KoBoToolbox"}
OFTEN = (0, 1, 6, 24, 24 * 7)
"""How often, in hours; 0 for when somebody asks."""


@pages.get(_PAGE, endpoint="moving")
@open_to(Right.FORMS)
def shown() -> Response:
    """The servers, and how to add one."""
    return _shown()


@pages.post(_PAGE)
@open_to(Right.FORMS)
def add_server() -> Response:
    """Keep a server and pull from it at once."""
    form = request.form
    try:
        server = servers.Server(
            kind=form.get("kind", ""),
            address=form.get("address", "").strip(),
            user=form.get("user", "").strip(),
            secret=form.get("secret", "").strip(),
            source_project=_number(form.get("source_project") or "1"),
            forms=form.get("forms", "").split(),
            every_hours=_number(form.get("every") or "0"),
        )
        added = servers.add(services().store, access(), server)
    except Problem as problem:
        return _shown(problem)
    pulling.run_soon(services(), access().project_id, added)
    return _back()


@pages.post(f"{_PAGE}/<segment:number>/pull")
@open_to(Right.FORMS)
def pull_now(number: str) -> Response:
    """Pull now; it goes on while the page shows how it stands."""
    with services().store.read() as connection:
        found = servers.kept(connection, access(), _number(number))
    pulling.run_soon(services(), access().project_id, found.id)
    return _back()


@pages.post(f"{_PAGE}/<segment:number>/hours")
@open_to(Right.FORMS)
def pull_often(number: str) -> Response:
    """Say how often."""
    servers.set_hours(services().store, access(), _number(number), _number(request.form.get("every") or "0"))
    return redirect(url_for("pages.moving"), 303)  # type: ignore[return-value]


@pages.post(f"{_PAGE}/<segment:number>/forget")
@open_to(Right.FORMS)
def forget_server(number: str) -> Response:
    """Forget a server and its password."""
    servers.forget(services().store, access(), _number(number))
    return redirect(url_for("pages.moving"), 303)  # type: ignore[return-value]


def _back() -> Response:
    return redirect(url_for("pages.moving", begun=1), 303)  # type: ignore[return-value]


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise Problem("not_found")
    return int(text)


def _shown(problem: Problem | None = None) -> Response:
    with services().store.read() as connection:
        rows = servers.listed(connection, access())
    return page(
        "moving.html",
        status=problem.kind.status if problem else 200,
        problem=problem,
        rows=[(row, _came(row), _failure(row)) for row in rows],
        is_pulling="begun" in request.args or any(row.begun_at for row in rows),
        often=OFTEN,
        kinds=KINDS,
        given=request.form,
    )


def _came(row: Row[Any]) -> list[str]:
    """What the last pull brought, in words."""
    counts = row.outcome.get("counts", {})
    return [translate(words).format(n=number(counts[key])) for key, words in WORDS.items() if counts.get(key)]


def _failure(row: Row[Any]) -> tuple[str, str] | None:
    """Why the last pull broke off, in words, and what exactly."""
    failure = row.outcome.get("failure")
    return (translate(CATALOGUE[failure["code"]].title), failure["detail"]) if failure else None
