"""The question phones ask most is whether the list of forms changed. Where it did not, it is answered here, before Flask.

The list follows from the request and from the phone's row (its project's `forms_revision` is part of it): who asks the same again,
with the same row, has the same list.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from forms.problems import Problem
from records.store import Store
from server import app_users

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_LIST = re.compile(r"/v1/key/([^/]+)/projects/([0-9]+)/formList")
_SAID = "tulliana.form_list"
_KEPT = 4096


def remember(environ: dict[str, Any], etag: str, row: Any) -> None:
    """Tell that a phone with this row was given the list with this tag."""
    environ[_SAID] = (f'"{etag}"', row)


def answers_unchanged(application: WsgiApp, store: Store) -> WsgiApp:
    """The application, with 304 for phones that have the list already."""
    said: OrderedDict[tuple[str, ...], Any] = OrderedDict()

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        tag = environ.get("HTTP_IF_NONE_MATCH")
        key = tuple(environ.get(name, "") for name in ("wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING"))
        if tag and (tag, _row(environ, store)) == said.get(key):
            headers = [("X-OpenRosa-Version", "1.0"), ("Cache-Control", "private, no-cache"), ("ETag", tag)]
            start_response("304 NOT MODIFIED", headers)
            return []
        answer = application(environ, start_response)
        if _SAID in environ:
            said[key] = environ[_SAID]
            while len(said) > _KEPT:
                said.popitem(last=False)
        return answer

    return wrapped


def _row(environ: dict[str, Any], store: Store) -> Any:
    found = _LIST.fullmatch(environ["PATH_INFO"])
    if found is None or environ["REQUEST_METHOD"] != "GET":
        return None
    try:
        with store.read() as connection:
            return app_users.identified(connection, found[1], int(found[2]))
    except Problem:
        return None
