"""People who sign in: their roles, passwords and sessions. Passwords are made here, so that nobody chooses a weak one."""

from flask import Response, redirect, request, url_for

from forms.problems import Problem
from records import projects
from records.access import ROLES
from server import accounts
from server.accounts import Listed
from server.identity import own_projects, require_person
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


@pages.get("/people/<segment:name>", endpoint="person")
@open_to_administrators
def one(name: str) -> Response:
    """One person: what they may do in every project, and how they come in."""
    return _shown(name)


@pages.post("/people/<segment:name>/role")
@open_to_administrators
def set_role(name: str) -> Response:
    """Give a person a role in a project, or none."""
    role = request.form.get("role", "") or None
    accounts.set_role(services().store, name, role, project_id=_project(), actor=require_person().name)
    return redirect(url_for("pages.person", name=name), 303)  # type: ignore[return-value]


@pages.get("/people/<segment:name>/password")
@open_to_administrators
def ask_password(name: str) -> Response:
    """Ask before the old password ends."""
    return page("password_new.html", name=_account(name).name)


@pages.post("/people/<segment:name>/password")
@open_to_administrators
def new_password(name: str) -> Response:
    """Give an account a new password, end its sessions, and show the password once."""
    password = accounts.new_password()
    accounts.set_password(services().store, name, password, actor=require_person().name)
    return page("password.html", name=name, password=password)


@pages.post("/people/<segment:name>/sign-out")
@open_to_administrators
def sign_out_everywhere(name: str) -> Response:
    """End the sessions of a person."""
    accounts.end_sessions(services().store, name, actor=require_person().name)
    return redirect(url_for("pages.person", name=name), 303)  # type: ignore[return-value]


@pages.get("/people/<segment:name>/close")
@open_to_administrators
def ask_close(name: str) -> Response:
    """Ask before an account is closed."""
    return page("account_close.html", name=_account(name).name)


@pages.post("/people/<segment:name>/close")
@open_to_administrators
def close(name: str) -> Response:
    """Close an account."""
    try:
        accounts.close(services().store, name, actor=require_person().name)
    except Problem as problem:
        if problem.kind.code == "not_found":
            raise
        return _shown(name, problem)
    return redirect(url_for("pages.people"), 303)  # type: ignore[return-value]


def _listed(problem: Problem | None = None, name: str = "") -> Response:
    with services().store.read() as connection:
        people = accounts.listed(connection)
    status, roles = problem.kind.status if problem else 200, [accounts.ADMINISTRATOR, *ROLES]
    return page("people.html", status=status, people=people, roles=roles, projects=own_projects(), problem=problem, name=name)


def _shown(name: str, problem: Problem | None = None) -> Response:
    status = problem.kind.status if problem else 200
    return page("person.html", status=status, one=_account(name), roles=list(ROLES), projects=own_projects(), problem=problem)


def _account(name: str) -> Listed:
    """The account of this name, closed or not. Raises `Problem("not_found")`."""
    with services().store.read() as connection:
        found = next((one for one in accounts.listed(connection) if one.name == name), None)
    if found is None:
        raise Problem("not_found")
    return found


def _project() -> int:
    """The project a role is for. Raises `Problem("value_invalid")`."""
    chosen = request.form.get("project", str(projects.FIRST))
    if not chosen.isdecimal() or int(chosen) not in own_projects():
        raise Problem("value_invalid", "There is no such project.")
    return int(chosen)
