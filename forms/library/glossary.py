"""The terms that every text of a language says in the same way, so that a herder meets one word for one thing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from forms.library.sources import LIBRARY, read_rows
from forms.library.translations import Language, Text


@dataclass(frozen=True, slots=True)
class Term:
    """An English term, its translation, and `stems`: one of them stands in every text whose English has the term."""

    english: str
    translation: str
    stems: tuple[str, ...]

    def is_in(self, english: str) -> bool:
        """Whether an English text has this term as a word of its own, in singular or plural."""
        return re.search(rf"\b{re.escape(self.english)}(s|es)?\b", english, re.IGNORECASE) is not None


def glossary(code: str, root: Path = LIBRARY) -> Sequence[Term]:
    """The terms of a language; none where nobody has written them down yet."""
    path = root / "glossary" / f"{code}.csv"
    rows = read_rows(path) if path.exists() else []
    return [Term(row["term"], row["translation"], tuple(row["stems"].split("|"))) for row in rows]


def strays(language: Language, root: Path = LIBRARY) -> Sequence[tuple[Term, Text, str]]:
    """(term, text, translation) wherever a text uses another word than the glossary of its language."""
    found = []
    for term in glossary(language.code, root):
        stems = [stem.casefold() for stem in term.stems]
        for text, translation in language.texts.items():
            if term.is_in(text.english) and not any(stem in translation.casefold() for stem in stems):
                found.append((term, text, translation))
    return found
