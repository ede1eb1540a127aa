"""The readme, the citation and the licence of a package."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from exports.package.contents import ExportedFile, ExportResult
from exports.package.dictionary import package_name
from exports.package.words import in_language, text_about, warned

LICENCES = {
    "public": {
        "name": "CC-BY-4.0",
        "title": "Creative Commons Attribution 4.0 International",
        "path": "https://creativecommons.org/licenses/by/4.0/",
    },
    "partner": {"name": "data-sharing-agreement", "title": "Data-sharing agreement only: not to be passed on or published"},
}
"""By level; `name` is that of SPDX where there is one."""


def file_name(language: str) -> str:
    """The name of the readme in a language."""
    return "README.txt" if language == "en" else f"README.{language}.txt"


def readme(result: ExportResult, files: Sequence[ExportedFile], publisher: str, language: str) -> bytes:
    """The readme: what this is, how it was worked out, what is in the files, how to cite and check it."""
    words = partial(in_language, language)
    values: dict[str, Any] = {
        **result.summary,
        "title": words(result.title),
        "made_up": warned(result.summary, language),
        "level": words(result.summary["level"]),
        "licence": words(LICENCES[result.summary["level"]]["title"]),
        "files": "\n".join(f"{file.name}  {file.rows or ''}".rstrip() for file in files),
        "columns": _columns(result, language),
        "citation": citation_text(result, publisher),
    }
    values |= {name: "\n".join(f"{key} {words(text)}" for key, text in rows) for name, rows in result.lists.items()}
    values["about"] = text_about(result.readme, language).format(**values).strip()
    return (text_about("package", language).format(**values).strip() + "\n").encode()


def _columns(result: ExportResult, language: str) -> str:
    columns = dict.fromkeys(column for table in result.tables.values() for column in table.columns)
    return "\n".join(
        f"{each.name} ({', '.join(filter(None, (each.type, each.unit)))}): {in_language(language, each.description)}"
        for each in columns
    )


def citation_text(result: ExportResult, publisher: str) -> str:
    """How to cite the release, in one line."""
    return f"{publisher}: {result.title}, release {result.summary['release_id']} ({result.summary['level']}), {result.folder.name}."


def citation(result: ExportResult, publisher: str) -> bytes:
    """The citation for programs (Citation File Format 1.2.0); a JSON text is a YAML scalar."""
    summary, licence = result.summary, LICENCES[result.summary["level"]]
    lines = {
        "cff-version": "1.2.0",
        "message": f"Cite this release as below. {licence['title']}.",
        "type": "dataset",
        "title": f"{result.title}, {summary['period_start']} to {summary['period_end']} ({summary['level']})",
        "version": summary["release_id"],
    }
    if "path" in licence:
        lines["license"] = licence["name"]
    text = "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in lines.items())
    text += f"authors:\n  - name: {json.dumps(publisher, ensure_ascii=False)}\n"
    return (text + f"identifiers:\n  - type: other\n    value: {package_name(result)}\n").encode()
