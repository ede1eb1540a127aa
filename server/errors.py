"""One rendering of problems for each kind of reader: OpenRosa XML for phones, RFC 9457 JSON for programs, pages for people."""

import logging
from xml.sax.saxutils import escape

from flask import Flask, Response, g, jsonify, request
from sqlalchemy.exc import DataError, DBAPIError
from werkzeug.exceptions import HTTPException

from forms.problems import Problem
from server.digest import REALM
from server.doors import DOORS, PULL_DOORS
from server.i18n import translator
from server.services import services
from server.uploads import drain

_log = logging.getLogger(__name__)
_BY_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 400: "value_invalid"}
_PLAIN = ("/formList", "/submission")
_KEYS = ("/v1/key/", "/v1/test/")
_PROGRAMS = ("/v1/", "/api/", "/token")
_CENTRAL_CODES = {"value_invalid": 400.8, "sign_in_needed": 401.2}
"""Codes of ODK Central that say more than the status (docs.getodk.org, "Error responses"); the others are status.1."""


def openrosa_message(text: str, status: int, nature: str = "") -> Response:
    """An OpenRosaResponse; Collect shows its message (OpenRosa 1.0, "Form Submission API")."""
    attribute = f' nature="{nature}"' if nature else ""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<OpenRosaResponse xmlns="http://openrosa.org/http/response">'
        f"<message{attribute}>{escape(text)}</message></OpenRosaResponse>"
    )
    return Response(body, status=status, content_type="text/xml; charset=utf-8")


def is_for_phones() -> bool:
    """Whether who asks is a phone, or a program that speaks as phones do; also at addresses of theirs that lead nowhere."""
    return (
        request.blueprint in {*DOORS, *PULL_DOORS, "draft_door"}
        or request.path.startswith(_KEYS)
        or (request.path.endswith(_PLAIN) and not request.path.startswith(_PROGRAMS))
    )


def is_for_programs() -> bool:
    """Whether who asks is a program that speaks as to ODK Central or KoBoToolbox."""
    return request.path.startswith(_PROGRAMS) and not is_for_phones()


def _render(problem: Problem) -> Response:
    kind = problem.kind
    if is_for_phones():
        if request.method == "POST":
            with services().turnstile.outside():
                drain(request.environ)
        translate = translator(g.get("language", "en"))
        text = " ".join(part for part in (translate(kind.title), problem.detail, translate(problem.hint)) if part)
        return openrosa_message(text, kind.status, "error")
    if is_for_programs():
        return _for_programs(problem)
    if request.accept_mimetypes.best == "application/json":
        return _problem_json(problem)
    from server.pages.rendering import problem_page

    return problem_page(problem)


def _for_programs(problem: Problem) -> Response:
    """As ODK Central says it below /v1, by RFC 9457 elsewhere; with the question for a password that Excel waits for."""
    kind = problem.kind
    if request.path.startswith("/v1/"):
        details = {"problem": kind.code, "detail": problem.detail, "hint": problem.hint}
        code = _CENTRAL_CODES.get(kind.code, kind.status + 0.1)
        response = jsonify({"message": str(problem), "code": code, "details": details})
        response.status_code = kind.status
    else:
        response = _problem_json(problem)
    if kind.status == 401 and "X-Requested-With" not in request.headers:  # a page's own request should not open a dialog
        response.headers["WWW-Authenticate"] = f'Basic realm="{REALM}", charset="UTF-8"'
    if kind.status in {429, 503}:
        response.headers["Retry-After"] = "60"
    return response


def _problem_json(problem: Problem) -> Response:
    kind = problem.kind
    body = {"type": f"urn:tulliana:{kind.code}", "title": kind.title, "status": kind.status}
    response = jsonify({**body, "detail": problem.detail, "hint": problem.hint, "code": kind.code})
    response.status_code, response.content_type = kind.status, "application/problem+json"
    return response


def install(app: Flask) -> None:
    """Have every error of this application answered in the reader's language and format."""

    @app.errorhandler(Problem)
    def _(problem: Problem) -> Response:
        return _render(problem)

    @app.errorhandler(HTTPException)
    def _(error: HTTPException) -> Response:
        status = error.code or 500
        return _render(Problem(_BY_STATUS.get(status) or ("value_invalid" if 400 <= status < 500 else "internal")))

    @app.errorhandler(DBAPIError)
    def _(error: DBAPIError) -> Response:
        if isinstance(error, DataError):  # a text with NUL, say, which no database column holds
            return _render(Problem("value_invalid"))
        _log.error("The database failed: %s", error.orig)
        return _render(Problem("busy"))

    @app.errorhandler(Exception)
    def _(error: Exception) -> Response:
        _log.exception("Unexpected failure", exc_info=error)
        return _render(Problem("internal"))
