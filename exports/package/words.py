"""The words of a package in the languages of its readers. English is in the code; the others are in `texts`."""

from functools import cache
from pathlib import Path

LANGUAGES = {"en": "", "fa": "Persian"}
TEXTS = Path(__file__).parent / "texts"


@cache
def _catalogue(language: str) -> dict[str, str]:
    from babel.messages.pofile import read_po

    path = TEXTS / f"{language}.po"
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id and message.string}


def in_language(language: str, text: str) -> str:
    """A text in a language; English where nobody has put it into that."""
    return _catalogue(language).get(text, text)


def text_about(name: str, language: str) -> str:
    """A longer text: `texts/NAME.LANGUAGE.txt`, in English where there is none; nothing without a name."""
    path = TEXTS / f"{name}.{language}.txt"
    path = path if path.is_file() else TEXTS / f"{name}.en.txt"
    return path.read_text(encoding="utf-8") if name else ""
