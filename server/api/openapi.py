"""The description of every address for programs (OpenAPI 3.1), gathered from what stands beside the handlers."""

import re
from typing import Any

from flask import Flask, Response, current_app
from werkzeug.routing import Rule

from server.api.blueprint import JSON, answer, central
from server.api.describe import ANYTHING, ATTRIBUTE, TEXT, Operation, described, or_null, shape
from server.api.describe import NUMBER as CODE

_PART = re.compile(r"<(?:(?P<kind>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>")
_PROJECT = {"type": "integer", "minimum": 1, "maximum": 2147483647}
_ERRORS = {
    "central": (JSON, {"$ref": "#/components/schemas/CentralError"}),
    "kobo": ("application/problem+json", {"$ref": "#/components/schemas/Problem"}),
}
_SCHEMAS = {
    "CentralError": shape(message=TEXT, code=CODE, details=or_null(ANYTHING)),
    "Problem": shape(type=TEXT, title=TEXT, status={"type": "integer"}, detail=TEXT, hint=TEXT, code=TEXT),
}
_SECURITY = {
    "password": {"type": "http", "scheme": "basic"},
    "session": {"type": "http", "scheme": "bearer"},
    "token": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Token <key>, as with KoBoToolbox"},
}


@central.get("/openapi.json")
@described(ANYTHING, is_open=True)
def openapi() -> Response:
    """This description."""
    return answer(document(current_app))


def document(app: Flask) -> dict[str, Any]:
    """The whole description."""
    paths: dict[str, dict[str, Any]] = {}
    for rule in app.url_map.iter_rules():
        operation = getattr(app.view_functions[rule.endpoint], ATTRIBUTE, None)
        if operation is not None:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                path = paths.setdefault(_PART.sub(r"{\g<name>}", rule.rule), {})
                path[method.lower()] = _operation(app, rule, operation, ordinal=len(paths))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tulliana",
            "version": "1",
            "description": "Reports and entities for programs, in the dialects of ODK Central and KoBoToolbox.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": _SCHEMAS, "securitySchemes": _SECURITY},
        "security": [{name: []} for name in _SECURITY],
    }


def _operation(app: Flask, rule: Rule, operation: Operation, *, ordinal: int) -> dict[str, Any]:
    blueprint = rule.endpoint.partition(".")[0]
    media, error = _ERRORS[blueprint]
    made: dict[str, Any] = {
        "operationId": f"{rule.endpoint.replace('.', '_')}_{ordinal}",
        "tags": [blueprint],
        "summary": (app.view_functions[rule.endpoint].__doc__ or "").partition("\n")[0],
        "parameters": [*_path(rule), *_parameters("query", operation.query), *_headers(operation)],
        "responses": {
            str(operation.status): {"description": "What was asked for.", "content": _content(operation)},
            "304": {"description": "Nothing has changed."},
            "4XX": {"description": "It cannot be done.", "content": {media: {"schema": error}}},
            "5XX": {"description": "It cannot be done now.", "content": {media: {"schema": error}}},
        },
    }
    if operation.takes is not None:
        made["requestBody"] = {"required": True, "content": {JSON: {"schema": operation.takes}}}
    if operation.is_open:
        made["security"] = []
    return made


def _content(operation: Operation) -> dict[str, Any]:
    if isinstance(operation.gives, tuple):
        return {media: {} for media in operation.gives}
    return {JSON: {"schema": operation.gives}}


def _path(rule: Rule) -> list[dict[str, Any]]:
    return [
        {
            "name": part["name"],
            "in": "path",
            "required": True,
            "schema": _PROJECT if part["kind"] == "int" else {"type": "string", "minLength": 1},
        }
        for part in _PART.finditer(rule.rule)
    ]


def _parameters(place: str, parameters: tuple[tuple[str, Any], ...]) -> list[dict[str, Any]]:
    return [{"name": name, "in": place, "schema": schema} for name, schema in parameters]


def _headers(operation: Operation) -> list[dict[str, Any]]:
    return _parameters("header", tuple((name, {"type": "boolean"}) for name in operation.headers))
