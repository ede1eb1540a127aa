"""The survey texts in other languages: one gettext catalogue per language, `locale/<code>.po`, for all surveys.

The English text is the msgid. The msgctxt says where it stands, so that one English word may have two translations and a
repeated text needs only one: a question's name for its label and hint, a choice list's name for its choices, `constraint` for
the message of a constraint, `title` for a survey's title.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from forms.library.sources import LIBRARY, Survey
from forms.problems import Problem

TEXT_COLUMNS = ("label", "hint", "constraint_message")
_NAME = re.compile(r"^# Language: (.+)$", re.MULTILINE)
_STATE = re.compile(r"^# State: (draft|reviewed)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Text:
    """One English text with its context, and a note for translators saying where it is used."""

    context: str
    english: str
    note: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the surveys: BCP 47 `code`, its own `name`, `state` ("draft" or "reviewed"), and its texts."""

    code: str
    name: str
    state: str
    texts: dict[Text, str]

    @property
    def heading(self) -> str:
        """The name in XLSForm columns and on phones: "فارسی (fa)"."""
        return f"{self.name} ({self.code})"

    def translate(self, context: str, english: str) -> str:
        """The text in this language; English where the translation is still missing."""
        return self.texts.get(Text(context, english)) or english


ENGLISH = Language("en", "English", "reviewed", {})


def context(row: dict[str, str], column: str) -> str:
    """The msgctxt of a text on the survey sheet."""
    return "constraint" if column == "constraint_message" else row["name"]


def texts(survey: Survey) -> Iterator[Text]:
    """Every text of a survey that needs a translation, in reading order; repeated texts come again."""
    yield Text("title", survey.title, survey.id)
    for row in survey.questions:
        for column in TEXT_COLUMNS:
            if row[column]:
                yield Text(context(row, column), row[column], f"{survey.id}: {column}")
    for row in survey.choices:
        yield Text(row["list_name"], row["label"], row["scientific_name"] or f"choice {row['name']}")


def languages(root: Path = LIBRARY) -> list[Language]:
    """English, then every language that has a catalogue, by code."""
    return [ENGLISH, *(_read(path) for path in _catalogues(root).values())]


def pick_languages(codes: Sequence[str] | None, root: Path = LIBRARY) -> list[Language]:
    """The languages with these codes in this order; all of them when none is named. Raises `Problem("value_invalid")`."""
    if not codes:
        return languages(root)
    catalogues = _catalogues(root)
    known = (ENGLISH.code, *catalogues)
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise Problem("value_invalid", f"No language {', '.join(unknown)}.", hint=f"Use some of: {', '.join(known)}.")
    return [_read(catalogues[code]) if code in catalogues else ENGLISH for code in codes]


def _catalogues(root: Path) -> dict[str, Path]:
    """The files of the languages by their codes. Each is read when it is asked for: fifteen of them hold 10 MB in memory."""
    return {path.stem: path for path in sorted((root / "locale").glob("*.po"))}


@cache
def _read(path: Path) -> Language:
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        catalog = read_po(file, abort_invalid=True)
    name, state = _NAME.search(catalog.header_comment), _STATE.search(catalog.header_comment)
    if name is None or state is None:
        raise Problem("form_invalid", f"{path.name} needs the header comments '# Language: ...' and '# State: draft'.")
    translated = {
        Text(message.context or "", str(message.id)): str(message.string)
        for message in catalog
        if message.id and message.string and not message.fuzzy
    }
    return Language(path.stem, name[1].strip(), state[1], translated)
