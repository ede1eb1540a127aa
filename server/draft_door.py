"""The door for phones that try a draft, under an address of its own as in ODK Central: one form, and records that never count."""

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, g, request

from forms.definition import FormDefinition
from forms.problems import Problem
from records import drafts
from server import entity_lists
from server.errors import openrosa_message
from server.openrosa_lists import BASE, file_line, form_line, form_lists, manifest_of, media_file, xform_file
from server.receipts import receipt_text
from server.services import services
from server.tokens import digest
from server.uploads import read_upload
from sync import trial
from sync.delivery import Delivery, short_text

DRAFT_DOOR = "/v1/test/<token>/projects/<int:project_id>/forms/<path:form_id>/draft"
draft_door = Blueprint("draft_door", __name__, url_prefix=DRAFT_DOOR)


@draft_door.url_value_preprocessor
def _identify(_: str | None, values: dict[str, Any] | None) -> None:
    """Find the draft that the key in the path opens. Raises `Problem("draft_over")`."""
    values = values if values is not None else {}
    token, project_id, form_id = values.pop("token"), values.pop("project_id"), values.pop("form_id")
    with services().store.read() as connection:
        g.draft = drafts.with_key(connection, project_id, form_id, digest(token))
    if g.draft is None:
        raise Problem("draft_over")
    g.base = f"{request.root_url}v1/test/{token}/projects/{project_id}/forms/{quote(form_id, safe='')}/draft"


@draft_door.get("/formList")
def form_list() -> Response:
    """The draft, as a list of one."""
    has_files = bool(g.draft.media or _lists())
    return form_lists().answer(None, lambda: [form_line(g.draft, f"{BASE}/{g.draft.md5}", has_files=has_files)], g.base)


@draft_door.get("/<md5>/form.xml")
def form_xml(md5: str) -> Response:
    """The draft as it is now."""
    _require_current(md5)
    return xform_file(g.draft.xform, md5)


@draft_door.get("/<md5>/manifest")
def manifest(md5: str) -> Response:
    """The files that go with it."""
    _require_current(md5)
    lines = [file_line(file["name"], file["md5"], _address()) for file in g.draft.media]
    uploaded = {file["name"] for file in g.draft.media}
    return manifest_of([*lines, entity_lists.entries(g.draft.project_id, _address(), _lists(), uploaded)])


@draft_door.get("/<md5>/media/<digest>/<name>")
def media(md5: str, digest: str, name: str) -> Response:
    """One of these files."""
    _require_current(md5)
    sha256 = next((file["sha256"] for file in g.draft.media if (file["name"], file["md5"]) == (name, digest)), None)
    if sha256 is None:
        raise Problem("not_found")
    return media_file(name, sha256, digest)


@draft_door.get("/<md5>/lists/<name>.csv")
def entity_list(md5: str, name: str) -> Response:
    """An entity list that the draft picks from: the real one, so that the trial is."""
    _require_list(md5, name)
    return entity_lists.content(g.draft.project_id, name)


@draft_door.get("/<md5>/lists/<name>/integrity")
def entity_integrity(md5: str, name: str) -> Response:
    """Which of the entities `?id=` were deleted."""
    _require_list(md5, name)
    return entity_lists.integrity(g.draft.project_id, name, [each for each in request.args.get("id", "").split(",") if each])


@draft_door.route("/submission", methods=["HEAD", "GET"])
def submission_size() -> Response:
    """How much may come in one request."""
    return Response(status=204)


@draft_door.post("/submission")
def submission() -> Response:
    """Take a record of the trial."""
    opened = services()
    upload = read_upload(request.environ, opened.blobs, opened.turnstile)
    delivery = Delivery(
        project_id=g.draft.project_id,
        xml=upload.xml,
        files=tuple(upload.files),
        device_id=short_text(request.args.get("deviceID", "")),
        user_agent=short_text(request.headers.get("User-Agent", "")),
    )
    receipt = trial.receive(opened.store, g.draft, delivery)
    text = f"Trial. {receipt_text(receipt, 'en')}"
    return openrosa_message(text, 202 if receipt.outcome == "duplicate" else 201, "submit_success")


def _address() -> str:
    return f"{g.base}/{g.draft.md5}"


def _lists() -> frozenset[str]:
    return FormDefinition.from_xform(g.draft.xform).files


def _require_current(md5: str) -> None:
    if md5 != g.draft.md5:
        raise Problem("not_found", "The draft was replaced meanwhile: refresh the list of forms.")


def _require_list(md5: str, name: str) -> None:
    _require_current(md5)
    if f"{name}.csv" not in _lists():
        raise Problem("not_found")
