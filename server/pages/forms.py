"""Forms: what phones get now, publishing another, the shipped surveys as workbooks to look at or to change."""

from flask import Response, request

from forms.problems import Problem
from forms.xlsform import Conversion, Limits, convert
from records import forms as published
from records.access import Right
from records.publishing import Published
from records.publishing import publish as publish_form
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.rendering import form_title, page
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
    """Publish an XLSForm or XForm with the files it uses."""
    request.max_content_length = _MOST_BYTES
    uploads = [(file_name(file.filename or ""), file.read()) for file in request.files.getlist("media") if file.filename]
    source = request.files.get("form")
    try:
        if source is None or not source.filename:
            raise Problem("value_invalid", "Choose the file of the form.")
        with services().turnstile.outside():  # a process of its own converts
            conversion = convert(source.read(), file_name(source.filename))
        result = _publish(conversion, file_name(source.filename), dict(uploads))
    except Problem as problem:
        return _listed(problem)
    return _listed(result=result, warnings=conversion.warnings)


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


def _publish(conversion: Conversion, source_name: str, media: dict[str, bytes]) -> Published:
    if conversion.itemsets is not None:
        media["itemsets.csv"] = conversion.itemsets
    return publish_form(
        services().store,
        services().blobs,
        access().project_id,
        xform=conversion.xform,
        source_name=source_name,
        needed=conversion.media,
        media={name: media[name] for name in conversion.media if name in media},
        actor=access().actor,
    )


def _listed(
    problem: Problem | None = None, result: Published | None = None, warnings: list[str] | None = None
) -> Response:
    from forms.library import survey_ids

    opened = services()
    with opened.store.read() as connection:
        current = published.open_forms(connection, access().project_id)
    rows = []
    for form in current:
        definition = opened.intake.schemas.get(access().project_id, form.form_id, form.version)[0].definition
        questions = sum(1 for item in definition.walk() if item.kind == "question" and item.control)
        rows.append((form, form_title(form.title), questions))
    status = problem.kind.status if problem else 200
    return page(
        "forms.html", status=status, forms=rows, shipped=survey_ids(), problem=problem, result=result, warnings=warnings or []
    )
