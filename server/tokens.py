"""Random tokens, of which only digests are kept: a stolen database opens nothing. And the secret this server signs with."""

import contextlib
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
    if not path.exists():
        fresh = folder / f"secret.{secrets.token_hex(8)}"
        with open(fresh, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was quicker
            os.link(fresh, path)
        fresh.unlink()
    return path.read_bytes()
