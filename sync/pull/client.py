"""Asking another server, patiently: what failed for a moment is asked again a few times, and a server that says when is heeded.

The name and password, or the key, go to that server only: not to where it redirects, not into problems, not into the log. A server
on the internet cannot send us into the network that this one stands in.
"""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3 import BaseHTTPResponse
from urllib3.util.retry import Retry

from forms.problems import Problem
from forms.xml import MAX_XML_BYTES

TIMEOUT = (20, 300)  # seconds to connect, and between two pieces: large tables take their time
_TRIES = 5
_LONGEST_WAIT = 120  # seconds
_CHUNK = 256 * 1024
_MOST_JSON = 200_000_000  # bytes
_AGAIN = (429, 500, 502, 503, 504)
_OF_ALL = {401, 402, 403, 429, 502, 503, 504}  # whoever gets these answers gets them everywhere
_GONE = {404, 410}


class Missing(Exception):
    """This address gives nothing, and asking for others makes sense: there is nothing (any more), or it fails for this one."""

    def __init__(self, what: str, *, is_gone: bool = False) -> None:
        self.is_gone = is_gone
        super().__init__(what)


class Key(AuthBase):
    """The header `Authorization`: `Token` with KoBoToolbox, `Bearer` with ODK Central."""

    def __init__(self, scheme: str, key: str) -> None:
        self._value = f"{scheme} {key}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


class _Patient(Retry):
    """Tries again, but never sleeps for as long as somebody else pleases."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        wait = super().get_retry_after(response)
        return None if wait is None else min(wait, _LONGEST_WAIT)


class _Inside(requests.RequestException):
    """An address that somebody else gave leads into the network of this server."""


class _Guarded(HTTPAdapter):
    """Goes to the server it was given, and to others only where that does not lead further inside than the server itself stands."""

    def __init__(self, own: str, retries: Retry) -> None:
        self._own = own
        super().__init__(max_retries=retries)

    def send(self, request: requests.PreparedRequest, *arguments: Any, **more: Any) -> requests.Response:
        """Send, as `requests` has it; every hop of a redirect comes by here."""
        host = urlsplit(request.url or "").hostname or ""
        if host != self._own and _is_inside(host) and not _is_inside(self._own):
            raise _Inside
        return super().send(request, *arguments, **more)


def _is_inside(host: str) -> bool:
    """Whether a host is on this machine or in its network, and not on the internet."""
    try:
        found = {ipaddress.ip_address(each[4][0]) for each in socket.getaddrinfo(host, None)}
    except (OSError, ValueError):  # an unknown name, which the request will tell
        return False
    return not all(address.is_global for address in found)


class Client:
    """One server: `base` is its address without the path of the API. `moment` is when it answered last, by its own clock."""

    def __init__(self, base: str, auth: AuthBase | None = None, *, backoff: float = 1.0) -> None:
        parts = urlsplit(base if "//" in base else f"https://{base}")
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
            raise Problem(
                "value_invalid", "Give the address of the other server as in https://central.example.org, without a name."
            )
        self.base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self.is_open = parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}
        self.moment = datetime.now(UTC)
        retries = _Patient(
            _TRIES, backoff_factor=backoff, backoff_max=_LONGEST_WAIT, status_forcelist=_AGAIN, raise_on_status=False
        )
        self._session = requests.Session()
        self._session.auth = auth
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Guarded(parts.hostname, retries))

    def sign_in(self, name: str, password: str) -> None:
        """Begin a session as on ODK Central; a server without sessions gets name and password each time (HTTP Basic)."""
        try:
            given = {"email": name, "password": password}
            answer = self._session.post(f"{self.base}/v1/sessions", json=given, timeout=TIMEOUT, allow_redirects=False)
            token = answer.json().get("token") if answer.status_code == requests.codes.ok else None
        except (requests.RequestException, ValueError) as error:
            raise self._failed("/v1/sessions", type(error).__name__) from None  # its words may hold the password
        if answer.is_redirect:
            raise self._failed("/v1/sessions", f"it sends us to {answer.headers['Location']}; give that address, if it is right")
        if token is None and answer.status_code != requests.codes.not_found:
            raise self._failed("/v1/sessions", f"it answered {answer.status_code}")
        self._session.auth = HTTPBasicAuth(name.encode(), password.encode()) if token is None else Key("Bearer", token)

    def json(self, path: str, query: dict[str, str] | None = None) -> Any:
        """What it answers. Raises `Missing`, or `Problem("source_failed")`."""
        with self._answer(path, query) as answer:
            content = _at_most(answer, _MOST_JSON)
            try:
                return orjson.loads(content)
            except ValueError:
                raise self._failed(path, "it answered with something else than JSON") from None

    def content(self, path: str) -> bytes:
        """A small file, such as XML. Raises `Missing`, or `Problem("source_failed")`, as all of these do."""
        with self._answer(path, None) as answer:
            return _at_most(answer, MAX_XML_BYTES)

    @contextmanager
    def chunks(self, path: str) -> Iterator[Iterator[bytes]]:
        """A file of any size, piece by piece; `path` may be a whole address, and another server is told nothing of us."""
        with self._answer(path, None) as answer:
            yield answer.iter_content(_CHUNK)

    @contextmanager
    def _answer(self, path: str, query: dict[str, str] | None) -> Iterator[requests.Response]:
        address = path if "//" in path else self.base + path
        own = urlsplit(address)[:2] == urlsplit(self.base)[:2]
        try:
            with self._session.get(address, params=query, timeout=TIMEOUT, stream=True, auth=None if own else _nobody) as answer:
                if answer.status_code in _OF_ALL:
                    raise self._failed(path, f"it answered {answer.status_code}")
                if answer.status_code != requests.codes.ok:
                    raise Missing(f"it answered {answer.status_code}", is_gone=answer.status_code in _GONE)
                self.moment = _moment(answer.headers.get("Date", "")) or self.moment
                yield answer
        except _Inside:
            raise Missing("it leads into the network of this server") from None
        except requests.RequestException as error:
            raise self._failed(path, type(error).__name__) from None

    def _failed(self, path: str, what: str) -> Problem:
        return Problem("source_failed", f"{self.base}{urlsplit(path).path if '//' in path else path}: {what}.")


def following(link: str | None) -> dict[str, str] | None:
    """The query of a link to the next page. Its host is not followed: behind a proxy it may be another, or nobody."""
    return dict(parse_qsl(urlsplit(link).query, keep_blank_values=True)) if link else None


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _at_most(answer: requests.Response, most: int) -> bytes:
    content = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        content += chunk
        if len(content) > most:
            raise Missing(f"larger than {most // 1_000_000} MB")
    return bytes(content)


def _moment(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header)
    except ValueError:
        return None
