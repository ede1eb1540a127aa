"""How a kept file is handed out, whichever door asks: under a safe name, never as something that could run in a browser.

RFC 6266 for the name, RFC 9110 for ranges and conditions. Only what is a picture by its first bytes may be shown in place; nothing
that can hold a script (HTML, SVG, XML, PDF) ever is.
"""

import os
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import IO

from flask import Response, request, send_file
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from forms.problems import Problem
from records.file_kinds import HEAD_BYTES, SHOWN, UNKNOWN, kind_of
from server.services import services

SANDBOX = "default-src 'none'; sandbox"
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Characters that turn the direction of what follows: `exe.gpj` would read as a picture. Joiners stay, Persian needs them."""


def visible_name(name: str) -> str:
    """A file name as people may see it: nothing in it moves, hides or ends a line."""
    seen = (each for each in name if each not in _TURNING and unicodedata.category(each) not in {"Cc", "Cs", "Zl", "Zp"})
    return "".join(seen).strip() or "unnamed"


def kept_file(sha256: str, name: str, *, save: bool = False, etag: str = "") -> Response:
    """A file of the blob store; a picture is shown in place unless it is to be saved.

    Raises `Problem` not_found, personal_key_missing or seal_broken.
    """
    file = services().blobs.open(sha256)
    kind = kind_of(file.read(HEAD_BYTES))
    is_shown = kind in SHOWN
    return handed_out(file, name, etag=etag or sha256, kind=kind if is_shown else UNKNOWN, in_place=is_shown and not save)


def handed_out(
    file: Path | IO[bytes], name: str, *, etag: str, kind: str = UNKNOWN, in_place: bool = False, changed: datetime | None = None
) -> Response:
    """This file in answer to the current request, whole or the part it asks for. Raises `Problem("not_found")`."""
    try:
        opened = file.open("rb") if isinstance(file, Path) else file
    except FileNotFoundError:
        raise Problem("not_found", "The file is no longer here.") from None
    size = opened.seek(0, os.SEEK_END)
    opened.seek(0)
    response = send_file(
        opened,
        mimetype=kind,
        as_attachment=not in_place,
        download_name=visible_name(name),
        etag=etag,
        last_modified=changed,
        conditional=False,
    )
    response.content_length = size
    try:
        response.make_conditional(request, accept_ranges=True, complete_length=size)
    except RequestedRangeNotSatisfiable:
        opened.close()
        response = Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    return guarded(response)


def guarded(response: Response) -> Response:
    """The headers under which nothing in a file can do harm, and no proxy keeps it."""
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-cache"
    return response
