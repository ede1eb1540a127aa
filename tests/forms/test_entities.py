"""What a form and a record ask of entity lists, read as leniently as clients write."""

import pytest

from forms.definition import FormDefinition
from forms.entities import Request, asked, lists_fed, normal_uuid
from forms.submission import identify
from tests.support.small import record, xform

UUID = "6f0f6a3e-8a6e-4f6f-9b6e-1d2c3b4a5f60"
ENTITIES = 'xmlns:entities="http://www.opendatakit.org/xforms/entities"'
FORM = xform(
    '<code/><village/><g><note/></g><meta><entity dataset="households" create="1" id=""><label/></entity></meta>',
    f'<bind nodeset="/data/code" {ENTITIES} entities:saveto="code"/>'
    f'<bind nodeset="/data/g/note" {ENTITIES} entities:saveto="note"/>'
    f'<bind nodeset="/data/village" {ENTITIES} entities:saveto="label"/>',
)
FLOCKS = xform(
    '<flock><size/><dogs><n/></dogs><meta><entity dataset="flocks" id=""/></meta></flock><owner/>'
    '<meta><entity dataset="households" id=""/></meta>',
    f'<bind nodeset="/data/flock/size" {ENTITIES} entities:saveto="size"/>'
    f'<bind nodeset="/data/flock/dogs/n" {ENTITIES} entities:saveto="dogs"/>'
    f'<bind nodeset="/data/owner" {ENTITIES} entities:saveto="owner"/>',
    '<repeat nodeset="/data/flock"/>',
)


def read(content: str, form: bytes = FORM) -> list[Request]:
    definition = FormDefinition.from_xform(form)
    return asked(identify(f'<data id="small" version="1">{content}</data>'.encode()).root, definition)


def entity(attributes: str, inside: str = "<label>H-1</label>") -> str:
    return f'<meta><entity dataset="households" {attributes}>{inside}</entity></meta>'


def test_a_form_names_the_lists_it_feeds_and_their_properties() -> None:
    assert lists_fed(FormDefinition.from_xform(FORM)) == {"households": ["code", "note"]}
    assert lists_fed(FormDefinition.from_xform(FLOCKS)) == {"flocks": ["size", "dogs"], "households": ["owner"]}
    assert lists_fed(FormDefinition.from_xform(xform("<q/>"))) == {}


def test_a_form_names_the_files_its_lists_come_from() -> None:
    instances = (
        '<instance id="households" src="jr://file-csv/households.csv"/><instance id="map" src="jr://file/map.geojson"/>'
        '<instance id="__last-saved" src="jr://instance/last-saved"/>'
    )
    assert FormDefinition.from_xform(xform("<q/>", instances)).files == {"households.csv", "map.geojson"}


def test_a_record_makes_an_entity_of_its_answers() -> None:
    content = "<code>H-1</code><village>Ab</village><g><note/></g>"
    assert read(content + entity(f'id="{UUID}" create="1"')) == [
        Request("households", UUID, "create", label="H-1", data={"code": "H-1", "note": ""})
    ]


def test_an_absent_answer_leaves_its_property_and_an_empty_one_empties_it() -> None:
    [request] = read("<code/>" + entity(f'id="{UUID}" update="1" baseVersion="3"'))
    assert (request.kind, request.base_version, request.data) == ("update", 3, {"code": ""})


def test_t165_an_id_in_upper_case_or_with_its_scheme_is_the_same_id() -> None:
    for written in (UUID.upper(), f"uuid:{UUID}", f" UUID:{UUID.upper()} "):
        assert read(entity(f'id="{written}" create="1"'))[0].uuid == UUID
    assert normal_uuid("not one") == ""


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ('create="1" update=""', "create"),
        ('create="true"', "create"),
        ('update="1"', "update"),
        ('create="1" update="true"', "upsert"),
        ('create="0" update="false"', None),
        ("", None),
    ],
)
def test_the_flags_say_what_is_asked(flags: str, kind: str | None) -> None:
    assert [request.kind for request in read(entity(f'id="{UUID}" {flags}'))] == ([kind] if kind else [])


def test_a_chain_of_changes_made_offline_is_read() -> None:
    [request] = read(entity(f'id="{UUID}" update="1" baseVersion="4" trunkVersion="2" branchId="b-1"', ""))
    assert (request.base_version, request.trunk_version, request.branch_id, request.label) == (4, 2, "b-1", None)
    [first] = read(entity(f'id="{UUID}" update="1" baseVersion="1" trunkVersion="" branchId="b-1"', "<label> </label>"))
    assert (first.base_version, first.trunk_version, first.label) == (1, None, None)


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ('<entity dataset="households" create="1"/>', "The id is not a UUID."),
        ('<entity dataset="households" id="H 1, x" create="1"/>', "The id is not a UUID."),
        (f'<entity dataset="others" id="{UUID}" create="1"/>', "The form has no entities of this list."),
        (f'<entity dataset="households" id="{UUID}" update="1" baseVersion="x"/>', "The version it is based on is not a number."),
    ],
)
def test_what_cannot_be_used_is_a_request_with_a_problem(block: str, problem: str) -> None:
    assert [request.problem for request in read(f"<meta>{block}</meta>")] == [problem]


def test_every_row_of_a_repeat_may_make_its_own_entity() -> None:
    other = UUID.replace("6", "7")
    rows = "".join(
        f"<flock><size>{size}</size><dogs><n>{size}</n></dogs>"
        f'<meta><entity dataset="flocks" id="{uuid}" create="1"/></meta></flock>'
        for size, uuid in (("12", UUID), ("30", other))
    )
    found = read(f"{rows}<owner>R</owner>" + entity(f'id="{UUID}" update="1"'), FLOCKS)
    assert [(each.list_name, each.uuid, each.data) for each in found] == [
        ("flocks", UUID, {"size": "12", "dogs": "12"}),
        ("flocks", other, {"size": "30", "dogs": "30"}),
        ("households", UUID, {"owner": "R"}),
    ]


def test_names_in_a_namespace_are_the_same_names() -> None:
    content = (
        f'<orx:meta xmlns:orx="http://openrosa.org/xforms" {ENTITIES}><entities:entity entities:dataset="households" '
        f'entities:id="{UUID}" entities:create="1"><entities:label>H-1</entities:label></entities:entity></orx:meta>'
    )
    assert [(each.uuid, each.label, each.problem) for each in read(content)] == [(UUID, "H-1", "")]


def test_a_record_without_entities_asks_nothing() -> None:
    assert asked(identify(record("<code>1</code>")).root, FormDefinition.from_xform(FORM)) == []
