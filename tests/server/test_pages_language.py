"""Every word of the pages exists in Persian: nothing forgotten, no placeholder lost, no leftover."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from exports.data.generalised import LEFT_OUT
from forms.difference_words import WORDS
from forms.lint import RULES
from forms.problems import CATALOGUE
from records.flag_kinds import KINDS
from server.i18n import LANGUAGES, LOCALES, translator
from sync.pull.receiving import WORDS as PULLED
from sync.relay.enrolment import REFUSALS

SERVER = LOCALES.parent
PLACEHOLDER = re.compile(r"\{\w*\}")
MARKS = {"_", "translate"}


def template_texts() -> Iterator[tuple[str, str]]:
    """(text, file) of every `_("...")` in a template."""
    environment = Environment(autoescape=True)
    for path in sorted((SERVER / "templates").glob("*.html")):
        tree = environment.parse(path.read_text(encoding="utf-8"))
        for _, _, text in extract_from_ast(tree, gettext_functions=("_",)):
            if isinstance(text, str):
                yield text, path.name


def code_texts() -> Iterator[tuple[str, str]]:
    """(text, file) of every marked text in the server's code, and of every fixed detail or hint of a problem raised there."""
    below = [SERVER.parent / name for name in ("records/pictures.py", "sync/pull/client.py", "sync/pull/servers.py")]
    for path in sorted([*SERVER.rglob("*.py"), *below]):
        if "commands" in path.parts or "demo" in path.parts:
            continue  # the command line speaks English
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            shown = node.args[1:2] if node.func.id == "Problem" else node.args[:1] if node.func.id in MARKS else []
            for argument in shown:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value, path.name


@cache
def texts() -> dict[str, str]:
    """Every text a reader may meet, and where."""
    found = dict([*code_texts(), *template_texts()])
    for kind in CATALOGUE.values():
        found |= {kind.title: kind.code, kind.hint: kind.code}
    for rule in RULES.values():
        found |= {rule.message: rule.code, rule.hint: rule.code}
    for code, words in WORDS.items():
        found |= {text: code for text in words if text}
    for code, flag_kind in KINDS.items():
        found |= {text: code for text in (flag_kind.title, flag_kind.text, flag_kind.detail) if text}
    found |= dict.fromkeys(LEFT_OUT.values(), "exports/data")
    found |= dict.fromkeys(PULLED.values(), "sync/pull")
    found |= dict.fromkeys(REFUSALS.values(), "sync/relay")
    return found


@cache
def catalogue(language: str) -> Catalog:
    with (LOCALES / f"{language}.po").open("rb") as file:
        return read_po(file, abort_invalid=True)


def translated(language: str) -> dict[str, str]:
    return {str(message.id): str(message.string) for message in catalogue(language) if message.id}


OTHERS = [language for language in LANGUAGES if language != "en"]


def test_the_texts_are_found_where_they_stand() -> None:
    found = texts()
    assert found["Sign out"] == "base.html"
    assert found["Answer missing"] == "required"
    assert found["Case {case} is safe."] == "receipts.py"
    assert found["The name or the password is wrong."] == "accounts.py"
    assert len(found) > 150


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_is_missing(language: str) -> None:
    known = translated(language)
    assert {text: place for text, place in texts().items() if not known.get(text)} == {}


@pytest.mark.parametrize("language", OTHERS)
def test_no_translation_is_left_over_or_doubtful(language: str) -> None:
    assert sorted(set(translated(language)) - set(texts())) == []
    assert [message.id for message in catalogue(language) if message.fuzzy and message.id] == []


@pytest.mark.parametrize("language", OTHERS)
def test_every_placeholder_survives(language: str) -> None:
    for text, other in translated(language).items():
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(other)), text


@pytest.mark.parametrize("language", OTHERS)
def test_persian_is_written_with_persian_letters(language: str) -> None:
    arabic = re.compile("[يك\u0660-\u0669]")
    assert [other for other in translated(language).values() if arabic.search(other)] == []


def test_english_needs_no_catalogue_and_a_missing_text_stays_english() -> None:
    assert translator("en")("Sign in") == "Sign in"
    assert translator("fa")("no such text") == "no such text"
    assert translator("fa")("Sign in") != "Sign in"


def test_templates_hold_no_words_outside_the_translator() -> None:
    """What is left of a template without tags, expressions and comments is punctuation only."""
    plain = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!doctype html>|<[^<>]*>", re.DOTALL | re.IGNORECASE)
    for path in sorted((SERVER / "templates").glob("*.html")):
        rest = plain.sub(" ", _without_scripts(path))
        assert re.findall(r"[A-Za-z\u0600-\u06ff]{2,}", rest) == [], path.name


def _without_scripts(path: Path) -> str:
    """The template; conditions inside tags come first, since a `>` in them would end the tag."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", text, flags=re.DOTALL)
