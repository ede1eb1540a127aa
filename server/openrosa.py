"""The door for phones: form list, forms, manifests, media, submissions, as ODK Collect and KoBoCollect expect them (OpenRosa 1.0).

Who asks is decided in `server.doors`; the handlers are the same behind every door. Addresses of forms and media hold the digest of
what they give, so what is behind one never changes and may be kept for ever; the lists are always asked for again.
"""

import hashlib
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from flask import Blueprint, Response, g, request, send_file

from forms.problems import Problem
from records import forms as published
from records.forms import ListedForm
from server import doors, entity_lists
from server.doors import Caller
from server.errors import openrosa_message
from server.receipts import receipt_text
from server.services import services
from server.uploads import read_upload
from sync.delivery import Delivery

openrosa = Blueprint("openrosa", __name__)
openrosa.after_request(doors.ask_for_password)
_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
_FOREVER = "private, max-age=31536000, immutable"
_MAX_TEXT = 255


@openrosa.url_value_preprocessor
def _identify(_: str | None, values: dict[str, Any] | None) -> None:
    """Find out who this is before anything else."""
    g.caller = doors.caller(values if values is not None else {})
    g.language = g.caller.language


@openrosa.get("/formList")
def form_list() -> Response:
    """All open forms; `?formID=` asks for one."""
    wanted = request.args.get("formID")
    with services().store.read() as connection:
        forms = published.open_forms(connection, _reader().project_id)
    entries = "".join(_entry(form) for form in forms if wanted in {None, form.form_id} and g.caller.may_have(form.form_id))
    return _list(f'<xforms xmlns="http://openrosa.org/xforms/xformsList">{entries}</xforms>')


def _entry(form: ListedForm) -> str:
    address = f"{g.caller.base}/forms/{quote(form.form_id, safe='')}/{form.md5}"
    version = f"<version>{escape(form.version)}</version>" if form.version else ""
    has_files = form.media_count or services().intake.schemas.files(g.caller.project_id, form.form_id, form.version)
    manifest = f"<manifestUrl>{escape(address)}/manifest</manifestUrl>" if has_files else ""
    return (
        f"<xform><formID>{escape(form.form_id)}</formID><name>{escape(form.title)}</name>{version}<hash>md5:{form.md5}</hash>"
        f"<downloadUrl>{escape(address)}/form.xml</downloadUrl>{manifest}</xform>"
    )


@openrosa.get("/forms/<path:form_id>/<md5>/form.xml")
def form_xml(form_id: str, md5: str) -> Response:
    """The published bytes of one version."""
    with services().store.read() as connection:
        xform, _ = published.xform_with(connection, _reader(form_id).project_id, form_id, md5)
    return _pinned(Response(xform, content_type="text/xml; charset=utf-8"), md5)


@openrosa.get("/forms/<path:form_id>/<md5>/manifest")
def manifest(form_id: str, md5: str) -> Response:
    """The files that go with one version."""
    with services().store.read() as connection:
        _, version = published.xform_with(connection, _reader(form_id).project_id, form_id, md5)
        files = published.media_of(connection, g.caller.project_id, form_id, version)
    address = f"{g.caller.base}/forms/{quote(form_id, safe='')}/{md5}"
    entries = "".join(
        f"<mediaFile><filename>{escape(name)}</filename><hash>md5:{digest}</hash>"
        f"<downloadUrl>{escape(address)}/media/{digest}/{quote(name, safe='')}</downloadUrl></mediaFile>"
        for name, digest, _, _ in files
    )
    uses = services().intake.schemas.files(g.caller.project_id, form_id, version)
    entries += entity_lists.entries(g.caller.project_id, address, uses, {name for name, _, _, _ in files})
    return _list(f'<manifest xmlns="http://openrosa.org/xforms/xformsManifest">{entries}</manifest>')


@openrosa.get("/forms/<path:form_id>/<md5>/media/<digest>/<name>")
def media(form_id: str, md5: str, digest: str, name: str) -> Response:
    """One of these files."""
    with services().store.read() as connection:
        _, version = published.xform_with(connection, _reader(form_id).project_id, form_id, md5)
        files = published.media_of(connection, g.caller.project_id, form_id, version)
    sha256 = next((sha256 for known, known_md5, sha256, _ in files if known == name and known_md5 == digest), None)
    if sha256 is None:
        raise Problem("not_found")
    path = services().blobs.path(sha256)
    response = send_file(path, download_name=name, as_attachment=True, conditional=True, etag=digest)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return _pinned(response, digest)


@openrosa.get("/forms/<path:form_id>/<md5>/lists/<name>.csv")
def entity_list(form_id: str, md5: str, name: str) -> Response:
    """An entity list that this version picks from."""
    return entity_lists.content(_reader_of_list(form_id, md5, name), name)


@openrosa.get("/forms/<path:form_id>/<md5>/lists/<name>/integrity")
def entity_integrity(form_id: str, md5: str, name: str) -> Response:
    """Which of the entities `?id=` were deleted."""
    project_id = _reader_of_list(form_id, md5, name)
    return entity_lists.integrity(project_id, name, [each for each in request.args.get("id", "").split(",") if each])


@openrosa.route("/submission", methods=["HEAD", "GET"])
def submission_size() -> Response:
    """How much may come in one request; Collect asks before it sends. Only 204 will do."""
    return Response(status=204)


@openrosa.post("/submission")
def submission() -> Response:
    """Take one delivery. 201 and 202 mean: on disk here, the phone may forget it."""
    if g.caller.app_user_id is None:
        raise Problem("not_allowed")
    opened = services()
    upload = read_upload(request.environ, opened.blobs, opened.turnstile)
    receipt = opened.intake.receive(
        Delivery(
            project_id=g.caller.project_id,
            xml=upload.xml,
            files=tuple(upload.files),
            app_user_id=g.caller.app_user_id,
            device_id=_short(request.args.get("deviceID", "")),
            user_agent=_short(request.headers.get("User-Agent", "")),
            date_header=_short(request.headers.get("Date", "")),
            form_ids=g.caller.form_ids,
        )
    )
    status = 201 if receipt.outcome in {"created", "edited", "attached"} else 202
    return openrosa_message(receipt_text(receipt, g.language, g.caller.notice), status, "submit_success")


def _short(text: str) -> str:
    """A text a client chose, fit to be kept."""
    return "".join(character for character in text if character.isprintable())[:_MAX_TEXT]


def _reader_of_list(form_id: str, md5: str, name: str) -> int:
    """The project of who asks for a list, if it is for them. Raises `Problem("not_found")`."""
    project_id = _reader(form_id).project_id
    with services().store.read() as connection:
        _, version = published.xform_with(connection, project_id, form_id, md5)
    if f"{name}.csv" not in services().intake.schemas.files(project_id, form_id, version):
        raise Problem("not_found")
    return project_id


def _reader(form_id: str | None = None) -> Caller:
    """Who asks, if forms are given to them, and this one. Raises `Problem` "token_replaced" or "not_found"."""
    caller: Caller = g.caller
    if not caller.gets_forms:
        raise Problem("token_replaced")
    if form_id is not None and not caller.may_have(form_id):
        raise Problem("not_found")
    return caller


def _list(body: str) -> Response:
    """A list that phones always ask for again, cheaply."""
    response = Response(_HEADER + body, content_type="text/xml; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache"
    etag = hashlib.sha256(response.get_data()).hexdigest()
    response.set_etag(etag)
    if request.if_none_match.contains_weak(etag):  # dates are not trusted: this machine's clock may have been wrong
        response.set_data(b"")
        response.status_code = 304
    return response


def _pinned(response: Response, digest: str) -> Response:
    response.headers["Cache-Control"] = _FOREVER
    response.set_etag(digest)
    response.make_conditional(request)
    return response
