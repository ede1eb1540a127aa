"""The languages of the shipped surveys: which of them phones of a project get, how far each has come, what is still missing."""

from flask import Response, redirect, request, url_for

from forms.library.coverage import coverage
from forms.problems import Problem
from records import projects
from records.access import Right
from server.i18n import RIGHT_TO_LEFT
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.rendering import page
from server.services import services


@pages.get(f"{PROJECT}/languages", endpoint="languages")
@open_to(Right.FORMS)
def languages() -> Response:
    """The languages there are, with their state, and those this project chose."""
    return _shown()


@pages.post(f"{PROJECT}/languages")
@open_to(Right.FORMS)
def choose() -> Response:
    """Give the shipped surveys other languages; phones get new versions of them."""
    from server.setup import choose_languages

    first, chosen = request.form.get("first", ""), request.form.getlist("languages")
    codes = [code for code in (first, *chosen) if code]
    try:
        if not codes:
            raise Problem("value_invalid", "Choose at least one language.")
        with services().turnstile.outside():  # surveys in new languages are converted first
            choose_languages(services(), access(), codes)
    except Problem as problem:
        return _shown(problem)
    return redirect(url_for("pages.languages"), 303)  # type: ignore[return-value]


def _shown(problem: Problem | None = None) -> Response:
    with services().store.read() as connection:
        chosen = projects.languages(connection, access().project_id)
    rows = coverage()
    order = {code: place for place, code in enumerate(chosen)}
    rows.sort(key=lambda row: (order.get(row.language.code, len(order)), row.language.code != "en", row.language.code))
    status = problem.kind.status if problem else 200
    return page("languages.html", status=status, rows=rows, chosen=chosen, problem=problem, right_to_left=RIGHT_TO_LEFT)
