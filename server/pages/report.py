"""One report: its answers, what is odd about it, its files, its versions as they came."""

from flask import Response, request, send_file

from forms.problems import Problem
from forms.submission import case_number
from records import submissions
from records.access import Right
from server.pages import flags
from server.pages.access import access, open_to
from server.pages.answers import shown_answers, split_quiet
from server.pages.blueprint import PROJECT, pages
from server.pages.rendering import form_title, page
from server.services import services

_SANDBOX = "default-src 'none'; sandbox"
_PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF87a": "image/gif", b"GIF89a": "image/gif"}


@pages.get(f"{PROJECT}/reports/<segment:form_id>/<segment:instance_id>", endpoint="report")
@open_to(Right.SEE)
def one(form_id: str, instance_id: str) -> Response:
    """The report in its current state."""
    opened = services()
    with opened.store.read() as connection:
        record = submissions.found(connection, access(), instance_id, form_id)
        versions = submissions.versions_of(connection, access(), record)
    definition = opened.intake.schemas.get(access().project_id, form_id, record.version)[0].definition
    answers, quiet = split_quiet(shown_answers(definition.fields, record.answers, record.attachments))
    return page(
        "report.html",
        record=record,
        title=form_title(definition.title),
        case=case_number(record.instance_id),
        answers=answers,
        quiet=quiet,
        flags=[flags.shown(flag, definition) for flag in record.flags],
        missing=flags.missing(record),
        pictures={file.sha256 for file in record.attachments if _picture_type(file.sha256)},
        versions=versions,
    )


@pages.get(f"{PROJECT}/reports/<segment:form_id>/<segment:instance_id>/files/<sha256>/<segment:name>")
@open_to(Right.SEE)
def report_file(form_id: str, instance_id: str, sha256: str, name: str) -> Response:
    """A file of a report. Only what is a picture by its first bytes is shown; everything else is saved. Nothing in it runs."""
    with services().store.read() as connection:
        record = submissions.found(connection, access(), instance_id, form_id)
    if not any(file.sha256 == sha256 and file.name == name for file in record.attachments):
        raise Problem("not_found")
    picture = _picture_type(sha256)
    response = send_file(
        services().blobs.path(sha256),
        mimetype=picture or "application/octet-stream",
        as_attachment=picture is None or "save" in request.args,
        download_name=name,
        etag=sha256,
        conditional=True,
    )
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Security-Policy"] = _SANDBOX
    return response


@pages.get(f"{PROJECT}/reports/<segment:form_id>/<segment:instance_id>/versions/<sha256>.xml")
@open_to(Right.SEE)
def report_xml(form_id: str, instance_id: str, sha256: str) -> Response:
    """The exact bytes of one version."""
    with services().store.read() as connection:
        xml = submissions.version_xml(connection, access(), form_id, instance_id, sha256)
    response = Response(xml, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{case_number(instance_id)}-{sha256[:8]}.xml"'
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Security-Policy"] = _SANDBOX
    return response


def _picture_type(sha256: str) -> str | None:
    """The media type if the file begins as a picture does that browsers show."""
    try:
        with services().blobs.open(sha256) as file:
            head = file.read(16)
    except Problem:
        return None
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _PICTURES.items() if head.startswith(magic)), None)
