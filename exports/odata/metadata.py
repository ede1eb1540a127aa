"""The metadata document of a form: what is in its tables, as EDMX 4.0 (OASIS OData CSDL XML 4.0)."""

from collections.abc import Iterator, Sequence

from exports.odata.model import EDM_TYPES, ROOT, Property, Table, odata_name, tables_of
from forms.definition import FormDefinition

CORE = "org.opendatakit.submission"
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0"><edmx:DataServices>
"""
_SYSTEM = {
    "submissionDate": "Edm.DateTimeOffset",
    "updatedAt": "Edm.DateTimeOffset",
    "deletedAt": "Edm.DateTimeOffset",
    "submitterId": "Edm.String",
    "submitterName": "Edm.String",
    "attachmentsPresent": "Edm.Int64",
    "attachmentsExpected": "Edm.Int64",
    "status": f"{CORE}.Status",
    "reviewState": f"{CORE}.ReviewState",
    "deviceId": "Edm.String",
    "edits": "Edm.Int64",
    "formVersion": "Edm.String",
}
_ENUMS = {
    "Status": ("notDecrypted", "missingEncryptedFormData"),
    "ReviewState": ("hasIssues", "edited", "rejected", "approved"),
}
_SCHEMA = '<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="{}">\n'


def metadata(definition: FormDefinition) -> str:
    """The document for one form."""
    return document(_core(), definition.form_id, _types(definition), tables_of(definition))


def document(core: str, name: str, types: str, tables: Sequence[Table]) -> str:
    """The frame of a metadata document: the schema all have in common, then that of this service."""
    space = namespace(name)
    sets = "".join(
        f'<EntitySet Name="{table.name}" EntityType="{space}.{table.name}">{_bindings(table)}</EntitySet>\n' for table in tables
    )
    container = f'<EntityContainer Name="{odata_name(name)}">\n{sets}</EntityContainer>\n'
    return f"{_HEAD}{core}{_SCHEMA.format(space)}{types}{container}</Schema>\n</edmx:DataServices></edmx:Edmx>\n"


def namespace(name: str) -> str:
    """The namespace of the types of a form."""
    return f"org.opendatakit.user.{odata_name(name)}"


def plain_property(name: str, edm_type: str) -> str:
    """A property of a type."""
    return f'<Property Name="{name}" Type="{edm_type}"/>\n'


def core_schema(properties: dict[str, str], enums: dict[str, tuple[str, ...]]) -> str:
    """The schema with the type of `__system`."""
    content = "".join(plain_property(name, kind) for name, kind in properties.items())
    lists = "".join(
        f'<EnumType Name="{name}">' + "".join(f'<Member Name="{member}"/>' for member in members) + "</EnumType>\n"
        for name, members in enums.items()
    )
    return f'{_SCHEMA.format(CORE)}<ComplexType Name="metadata">\n{content}</ComplexType>\n{lists}</Schema>\n'


def _core() -> str:
    return core_schema(_SYSTEM, _ENUMS)


def _types(definition: FormDefinition) -> str:
    space = namespace(definition.form_id)
    return "".join(_entity(table, space) + "".join(_groups(table.properties, space)) for table in tables_of(definition))


def _entity(table: Table, space: str) -> str:
    own = plain_property(table.parent_key, "Edm.String") if table.repeats else plain_property("__system", f"{CORE}.metadata")
    key = '<Key><PropertyRef Name="__id"/></Key>\n<Property Name="__id" Type="Edm.String" Nullable="false"/>\n'
    return f'<EntityType Name="{table.name}">\n{key}{own}{_properties(table.properties, space)}</EntityType>\n'


def _groups(properties: Sequence[Property], space: str) -> Iterator[str]:
    for item in properties:
        if item.field.kind == "group":
            yield f'<ComplexType Name="{_type_name(item)}">\n{_properties(item.children, space)}</ComplexType>\n'
            yield from _groups(item.children, space)


def _properties(properties: Sequence[Property], space: str) -> str:
    made = []
    for item in properties:
        if item.field.kind == "repeat":
            made.append(f'<NavigationProperty Name="{item.name}" Type="Collection({space}.{_type_name(item)})"/>\n')
        elif item.field.kind == "group":
            made.append(plain_property(item.name, f"{space}.{_type_name(item)}"))
        else:
            made.append(plain_property(item.name, EDM_TYPES.get(item.field.type, "Edm.String")))
    return "".join(made)


def _type_name(item: Property) -> str:
    return ".".join((ROOT, *item.path))


def _bindings(table: Table) -> str:
    """Where the links of a table lead; the paths are counted from its rows."""
    depth = len(table.repeats[-1].path) if table.repeats else 0
    return "".join(
        f'<NavigationPropertyBinding Path="{"/".join(item.path[depth:])}" Target="{_type_name(item)}"/>'
        for item in _links(table.properties)
    )


def _links(properties: Sequence[Property]) -> Iterator[Property]:
    for item in properties:
        if item.field.kind == "repeat":
            yield item
        elif item.field.kind == "group":
            yield from _links(item.children)
