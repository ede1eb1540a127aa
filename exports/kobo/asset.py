"""A form as the content of a KoBoToolbox asset: rows of a survey sheet and of a choices sheet, labels in the order of languages."""

from collections.abc import Iterator, Sequence
from typing import Any

from forms.definition import Field, FormDefinition

_TYPES = {
    "int": "integer",
    "integer": "integer",
    "decimal": "decimal",
    "date": "date",
    "time": "time",
    "dateTime": "datetime",
    "geopoint": "geopoint",
    "geotrace": "geotrace",
    "geoshape": "geoshape",
    "barcode": "barcode",
}
_SELECTS = {"select1": "select_one", "select": "select_multiple", "rank": "rank"}
_PRELOADED = {
    "start": "start",
    "end": "end",
    "today": "today",
    "deviceid": "deviceid",
    "username": "username",
    "phonenumber": "phonenumber",
    "email": "email",
}
_MEDIA = ("image", "audio", "video")


def content(definition: FormDefinition) -> dict[str, Any]:
    """survey, choices, settings and translations of a form."""
    languages = _languages(definition)
    return {
        "schema": "1",
        "survey": list(_survey(definition.fields, languages)),
        "choices": [row for field in definition.walk() for row in _choices(field, languages)],
        "settings": {"id_string": definition.form_id, "version": definition.version},
        "translations": languages,
        "translated": ["label"],
    }


def has_place(definition: FormDefinition) -> bool:
    """Whether a question asks for a position."""
    return any(field.type in {"geopoint", "geotrace", "geoshape"} for field in definition.walk())


def _languages(definition: FormDefinition) -> list[str | None]:
    return list(definition.languages) or [None]


def _survey(fields: Sequence[Field], languages: Sequence[str | None]) -> Iterator[dict[str, Any]]:
    for field in fields:
        if field.path == ("meta",):
            continue
        name = {"name": field.name, "$autoname": field.name, "$xpath": "/".join(field.path)}
        if field.kind == "question":
            yield {"type": _type(field), **name, "required": field.required, **_from_list(field), **_label(field.labels, languages)}
        else:
            yield {"type": f"begin_{field.kind}", **name, **_label(field.labels, languages)}
            yield from _survey(field.children, languages)
            yield {"type": f"end_{field.kind}"}


def _type(field: Field) -> str:
    if field.preload in _PRELOADED:
        return _PRELOADED[field.preload]
    if field.control in _SELECTS:
        return _SELECTS[field.control] if field.choices is not None else f"{_SELECTS[field.control]}_from_file"
    if field.is_file:
        kind = field.mediatype.partition("/")[0]
        return kind if kind in _MEDIA else "file"
    if field.control == "trigger":
        return "acknowledge"
    if not field.control and field.calculate:
        return "calculate"
    return _TYPES.get(field.type, "text")


def _from_list(field: Field) -> dict[str, str]:
    return {"select_from_list_name": _list_name(field)} if field.control in _SELECTS and field.choices is not None else {}


def _list_name(field: Field) -> str:
    return "_".join(field.path)


def _choices(field: Field, languages: Sequence[str | None]) -> Iterator[dict[str, Any]]:
    for choice in field.choices or ():
        own = {"list_name": _list_name(field), "name": choice.name, "$autovalue": choice.name}
        yield {**own, "label": [choice.labels.get(each or "") or choice.labels.get("") or choice.name for each in languages]}


def _label(labels: dict[str, str], languages: Sequence[str | None]) -> dict[str, list[str | None]]:
    """One label for each language, or nothing for a field without any."""
    found = [labels.get(each or "") or labels.get("") for each in languages]
    return {"label": found} if any(found) else {}
