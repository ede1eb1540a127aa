"""Forms: what phones get now, publishing another, the shipped surveys as workbooks to look at or to change."""

from collections.abc import Sequence

from flask import Response, redirect, request, url_for

from forms.lint import Finding
from forms.problems import Problem
from forms.xlsform import Limits, convert
from records import drafts, form_life
from records.access import Right
from records.publishing import Published
from server import form_desk
from server.form_desk import Brought
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.form import draft_code
from server.pages.rendering import form_title, page, translate
from server.services import services
from sync.delivery import file_name

_MOST_BYTES = 4 * Limits().file
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pages.get(f"{PROJECT}/forms", endpoint="forms")
@open_to(Right.FORMS)
def all_forms() -> Response:
    """The published forms, and the form to publish another."""
    return _listed()


@pages.post(f"{PROJECT}/forms")
@open_to(Right.FORMS)
def publish() -> Response:
    """Publish an XLSForm or XForm with the files it uses, or try it first."""
    request.max_content_length = _MOST_BYTES
    try:
        brought = _brought()
        findings = form_desk.looked_over(brought, translate)
        if request.form.get("what") == "try":
            saved, token = form_desk.save_draft(services(), access(), brought)
            if token is not None:
                return draft_code(saved.form_id, token)
            return redirect(url_for("pages.form", form_id=saved.form_id), 303)  # type: ignore[return-value]
        result = form_desk.publish(services(), access(), brought)
    except Problem as problem:
        return _listed(problem)
    return _listed(result=result, warnings=brought.conversion.warnings, findings=findings)


def _brought() -> Brought:
    """The form and the files of this request. Raises `Problem` "value_invalid", "form_invalid" or "too_large"."""
    uploads = [(file_name(file.filename or ""), file.read()) for file in request.files.getlist("media") if file.filename]
    source = request.files.get("form")
    if source is None or not source.filename:
        raise Problem("value_invalid", "Choose the file of the form.")
    name = file_name(source.filename)
    with services().turnstile.outside():  # a process of its own converts
        conversion = convert(source.read(), name)
    return Brought(conversion, name, dict(uploads), request.form.get("note", ""))


@pages.get(f"{PROJECT}/forms/<segment:form_id>/workbook.xlsx")
@open_to(Right.FORMS)
def workbook(form_id: str) -> Response:
    """A shipped survey as an Excel workbook."""
    from forms.library import survey_ids
    from forms.library import workbook as shipped

    if form_id not in survey_ids():
        raise Problem("not_found")
    response = Response(shipped(form_id).to_xlsx(), content_type=_XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{form_id}.xlsx"'
    return response


def _listed(
    problem: Problem | None = None,
    result: Published | None = None,
    warnings: Sequence[str] = (),
    findings: Sequence[Finding] = (),
) -> Response:
    from forms.library import survey_ids

    opened = services()
    with opened.store.read() as connection:
        known = form_life.overview(connection, access())
        waiting = drafts.listed(connection, access())
    rows = [(form, form_title(form.title), _questions(form.form_id, form.current_version)) for form in known]
    known_ids = {form.form_id for form in known}
    status = problem.kind.status if problem else 200
    return page(
        "forms.html",
        status=status,
        forms=rows,
        trials=[(draft, form_title(draft.title)) for draft in waiting if draft.form_id not in known_ids],
        tried={draft.form_id for draft in waiting},
        shipped=survey_ids(),
        problem=problem,
        result=result,
        warnings=warnings,
        findings=findings,
    )


def _questions(form_id: str, version: str) -> int:
    definition = services().intake.schemas.get(access().project_id, form_id, version)[0].definition
    return sum(1 for item in definition.walk() if item.kind == "question" and item.control)
