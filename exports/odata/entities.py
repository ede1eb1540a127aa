"""Entity lists as OData tables, in the dialect of ODK Central: one table, `Entities`, of the entities with their properties."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select

from exports.odata.expressions import Column, Columns, condition
from exports.odata.metadata import CORE as _CORE
from exports.odata.metadata import core_schema, document, plain_property
from exports.odata.model import EDM_TYPES, Table, properties_of
from exports.odata.options import Options, Place, part_of, selected
from exports.odata.read import Read
from exports.odata.rows import Row as OutRow
from exports.odata.rows import Shape, moment
from forms.definition import Field
from forms.problems import Problem
from records.access import Access, Right
from records.entity_rows import rows as entity_rows
from records.models import Entity

TABLE = "Entities"
_SYSTEM = {
    "createdAt": EDM_TYPES["dateTime"],
    "creatorId": "Edm.String",
    "creatorName": "Edm.String",
    "updates": EDM_TYPES["int"],
    "updatedAt": EDM_TYPES["dateTime"],
    "deletedAt": EDM_TYPES["dateTime"],
    "version": EDM_TYPES["int"],
    "conflict": "Edm.String",
}
_COLUMNS: Columns = {
    "__id": Column(Entity.__table__.c.uuid, "text"),
    "label": Column(Entity.__table__.c.label, "text"),
    "__system/createdAt": Column(Entity.__table__.c.created_at, "moment"),
    "__system/updatedAt": Column(Entity.__table__.c.updated_at, "moment"),
    "__system/deletedAt": Column(Entity.__table__.c.deleted_at, "moment"),
    "__system/conflict": Column(Entity.__table__.c.conflict, "text"),
}


def entity_table(properties: list[str]) -> Table:
    """The table of a list with these properties."""
    return Table(TABLE, properties_of([Field((name,), "question") for name in ("label", *properties)]))


def entity_metadata(name: str, properties: list[str]) -> str:
    """The metadata document of a list."""
    table = entity_table(properties)
    own = "".join(plain_property(item.name, "Edm.String") for item in table.properties)
    key = '<Key><PropertyRef Name="__id"/></Key>\n<Property Name="__id" Type="Edm.String" Nullable="false"/>\n'
    system = plain_property("__system", f"{_CORE}.metadata")
    types = f'<EntityType Name="{TABLE}">\n{key}{system}{own}</EntityType>\n'
    return document(core_schema(_SYSTEM, {}), name, types, [table])


@dataclass
class EntityReading:
    """One request for the entities of a list, in the order of their ids. `next_place` says where the next page begins."""

    read: Read
    access: Access
    name: str
    properties: list[str]
    options: Options
    next_place: Place | None = None

    def __post_init__(self) -> None:
        self.access.require(Right.ENTITIES)
        if self.options.orderby or self.options.expand:
            raise Problem("not_supported", "$orderby and $expand are not supported here.")
        self._table = entity_table(self.properties)
        self._shape, self._selected = Shape(self._table), selected(self._table, self.options.select)
        self._where: list[ColumnElement[bool]] = []
        self._with_deleted = "__system/deletedAt" in self.options.filter
        if self.options.filter:
            self._where.append(condition(self.options.filter, _COLUMNS))
        place = self.options.place
        if place is not None and not (len(place.at) == 1 and isinstance(place.at[0], str) and "\0" not in place.at[0]):
            raise Problem("value_invalid", "$skiptoken: take it from a nextLink of this very request.")

    @cached_property
    def count(self) -> int:
        """How many there are without $top and $skip."""
        query = select(func.count()).select_from(Entity).where(*self._where)
        query = query.where(Entity.project_id == self.access.project_id, Entity.list_name == self.name)
        with self.read() as connection:
            return connection.execute(query if self._with_deleted else query.where(Entity.deleted_at.is_(None))).scalar_one()

    def rows(self) -> Iterator[OutRow]:
        """The rows that are asked for."""
        top, place = self.options.top, self.options.place
        found = entity_rows(
            self.read,
            self.access,
            self.name,
            with_deleted=self._with_deleted,
            where=self._where,
            after=place.at[0] if place else "",
            skip=self.options.skip,
            limit=None if top is None else top + 1,
        )
        last = ""
        for number, row in enumerate(found):
            if number == top:
                self.next_place = Place([last]) if last else None
                return
            last = row.uuid
            yield part_of(self._row(row), self._selected)

    def _row(self, row: Row[Any]) -> OutRow:
        system = {
            "createdAt": moment(row.created_at),
            "creatorId": str(row.creator_id or 0),
            "creatorName": row.creator,
            "updates": row.version - 1,
            "updatedAt": moment(row.updated_at),
            "deletedAt": moment(row.deleted_at),
            "version": row.version,
            "conflict": row.conflict,
        }
        shown = next(self._shape.rows(row.uuid, {**row.data, "label": row.label}))
        return {"__id": row.uuid, "__system": system, **shown}
