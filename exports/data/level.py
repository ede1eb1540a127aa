"""How much of a survey somebody gets: exact where they may see reports, else what their circle of readers is told."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from exports.data.source import Source
from exports.data.wanted import FILTERS, filters_of, layout_of
from exports.policy import LEVELS, PARTNER
from forms.problems import Problem
from records.access import Access, Right

EXACT = "exact"
NAMES = (EXACT, *LEVELS)


def level_of(words: Mapping[str, str], access: Access) -> str:
    """The level that is asked for; by default exact for who may see reports. Raises `Problem` not_allowed or value_invalid."""
    access.require(Right.SEE, Right.EXPORTS)
    level = words.get("level") or (EXACT if access.may(Right.SEE) else PARTNER.name)
    if level not in NAMES:
        raise Problem("value_invalid", f"level: one of {', '.join(NAMES)}.")
    return level


def source_of(
    connection: Connection,
    access: Access,
    form_id: str,
    words: Mapping[str, str],
    *,
    as_of: date,
    boundaries: Path | None = None,
) -> Source:
    """What somebody gets of a form who asks in these words (`exports.data.wanted.WORDS`) on a day.

    Raises `Problem` value_invalid, not_allowed, not_supported, form_unknown or not_found.
    """
    level, layout = level_of(words, access), layout_of(words)
    if level == EXACT:
        return Source(connection, access, form_id, filters_of(words), layout)
    if narrowed := next((name for name in FILTERS if words.get(name)), None):
        raise Problem("value_invalid", f"{narrowed}: generalised data are the same for everybody. Narrow them when you have them.")
    if words.get("format") == "zip":
        raise Problem("not_supported", "Pictures and other files are never told.")
    from exports.data.generalised import Generalised

    return Generalised(connection, access, form_id, LEVELS[level], as_of, layout, boundaries=boundaries)
