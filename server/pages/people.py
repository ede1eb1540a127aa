"""People who sign in: listing them, adding one, a new password. Passwords are made here, so that nobody chooses a weak one."""

from flask import Response, request

from forms.problems import Problem
from records import projects
from records.access import ROLES
from server import accounts
from server.identity import require_person
from server.pages.access import open_to_administrators
from server.pages.blueprint import pages
from server.pages.rendering import page
from server.services import services


@pages.get("/people", endpoint="people")
@open_to_administrators
def all_people() -> Response:
    """All accounts, and the form to add one."""
    return _listed()


@pages.post("/people")
@open_to_administrators
def add_person() -> Response:
    """Add an account and show its password once."""
    name, role, password = request.form.get("name", "").strip(), request.form.get("role", ""), accounts.new_password()
    try:
        accounts.add(services().store, name, role, password, project_id=_project(), actor=require_person().name)
    except Problem as problem:
        return _listed(problem, name)
    return page("password.html", name=name, password=password)


@pages.get("/people/<segment:name>/password")
@open_to_administrators
def ask_password(name: str) -> Response:
    """Ask before the old password ends."""
    return page("password_new.html", name=name)


@pages.post("/people/<segment:name>/password")
@open_to_administrators
def new_password(name: str) -> Response:
    """Give an account a new password, end its sessions, and show the password once."""
    password = accounts.new_password()
    accounts.set_password(services().store, name, password, actor=require_person().name)
    return page("password.html", name=name, password=password)


def _listed(problem: Problem | None = None, name: str = "") -> Response:
    with services().store.read() as connection:
        people, known = accounts.listed(connection), projects.listed(connection)
    status = problem.kind.status if problem else 200
    return page(
        "people.html",
        status=status,
        people=people,
        roles=[accounts.ADMINISTRATOR, *ROLES],
        projects=known,
        problem=problem,
        name=name,
    )


def _project() -> int:
    """The project a role is for. Raises `Problem("value_invalid")`."""
    chosen = request.form.get("project", str(projects.FIRST))
    if not chosen.isdecimal():
        raise Problem("value_invalid")
    return int(chosen)
