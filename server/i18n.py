"""Words in the reader's language. Catalogues are gettext .po files in server/locale; a missing string stays English."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).parent / "locale"
LANGUAGES = {"en": "English", "fa": "فارسی"}
RIGHT_TO_LEFT = {"fa"}


@cache
def _catalogue(language: str) -> dict[str, str]:
    path = LOCALES / f"{language}.po"
    if language not in LANGUAGES or not path.exists():
        return {}
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id and message.string}


def translator(language: str) -> Callable[[str], str]:
    """The function that turns an English text into `language`."""
    catalogue = _catalogue(language)
    return lambda text: catalogue.get(text, text)
