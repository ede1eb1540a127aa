"""How form lists, manifests and files look to phones (OpenRosa 1.0, "Form Discovery"), whichever door they come through."""

import hashlib
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from flask import Response, request

from server.downloads import kept_file

_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
_FOREVER = "private, max-age=31536000, immutable"


def form_line(form: Any, address: str, *, has_files: bool) -> str:
    """One form of a list: `form` has form_id, title, version and md5; its XML and manifest are below `address`."""
    version = f"<version>{escape(form.version)}</version>" if form.version else ""
    manifest = f"<manifestUrl>{escape(address)}/manifest</manifestUrl>" if has_files else ""
    return (
        f"<xform><formID>{escape(form.form_id)}</formID><name>{escape(form.title)}</name>{version}<hash>md5:{form.md5}</hash>"
        f"<downloadUrl>{escape(address)}/form.xml</downloadUrl>{manifest}</xform>"
    )


def form_list_of(lines: Iterable[str]) -> Response:
    """A form list."""
    return _asked_again(f'<xforms xmlns="http://openrosa.org/xforms/xformsList">{"".join(lines)}</xforms>')


def file_line(name: str, md5: str, address: str) -> str:
    """One file of a manifest."""
    return (
        f"<mediaFile><filename>{escape(name)}</filename><hash>md5:{md5}</hash>"
        f"<downloadUrl>{escape(address)}/media/{md5}/{quote(name, safe='')}</downloadUrl></mediaFile>"
    )


def manifest_of(lines: Iterable[str]) -> Response:
    """A manifest."""
    return _asked_again(f'<manifest xmlns="http://openrosa.org/xforms/xformsManifest">{"".join(lines)}</manifest>')


def xform_file(xform: bytes, md5: str) -> Response:
    """A form, at an address that will never give anything else."""
    return _pinned(Response(xform, content_type="text/xml; charset=utf-8"), md5)


def media_file(name: str, sha256: str, md5: str) -> Response:
    """A file of a form, at an address that will never give anything else."""
    return _pinned(kept_file(sha256, name, save=True, etag=md5), md5)


def _asked_again(body: str) -> Response:
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
