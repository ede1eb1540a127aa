"""The words of a package in the languages of its readers. English is in the code; the others are in `texts`."""

from functools import cache
from pathlib import Path

from forms.catalogues import translations

LANGUAGES = {"en": "", "fa": "Persian"}
TEXTS = Path(__file__).parent / "texts"

_catalogue = cache(translations)


def in_language(language: str, text: str) -> str:
    """A text in a language; English where nobody has put it into that."""
    return _catalogue(TEXTS / f"{language}.po").get(text, text)


def text_about(name: str, language: str) -> str:
    """A longer text: `texts/NAME.LANGUAGE.txt`, in English where there is none; nothing without a name."""
    path = TEXTS / f"{name}.{language}.txt"
    path = path if path.is_file() else TEXTS / f"{name}.en.txt"
    return path.read_text(encoding="utf-8") if name else ""
