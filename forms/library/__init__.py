"""The surveys that Tulliana ships, built from text sources into XLSForm workbooks.

docs/surveys.md tells how to change a question, add a language or add a survey.
"""

from collections.abc import Sequence
from pathlib import Path

from forms.library.drawings import drawings, drawings_of
from forms.library.sources import COLUMNS, LIBRARY, Row, Survey, read_survey, survey_ids
from forms.library.translations import TEXT_COLUMNS, Language, context, pick_languages
from forms.personal import NAMESPACE
from forms.workbook import Sheet, Workbook

_BIND = {"personal": "bind::tulliana:personal"}
"""Columns of the sources whose XLSForm names are longer."""
_IMAGE = "media::image"  # the same in all languages, but each needs it: pyxform gives it to the first one only

__all__ = ["Survey", "drawings", "drawings_of", "read_survey", "survey_ids", "version", "workbook"]


def workbook(survey_id: str, languages: Sequence[str] | None = None, *, root: Path = LIBRARY) -> Workbook:
    """The XLSForm workbook of a survey in `languages` (codes; the first is the default), or in all with English first.

    Raises `Problem("not_found")`, `Problem("value_invalid")` for an unknown language, `Problem("form_invalid")` for bad sources.
    """
    survey = read_survey(survey_id, root)
    chosen = pick_languages(languages, root)
    settings = {
        "form_title": chosen[0].translate("title", survey.title),
        "form_id": survey.id,
        "version": version(survey, languages),
        "default_language": chosen[0].heading,
        "instance_name": survey.instance_name,
        "namespaces": f'tulliana="{NAMESPACE}"' if any(row.get("personal") for row in survey.questions) else "",
    }
    return Workbook(
        survey=Sheet.of(
            [_BIND.get(name, name) for name in _headers(COLUMNS, chosen)], [_question(row, chosen) for row in survey.questions]
        ),
        choices=Sheet.of(
            _headers(("list_name", "name", "label", _IMAGE, "scientific_name"), chosen),
            [_choice(row, chosen) for row in survey.choices],
        ),
        settings=Sheet.of(tuple(settings), [settings]),
        entities=Sheet.of(tuple(survey.entity), [survey.entity]),
    )


def version(survey: Survey, languages: Sequence[str] | None = None) -> str:
    """The version of a survey in these languages: each choice of languages is a form of its own bytes."""
    return f"{survey.version}-{'-'.join(languages)}" if languages else survey.version


def _headers(columns: Sequence[str], languages: list[Language]) -> list[str]:
    """The columns, with one per language for those that hold texts or drawings: `label::English (en)`."""
    return [
        header
        for name in columns
        for header in ([f"{name}::{each.heading}" for each in languages] if name in (*TEXT_COLUMNS, _IMAGE) else [name])
    ]


def _question(row: Row, languages: list[Language]) -> Row:
    texts = {
        f"{column}::{each.heading}": each.translate(context(row, column), row[column])
        for column in TEXT_COLUMNS
        if row[column]
        for each in languages
    }
    return row | texts | {_BIND[name]: row.get(name, "") for name in _BIND}


def _choice(row: Row, languages: list[Language]) -> Row:
    texts = {f"label::{each.heading}": each.translate(row["list_name"], row["label"]) for each in languages}
    return row | texts | {f"{_IMAGE}::{each.heading}": row.get("image", "") for each in languages}
