"""The data dictionary, for people and for programs: every column of every table with its type, unit, codes and meaning."""

from collections.abc import Iterator
from typing import Any

import orjson

from exports.package.contents import Column, ExportedFile, ExportResult, Table
from exports.package.words import LANGUAGES, in_language

NAME = "data_dictionary.csv"
DESCRIPTOR = "datapackage.json"
_KINDS = {
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "json": "application/json",
    "txt": "text/plain",
    "cff": "text/x-yaml",
    "html": "text/html",
    "pdf": "application/pdf",
    "xml": "application/xml",
}
_AGAIN = ".zip"
"""An archive holds files that are told already."""


def header() -> tuple[str, ...]:
    """The columns of the dictionary: a description in each language."""
    return (
        "name",
        "table",
        "type",
        "unit",
        "allowed",
        "description",
        *(f"description_{each}" for each in LANGUAGES if each != "en"),
    )


def rows(result: ExportResult) -> Iterator[tuple[str, ...]]:
    """A row for each column of each table; tables with the same columns are told together."""
    together: dict[tuple[Column, ...], list[str]] = {}
    for file_name, table in result.tables.items():
        together.setdefault(table.columns, []).append(file_name)
    for columns, names in together.items():
        for each in columns:
            words = [in_language(language, each.description) for language in LANGUAGES]
            yield each.name, ";".join(names), each.type, each.unit, _allowed(each), *words


def _allowed(column: Column) -> str:
    if column.allowed:
        return ";".join(column.allowed)
    return ";".join(f"{name} {value}" for name, value in column.constraints.items())


def descriptor(result: ExportResult, files: list[ExportedFile], licence: dict[str, str], version: str) -> bytes:
    """Describe the package for programs (Frictionless Data Package 1.0, Table Schema 1.0)."""
    content = {
        "profile": "data-package",
        "name": package_name(result),
        "title": f"{result.title} {result.summary['release_id']} ({result.summary['level']})",
        **({"description": result.summary["made_up"]} if "made_up" in result.summary else {}),
        "version": result.summary["release_id"],
        "licenses": [licence],
        "keywords": ["Panthera pardus tulliana", "Persian leopard", "human-wildlife conflict"],
        "software": version,
        "summary": result.summary,
        "resources": [_resource(file, result.tables.get(file.name)) for file in files if not file.name.endswith(_AGAIN)],
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def package_name(result: ExportResult) -> str:
    """The name of this release among all packages, in the letters that Frictionless allows."""
    return result.folder.name.lower().replace("_", "-")


def _resource(file: ExportedFile, table: Table | None) -> dict[str, Any]:
    kind = file.name.rpartition(".")[2].lower()
    about = {
        "name": file.name.lower().replace("_", "-"),
        "path": file.name,
        "format": kind,
        "mediatype": _KINDS.get(kind, "application/octet-stream"),
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
    }
    if table is None:
        return {**about, "profile": "data-resource"}
    dialect = {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True, "header": True}
    schema = {"fields": [_field(each) for each in table.columns], "missingValues": [""], "primaryKey": list(table.key)}
    return {**about, "profile": "tabular-data-resource", "encoding": "utf-8", "dialect": dialect, "schema": schema}


def _field(column: Column) -> dict[str, Any]:
    about = {"name": column.name, "type": column.type, "description": column.description}
    words = {language: in_language(language, column.description) for language in LANGUAGES if language != "en"}
    about |= {f"description_{language}": text for language, text in words.items()}
    if column.unit:
        about["unit"] = column.unit
    return {**about, "constraints": column.constraints} if column.constraints else about
