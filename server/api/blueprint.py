"""The blueprints for programs: who asks is found out first, answers are JSON, long ones are written while they are read."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from flask import Blueprint, Response, g, request

from forms.problems import Problem
from records.access import Access
from records.store import Store
from server.identity import access_to, require_person
from server.services import services

central = Blueprint("central", __name__, url_prefix="/v1")
kobo_door = Blueprint("kobo", __name__)
PROJECT = "/projects/<int(max=2147483647):project_id>"
FORM = f"{PROJECT}/forms/<path:form_id>"
SUBMISSION = f"{FORM}/submissions/<path:instance_id>"
JSON = "application/json"
MOST_BODY = 100_000  # bytes of a JSON body
_CHUNK = 64 * 1024
_OPEN = {"central.sign_in", "central.openapi"}


@central.url_value_preprocessor
@kobo_door.url_value_preprocessor
def _take_project(_: str | None, values: dict[str, Any] | None) -> None:
    if values and "project_id" in values:
        g.api_project = values.pop("project_id")


@central.before_request
@kobo_door.before_request
def _identify() -> None:
    """Find out who asks and what they may do in the project of the address, before anything else."""
    if "\0" in request.path:
        raise Problem("not_found")
    if request.endpoint in _OPEN:
        return
    require_person()
    if "api_project" in g:
        g.access = access_to(g.api_project)


def access() -> Access:
    """What who asks may do in the project of the address."""
    found: Access = g.access
    return found


def store() -> Store:
    """The database."""
    return services().store


def is_extended() -> bool:
    """Whether ODK Central's extended metadata is asked for."""
    return request.headers.get("X-Extended-Metadata", "").lower() == "true"


def answer(value: Any, status: int = 200) -> Response:
    """JSON."""
    return private(Response(orjson.dumps(value), status=status, content_type=JSON))


def array(items: Iterable[Any]) -> Response:
    """A JSON array that is written while its items are read."""
    return streamed(_array(items), JSON)


def streamed(chunks: Iterator[bytes], content_type: str) -> Response:
    """An answer that is written while it is read. What goes wrong at its beginning is still told with a status.

    Each chunk is made in turn with the other requests; between them nobody waits, however slow the client is.
    """
    first = next(chunks, b"")
    turnstile = services().turnstile

    def rest() -> Iterator[bytes]:
        try:
            chunk: bytes | None = first
            while chunk is not None:
                if chunk:
                    yield chunk
                with turnstile.inside():
                    chunk = next(chunks, None)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()

    return private(Response(rest(), content_type=content_type))


def in_chunks(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Small pieces put together."""
    waiting, size = [], 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= _CHUNK:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def private(response: Response) -> Response:
    """Not for proxies, and always to be asked for again."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def body() -> dict[str, Any]:
    """The JSON object that came. Raises `Problem` "value_invalid" or "too_large"."""
    if request.mimetype != JSON:
        raise Problem("value_invalid", f"The body is JSON: Content-Type: {JSON}.")
    request.max_content_length = MOST_BODY
    try:
        content = orjson.loads(request.get_data())
    except orjson.JSONDecodeError:
        raise Problem("value_invalid", "The body is no JSON.") from None
    if not isinstance(content, dict):
        raise Problem("value_invalid", "The body is a JSON object.")
    return content


def text_of(content: dict[str, Any], name: str) -> str:
    """A text of such an object. Raises `Problem("value_invalid")`."""
    value = content.get(name)
    if not isinstance(value, str) or "\0" in value:
        raise Problem("value_invalid", f"{name}: a text.")
    return value


def number_of(name: str) -> int | None:
    """A whole number of the query, 0 or more. Raises `Problem("value_invalid")`."""
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Problem("value_invalid", f"{name}: a whole number, 0 or more.")
    return int(text)


def flag_of(name: str, *, default: bool = False) -> bool:
    """true or false of the query. Raises `Problem("value_invalid")`."""
    text = request.args.get(name, str(default)).lower()
    if text not in {"true", "false"}:
        raise Problem("value_invalid", f"{name}: true or false.")
    return text == "true"


def _array(items: Iterable[Any]) -> Iterator[bytes]:
    def parts() -> Iterator[bytes]:
        opening = b"["
        for item in items:
            yield opening + orjson.dumps(item)
            opening = b","
        yield b"]" if opening == b"," else b"[]"

    return in_chunks(parts())
