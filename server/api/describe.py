"""What an address takes and gives, said beside its handler; `server.api.openapi` gathers it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])
Schema = dict[str, Any]
ATTRIBUTE = "operation"
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
ANYTHING: Schema = {"type": "object"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": 999_999_999}


@dataclass(frozen=True, slots=True)
class Operation:
    """One address and method. `gives` is the schema of a JSON answer, or media types; `query` are (name, schema) pairs."""

    gives: Schema | tuple[str, ...]
    status: int = 200
    query: tuple[tuple[str, Schema], ...] = ()
    headers: tuple[str, ...] = ()
    takes: Schema | None = None
    is_open: bool = field(default=False)


def described(gives: Schema | str | tuple[str, ...], **more: Any) -> Callable[[View], View]:
    """Say what a handler gives: a schema, or a media type."""

    def decorate(view: View) -> View:
        setattr(view, ATTRIBUTE, Operation((gives,) if isinstance(gives, str) else gives, **more))
        return view

    return decorate


def shape(fields: Schema | None = None, /, *, more: bool = False, **others: Schema) -> Schema:
    """An object with exactly these fields, or with `more`."""
    fields = {**(fields or {}), **others}
    return {"type": "object", "properties": fields, "required": sorted(fields), "additionalProperties": more}


def or_null(schema: Schema) -> Schema:
    """This, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema}


SUCCESS = shape(success={"type": "boolean", "const": True})
