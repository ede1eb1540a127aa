"""Who asks: the session in a browser's cookie or a program's header, or HTTP Basic (R, curl, Excel). One place decides for all."""

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict

from flask import g, request

from forms.problems import Problem
from records import projects
from records.access import Access, Right
from server import accounts
from server.accounts import Person
from server.services import services

COOKIE = "tulliana_session"
_REMEMBER_SECONDS = 300
_REMEMBERED = 256
_FAILURES_ALLOWED = 10
_FAILURE_WINDOW_SECONDS = 60
_hashing = threading.Semaphore(2)  # each takes 19 MiB: a crowd of guesses must not fill the memory


def person() -> Person | None:
    """Who is signed in, or None. A session that ended and a wrong password are the same as none."""
    if "person" not in g:
        g.person = _from_session() or _from_basic()
    found: Person | None = g.person
    return found


def require_person() -> Person:
    """Who is signed in. Raises `Problem("sign_in_needed")`."""
    found = person()
    if found is None:
        raise Problem("sign_in_needed")
    return found


def access_to(project_id: int) -> Access:
    """What who asks may do in this project. Raises `Problem` "sign_in_needed" or "not_allowed".

    Administrators are told `Problem("not_found")` of a project that is not there; others never learn whether it is.
    """
    access = require_person().access(project_id)
    if access.may(Right.SERVER):
        with services().store.read() as connection:
            projects.named(connection, project_id)
    return access


def own_projects() -> dict[int, str]:
    """The names of the projects in which who asks may do something, by their number. Raises `Problem("sign_in_needed")`."""
    if "own_projects" not in g:
        asking = require_person()
        with services().store.read() as connection:
            known = projects.listed(connection)
        g.own_projects = {one.id: one.name for one in known if asking.is_administrator or one.id in asking.roles}
    found: dict[int, str] = g.own_projects
    return found


def sign_in(name: str, password: str) -> str:
    """A session token for this name and password. Raises `Problem` "sign_in_needed" or "too_many_tries"."""
    return accounts.begin_session(services().store, _verified(name, password))


def session_token() -> str:
    """The token of the session this request belongs to: `Bearer` as with ODK Central, `Token` as with KoBoToolbox, or a cookie."""
    given = request.authorization
    if given is not None and given.type in {"bearer", "token"}:
        return given.token or ""
    return request.cookies.get(COOKIE, "")


def _from_session() -> Person | None:
    token = session_token()
    if not token:
        return None
    with services().store.read() as connection:
        return accounts.signed_in(connection, token)


def _from_basic() -> Person | None:
    """Argon2 costs a fiftieth of a second on purpose, so a right password is remembered for some minutes, as a keyed digest."""
    given = request.authorization
    if given is None or given.type != "basic" or given.username is None or given.password is None:
        return None
    with services().store.read() as connection:
        current = accounts.roles_and_hash(connection, given.username)
    key = _remembered.key(given.username, given.password, str(current))
    found = _remembered.get(key)
    if found is None:
        found = _verified(given.username, given.password)
        _remembered.put(key, found)
    return found


def _verified(name: str, password: str) -> Person:
    where = (name.casefold(), request.remote_addr or "")
    failures.check(where)
    try:
        with services().turnstile.outside(), _hashing, services().store.read() as connection:
            return accounts.verified(connection, name, password)
    except Problem:
        failures.add(where)
        raise


class _Remembered:
    """Credentials found right lately. The account's hash and roles are part of the key: a change forgets it at once."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[float, Person]] = OrderedDict()

    def key(self, *parts: str) -> bytes:
        return hmac.new(self._secret, "\0".join(parts).encode(), hashlib.sha256).digest()

    def get(self, key: bytes) -> Person | None:
        with self._lock:
            until, found = self._kept.get(key, (0.0, None))
            return found if until > time.monotonic() else None

    def put(self, key: bytes, found: Person) -> None:
        with self._lock:
            self._kept[key] = (time.monotonic() + _REMEMBER_SECONDS, found)
            while len(self._kept) > _REMEMBERED:
                self._kept.popitem(last=False)


class Failures:
    """Wrong passwords of the last minute, by name and address: phones behind the same address are not touched."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: OrderedDict[tuple[str, str], list[float]] = OrderedDict()

    def check(self, where: tuple[str, str]) -> None:
        with self._lock:
            recent = [moment for moment in self._times.get(where, []) if moment > time.monotonic() - _FAILURE_WINDOW_SECONDS]
            if len(recent) >= _FAILURES_ALLOWED:
                raise Problem("too_many_tries")

    def add(self, where: tuple[str, str]) -> None:
        with self._lock:
            now = time.monotonic()
            recent = [moment for moment in self._times.pop(where, []) if moment > now - _FAILURE_WINDOW_SECONDS]
            self._times[where] = [*recent, now]
            while len(self._times) > 10 * _REMEMBERED:
                self._times.popitem(last=False)


_remembered = _Remembered()
failures = Failures()
