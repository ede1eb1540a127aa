"""A form as OData sees it: a table of its records and one of each repeat, with names that OData allows."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from forms.definition import Field, FormDefinition
from forms.problems import Problem

ROOT = "Submissions"
_OWN = ("__id", "__system")
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_]+")
EDM_TYPES = {
    "int": "Edm.Int64",
    "integer": "Edm.Int64",
    "decimal": "Edm.Decimal",
    "boolean": "Edm.Boolean",
    "date": "Edm.Date",
    "dateTime": "Edm.DateTimeOffset",
    "geopoint": "Edm.GeographyPoint",
    "geotrace": "Edm.GeographyLineString",
    "geoshape": "Edm.GeographyPolygon",
}
"""Data types of XForms that are more than text in OData."""


@dataclass(frozen=True, slots=True)
class Property:
    """A question, group or repeat under its name in OData. `children` are those of a group or repeat."""

    field: Field
    name: str
    path: tuple[str, ...]
    children: tuple["Property", ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """The records of a form, or the rows of one of its repeats; `repeats` leads to them, the outermost first."""

    name: str
    properties: tuple[Property, ...]
    repeats: tuple[Property, ...] = ()

    @property
    def parent_key(self) -> str:
        """The column that names the row around a row of a repeat."""
        outer = self.repeats[-2].path if len(self.repeats) > 1 else ()
        return "-".join((f"__{ROOT}", *outer, "id"))


def odata_name(name: str) -> str:
    """A name as OData allows it: ASCII letters, digits and `_`, no digit first."""
    clean = _FORBIDDEN.sub("_", name)
    return f"_{clean}" if name[:1] not in {"_", ""} and not (name[0].isascii() and name[0].isalpha()) else clean


def properties_of(fields: Sequence[Field], above: tuple[str, ...] = ()) -> tuple[Property, ...]:
    """The properties of a row with these fields. Of two names that OData cannot tell apart, the second gets a number."""
    taken = set(_OWN)
    made = []
    for field in fields:
        name = plain = odata_name(field.name)
        number = 1
        while name in taken:
            number += 1
            name = f"{plain}_{number}"
        taken.add(name)
        path = (*above, name)
        made.append(Property(field, name, path, properties_of(field.children, path)))
    return tuple(made)


def tables_of(definition: FormDefinition) -> list[Table]:
    """The tables of a form, the outer before the inner."""
    properties = properties_of(definition.fields)
    return [Table(ROOT, properties), *_repeats(properties, ())]


def table_of(definition: FormDefinition, name: str) -> Table:
    """One of them. Raises `Problem("not_found")`."""
    for table in tables_of(definition):
        if table.name == name:
            return table
    raise Problem("not_found", f"The form {definition.form_id} has no table {name}.")


def table_at(definition: FormDefinition, path: Sequence[str]) -> Table:
    """The table of the repeat at this path. Raises `Problem("not_found")`."""
    return table_of(definition, ".".join((ROOT, *path)))


def field_list(definition: FormDefinition, *, sanitised: bool = False, flat: bool = False) -> Iterator[dict[str, Any]]:
    """Every field as ODK Central lists them: {name, path, type, binary, order, selectMultiple}. `flat` leaves groups out."""
    for order, item in enumerate(_walk(properties_of(definition.fields))):
        field = item.field
        kind = {"group": "structure", "repeat": "repeat"}.get(field.kind, field.type)
        if flat and kind == "structure":
            continue
        yield {
            "name": item.name if sanitised else field.name,
            "path": "/" + "/".join(item.path if sanitised else field.path),
            "type": kind,
            "binary": True if field.is_file else None,
            "order": order,
            "selectMultiple": True if field.control == "select" else None,
        }


def _repeats(properties: Sequence[Property], above: tuple[Property, ...]) -> Iterator[Table]:
    for item in properties:
        inside = (*above, item) if item.field.kind == "repeat" else above
        if item.field.kind == "repeat":
            yield Table(".".join((ROOT, *item.path)), item.children, inside)
        yield from _repeats(item.children, inside)


def _walk(properties: Sequence[Property]) -> Iterator[Property]:
    for item in properties:
        yield item
        yield from _walk(item.children)
