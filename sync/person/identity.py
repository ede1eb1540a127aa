"""By what a person is recognised: codes, names and numbers, however they are spelled; and what stands in their place afterwards."""

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from forms.personal import ERASED, Told
from forms.problems import Problem
from forms.spelling import ascii_digits, folded

LEAST = 2
"""Letters and digits below which a text stands for too many people."""
_LEAST_WORD, _LEAST_DIGITS, _LEAST_LOCAL = 4, 6, 8
_MOST_WORDS = 6
"""Words that one name or code may be written in: people put blanks where others put none."""
_WORD = re.compile(r"[^\s,;:/()\"'<>{}\[\]=،؛]+")
_DIGITS = re.compile(r"\d[\d \-./()]{4,}\d")
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass
class Identity:
    """What stands for one person, as compared: `codes` and names are whole words, of telephone numbers the last digits are enough.

    `own_words` and `own_numbers` tell who is meant within the person's own records only: others have that name too, and a number
    may be the neighbour's.
    """

    codes: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    own_words: set[str] = field(default_factory=set)
    own_numbers: set[str] = field(default_factory=set)
    _substitutes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> "Identity":
        """A person by a code, a name or a number. Raises `Problem("value_invalid")` for what could be anybody."""
        whole = folded(text)
        if len(whole) < LEAST:
            raise Problem("value_invalid", f"{LEAST} letters or digits at least, or it would find other people too.")
        is_number = not any(each.isalpha() for each in whole)
        return cls({whole}, set(_numbers(text)) if is_number else set())

    def learn(self, told: Iterable[Told]) -> None:
        """Recognise the person in their own records by these contacts, too."""
        for each in told:
            self.own_numbers |= set(_numbers(each.text))
            self.own_words |= {word for word in map(folded, _WORD.findall(each.text)) if len(word) >= _LEAST_WORD}

    def has_code(self, text: str) -> bool:
        """Whether there is a code of the person in this text."""
        return any(span in self.codes for span, _, _ in _spans(text))

    def is_in(self, text: str, *, own: bool = False) -> bool:
        """Whether this text tells of the person; `own`: it stands in a record of theirs."""
        spans = {span for span, _, _ in _spans(text)}
        if not spans.isdisjoint(self.codes) or (own and not spans.isdisjoint(self.own_words)):
            return True
        numbers = self.numbers | (self.own_numbers if own else set())
        return bool(numbers) and any(_is_same(one, other) for one in _numbers(text) for other in numbers)

    def without_codes(self, text: str) -> str:
        """The text with a made-up code in place of each of theirs, always the same one: what belonged together still does."""
        made, at = [], 0
        for span, start, end in _spans(text):
            if span in self.codes and start >= at:
                made += [text[at:start], self._substitute(span)]
                at = end
        return "".join([*made, text[at:]])

    def cleared(self, value: Any, *, own: bool = False) -> Any:
        """A JSON value in which nothing tells of the person: codes replaced, other texts that do so gone."""
        if isinstance(value, str):
            text = self.without_codes(value)
            return ERASED if self.is_in(text, own=own) else text
        if isinstance(value, Mapping):
            return {name: self.cleared(each, own=own) for name, each in value.items()}
        return [self.cleared(each, own=own) for each in value] if isinstance(value, list) else value

    def _substitute(self, code: str) -> str:
        if code not in self._substitutes:
            self._substitutes[code] = "X" + "".join(secrets.choice(_ALPHABET) for _ in range(9))
        return self._substitutes[code]


def _spans(text: str) -> Iterator[tuple[str, int, int]]:
    """Some words that follow one another as compared, and where they begin and end; longer ones first."""
    words = [(folded(found[0]), found.start(), found.end()) for found in _WORD.finditer(text)]
    for first in range(len(words)):
        for last in range(min(len(words), first + _MOST_WORDS), first, -1):
            yield "".join(word for word, _, _ in words[first:last]), words[first][1], words[last - 1][2]


def _numbers(text: str) -> Iterator[str]:
    """The telephone numbers in a text, without what is written before them here and not there."""
    for digits in _DIGITS.findall(ascii_digits(text)):
        number = folded(digits).removeprefix("00").lstrip("0")
        if len(number) >= _LEAST_DIGITS:
            yield number


def _is_same(one: str, other: str) -> bool:
    """Whether two numbers are one, with the code of the country or without."""
    shorter, longer = sorted((one, other), key=len)
    return one == other or (len(shorter) >= _LEAST_LOCAL and longer.endswith(shorter))
