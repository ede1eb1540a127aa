"""Answers that tell who somebody is are taken out of the answers, wherever they stand and whatever repeats them."""

from functools import cache

import pytest

from forms.definition import FormDefinition
from forms.entities import lists_fed
from forms.personal import ATTENDANCE, CODE, CONTACT, NAMESPACE, PICTURE, WITHHELD, Told, bare, emptied, kind_of
from forms.schema import FormSchema, Reading
from forms.submission import identify
from forms.workbook import Sheet, Workbook
from forms.xlsform import convert_workbook

SURVEY = (
    ("text", "owner", "contact", ""),
    ("integer", "phone", "contact", "phone"),
    ("text", "household", "code", "code"),
    ("image", "sheet", "attendance", ""),
    ("image", "photo", "", ""),
    ("begin repeat", "people", "", ""),
    ("text", "person", "contact", ""),
    ("end repeat", "people", "", ""),
    ("select_one kind", "kind", "", ""),
    ("calculate", "copy", "", ""),
    ("text", "remarks", "", ""),
)
META = '<meta xmlns="http://openrosa.org/xforms"><instanceID>uuid:1</instanceID><instanceName>{}</instanceName></meta>'


@cache
def xform() -> bytes:
    columns = ("type", "name", "bind::tulliana:personal", "save_to")
    rows = [dict(zip(columns, row, strict=True)) | {"label": row[1], "parameters": "max-pixels=100"} for row in SURVEY]
    for row in rows:
        if row["type"] != "image":
            row["parameters"] = ""
        if row["type"] == "calculate":
            row |= {"label": "", "calculation": "concat(${owner}, '!')"}
    sheets = Workbook(
        Sheet.of((*columns, "label", "parameters", "calculation"), rows),
        Sheet.of(("list_name", "name", "label"), [{"list_name": "kind", "name": "Gholam", "label": "Gholam"}]),
        Sheet.of(
            ("form_title", "form_id", "version", "namespaces"),
            [{"form_title": "Claim", "form_id": "claim", "version": "1", "namespaces": f'tulliana="{NAMESPACE}"'}],
        ),
        Sheet.of(("list_name", "label"), [{"list_name": "households", "label": "${household}"}]),
    )
    made = convert_workbook(sheets)
    assert made.warnings == []
    return made.xform


def read(answers: str, name: str = "") -> Reading:
    xml = f'<data id="claim" version="1">{answers}{META.format(name)}</data>'.encode()
    return FormSchema(FormDefinition.from_xform(xform())).read(identify(xml))


def test_a_column_of_the_xlsform_marks_questions_and_files_are_personal_unmarked() -> None:
    marked = {field.name: field.personal for field in FormDefinition.from_xform(xform()).walk() if field.personal}
    assert marked == {
        "owner": CONTACT,
        "phone": CONTACT,
        "household": CODE,
        "sheet": ATTENDANCE,
        "photo": PICTURE,
        "person": CONTACT,
    }


@pytest.mark.parametrize(
    ("marked", "is_file", "kind"),
    [("", False, ""), ("yes", False, CONTACT), ("code", False, CODE), ("", True, PICTURE), ("contact", True, ATTENDANCE)],
)
def test_a_mark_nobody_knows_counts_as_the_strictest(marked: str, is_file: bool, kind: str) -> None:
    assert kind_of(marked, is_file=is_file) == kind


def test_a_contact_never_gets_into_an_entity_list_since_all_phones_have_those() -> None:
    assert lists_fed(FormDefinition.from_xform(xform())) == {"households": ["code"]}


def test_contacts_stand_apart_from_the_answers_in_every_row_of_a_repeat() -> None:
    reading = read("<owner>Gholam Rezaei</owner><people><person/></people><people><person>Maryam</person></people>")
    assert reading.answers["owner"] == WITHHELD
    assert [row["person"] for row in reading.answers["people"]] == [None, WITHHELD]
    assert reading.contact == [Told("owner", "Gholam Rezaei"), Told("people[2]/person", "Maryam")]
    assert [bare(each.path) for each in reading.contact] == ["owner", "people/person"]


def test_an_unreadable_contact_is_flagged_without_being_told() -> None:
    reading = read("<phone>0912 345</phone>")
    assert (reading.answers["phone"], reading.contact) == (WITHHELD, [Told("phone", "0912 345")])
    assert [found.code for found in reading.violations] == ["value_invalid"]
    assert "0912" not in str(reading.violations)


def test_a_contact_of_another_structure_is_kept_apart_too() -> None:
    reading = read("<owner><first>Gholam</first><last>Rezaei</last></owner>")
    assert (reading.answers["owner"], reading.contact[0].text) == (WITHHELD, "GholamRezaei")


def test_what_repeats_a_contact_is_kept_apart_but_a_choice_is_not() -> None:
    said = "<owner>Gholam</owner><kind>Gholam</kind><copy>Gholam!</copy><remarks>call Gholam</remarks><other>Gholam</other>"
    reading = read(said, name="2026 Gholam")
    assert reading.answers["kind"] == "Gholam"
    assert {bare(each.path) for each in reading.contact} == {"owner", "copy", "remarks", "other", "meta/instanceName"}
    assert str(reading.answers).count("Gholam") == 1


def test_a_short_contact_hides_nothing_else() -> None:
    assert [each.path for each in read("<owner>-</owner><remarks>a - b</remarks>").contact] == ["owner"]


def test_a_file_that_no_question_asks_for_may_be_the_attendance_sheet() -> None:
    reading = read("<sheet>1.jpg</sheet><photo>2.jpg</photo>")
    assert (reading.files, reading.attendance, reading.strange_files) == (["1.jpg", "2.jpg"], ["1.jpg"], ATTENDANCE)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_instance_is_emptied_at_these_paths_and_says_the_same_elsewhere(encoding: str) -> None:
    text = f"<?xml version='1.0' encoding='{encoding}'?><data id='claim'><!-- Gholam --><a>1</a><owner>غلام<b>x</b></owner>"
    text += "<people><person>A</person><n>1</n></people><people><person>B</person></people></data>"
    left = emptied(text.encode(encoding), ["owner", "people/person", "none"])
    assert left.decode().partition("?>")[2].strip() == (
        '<data id="claim"><a>1</a><owner><b/></owner><people><person/><n>1</n></people><people><person/></people></data>'
    )


def test_an_instance_with_a_forgotten_namespace_is_emptied_as_well() -> None:
    left = emptied(
        b'<data id="claim"><owner>G</owner><orx:meta><orx:instanceName>G</orx:instanceName></orx:meta></data>',
        ["meta/instanceName"],
    )
    assert b"<owner>G</owner>" in left
    assert b"instanceName>G" not in left
