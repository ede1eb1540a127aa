"""Writing down what a real server answers, for the tests that play it again."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlencode

import requests

ANSWERS = Path(__file__).parent.parent / "support" / "data" / "central_answers.json"


Noted = dict[str, list[dict[str, Any]]]


def note(answers: Noted, base: str, pull: Callable[[], object]) -> None:
    """Pull from this server and add what it answered: by path, with its query where that names a page, in order."""
    send = requests.Session.request

    def noting(session: requests.Session, method: str, url: str, **more: Any) -> requests.Response:
        answer = send(session, method, url, **more)
        if "/sessions" not in url:
            query = more.get("params") or {}
            page = f"?{unquote(urlencode(query).replace('+', ' '))}" if "$skiptoken" in query else ""
            answers.setdefault(unquote(url.removeprefix(base)) + page, []).append(_noted(answer, base))
        return answer

    with patch.object(requests.Session, "request", noting):
        pull()


def write(answers: Noted) -> None:
    """Keep them for the tests, an answer to a line."""
    lines = [
        f"{json.dumps(target, ensure_ascii=False)}: [\n"
        + ",\n".join(json.dumps(answer, ensure_ascii=False, separators=(",", ":")) for answer in given)
        + "\n]"
        for target, given in sorted(answers.items())
    ]
    ANSWERS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _noted(answer: requests.Response, base: str) -> dict[str, Any]:
    """JSON as it is, anything else in base64; the address of that server is left out."""
    if "json" in answer.headers.get("Content-Type", ""):
        return {"status": answer.status_code, "json": json.loads(answer.text.replace(base, "https://central.example.org"))}
    return {"status": answer.status_code, "bytes": base64.b64encode(answer.content).decode()}
