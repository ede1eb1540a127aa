"""Random tokens, of which only digests are kept: a stolen database opens nothing. And the secret this server signs with."""

import hashlib
import os
import secrets
from pathlib import Path


def new_token() -> str:
    """64 characters (384 random bits) that need no escaping in an address."""
    return secrets.token_urlsafe(48)


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def kept_secret(folder: Path) -> bytes:
    """The secret of the server with this data folder, made when it is first asked for: what it signs is known again later."""
    path = folder / "secret"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(32))
    return path.read_bytes()
