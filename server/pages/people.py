"""People who sign in: listing them, adding one, a new password. Passwords are made here, so that nobody chooses a weak one."""

from flask import Response, request

from forms.problems import Problem
from server import accounts
from server.pages.access import open_to, reader
from server.pages.blueprint import pages
from server.pages.rendering import page
from server.services import services


@pages.get("/people", endpoint="people")
@open_to()
def all_people() -> Response:
    """All accounts, and the form to add one."""
    return _listed()


@pages.post("/people")
@open_to()
def add_person() -> Response:
    """Add an account and show its password once."""
    name, role, password = request.form.get("name", "").strip(), request.form.get("role", ""), accounts.new_password()
    try:
        accounts.add(services().store, name, role, password, actor=reader().name)
    except Problem as problem:
        return _listed(problem, name)
    return page("password.html", name=name, password=password)


@pages.get("/people/<segment:name>/password")
@open_to()
def ask_password(name: str) -> Response:
    """Ask before the old password ends."""
    return page("password_new.html", name=name)


@pages.post("/people/<segment:name>/password")
@open_to()
def new_password(name: str) -> Response:
    """Give an account a new password, end its sessions, and show the password once."""
    password = accounts.new_password()
    accounts.set_password(services().store, name, password, actor=reader().name)
    return page("password.html", name=name, password=password)


def _listed(problem: Problem | None = None, name: str = "") -> Response:
    with services().store.read() as connection:
        people = accounts.listed(connection)
    status = problem.kind.status if problem else 200
    return page("people.html", status=status, people=people, roles=accounts.ROLES, problem=problem, name=name)
