"""The words of a package in the languages of its readers. English is in the code; the others are in `texts`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from forms.catalogues import translations
from records.access import Access, Right
from records.export_runs import is_made_up

LANGUAGES = {"en": "", "fa": "Persian"}
TEXTS = Path(__file__).parent / "texts"

MADE_UP = "Made up: all records are the inventions of a demonstration. None of this happened. Do not use or cite it."

_catalogue = cache(translations)


def in_language(language: str, text: str) -> str:
    """A text in a language; English where nobody has put it into that."""
    return _catalogue(TEXTS / f"{language}.po").get(text, text)


def said_of_demo(connection: Connection, access: Access) -> dict[str, str]:
    """What the summary of a release says where everything in it is made up; nothing of real records."""
    access.require(Right.SEE)
    return {"made_up": MADE_UP} if is_made_up(connection, access.project_id) else {}


def warned(summary: Mapping[str, Any], language: str) -> str:
    """The same as the lines below the title of a text; empty of real records."""
    return f"\n{in_language(language, summary['made_up'])}\n" if "made_up" in summary else ""


def text_about(name: str, language: str) -> str:
    """A longer text: `texts/NAME.LANGUAGE.txt`, in English where there is none; nothing without a name."""
    path = TEXTS / f"{name}.{language}.txt"
    path = path if path.is_file() else TEXTS / f"{name}.en.txt"
    return path.read_text(encoding="utf-8") if name else ""
