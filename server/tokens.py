"""Random tokens, of which only digests are kept: a stolen database opens nothing. And the secret this server signs with."""

import contextlib
import hashlib
import secrets
from pathlib import Path

from records.durable import write_file


def new_token() -> str:
    """64 characters (384 random bits) that need no escaping in an address."""
    return secrets.token_urlsafe(48)


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def kept_secret(folder: Path) -> bytes:
    """The secret of the server with this data folder, made when it is first asked for: what it signs is known again later."""
    path = folder / "secret"
    if not path.exists():
        with contextlib.suppress(FileExistsError):  # another process was quicker
            write_file(path, secrets.token_bytes(32), mode=0o600, replace=False)
    return path.read_bytes()
