"""Flags: what is odd about a record. None is a reason to refuse it; those that wait for a person make the quarantine."""

from collections.abc import Iterable, Sequence
from typing import Any

from records.flag_kinds import kind_of

Flag = dict[str, Any]
"""{code, path, message, values?}: `values` are what the catalogue's sentence of this code says of this case. One that a person
settled has {settled: {at, by, remedy}} too.
"""


def flag(code: str, path: str = "", *, message: str | None = None, **values: str | float) -> Flag:
    """A flag as it is kept with a record. `message` is for words of the form itself; else the catalogue's, with these values."""
    if message is not None:
        return {"code": code, "path": path, "message": message}
    sentence = kind_of(code).sentence(values)
    return {"code": code, "path": path, "message": sentence} | ({"values": values} if values else {})


def is_waiting(item: Flag) -> bool:
    """Whether this flag waits for a person."""
    return "settled" not in item and kind_of(item["code"]).severity != "info"


def is_excluding(item: Flag) -> bool:
    """Whether this flag keeps its record out of aggregates."""
    return "settled" not in item and kind_of(item["code"]).severity == "error"


def flag_columns(flags: Iterable[Flag]) -> dict[str, Any]:
    """The columns of `submission` that follow from its flags."""
    kept: Sequence[Flag] = list(flags)
    return {"flags": kept, "attention": any(map(is_waiting, kept)), "excluded": any(map(is_excluding, kept))}
