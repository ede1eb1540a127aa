"""One request by hand over a socket: for bodies that drip, break off or come in chunks, and for bytes a library would hide."""

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
    """Send the pieces with a pause in seconds between them; the first bytes of the answer, or all until the server closes."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as line:
        for piece in pieces:
            line.sendall(piece)
            time.sleep(pause)
        if not listen:
            return b""
        return b"".join(iter(lambda: line.recv(65536), b"")) if until_close else line.recv(65536)


def in_pieces(body: bytes, count: int) -> list[bytes]:
    """A body cut into about `count` pieces."""
    step = len(body) // count + 1
    return [body[start : start + step] for start in range(0, len(body), step)]
