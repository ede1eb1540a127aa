"""Random tokens for phones and browsers. Only their digests are kept: a stolen database opens nothing."""

import hashlib
import secrets


def new_token() -> str:
    """64 characters (384 random bits) that need no escaping in an address."""
    return secrets.token_urlsafe(48)


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
