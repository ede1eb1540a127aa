"""What figures are of: species, measures, currencies. Whatever else an answer says was typed by somebody, and is told to nobody."""

import re
from functools import cache

from forms.library.sources import LIBRARY, read_rows

PROGRAMME, ELSEWHERE = "programme", "elsewhere"
OTHER_PREDATOR = "other_predator"
KNOWN = "known"
"""All records of which the part is known, whichever it is."""
SPELLS = {"0-3": (0.0, 3.0), "4-12": (3.0, 12.0), "13-24": (12.0, 24.0), "25+": (24.0, float("inf"))}
"""Months since a measure began: effects wear off (Khorozyan & Waltert 2019)."""
_OWN = frozenset({PROGRAMME, ELSEWHERE, OTHER_PREDATOR, KNOWN, "fate", "cause", *SPELLS})
_ROUNDS = re.compile(r"round (\d{1,2}) to (\d{1,2})", re.ASCII)


def rounds_of(of: str) -> tuple[str, ...]:
    """The numbers of the two rounds of a survey that a figure compares; none where it does not."""
    found = _ROUNDS.fullmatch(of)
    return found.groups() if found else ()


def is_told(of: str) -> bool:
    """Whether this is made of codes of the shipped surveys and words of our own ("sheep", "corral:0-3", "fate: dead"), or empty."""
    return not of or bool(rounds_of(of)) or all(part in _OWN or part in _codes() for part in re.split(": ?", of))


def is_code(text: str) -> bool:
    """Whether the shipped surveys have such a choice."""
    return text in _codes()


@cache
def _codes() -> frozenset[str]:
    return frozenset(row["name"] for row in read_rows(LIBRARY / "choices.csv"))
