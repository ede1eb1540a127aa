"""A server that gives written-down answers, in order, to whoever asks for them; it notes what it was asked."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote


@dataclass
class Answer:
    """One answer; `body` is JSON unless it is bytes. `cut` breaks the connection off within the body."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass
class Recorded:
    """`answers[path]`, the path decoded and with or without its query, are given in order; the last one again and again."""

    answers: dict[str, list[Answer]]
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(path with query, Authorization) of every request."""

    def paths(self) -> list[str]:
        """What was asked for."""
        return [path for path, _ in self.asked]

    def next(self, target: str) -> Answer:
        """The answer for this target; 404 for what was not written down."""
        left = self.answers.get(target) or self.answers.get(target.partition("?")[0])
        if not left:
            return Answer({"message": "not found", "code": 404.1}, 404)
        return left.pop(0) if len(left) > 1 else left[0]


def written_down(file: Path) -> dict[str, list[Answer]]:
    """Answers of a real server, as tests/peers keeps them."""
    kept = json.loads(file.read_text(encoding="utf-8"))
    return {
        target: [Answer(each["json"] if "json" in each else base64.b64decode(each["bytes"]), each["status"]) for each in given]
        for target, given in kept.items()
    }


@contextmanager
def playing(answers: dict[str, list[Answer]]) -> Iterator[Recorded]:
    """Play these answers on a port of the loopback interface."""
    recorded = Recorded(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            target = unquote(self.path.replace("+", " "))
            recorded.asked.append((target, self.headers.get("Authorization", "")))
            answer = recorded.next(target)
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if answer.cut else body)
            self.close_connection = self.close_connection or answer.cut

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Nothing: the tests look at `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    recorded.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield recorded
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
