"""HTTP as OkHttp does it inside ODK Collect and KoBoCollect: headers, redirects, silent retries, gzip and the cache of the phone.

The rules were read from the clients' source (getodk/collect, open-rosa module; square/okhttp 4.12 and 5.4). One `Wire` is one
app on one phone: it keeps its connections open and remembers what the server allowed it to remember.
"""

import contextlib
import gzip
import http.client
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from functools import partial
from urllib.parse import SplitResult, urljoin, urlsplit

MAX_REDIRECTS = 20
READ_TIMEOUT = 60.0
CACHE_BYTES = 50 * 1024 * 1024
COOKIE_LESS_HEADERS = {"X-OpenRosa-Version": "1.0", "Connection": "Keep-Alive", "Accept-Encoding": "gzip"}


class WireError(Exception):
    """What OkHttp throws as an IOException: the phone shows its text."""


@dataclass(frozen=True)
class Answer:
    """One response after redirects; `headers` has lower-case names, `body` is decoded."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes
    url: str
    from_cache: bool = False


@dataclass
class Kept:
    """One entry of the phone's HTTP cache."""

    answer: Answer
    received_at: float


@dataclass
class Wire:
    """One OkHttp client. `clock` gives the phone's time in seconds since 1970 and may be set wrong on purpose.

    `sign` sends a request with whatever proves who it is from; see `tests.support.login`.
    """

    user_agent: str = "org.odk.collect.android/v2026.3.3 Dalvik/2.1.0 (Linux; U; Android 13; SM-A045F Build/TP1A)"
    clock: Callable[[], float] = time.time
    cache: dict[str, Kept] = field(default_factory=dict)
    log: list[tuple[str, str, int]] = field(default_factory=list)
    sign: Callable[[Callable[[dict[str, str]], Answer], str, str], Answer] = lambda exchange, method, url: exchange({})
    _open: dict[tuple[str, str], http.client.HTTPConnection] = field(default_factory=dict)

    def get(self, url: str) -> Answer:
        """Fetch by way of the cache: fresh entries cost nothing, stale ones are asked for with their validator."""
        kept = self.cache.get(url)
        if kept and self._is_fresh(url, kept):
            return replace(kept.answer, from_cache=True)
        answer = self.request("GET", url, headers=_validators(kept.answer) if kept else {})
        if answer.status == 304 and kept:
            kept.received_at = self.clock()
            kept.answer = replace(kept.answer, headers=kept.answer.headers | answer.headers)
            return replace(kept.answer, from_cache=True)
        if answer.status == 200 and "no-store" not in answer.headers.get("cache-control", ""):
            self.cache[url] = Kept(answer, self.clock())
            while sum(len(entry.answer.body) for entry in self.cache.values()) > CACHE_BYTES:
                self.cache.pop(next(iter(self.cache)))
        return answer

    def request(self, method: str, url: str, *, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """Send, follow redirects as OkHttp does, and repeat silently where OkHttp repeats (408 once, 503 with Retry-After: 0)."""
        headers, repeated = dict(headers or {}), False
        for _ in range(MAX_REDIRECTS + 1):
            answer = self.sign(partial(self._once, method, url, body, headers), method, url)
            now = answer.status == 408 or (answer.status == 503 and answer.headers.get("retry-after") == "0")
            if now and not repeated:
                repeated = True
                continue
            if answer.status not in {300, 301, 302, 303, 307, 308} or "location" not in answer.headers:
                return answer
            url = urljoin(url, answer.headers["location"])
            if method not in {"GET", "HEAD"} and answer.status not in {307, 308}:
                method, body = "GET", None
                headers.pop("Content-Type", None)
        raise WireError(f"Too many follow-up requests: {MAX_REDIRECTS + 1}")

    def close(self) -> None:
        """Close every connection."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def __del__(self) -> None:
        self.close()

    def _once(self, method: str, url: str, body: bytes | None, own: dict[str, str], more: dict[str, str]) -> Answer:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise WireError(f"not an absolute http address: {url!r}")
        place = (parts.scheme, parts.netloc)
        headers = {"User-Agent": self.user_agent, "Date": twelve_hour_date(self.clock())} | COOKIE_LESS_HEADERS | own | more
        pooled = place in self._open
        try:
            response = self._exchange(place, method, parts, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self._drop(place)
            if not pooled:
                raise WireError(str(error) or type(error).__name__) from error
            try:  # a connection of the pool had died: OkHttp sends again without a word, a POST too
                response = self._exchange(place, method, parts, body, headers)
            except (OSError, http.client.HTTPException) as again:
                self._drop(place)
                raise WireError(str(again) or type(again).__name__) from again
        answer = replace(response, url=url)
        self.log.append((method, url, answer.status))
        return answer

    def _exchange(
        self, place: tuple[str, str], method: str, parts: SplitResult, body: bytes | None, headers: dict[str, str]
    ) -> Answer:
        if place not in self._open:
            kind = http.client.HTTPSConnection if place[0] == "https" else http.client.HTTPConnection
            self._open[place] = kind(parts.netloc, timeout=READ_TIMEOUT)
        connection = self._open[place]
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        if body is not None:
            # the server may have answered early and closed: its words, if any, are read below
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.send(body)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        if response.status in {204, 205} and found.get("content-length", "0") != "0":
            raise WireError(f"HTTP {response.status} had non-zero Content-Length: {found['content-length']}")
        if challenges := response.headers.get_all("WWW-Authenticate"):
            found["www-authenticate"] = "\n".join(challenges)
        content = response.read()
        if found.get("content-encoding") == "gzip" and content:
            content = gzip.decompress(content)
            found.pop("content-encoding"), found.pop("content-length", None)
        if response.will_close:
            self._drop(place)
        return Answer(response.status, response.reason, found, content, "")

    def _drop(self, place: tuple[str, str]) -> None:
        if connection := self._open.pop(place, None):
            connection.close()

    def _is_fresh(self, url: str, kept: Kept) -> bool:
        headers, rules = kept.answer.headers, kept.answer.headers.get("cache-control", "")
        age = self.clock() - kept.received_at + int(headers.get("age", 0))
        directives = dict(_directives(rules))
        if "no-cache" in directives or headers.get("vary") == "*":
            return False
        if "max-age" in directives:
            return age < int(directives["max-age"] or 0)
        if "expires" in headers:
            return age < _seconds(headers["expires"]) - _seconds(headers.get("date", headers["expires"]))
        if "last-modified" in headers and not urlsplit(url).query:  # the guess that KoBoCollect's bare addresses suffer from
            served = _seconds(headers["date"]) if "date" in headers else kept.received_at
            return age < (served - _seconds(headers["last-modified"])) / 10
        return False


def twelve_hour_date(now: float) -> str:
    """The Date header as Collect writes it: the hour runs from 01 to 12 and nothing says morning or evening."""
    return time.strftime("%a, %d %b %Y %I:%M:%S GMT", time.gmtime(now))


def _validators(answer: Answer) -> dict[str, str]:
    if "etag" in answer.headers:
        return {"If-None-Match": answer.headers["etag"]}
    if "last-modified" in answer.headers:
        return {"If-Modified-Since": answer.headers["last-modified"]}
    return {"If-Modified-Since": answer.headers["date"]} if "date" in answer.headers else {}


def _directives(rules: str) -> Iterator[tuple[str, str]]:
    for rule in rules.lower().split(","):
        name, _, value = rule.strip().partition("=")
        yield name, value.strip('"')


def _seconds(http_date: str) -> float:
    return parsedate_to_datetime(http_date).timestamp()
