"""The lint: every rule is provoked by a small form, what is sound is left in peace, and JavaRosa agrees on what phones refuse."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from forms.lint import RULES, Finding, lint, refuse_errors
from forms.problems import Problem
from forms.references import Unreadable, read_expression
from forms.xlsform import convert
from tests.support.small import xform
from tests.support.validate import refused_by_phones

META = "<meta><instanceID/></meta>"
LIST = '<instance id="animals"><root><item><name>wolf</name><label>Wolf</label></item></root></instance>'
VILLAGES = '<instance id="villages" src="jr://file-csv/villages.csv"/>'
CSV = {"villages.csv": "name,label,district\nv1,آبادی,d1\n".encode()}


def question(name: str = "q", more: str = "", control: str = "input") -> str:
    return f'<{control} ref="/data/{name}"><label>{name}</label>{more}</{control}>'


def form(nodes: str = "<q/>", binds: str = "", body: str = "", **more: str) -> bytes:
    return xform(nodes + META, binds, body or question(), **more)


def rule(column: str, expression: str, nodes: str = "<q/>", **more: str) -> bytes:
    """A form with this expression in the bind of its question."""
    return form(nodes, f'<bind nodeset="/data/q" {column}="{expression}"/>' + more.pop("model", ""), **more)


def chosen(itemset: str, *, model: str = LIST, value: str = "name", control: str = "select1") -> bytes:
    """A form with a choice from a list."""
    inside = f'<itemset nodeset="{itemset}"><value ref="{value}"/><label ref="label"/></itemset>'
    return form(binds=model, body=question(more=inside, control=control))


def picked(*names: str, control: str = "select1", kind: str = "string") -> bytes:
    """A form with choices written out."""
    items = "".join(f"<item><label>x</label><value>{name}</value></item>" for name in names)
    return form(binds=f'<bind nodeset="/data/q" type="{kind}"/>', body=question(more=items, control=control))


def translated(*languages: str, lacking: str = "") -> bytes:
    texts = {name: "" if name == lacking else '<text id="q"><value>?</value></text>' for name in languages}
    itext = "".join(
        f'<translation lang="{name}"><text id="o"><value>o</value></text>{text}</translation>' for name, text in texts.items()
    )
    return form(binds=f"<itext>{itext}</itext>", body='<input ref="/data/q"><label ref="jr:itext(\'q\')"/></input>')


def entities(version: str, model: str = "") -> bytes:
    made = form(nodes="<q/>", binds=model)
    attributes = f' xmlns:e="http://www.opendatakit.org/xforms/entities" e:entities-version="{version}"'
    return made.replace(b"<model", b"<model" + attributes.encode())


@cache
def encrypted(bits: int = 2048) -> str:
    key: PublicKeyTypes = (
        rsa.generate_private_key(65537, bits).public_key() if bits > 1000 else ec.generate_private_key(ec.SECP256R1()).public_key()
    )
    text = b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    return f'<submission base64RsaPublicKey="{text}"/>'


@dataclass(frozen=True)
class Case:
    """A form that provokes one rule, and only that one."""

    code: str
    form: bytes
    media: Mapping[str, bytes] = field(default_factory=dict)
    needed: tuple[str, ...] = ()


REPEAT = (
    '<group ref="/data/r"><label>r</label><repeat nodeset="/data/r">'
    '<input ref="/data/r/n"><label>n</label></input></repeat></group>'
)
CASES = [
    Case("xpath_syntax", rule("calculate", "1 +")),
    Case("xpath_syntax", rule("relevant", "if(1, 2")),
    Case("xpath_syntax", rule("calculate", "$limit + 1")),
    Case("xpath_letters", chosen("instance('animals')/root/item[استان = 1]")),
    Case("xpath_step", rule("calculate", "count(//q)")),
    Case("xpath_step", rule("calculate", "following-sibling::q")),
    Case("xpath_above", rule("calculate", "../../../x")),
    Case("function_unknown", rule("calculate", "floor(2)")),
    Case("function_unknown", form(body='<input ref="/data/q"><label>q<output value="ceiling(1)"/></label></input>')),
    Case("function_arguments", rule("calculate", "coalesce(1, 2, 3)")),
    Case("node_unknown", rule("relevant", "/data/seen = 'yes'")),
    Case("node_unknown", rule("required", "yes")),
    Case("node_unknown", form(body='<input ref="/data/q"><label>q<output value="/data/nope"/></label></input>')),
    Case("list_unknown", rule("calculate", "instance('plants')/root/item[name = 'x']/label")),
    Case("column_unknown", chosen("instance('animals')/root/item[regon = /data/q]")),
    Case("column_unknown", chosen("instance('villages')/root/item[regon = '1']", model=VILLAGES), CSV, ("villages.csv",)),
    Case("cycle", rule("relevant", ". = 'x'")),
    Case("cycle", rule("relevant", "/data/b = 1", "<q/><b/>", model='<bind nodeset="/data/b" calculate="/data/q"/>')),
    Case(
        "cycle",
        form(
            "<g><a/></g>",
            '<bind nodeset="/data/g" relevant="/data/g/a = 1"/>',
            '<group ref="/data/g"><label>g</label><input ref="/data/g/a"><label>a</label></input></group>',
        ),
    ),
    Case("sum_of_blank", rule("calculate", "sum(/data/r/n)", "<q/><r><n/></r>", body=REPEAT)),
    Case("name_letters", form("<q/><نام/>", '<bind nodeset="/data/نام" type="string"/>')),
    Case("name_twice", form("<q/><x/><x/>")),
    Case("bind_without_node", form(binds='<bind nodeset="/data/gone" type="int"/>')),
    Case("control_without_node", form(body=question() + question("gone"))),
    Case("action_without_node", form(binds='<setvalue ref="/data/gone" event="odk-instance-first-load" value="1"/>')),
    Case("default_unreadable", form("<q>3,5</q>", '<bind nodeset="/data/q" type="int"/>')),
    Case("instance_id_missing", xform("<q/>", "", question())),
    Case("version_missing", form(version="")),
    Case("entities_newer", entities("2025.1.0")),
    Case("entities_unknown", entities("2020.1")),
    Case("entities_encrypted", entities("2024.1.0", encrypted())),
    Case("key_unreadable", form(binds='<submission base64RsaPublicKey="-----BEGIN PUBLIC KEY-----"/>')),
    Case("key_unreadable", form(binds=encrypted(0))),
    Case("key_weak", form(binds=encrypted(1024))),
    Case("label_missing", form(body='<input ref="/data/q"/>')),
    Case("text_missing", translated("English (en)", "فارسی (fa)", lacking="English (en)")),
    Case("text_missing_elsewhere", translated("English (en)", "فارسی (fa)", lacking="فارسی (fa)")),
    Case("language_without_code", translated("English (en)", "فارسی")),
    Case("select_number", picked("1", "2", kind="int")),
    Case("choices_missing", form(body=question(control="select1"))),
    Case("choice_blank", picked("snow leopard", "wolf", control="select")),
    Case("choice_twice", picked("wolf", "wolf")),
    Case("media_name_differs", form(), {"Map.PNG": b"x"}, ("map.png",)),
    Case("media_name_differs", form(), {"de\u0301sert.png": b"x"}, ("d\u00e9sert.png",)),
    Case("media_unused", form(), {"map.png": b"x"}),
    Case("media_zip", form(), {"maps.zip": b"x"}, ("maps.zip",)),
    Case("media_large", form(), {"film.mp4": bytes(30_000_000)}, ("film.mp4",)),
    Case("media_total", form(), {"a.mp4": bytes(12_000_000), "b.mp4": bytes(12_000_000)}, ("a.mp4", "b.mp4")),
    Case("csv_not_utf8", form(), {"v.csv": "name,label\nv1,قرية\n".encode("cp1256")}, ("v.csv",)),
    Case("csv_header", form(), {"v.csv": "name,label::فارسی (fa)\n".encode()}, ("v.csv",)),
    Case("csv_column_missing", chosen("instance('villages')/root/item", model=VILLAGES, value="id"), CSV, ("villages.csv",)),
]
IDS = [f"{number}_{case.code}" for number, case in enumerate(CASES)]


def found_in(case: Case) -> list[Finding]:
    return lint(case.form, case.needed, case.media)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_form_with_one_fault_gives_that_finding_alone(case: Case) -> None:
    findings = found_in(case)
    assert {finding.code for finding in findings} == {case.code}
    assert len({finding.say() for finding in findings}) == len(findings)


def test_every_rule_is_provoked() -> None:
    assert {case.code for case in CASES} == set(RULES)


def test_phones_refuse_what_is_an_error_and_open_what_is_a_warning(tmp_path: Path) -> None:
    """JavaRosa as the judge. It does not fetch files, and it learns only in the field of a key or of a label's function."""
    later = {"key_unreadable", "entities_unknown", "csv_column_missing", "media_name_differs"}
    forms = {identity: case.form for identity, case in zip(IDS, CASES, strict=True) if case.code not in later}
    errors = {identity for identity in forms if RULES[identity.partition("_")[2]].severity == "error"}
    in_a_label = {identity for identity in errors if b"ceiling(1)" in forms[identity]}
    assert refused_by_phones(forms, tmp_path) == errors - in_a_label


SOUND = [
    rule("constraint", ". &gt; 0 and . &lt;= 10 or .='x'"),
    rule("calculate", "if(selected(../q2, 'a'), 1 div 2, -1 mod 2)", "<q/><q2/>"),
    rule("calculate", "concat(jr:choice-name(/data/b, '/data/b'), ' ', once(uuid()))", "<q/><b/>"),
    rule("calculate", "pulldata('villages', 'label', 'name', /data/b)", "<q/><b/>"),
    rule("calculate", "sum(/data/r[n != '']/n)", "<q/><r><n/></r>", body=REPEAT),
    rule("calculate", "sum(/data/r/n)", "<q/><r><n>0</n></r>", body=REPEAT),
    rule("calculate", "sum(/data/r/n)", "<q/><r><n/></r>", body=REPEAT, model='<bind nodeset="/data/r/n" required="true()"/>'),
    rule("calculate", "count(/data/r) + position(..) + indexed-repeat(/data/r/n, /data/r, 1)", "<q/><r><n>1</n></r>", body=REPEAT),
    rule("calculate", "if(1 = 1, 'x', null)"),
    rule("relevant", "instance('__last-saved')/data/q != ''", model='<instance id="__last-saved" src="jr://instance/last-saved"/>'),
    chosen("instance('animals')/root/item[name = current()/../other]").replace(b"<q/>", b"<q/><other/>"),
    chosen("randomize(instance('animals')/root/item[label != ''])"),
    picked("wolf", "snow_leopard", control="select"),
    translated("English (en)", "فارسی (fa)"),
    translated("fa"),
    form(body=question().replace("/data/q", "q"), binds='<bind nodeset="q" type="int"/>'),
    entities("2024.1.0"),
    form(binds=encrypted()),
]


@pytest.mark.parametrize("sound", SOUND, ids=range(len(SOUND)))
def test_a_sound_form_is_left_in_peace(sound: bytes) -> None:
    assert [finding.say() for finding in lint(sound)] == []


def test_phones_open_the_sound_forms_too(tmp_path: Path) -> None:
    forms = {f"sound_{number}": sound for number, sound in enumerate(SOUND) if b"pulldata" not in sound}
    assert refused_by_phones(forms, tmp_path) == set()


def test_the_same_name_under_two_filters_is_no_fault() -> None:
    two = LIST.replace("</root>", "<item><name>wolf</name><label>Wolf</label></item></root>")
    assert [finding.code for finding in lint(chosen("instance('animals')/root/item", model=two))] == ["choice_twice"]
    assert lint(chosen("instance('animals')/root/item[label = 'x']", model=two)) == []


def test_an_entity_made_by_the_converter_is_no_fault() -> None:
    sheets = (
        "| survey |\n| | type | name | label | save_to |\n| | text | village | Village | village |\n"
        "| entities |\n| | list_name | label |\n| | households | ${village} |\n| settings |\n| | version |\n| | 1 |\n"
    )
    assert lint(convert(sheets.encode(), "f.md").xform) == []


def test_a_finding_names_its_place_says_what_to_do_and_speaks_the_readers_language() -> None:
    (finding,) = lint(rule("relevant", "/data/seen = 'yes'"))
    assert finding.say() == (
        "q: The expression in “relevant” refers to “seen”, which is not in the form: phones take it for blank."
        " Correct the name. A text needs quotes: 'yes'."
    )
    assert finding.say(lambda text: "«" + text.replace("The expression", "عبارت")).startswith("q: «عبارت in “relevant”")


def test_t072_large_files_come_with_the_time_they_take_at_50_kb_a_second() -> None:
    (finding,) = lint(form(), ["film.mp4"], {"film.mp4": bytes(30_000_000)})
    assert "has 30 MB: at 50 kB/s a phone needs 10 minutes" in finding.say()


def test_t054_entities_that_kobocollect_does_not_know_are_told_with_its_version() -> None:
    (finding,) = lint(entities("2025.1.0"))
    assert finding.severity == "warning"
    assert "KoBoCollect up to 2025.3.3 cannot open it" in finding.say()


def test_t065_what_the_phone_saved_last_is_no_file_of_the_form() -> None:
    conversion = convert(b"| survey |\n| | type | name | label | default |\n| | text | q | Q | ${last-saved#q} |\n", "f.md")
    assert conversion.media == []
    assert [finding.code for finding in lint(conversion.xform, conversion.media)] == ["version_missing"]


def test_t066_a_zip_is_told_because_phones_do_not_notice_its_changes() -> None:
    (finding,) = lint(form(), ["maps.zip"], {"maps.zip": b"x"})
    assert "Phones do not notice when a .zip changes" in finding.say()


def test_errors_come_first_and_keep_a_form_from_being_published() -> None:
    findings = lint(form(binds='<bind nodeset="/data/q" calculate="1 +"/>', version=""))
    assert [finding.severity for finding in findings] == ["error", "warning"]
    with pytest.raises(Problem, match=r"cannot be read near “1 \+”") as caught:
        refuse_errors(findings)
    assert caught.value.kind.code == "form_invalid"
    refuse_errors(findings[1:])


@given(st.text(alphabet="abc/.[]()'\"=+-*,@$:|<> \u0646", max_size=40))
def test_any_text_for_an_expression_gives_findings_and_no_failure(text: str) -> None:
    codes = {finding.code for finding in lint(rule("calculate", escape(text, {'"': "&quot;"})))}
    assert codes <= set(RULES)


def test_brackets_without_end_do_not_exhaust_the_server() -> None:
    with pytest.raises(Unreadable):
        read_expression("(" * 10_000, ("data",))
