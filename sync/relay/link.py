"""The way to a peer by HTTP: one address to which packets are posted.

What a packet holds is sealed for the peer and signed, so the line need not be trusted: https hides from others who speaks with
whom. A certificate that cannot be verified, as with a wrong clock or one that a station made itself, does not stop it.
"""

import threading
import time
from queue import Empty, SimpleQueue
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from forms.problems import CATALOGUE, Problem
from sync.relay.messages import MAGIC, MOST_PACKET

PATH = "/relay/1"
_CONNECT_SECONDS = 30
_READ_SECONDS = 120
_CONNECTIONS = 8
_ATTEMPTS = 4
_PATIENCE = 3.0  # seconds at least, until a packet is sent once more; each time twice as long
_SLOWEST = 2000  # bytes a second; so much longer is waited for large ones


class Link:
    """Posts packets to the node at this address. May be used by several threads."""

    def __init__(self, url: str, *, read_seconds: float = _READ_SECONDS) -> None:
        self.address = url.rstrip("/") + PATH
        self._turn = 0.0
        self._timeout = (_CONNECT_SECONDS, read_seconds)
        self._session = requests.Session()
        self._session.mount("http://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
        self._session.mount("https://", HTTPAdapter(pool_maxsize=_CONNECTIONS))

    def __call__(self, packet: bytes) -> bytes:
        """The peer's answer to a packet. Raises `Problem` relay_unreachable, or what the peer says.

        Where much is lost, TCP waits ever longer until it sends again. So a packet whose answer has not begun in time goes once
        more, over another connection, and the first answer counts: every question may be repeated.
        """
        outcomes: SimpleQueue[requests.Response | Problem] = SimpleQueue()
        begun, sent, failed = threading.Event(), 0, 0
        patience = max(_PATIENCE, 1.5 * self._turn) + len(packet) / _SLOWEST
        while True:
            if sent < _ATTEMPTS and not begun.is_set():
                threading.Thread(target=self._attempt, args=(packet, outcomes, begun), name="relay", daemon=True).start()
                sent += 1
            try:
                outcome = outcomes.get(timeout=patience)
            except Empty:
                patience *= 2
                continue
            if isinstance(outcome, requests.Response):
                if outcome.status_code != requests.codes.ok:
                    raise self._problem(outcome)
                if not outcome.content.startswith(MAGIC):
                    raise Problem("relay_unreachable", f"Something else answers in place of {self.address}.")
                return outcome.content
            failed += 1
            if failed == sent:
                raise outcome

    def _attempt(self, packet: bytes, outcomes: "SimpleQueue[requests.Response | Problem]", begun: threading.Event) -> None:
        try:
            try:
                answer = self._post(packet, begun)
            except requests.exceptions.SSLError:
                self._session.verify = False
                answer = self._post(packet, begun)
            outcomes.put(answer)
        except Exception as error:
            outcomes.put(self._unreachable(error))

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def _post(self, packet: bytes, begun: threading.Event) -> requests.Response:
        headers = {"Content-Type": "application/octet-stream", "Accept": "application/json"}
        start = time.monotonic()
        answer = self._session.post(
            self.address, data=packet, headers=headers, timeout=self._timeout, allow_redirects=False, stream=True
        )
        begun.set()
        self._turn = min(self._turn or 60.0, time.monotonic() - start)
        with answer:
            content = answer.raw.read(MOST_PACKET + 1, decode_content=True)
        if len(content) > MOST_PACKET:
            raise requests.exceptions.ContentDecodingError("more than a packet may have")
        answer._content = content
        return answer

    def _unreachable(self, error: Exception) -> Problem:
        reason: Any = error
        while reason.args and isinstance(reason.args[0], Exception):
            reason = reason.args[0]
        return Problem("relay_unreachable", f"{self.address}: {getattr(reason, 'reason', None) or type(reason).__name__}")

    def _problem(self, answer: requests.Response) -> Problem:
        """What the peer could only say openly: that it does not know us, cannot read us, or is busy."""
        try:
            said = answer.json()
            code, detail = str(said["code"]), str(said["detail"])
        except (ValueError, KeyError, TypeError):
            code, detail = "", ""
        if code in CATALOGUE and code.startswith("relay_"):
            return Problem(code, detail)
        return Problem("relay_unreachable", f"{self.address} answers {answer.status_code}.")
