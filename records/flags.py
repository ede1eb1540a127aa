"""Flags: what is odd about a record. None is a reason to refuse it; those that wait for a person make the quarantine."""

from collections.abc import Iterable
from typing import Any

Flag = dict[str, Any]
"""{code, path, message}; one that a person settled has {settled: {at, by, remedy}} too."""
NOTHING_TO_DECIDE = frozenset({"encrypted", "more", "unjudged"})


def flag(code: str, message: str, path: str = "") -> Flag:
    """A flag as it is kept with a record."""
    return {"code": code, "path": path, "message": message}


def is_waiting(item: Flag) -> bool:
    """Whether this flag waits for a person."""
    return "settled" not in item and item["code"] not in NOTHING_TO_DECIDE


def needs_attention(flags: Iterable[Flag]) -> bool:
    """Whether one of these flags waits for a person."""
    return any(is_waiting(item) for item in flags)
