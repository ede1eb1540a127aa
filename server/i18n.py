"""Words in the reader's language. Catalogues are gettext .po files in server/locale; a missing string stays English.

Pages speak the languages of `LANGUAGES`. Phones are spoken to (receipts, problems) in every language that has a catalogue.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from forms.catalogues import translations
from forms.strategy.words import words

LOCALES = Path(__file__).parent / "locale"
LANGUAGES = {"en": "English", "fa": "فارسی"}
RIGHT_TO_LEFT = {"fa"}
_OF_PAGES = {
    "incident_contradiction", "relay_refused", "relay_unreachable", "relay_unreadable", "seal_broken", "source_failed",
    "stick_unusable", "withheld",
}  # fmt: skip  # problems that no phone meets
_HEADER = re.compile(r"# Language: (?P<name>.+)\n# State: (?P<state>\w+)")


@dataclass(frozen=True, slots=True)
class PhoneLanguage:
    """A language phones are spoken to in: BCP 47 code, its own name, and its state, draft or reviewed."""

    code: str
    name: str
    state: str


@cache
def phone_languages() -> dict[str, PhoneLanguage]:
    """The languages of receipts by code, English first."""
    found = {"en": PhoneLanguage("en", "English", "reviewed")}
    for path in sorted(LOCALES.glob("*.po")):
        with path.open(encoding="utf-8") as file:
            header = _HEADER.search(file.read(500))
        if header is not None:
            found[path.stem] = PhoneLanguage(path.stem, header["name"].strip(), header["state"])
    return found


@cache
def _catalogue(language: str) -> dict[str, str]:
    if language == "en" or language not in phone_languages():
        return {}
    return words(language) | translations(LOCALES / f"{language}.po")


def phone_texts() -> list[str]:
    """Every text a phone may be told: the sentences of receipts, and what problems say and advise."""
    from forms.problems import CATALOGUE
    from server.receipts import SENTENCES

    kinds = [kind for kind in CATALOGUE.values() if kind.code not in _OF_PAGES]
    return [*SENTENCES, *dict.fromkeys(text for kind in kinds for text in (kind.title, kind.hint) if text)]


def translator(language: str) -> Callable[[str], str]:
    """The function that turns an English text into `language`."""
    catalogue = _catalogue(language)
    return lambda text: catalogue.get(text, text)
