"""One request by hand over a socket: for bodies that drip, break off or come in chunks, and for bytes a library would hide."""

import re
import socket
import time
from collections.abc import Iterable
from urllib.parse import urlsplit


def head(method: str, url: str, **headers: str) -> bytes:
    """The request line and headers; underscores in header names become hyphens."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        *(f"{key.replace('_', '-')}: {text}" for key, text in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def exchange(url: str, pieces: Iterable[bytes], *, pause: float = 0, listen: bool = True, until_close: bool = False) -> bytes:
    """Send the pieces with a pause in seconds between them; one answer, or all until the server closes."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as line:
        for piece in pieces:
            line.sendall(piece)
            time.sleep(pause)
        if not listen:
            return b""
        if until_close:
            return b"".join(iter(lambda: line.recv(65536), b""))
        return _one_answer(line)


def _one_answer(line: socket.socket) -> bytes:
    """Headers, and as much of a body as they announce."""
    answer = b""
    while chunk := line.recv(65536):
        answer += chunk
        headers, found, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", headers)
        if found and len(body) >= int(length[1] if length else 0):
            break
    return answer


def in_pieces(body: bytes, count: int) -> list[bytes]:
    """A body cut into about `count` pieces."""
    step = len(body) // count + 1
    return [body[start : start + step] for start in range(0, len(body), step)]
