"""A form that feeds and picks households, and its records, written as Collect writes them."""

from uuid import NAMESPACE_URL, uuid5

from tests.support.small import ORX, xform

_ENTITIES = 'xmlns:entities="http://www.opendatakit.org/xforms/entities"'


def uuid_of(name: str) -> str:
    """The same id for the same name."""
    return str(uuid5(NAMESPACE_URL, name))


def household_form(*, form_id: str = "visit", version: str = "1", list_name: str = "households", extra: str = "") -> bytes:
    """A form whose record makes or changes a household with the properties herd and note, and that picks from the same list."""
    nodes = (
        f'<picked/><herd/><note/>{extra}<meta><entity dataset="{list_name}" id="" create="" update="" baseVersion="" '
        'trunkVersion="" branchId=""><label/></entity><instanceID/></meta>'
    )
    binds = (
        f'<instance id="{list_name}" src="jr://file-csv/{list_name}.csv"/>'
        '<bind nodeset="/data/picked" type="string"/>'
        f'<bind nodeset="/data/herd" type="string" {_ENTITIES} entities:saveto="herd"/>'
        f'<bind nodeset="/data/note" type="string" {_ENTITIES} entities:saveto="note"/>'
        '<bind nodeset="/data/meta/instanceID" type="string" jr:preload="uid"/>'
    )
    body = (
        f'<select1 ref="/data/picked"><label>Household</label><itemset nodeset="instance(\'{list_name}\')/root/item">'
        '<value ref="name"/><label ref="label"/></itemset></select1>'
        '<input ref="/data/herd"><label>Herd</label></input><input ref="/data/note"><label>Note</label></input>'
    )
    return xform(nodes, binds, body, form_id=form_id, version=version, title="Visit")


def household(
    instance_id: str,
    uuid: str,
    flags: str = 'create="1"',
    *,
    label: str | None = "H-1",
    herd: str | None = None,
    note: str | None = None,
    replaces: str = "",
    base: int | str = "",
    trunk: int | str = "",
    branch: str = "",
    form_id: str = "visit",
    version: str = "1",
) -> bytes:
    """A record of that form. None leaves a node out, as for a question that was not relevant."""
    answers = "".join(f"<{name}>{value}</{name}>" for name, value in (("herd", herd), ("note", note)) if value is not None)
    inside = f"<label>{label}</label>" if label is not None else ""
    deprecated = f"<orx:deprecatedID>{replaces}</orx:deprecatedID>" if replaces else ""
    return (
        f'<data id="{form_id}" version="{version}"><picked/>{answers}<orx:meta {ORX}><orx:instanceID>{instance_id}</orx:instanceID>'
        f'{deprecated}<entity dataset="households" id="{uuid}" {flags} baseVersion="{base}" trunkVersion="{trunk}" '
        f'branchId="{branch}">{inside}</entity></orx:meta></data>'
    ).encode()
