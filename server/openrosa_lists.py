"""How form lists, manifests and files look to phones (OpenRosa 1.0, "Form Discovery"), whichever door they come through."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from flask import Response, current_app, request

from server.compression import compressed
from server.downloads import kept_file

_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
BASE = "\x1a"  # stands for the beginning of a phone's addresses; no XML can hold this character
_LISTS_KEPT = 64
_FOREVER = "private, max-age=31536000, immutable"


def form_line(form: Any, address: str, *, has_files: bool) -> str:
    """One form of a list: `form` has form_id, title, version and md5; its XML and manifest are below `address`."""
    version = f"<version>{escape(form.version)}</version>" if form.version else ""
    manifest = f"<manifestUrl>{escape(address)}/manifest</manifestUrl>" if has_files else ""
    return (
        f"<xform><formID>{escape(form.form_id)}</formID><name>{escape(form.title)}</name>{version}<hash>md5:{form.md5}</hash>"
        f"<downloadUrl>{escape(address)}/form.xml</downloadUrl>{manifest}</xform>"
    )


class _FormLists:
    """Form lists as they were written last, with a mark where each phone has its own address; may be used from many threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Any, tuple[str, str]] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, key: Any, lines: Callable[[], Iterable[str]], base: str) -> Response:
        """The list for a phone whose addresses begin with `base`. `key` stands for the content; None: always written anew."""
        with self._lock:
            known = self._kept.get(key)
        if known is None:
            known = self._written(key, lines())
        body, digest = known
        return _asked_again(lambda: body.replace(BASE, escape(base)), hashlib.sha256(f"{digest} {base}".encode()).hexdigest())

    def _written(self, key: Any, lines: Iterable[str]) -> tuple[str, str]:
        body = f'{_HEADER}<xforms xmlns="http://openrosa.org/xforms/xformsList">{"".join(lines)}</xforms>'
        written = body, hashlib.sha256(body.encode()).hexdigest()
        if key is not None:
            with self._lock:
                self._kept[key] = written
                while len(self._kept) > _LISTS_KEPT:
                    self._kept.popitem(last=False)
        return written


def form_lists() -> _FormLists:
    """The lists of this application: another one in the same process has another database."""
    found: _FormLists = current_app.extensions.setdefault("tulliana.form_lists", _FormLists())
    return found


def file_line(name: str, md5: str, address: str) -> str:
    """One file of a manifest."""
    return (
        f"<mediaFile><filename>{escape(name)}</filename><hash>md5:{md5}</hash>"
        f"<downloadUrl>{escape(address)}/media/{md5}/{quote(name, safe='')}</downloadUrl></mediaFile>"
    )


def manifest_of(lines: Iterable[str]) -> Response:
    """A manifest."""
    body = f'{_HEADER}<manifest xmlns="http://openrosa.org/xforms/xformsManifest">{"".join(lines)}</manifest>'
    return _asked_again(lambda: body, hashlib.sha256(body.encode()).hexdigest())


def xform_file(xform: bytes, md5: str) -> Response:
    """A form, at an address that will never give anything else."""
    return _pinned(compressed(Response(xform, content_type="text/xml; charset=utf-8")), md5)


def media_file(name: str, sha256: str, md5: str) -> Response:
    """A file of a form, at an address that will never give anything else."""
    return _pinned(kept_file(sha256, name, save=True, etag=md5), md5)


def _asked_again(body: Callable[[], str], etag: str) -> Response:
    """A list that phones always ask for again, cheaply. Dates are not trusted: this machine's clock may have been wrong."""
    is_known = request.if_none_match.contains_weak(etag)
    response = Response(b"" if is_known else body(), 304 if is_known else 200, content_type="text/xml; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(etag)
    return response


def _pinned(response: Response, digest: str) -> Response:
    response.headers["Cache-Control"] = _FOREVER
    response.set_etag(digest)
    response.make_conditional(request)
    return response
