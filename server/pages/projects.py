"""Projects: where one begins, choosing another, adding one."""

from flask import Response, redirect, request, url_for

from forms.problems import Problem
from records import projects
from records.access import Right
from server.identity import own_projects, require_person
from server.pages.access import open_to_administrators, open_to_people
from server.pages.blueprint import pages
from server.pages.rendering import page
from server.services import services


@pages.get("/", endpoint="start")
@open_to_people
def start() -> Response:
    """Lead everybody to the first thing they may see in their first project."""
    first = next(iter(own_projects()), None)
    if first is None:
        raise Problem("not_allowed")
    return redirect(_entrance(first))  # type: ignore[return-value]


@pages.get("/projects", endpoint="projects")
@open_to_people
def all_projects() -> Response:
    """The projects of this person; administrators may add one."""
    return _listed()


@pages.post("/projects")
@open_to_administrators
def add_project() -> Response:
    """Add a project with the shipped surveys."""
    from server.setup import install_surveys

    given = {name: request.form.get(name, "").strip() for name in ("name", "account")}
    try:
        project_id = projects.add(services().store, **given, actor=require_person().name)
    except Problem as problem:
        return _listed(problem, given)
    with services().turnstile.outside():  # a survey that no project has yet is converted first
        install_surveys(services())
    return redirect(url_for("pages.overview", project_id=project_id), 303)  # type: ignore[return-value]


def _listed(problem: Problem | None = None, given: dict[str, str] | None = None) -> Response:
    rows = [(project_id, name, _entrance(project_id)) for project_id, name in own_projects().items()]
    return page("projects.html", status=problem.kind.status if problem else 200, rows=rows, problem=problem, given=given or {})


def _entrance(project_id: int) -> str:
    """The first page somebody may see in a project: its reports, else its exports."""
    may_see = require_person().access(project_id).may(Right.SEE)
    return url_for("pages.overview" if may_see else "pages.exports", project_id=project_id)
