"""The door for phones: form list, forms, manifests, media, submissions, as ODK Collect and KoBoCollect expect them (OpenRosa 1.0).

Who asks is decided in `server.doors`; the handlers are the same behind every door. Addresses of forms and media hold the digest of
what they give, so what is behind one never changes and may be kept for ever; the lists are always asked for again.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, g, request

from forms.problems import Problem
from records import forms as published
from records.forms import ListedForm
from server import doors, entity_lists
from server.doors import Caller
from server.errors import openrosa_message
from server.openrosa_lists import BASE, file_line, form_line, form_lists, manifest_of, media_file, xform_file
from server.receipts import receipt_text
from server.services import services
from server.unchanged import remember
from server.uploads import read_upload
from sync.delivery import Delivery, short_text

openrosa = Blueprint("openrosa", __name__)
openrosa.after_request(doors.ask_for_password)


@openrosa.url_value_preprocessor
def _identify(_: str | None, values: dict[str, Any] | None) -> None:
    """Find out who this is before anything else."""
    g.caller = doors.caller(values if values is not None else {})
    g.language = g.caller.language


@openrosa.get("/formList")
def form_list() -> Response:
    """All open forms; `?formID=` asks for one."""
    caller, wanted = _reader(), request.args.get("formID")

    def lines() -> Iterator[str]:
        with services().store.read() as connection:
            forms = published.open_forms(connection, caller.project_id)
        return (_line(form) for form in forms if wanted in {None, form.form_id} and caller.may_have(form.form_id))

    response = form_lists().answer((caller.project_id, caller.forms_revision, wanted, caller.form_ids), lines, caller.base)
    if caller.row is not None:
        remember(request.environ, response.get_etag()[0] or "", caller.row)
    return response


def _line(form: ListedForm) -> str:
    return form_line(form, f"{BASE}/forms/{quote(form.form_id, safe='')}/{form.md5}", has_files=form.has_files)


@openrosa.get("/forms/<path:form_id>/<md5>/form.xml")
def form_xml(form_id: str, md5: str) -> Response:
    """The published bytes of one version."""
    with services().store.read() as connection:
        xform, _ = published.xform_with(connection, _reader(form_id).project_id, form_id, md5)
    return xform_file(xform, md5)


@openrosa.get("/forms/<path:form_id>/<md5>/manifest")
def manifest(form_id: str, md5: str) -> Response:
    """The files that go with one version."""
    with services().store.read() as connection:
        _, version = published.xform_with(connection, _reader(form_id).project_id, form_id, md5)
        files = published.media_of(connection, g.caller.project_id, form_id, version)
    address = _address(form_id, md5)
    uses = services().intake.schemas.files(g.caller.project_id, form_id, version)
    lists = entity_lists.entries(g.caller.project_id, address, uses, {name for name, _, _, _ in files})
    return manifest_of([*(file_line(name, digest, address) for name, digest, _, _ in files), lists])


@openrosa.get("/forms/<path:form_id>/<md5>/media/<digest>/<name>")
def media(form_id: str, md5: str, digest: str, name: str) -> Response:
    """One of these files, or one that was replaced since."""
    with services().store.read() as connection:
        _, version = published.xform_with(connection, _reader(form_id).project_id, form_id, md5)
        sha256 = published.media_with(connection, g.caller.project_id, form_id, version, name, digest)
    return media_file(name, sha256, digest)


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
            device_id=short_text(request.args.get("deviceID", "")),
            user_agent=short_text(request.headers.get("User-Agent", "")),
            date_header=short_text(request.headers.get("Date", "")),
            form_ids=g.caller.form_ids,
        )
    )
    is_kept_as_sent = receipt.outcome in {"created", "edited", "attached"} and "envelope_broken" not in receipt.flags
    status = 201 if is_kept_as_sent else 202
    return openrosa_message(receipt_text(receipt, g.language, g.caller.notice), status, "submit_success")


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


def _address(form_id: str, md5: str) -> str:
    return f"{g.caller.base}/forms/{quote(form_id, safe='')}/{md5}"
