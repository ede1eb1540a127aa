"""HTTP Digest authentication (RFC 7616 with MD5, as RFC 2617 and every OpenRosa client know it) without any memory.

A nonce carries its own time and a seal, so every worker takes it, also after a restart, and none is remembered. Requests of a phone
get lost, arrive twice and out of order; their count (`nc`) is therefore not judged. Repeating a request does no harm here.
"""

import hashlib
import hmac
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from werkzeug.datastructures import Authorization

REALM = "Tulliana"
NONCE_SECONDS = 2 * 3600
_CLOCK_SECONDS = 300  # another machine's clock may be a little ahead
_SEAL_BYTES = 16
_ALGORITHMS = {"md5", "md5-sess"}


@dataclass(frozen=True, slots=True)
class Target:
    """What a request asks for: the path's bytes, percent signs resolved, and the query as it stood in the request line."""

    path: bytes
    query: str

    @classmethod
    def of(cls, uri: str) -> "Target":
        """The target that this `uri` of a client names; doubled slashes count as one."""
        path, _, query = uri.partition("?")
        plain = unquote_to_bytes(path)
        while b"//" in plain:
            plain = plain.replace(b"//", b"/")
        return cls(plain, query)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who it is, or (`username` is empty) what to answer: a challenge with this `nonce`, and whether the old one is only too old.

    The answer to a wrong password repeats the nonce, which tells clients that trying again is no use.
    """

    username: str
    nonce: str
    is_stale: bool = False


def ha1(username: str, password: str) -> str:
    """What is kept of a password: as good as the password itself, in this realm."""
    return _md5(f"{username}:{REALM}:{password}")


def challenge(verdict: Verdict) -> str:
    """The value of the header WWW-Authenticate that asks for a password."""
    stale = ", stale=true" if verdict.is_stale else ""
    return f'Digest realm="{REALM}", qop="auth", nonce="{verdict.nonce}", algorithm=MD5, charset="UTF-8"{stale}'


class Digest:
    """Challenges and their answers, with one `secret` that all workers share."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def nonce(self, now: float) -> str:
        """A nonce made at this moment (seconds since 1970)."""
        moment = struct.pack(">Q", int(now * 1000)) + secrets.token_bytes(4)
        return urlsafe_b64encode(moment + self._seal(moment)).decode().rstrip("=")

    def verify(
        self, given: Authorization | None, method: str, target: Target, ha1_of: Callable[[str], str | None], now: float
    ) -> Verdict:
        """Judge the Authorization header of a request. `ha1_of` gives what is kept of a user's password, or None for nobody."""
        fresh = Verdict("", self.nonce(now))
        if given is None or given.type != "digest":
            return fresh
        said = {
            name: given.parameters.get(name) or ""
            for name in ("username", "realm", "nonce", "uri", "response", "qop", "nc", "cnonce")
        }
        algorithm = (given.parameters.get("algorithm") or "MD5").lower()
        if said["realm"] != REALM or said["qop"] != "auth" or algorithm not in _ALGORITHMS or not said["nonce"]:
            return fresh
        known = ha1_of(said["username"])
        expected = _response(known or "", said, method, is_session=algorithm == "md5-sess")
        is_right = hmac.compare_digest(expected, said["response"].lower().encode()) and known is not None
        is_current = self._is_current(said["nonce"], now)
        if not is_right or Target.of(said["uri"]) != target:
            return Verdict("", said["nonce"]) if is_current else fresh
        return Verdict(said["username"], said["nonce"]) if is_current else Verdict("", fresh.nonce, is_stale=True)

    def _is_current(self, nonce: str, now: float) -> bool:
        with suppress(ValueError):
            moment_and_seal = urlsafe_b64decode(nonce + "=" * (-len(nonce) % 4))
            moment, seal = moment_and_seal[:-_SEAL_BYTES], moment_and_seal[-_SEAL_BYTES:]
            if len(moment) == 12 and hmac.compare_digest(seal, self._seal(moment)):
                age: float = now - struct.unpack(">Q", moment[:8])[0] / 1000
                return -_CLOCK_SECONDS <= age <= NONCE_SECONDS
        return False

    def _seal(self, moment: bytes) -> bytes:
        return hmac.digest(self._secret, moment, "sha256")[:_SEAL_BYTES]


def _response(known: str, said: dict[str, str], method: str, *, is_session: bool) -> bytes:
    """RFC 7616, section 3.4.1."""
    a1 = _md5(f"{known}:{said['nonce']}:{said['cnonce']}") if is_session else known
    a2 = _md5(f"{method}:{said['uri']}")
    return _md5(f"{a1}:{said['nonce']}:{said['nc']}:{said['cnonce']}:{said['qop']}:{a2}").encode()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
