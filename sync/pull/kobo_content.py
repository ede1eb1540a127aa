"""A version of a form as KoBoToolbox keeps it (its `content`, JSON) -> the XLSForm workbook that it deployed.

Texts in several languages are lists there, lists of choices and `required` stand in columns of their own, and what the form builder
notes for itself begins with `$`. Scores, ranks and matrices, which KoBoToolbox writes out on deployment, are not written out here.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from forms.problems import Problem
from forms.workbook import Sheet, Workbook

VERSION = "__version__"
_OWN_TYPES = ("begin_score", "begin_rank", "begin_kobomatrix")
Json = Mapping[str, Any]
Row = dict[str, str]


def workbook(content: Json, *, form_id: str, root: str, version: str, uid: str) -> Workbook:
    """The workbook of the version `uid`, under the id, root name and version that its records bear.

    Raises `Problem("form_invalid")` for what it cannot tell in an XLSForm.
    """
    languages: Sequence[str | None] = content.get("translations") or [None]
    translated = frozenset(content.get("translated") or ())
    survey = [_question(row, languages, translated) for row in content.get("survey") or ()]
    survey += [
        {"type": "calculate", "name": VERSION, "calculation": f"'{uid}'"},
        {"type": "begin_group", "name": "formhub"},  # added to every form that is deployed
        {"type": "calculate", "name": "uuid", "calculation": f"'{uid}'"},
        {"type": "end_group"},
    ]
    choices = [_choice(row, languages, translated) for row in content.get("choices") or ()]
    given = content.get("settings") or {}
    settings = {name: str(value) for name, value in given.items() if isinstance(value, str | int) and value}
    settings |= {"form_id": form_id, "name": root, "version": version}
    settings.pop("id_string", None)
    return Workbook(survey=_sheet(survey), choices=_sheet(choices), settings=_sheet([settings]))


def _sheet(rows: Sequence[Row]) -> Sheet:
    return Sheet.of(tuple(dict.fromkeys(name for row in rows for name in row)), rows)


def _question(row: Json, languages: Sequence[str | None], translated: Collection[str]) -> Row:
    kind = str(row.get("type", "")).replace("begin group", "begin_group").replace("begin repeat", "begin_repeat")
    if kind.replace(" ", "_") in _OWN_TYPES:
        raise Problem("form_invalid", f"It has questions of the type {kind}, which only KoBoToolbox knows.")
    rest = {
        name: value for name, value in row.items() if name not in {"type", "select_from_list_name", "file", "_or_other", "tags"}
    }
    own = [row.get("select_from_list_name") or row.get("file"), "or_other" if row.get("_or_other") else ""]
    named = {"name": row.get("$autoname") or row.get("name") or ""}
    return {"type": " ".join([kind, *filter(None, own)]), **_cells({**rest, **named}.items(), languages, translated)}


def _choice(row: Json, languages: Sequence[str | None], translated: Collection[str]) -> Row:
    named = {"name": row.get("$autovalue") or row.get("name") or ""}
    return _cells({**row, **named}.items(), languages, translated)


def _cells(items: Iterable[tuple[str, Any]], languages: Sequence[str | None], translated: Collection[str]) -> Row:
    """The cells of a row: one for each language of a text."""
    cells: Row = {}
    for name, value in items:
        if name.startswith(("$", "kobo--")) or value is None:
            continue
        if isinstance(value, list) and name in translated:
            for language, text in zip(languages, value, strict=False):
                cells[name if language is None else f"{name}::{language}"] = text or ""
        elif isinstance(value, bool):
            cells[name] = "true" if value else ""
        elif isinstance(value, str | int | float):
            cells[name] = str(value)
        else:
            raise Problem("form_invalid", f"Its column {name} holds what no XLSForm holds.")
    return cells
