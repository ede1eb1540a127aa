"""A form with everything in it as one ZIP. Only so many at once: each holds a connection as long as its reader takes."""

import threading
from collections.abc import Iterator
from urllib.parse import quote

from flask import Response, request
from sqlalchemy import and_

from exports.archive import bundle
from exports.odata.model import ROOT, Table
from exports.odata.read import filtered
from forms.problems import Problem
from records.audit import note_taken
from server.api.blueprint import access, flag_of, streamed
from server.api.forms import definition_of
from server.services import services

MOST_AT_ONCE = 8
_places = threading.BoundedSemaphore(MOST_AT_ONCE)
_NOT_SUPPORTED = {"groupPaths": "true", "deletedFields": "false", "splitSelectMultiples": "false"}


def response(form_id: str) -> Response:
    """The ZIP for the current request. Raises `Problem` value_invalid, not_supported, form_unknown, not_allowed or busy."""
    for name, only in _NOT_SUPPORTED.items():
        if request.args.get(name, only).lower() != only:
            raise Problem("not_supported", f"{name}={request.args[name][:20]} is not supported.")
    definition, files = definition_of(form_id), flag_of("attachments", default=True)
    wanted = filtered(request.args.get("$filter", ""), Table(ROOT, ()), access())
    opened, asking = services(), access()
    note_taken(opened.store, asking, form_id, "csv.zip", filter=request.args.get("$filter"))

    def chunks() -> Iterator[bytes]:
        if not _places.acquire(blocking=False):
            raise Problem("busy", "Too many archives are being written.", hint="Try again in a minute.")
        try:
            with opened.store.snapshot() as connection:
                yield from bundle(connection, asking, definition, opened.blobs.open, condition=and_(*wanted), files=files)
        finally:
            _places.release()

    made = streamed(chunks(), "application/zip")
    name = f"{quote(form_id, safe='')}.zip"
    made.headers["Content-Disposition"] = f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    return made
