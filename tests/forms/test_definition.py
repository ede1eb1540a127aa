"""Reading the definition from an XForm: what Collect would see in it."""

from pathlib import Path

import pytest

from forms.definition import FormDefinition, pick
from forms.problems import Problem
from tests.support.records import FLOCK, LOSS, VILLAGES
from tests.support.small import xform

LANGUAGES = """
<itext>
  <translation lang="English (en)"><text id="/data/q:label"><value form="audio">jr://a.mp3</value><value>Which?</value></text>
    <text id="wolf"><value>Wolf</value></text><text id="no"><value>Not that</value></text></translation>
  <translation lang="فارسی (fa)" default="true()"><text id="/data/q:label"><value>کدام؟</value></text>
    <text id="wolf"><value>گرگ</value></text></translation>
</itext>
"""


def definition(*arguments: str, **more: str) -> FormDefinition:
    return FormDefinition.from_xform(xform(*arguments, **more))


def test_identity_and_title_are_read() -> None:
    found = definition("<q/>", form_id="livestock_loss", version="2026050201", title=" تلفات دام ")
    assert (found.form_id, found.version, found.title, found.root_name) == ("livestock_loss", "2026050201", "تلفات دام", "data")


def test_a_version_is_a_text_and_may_be_missing_or_in_a_namespace() -> None:
    assert definition("<q/>", version="1.0").version == "1.0"
    bare = xform("<q/>").replace(b' version="1"', b"")
    assert FormDefinition.from_xform(bare).version == ""
    orx = bare.replace(b'id="small"', b'id="small" xmlns:orx="http://openrosa.org/xforms" orx:version="7"')
    assert FormDefinition.from_xform(orx).version == "7"


def test_a_root_of_any_name_and_namespace_is_taken() -> None:
    named = xform("<q/>").replace(b"<data id", b'<my_form xmlns="http://example.org/f" id').replace(b"</data>", b"</my_form>")
    found = FormDefinition.from_xform(named)
    assert (found.root_name, found.form_id, [item.path for item in found.walk()]) == ("my_form", "small", [("q",)])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (xform("<q/>").replace(b"<h:title>Small</h:title>", b""), "no title"),
        (xform("<q/>").replace(b' id="small"', b""), "no id"),
        (xform("<q/>", form_id="x" * 250), "longer than 249"),
        (xform("<q/>", version="x" * 250), "longer than 249"),
        (b"<data/>", "not an XForm"),
        (b"<h><head><model><instance/></model></head><body/></h>", "primary instance"),
        (b"<h><head><model/></head><body/></h>", "primary instance"),
    ],
)
def test_what_a_phone_could_not_use_is_refused_with_the_reason(broken: bytes, reason: str) -> None:
    with pytest.raises(Problem, match=reason) as caught:
        FormDefinition.from_xform(broken)
    assert caught.value.kind.code == "form_invalid"


def test_groups_repeats_and_questions_form_a_tree_in_document_order() -> None:
    body = (
        '<input ref="/data/who"><label>Who</label></input><group ref="/data/where"><label>Where</label>'
        '<input ref="/data/where/place"/></group><group ref="/data/animals"><label>Animals</label>'
        '<repeat nodeset="/data/animals"><input ref="/data/animals/kind"/></repeat></group>'
    )
    nodes = '<who/><where><place/></where><animals jr:template=""><kind/></animals><animals><kind/></animals>'
    binds = (
        '<bind nodeset="/data/where" relevant="../who != \'\'"/><bind nodeset="/data/animals/kind" type="int" required="true()"/>'
    )
    found = definition(nodes, binds, body)
    assert [("/".join(item.path), item.kind) for item in found.walk()] == [
        ("who", "question"),
        ("where", "group"),
        ("where/place", "question"),
        ("animals", "repeat"),
        ("animals/kind", "question"),
    ]
    kind = found.by_path[("animals", "kind")]
    assert (kind.type, kind.required, kind.name) == ("int", True, "kind")
    assert found.by_path[("where",)].relevant == "../who != ''"
    assert found.label(("animals",)) == "Animals"
    assert found.label(("where",)) == "Where"


def test_a_group_with_an_empty_repeat_template_is_still_a_repeat() -> None:
    body = '<group><label>Rows</label><repeat nodeset="/data/rows"/></group>'
    (rows,) = definition("<rows/>", "", body).fields
    assert (rows.kind, rows.children) == ("repeat", ())


def test_labels_come_in_the_language_asked_for_and_the_default_comes_first() -> None:
    control = '<input ref="/data/q"><label ref="jr:itext(\'/data/q:label\')"/></input>'
    found = definition("<q/>", LANGUAGES, control)
    assert found.languages == ("فارسی (fa)", "English (en)")
    assert found.label(("q",)) == "کدام؟"
    assert found.label(("q",), "en") == found.label(("q",), "English (en)") == "Which?"
    assert found.label(("nowhere", "x")) == "x"
    assert found.label(()) == ""
    assert pick({}, "en") == ""


def test_choices_written_out_have_their_labels() -> None:
    control = (
        '<select1 ref="/data/q"><item><label ref="jr:itext(\'wolf\')"/><value> wolf </value></item>'
        "<item><label>Bear</label><value>bear</value></item></select1>"
    )
    choices = definition("<q/>", LANGUAGES, control).by_path[("q",)].choices
    assert choices is not None
    assert [(choice.name, choice.labels) for choice in choices] == [
        ("wolf", {"فارسی (fa)": "گرگ", "English (en)": "Wolf"}),
        ("bear", {"": "Bear"}),
    ]


def test_choices_from_a_list_in_the_form_are_read_and_those_from_a_file_are_unknown() -> None:
    inside = (
        '<instance id="animals"><root><item><itextId>wolf</itextId><name>wolf</name></item>'
        "<item><itextId>no</itextId><name>none</name></item></root></instance>"
        '<instance id="villages" src="jr://file-csv/villages.csv"/>'
    )
    control = (
        '<select ref="/data/q"><itemset nodeset="instance(\'animals\')/root/item[name != \'x\']"><value ref="name"/>'
        '<label ref="jr:itext(itextId)"/></itemset></select>'
        '<select1 ref="/data/v"><itemset nodeset="instance(\'villages\')/root/item"><value ref="name"/></itemset></select1>'
        '<rank ref="/data/r"><itemset nodeset="/data/rows"><value ref="name"/></itemset></rank>'
    )
    found = definition("<q/><v/><r/>", LANGUAGES + inside, control)
    choices = found.by_path[("q",)].choices
    assert choices is not None
    assert [(choice.name, pick(choice.labels, "en")) for choice in choices] == [("wolf", "Wolf"), ("none", "Not that")]
    assert found.by_path[("v",)].choices is None
    assert found.by_path[("r",)].choices is None


@pytest.mark.parametrize(
    ("nodeset", "value", "names"),
    [
        ("instance('states')/root/state", "name", ["a", "b"]),
        ("instance(&quot;states&quot;)/root/state[@code = /data/list[1]/k]", "name", ["a", "b"]),
        ("randomize(instance('states')/root/state[name != ''], 7)", "name", ["a", "b"]),
        ("instance('states')/root/state[name = 'a']/county", "name", ["c"]),
        ("instance('states')/root/village", "name", None),
        ("instance('states')/root/state", "@code", None),
        ("instance('elsewhere')/root/item", "name", None),
    ],
)
def test_a_list_may_name_its_items_as_it_likes(nodeset: str, value: str, names: list[str] | None) -> None:
    states = (
        '<instance id="states"><root><state code="1"><name>a</name><county><name>c</name></county></state>'
        '<state code="2"><name>b</name></state></root></instance>'
    )
    control = f'<select1 ref="/data/q"><itemset nodeset="{nodeset}"><value ref="{value}"/><label ref="name"/></itemset></select1>'
    choices = definition("<q/>", states, control).by_path[("q",)].choices
    assert names == (None if choices is None else [choice.name for choice in choices])


def test_choices_that_the_phone_searches_in_a_file_are_unknown() -> None:
    control = (
        '<select1 ref="/data/q" appearance="minimal search(\'herds\')"><item><label>x</label><value>name</value></item></select1>'
    )
    assert definition("<q/>", "", control).by_path[("q",)].choices is None


def test_paths_of_old_forms_are_relative_and_controls_name_their_binds() -> None:
    binds = '<bind nodeset="photo" type="binary"/><bind id="age" nodeset="/data/g/age" type="int"/><bind id="x" nodeset="x"/>'
    body = (
        '<upload ref="photo"/><input bind="age"/><input bind="x"/><input bind="gone"/>'
        '<group ref="/data/g"><group><repeat nodeset="rows"><input ref="name"/></repeat></group></group>'
    )
    found = definition("<photo/><x/><g><age/><rows><name/></rows></g>", binds, body)
    controls = {"/".join(path): item.control for path, item in found.by_path.items()}
    assert controls == {"photo": "upload", "x": "input", "g": "", "g/age": "input", "g/rows": "", "g/rows/name": "input"}
    assert (found.by_path[("photo",)].type, found.by_path[("g", "rows")].kind) == ("binary", "repeat")


def test_an_action_beside_a_control_does_not_hide_the_control_it_aims_at() -> None:
    body = (
        '<select1 ref="/data/b"><label>Kind</label><item><label>x</label><value>x</value></item></select1>'
        '<input ref="/data/a"><label>A</label><setvalue ref="/data/b" event="xforms-value-changed"/></input>'
    )
    kind = definition("<a/><b/>", "", body).by_path[("b",)]
    assert (kind.control, kind.labels, [choice.name for choice in kind.choices or ()]) == ("select1", {"": "Kind"}, ["x"])


def test_binds_tell_type_constraint_message_calculation_and_preload() -> None:
    binds = (
        '<bind nodeset="/data/n" type="xsd:int" constraint=". &gt; 0" jr:constraintMsg="more than none" required="true()"/>'
        '<bind nodeset="/data/c" calculate="1 + 1" required="../n = 1"/>'
        '<bind nodeset="/data/s" type="dateTime" jr:preload="timestamp" jr:preloadParams="start"/>'
        '<bind nodeset="/data/p" type="binary"/>'
    )
    found = definition("<n/><c/><s/><p/>", binds, '<upload ref="/data/p" mediatype="image/*"/>').by_path
    number, calculated, start, photo = (found[(name,)] for name in "ncsp")
    assert (number.type, number.constraint, number.constraint_message) == ("int", ". > 0", {"": "more than none"})
    assert (calculated.type, calculated.calculate, calculated.required) == ("string", "1 + 1", False)
    assert (start.preload, photo.is_file, photo.mediatype) == ("start", True, "image/*")


def test_where_a_form_sends_itself_and_to_whom_it_is_encrypted() -> None:
    submission = '<submission action="https://example.org/submission" method="post" base64RsaPublicKey="MIIB"/>'
    found = definition("<q/>", submission)
    assert (found.submission_url, found.public_key) == ("https://example.org/submission", "MIIB")


@pytest.mark.parametrize("form", [FLOCK, LOSS, VILLAGES])
def test_every_field_of_a_real_form_is_found_by_its_path(form: Path) -> None:
    found = FormDefinition.from_xform(form.read_bytes())
    assert len(found.by_path) == len(list(found.walk())) > 3
    assert all(found.label(path) for path in found.by_path)
