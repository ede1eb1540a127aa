"""A phone that signs in with a user name and a password, as OkHttp and its Digest and Basic authenticators do it inside Collect.

The rules were read from rburgst/okhttp-digest (DigestAuthenticator, DispatchingAuthenticator, AuthenticationCacheInterceptor):
nothing is sent before a challenge; what worked is kept per scheme and host in memory; what is refused though it was kept is
forgotten, and the request repeated from the beginning. A second refusal without `stale=true` ends it. Basic is for https only.
"""

import hashlib
import re
import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.support.wire import Answer

MAX_FOLLOW_UPS = 20
Exchange = Callable[[dict[str, str]], Answer]
Challenge = dict[str, str]


@dataclass
class Login:
    """The credentials of one project on one phone and what it remembers of the server's challenges."""

    username: str
    password: str
    kept: dict[str, Challenge] = field(default_factory=dict)
    _nonce: str = ""
    _count: int = 0
    _cnonce: str = ""

    def send(self, exchange: Exchange, method: str, url: str) -> Answer:
        """Send one request, as often as it takes; `exchange` sends it once with these headers more."""
        place = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        kept = self.kept.get(place)
        header = self._header(kept, method, url) if kept else None
        answer = self._follow(exchange, header, method, url, place)
        if kept and answer.status == 401 and self.kept.pop(place, None):
            answer = self._follow(exchange, None, method, url, place)
        return answer

    def _follow(self, exchange: Exchange, header: str | None, method: str, url: str, place: str) -> Answer:
        answer = exchange({"Authorization": header} if header else {})
        for _ in range(MAX_FOLLOW_UPS):
            challenge = self._understood(answer, url) if answer.status == 401 else None
            if challenge is None or (header and challenge.get("stale", "").lower() != "true"):
                return answer
            self.kept[place] = challenge
            header = self._header(challenge, method, url)
            answer = exchange({"Authorization": header})
        raise AssertionError(f"{MAX_FOLLOW_UPS} answers were asked for")

    @staticmethod
    def _understood(answer: Answer, url: str) -> Challenge | None:
        """The first challenge of a scheme this app knows; each must have a line of its own."""
        for line in answer.headers.get("www-authenticate", "").split("\n"):
            scheme, _, rest = line.partition(" ")
            if scheme.lower() == "digest" or (scheme.lower() == "basic" and url.startswith("https:")):
                pairs = re.findall(r'(\w+)=(?:"([^"]*)"|([^",\s]+))', rest)
                return {"scheme": scheme.lower(), **{name: quoted or bare for name, quoted, bare in pairs}}
        return None

    def _header(self, challenge: Challenge, method: str, url: str) -> str:
        if challenge["scheme"] == "basic":
            return "Basic " + b64encode(f"{self.username}:{self.password}".encode()).decode()
        parts, nonce = urlsplit(url), challenge["nonce"]
        uri = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if nonce != self._nonce:
            self._nonce, self._count, self._cnonce = nonce, 0, secrets.token_hex(8)
        self._count += 1
        charset = challenge.get("charset", "us-ascii")
        a1 = _md5(f"{self.username}:{challenge['realm']}:{self.password}".encode(charset, "replace"))
        a2 = _md5(f"{method}:{uri}".encode())
        response = _md5(f"{a1}:{nonce}:{self._count:08x}:{self._cnonce}:auth:{a2}".encode())
        opaque = f', opaque="{challenge["opaque"]}"' if "opaque" in challenge else ""
        return (
            f'Digest username="{self.username}", realm="{challenge["realm"]}", nonce="{nonce}", uri="{uri}", '
            f'response="{response}", qop=auth, nc={self._count:08x}, cnonce="{self._cnonce}", algorithm=MD5{opaque}'
        )


def _md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()
