"""Reading a submission: answers are kept whatever is wrong with them, and what is wrong is said."""

import time

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from forms import judging
from forms.definition import FormDefinition
from forms.schema import MAX_VIOLATIONS, FormSchema
from forms.submission import identify
from tests.support.records import LOSS, loss
from tests.support.small import asked, codes, read, xform

NESTED = xform(
    '<where><place/><village/></where><animals jr:template=""><kind/><marks jr:template=""><mark/></marks></animals>',
    '<bind nodeset="/data/where/place" type="geopoint"/><bind nodeset="/data/animals/kind" type="int" required="true()"/>'
    '<bind nodeset="/data/animals/marks/mark" type="int" constraint=". &lt; 10" jr:constraintMsg="too many"/>',
    '<input ref="/data/where/place"/><input ref="/data/where/village"/><group ref="/data/animals"><repeat nodeset="/data/animals">'
    '<input ref="/data/animals/kind"/><group ref="/data/animals/marks"><repeat nodeset="/data/animals/marks">'
    '<input ref="/data/animals/marks/mark"/></repeat></group></repeat></group>',
)


def test_a_whole_record_is_read_into_typed_answers() -> None:
    form = FormSchema(FormDefinition.from_xform(LOSS.read_bytes()))
    found = form.read(identify(loss("uuid:1", "1717322000123.jpg", ("a.jpg", "b.jpg"), remarks="دو رأس")))
    assert found.violations == []
    assert found.answers["start"] == "2026-05-02T07:41:09.123+03:30"
    assert found.answers["animals"] == [
        {"species": "sheep", "killed": 1, "carcass": "a.jpg"},
        {"species": "sheep", "killed": 1, "carcass": "b.jpg"},
    ]
    assert (found.answers["signs"], found.answers["remarks"]) == ("tracks scat", "دو رأس")
    assert found.answers["meta"] == {"instanceID": "uuid:1"}
    assert found.files == ["1717322000123.jpg", "a.jpg", "b.jpg"]
    assert (found.latitude, found.longitude, found.accuracy, found.day) == (35.7001, 51.4002, 4.5, "2026-05-02")


def test_a_value_of_another_type_is_kept_as_it_came_and_flagged() -> None:
    found = read(asked("int"), "<q> twelve </q>")
    assert (found.answers, codes(found)) == ({"q": "twelve"}, [("value_invalid", "q")])


@pytest.mark.parametrize("content", ["", "<q/>", "<q>  </q>"])
def test_t122_a_required_answer_that_is_missing_is_flagged_once(content: str) -> None:
    assert codes(read(asked("string", more='required="true()"'), content)) == [("required", "q")]


def test_an_answer_is_not_required_where_the_form_did_not_ask() -> None:
    binds = '<bind nodeset="/data/g" relevant="false()"/><bind nodeset="/data/g/q" required="true()"/>'
    assert codes(read(xform("<g><q/></g>", binds, '<input ref="/data/g/q"/>'), "")) == []
    binds = '<bind nodeset="/data/q" required="true()" relevant="/data/a = 1"/>'
    assert codes(read(xform("<q/>", binds, '<input ref="/data/q"/>'), "")) == []
    binds = '<bind nodeset="/data/g/q" required="true()"/>'
    assert codes(read(xform("<g><q/></g>", binds, '<input ref="/data/g/q"/>'), "")) == [("required", "g/q")]


def test_nobody_is_asked_for_a_calculation_so_nothing_about_it_is_held_against_the_record() -> None:
    bind = '<bind nodeset="/data/q" type="int" calculate="30" required="true()" constraint=". &lt; 25"/>'
    assert codes(read(xform("<q/>", bind), "<q>30</q>")) == []
    assert codes(read(xform("<q/>", bind), "<q/>")) == []
    assert codes(read(xform("<q/>", bind), "")) == []


def test_several_choices_with_blanks_in_their_names_are_all_choices() -> None:
    items = "".join(f"<item><label>x</label><value>{name}</value></item>" for name in ("a b", "c"))
    form = asked("string", control="select", inside=items)
    assert codes(read(form, "<q>a b c</q>")) == []
    assert codes(read(form, "<q>a b d</q>")) == [("value_invalid", "q")]


def test_a_file_is_one_whatever_type_the_form_gives_it() -> None:
    assert read(asked("string", control="upload"), "<q>a.m4a</q>").files == ["a.m4a"]


def test_what_a_client_writes_twice_into_meta_is_kept_without_remark() -> None:
    found = read(xform("<q/><meta><instanceID/></meta>"), "<meta><instanceID/><instanceID>uuid:1</instanceID></meta>")
    assert (found.answers["meta"], codes(found)) == ({"instanceID": [None, "uuid:1"]}, [])


def test_t152_what_was_not_asked_is_absent_and_what_was_left_empty_is_none() -> None:
    found = read(xform("<a/><b/><c/>"), "<a/><b>1</b>")
    assert found.answers == {"a": None, "b": "1"}


def test_t153_a_repeat_with_no_rows_is_no_trouble() -> None:
    found = read(NESTED, "<where><village>x</village></where>")
    assert (found.answers, codes(found)) == ({"where": {"village": "x"}}, [])


def test_rows_are_lists_and_a_violation_names_the_row() -> None:
    found = read(
        NESTED,
        "<animals><kind>1</kind></animals><animals><kind/><marks><mark>3</mark></marks><marks><mark>12</mark></marks></animals>",
    )
    assert found.answers == {"animals": [{"kind": 1}, {"kind": None, "marks": [{"mark": 3}, {"mark": 12}]}]}
    assert codes(found) == [("required", "animals[2]/kind"), ("constraint", "animals[2]/marks[2]/mark")]
    assert found.violations[1].message == "too many"


def test_a_choice_the_form_does_not_offer_is_kept_and_flagged() -> None:
    items = "<item><label>w</label><value>wolf</value></item>"
    found = read(asked("string", control="select1", inside=items), "<q>bear</q>")
    assert (found.answers, codes(found)) == ({"q": "bear"}, [("value_invalid", "q")])
    found = read(asked("string", control="select", inside=items), "<q>wolf bear</q>")
    assert (found.answers, codes(found)) == ({"q": "wolf bear"}, [("value_invalid", "q")])


def test_answers_to_questions_of_another_version_are_kept_and_flagged() -> None:
    found = read(xform("<q/>"), "<q>1</q><new>2</new><group><a>3</a><a>4</a></group><new>5</new><new>6</new>")
    assert found.answers == {"q": "1", "new": ["2", "5", "6"], "group": {"a": ["3", "4"]}}
    assert {("extra", "new"), ("extra", "group"), ("value_invalid", "new")} <= set(codes(found))


def test_the_meta_block_is_kept_without_a_flag_but_a_question_that_only_begins_so_is_flagged() -> None:
    found = read(xform("<q/>"), "<meta><instanceID>uuid:1</instanceID><audit>audit.csv</audit></meta><metadata>x</metadata>")
    assert found.answers["meta"] == {"instanceID": "uuid:1", "audit": "audit.csv"}
    assert codes(found) == [("extra", "metadata")]


@pytest.mark.parametrize(
    ("form", "content", "answers"),
    [
        (xform("<g><a/></g>"), "<g>text</g>", {"g": "text"}),
        (xform("<q/>"), "<q><a>x</a></q>", {"q": {"a": "x"}}),
        (xform("<q/>"), "<q>1</q><q>2</q><q>3</q>", {"q": ["1", "2", "3"]}),
        (xform("<g><a/></g>"), "<g><a>1</a></g><g><a>2</a></g>", {"g": [{"a": "1"}, {"a": "2"}]}),
        (asked("int"), "<q>1</q><q>x</q>", {"q": [1, "x"]}),
    ],
    ids=["text for a group", "group for a text", "thrice", "group twice", "number twice"],
)
def test_another_structure_than_the_form_has_is_kept_and_flagged(form: bytes, content: str, answers: object) -> None:
    found = read(form, content)
    assert found.answers == answers
    assert "value_invalid" in {code for code, _ in codes(found)}


@pytest.mark.parametrize("name", ["a.b", "a-b", "_x", "Meta", "fields", "load", "context", "نام"])
def test_names_that_mean_something_to_the_libraries_are_only_names(name: str) -> None:
    form = xform(f"<{name}/><a/>", f'<bind nodeset="/data/{name}" type="int" required="true()"/>', f'<input ref="/data/{name}"/>')
    assert read(form, f"<{name}>5</{name}><a>1</a>").answers == {name: 5, "a": "1"}
    assert codes(read(form, f"<{name}/>")) == [("required", name)]
    group = xform(f"<{name}><q/></{name}>", f'<bind nodeset="/data/{name}/q" type="int"/>')
    assert read(group, f"<{name}><q>5</q></{name}>").answers == {name: {"q": 5}}


@pytest.mark.parametrize(
    ("kind", "constraint", "good", "bad"),
    [
        ("date", ". &lt;= today()", "2026-05-02", "2999-01-01"),
        ("date", ". &gt;= date('2026-01-01')", "2026-01-01", "2025-12-31"),
        ("dateTime", ". &lt;= now()", "2026-05-02T07:41:09+03:30", "2999-01-01T00:00:00Z"),
        ("int", ". &gt; 0 and . &lt; 100", "99", "100"),
        ("decimal", "round(., 1) = 2.3", "2.26", "2.2"),
        ("string", "regex(., '09[0-9]{9}')", "09121234567", "9121234567"),
        ("string", "selected(., 'none') = false() or count-selected(.) = 1", "none", "none tracks"),
        ("string", "string-length(.) &lt; 5", "۱۲۳۴", "۱۲۳۴۵"),
    ],
)
def test_constraints_are_judged_as_phones_judge_them(kind: str, constraint: str, good: str, bad: str) -> None:
    form = asked(kind, more=f'constraint="{constraint}"')
    assert codes(read(form, f"<q>{good}</q>")) == []
    found = read(form, f"<q>{bad}</q>")
    assert codes(found) == [("constraint", "q")]
    assert str(found.answers["q"]) == bad


def test_a_record_that_comes_weeks_later_is_judged_by_the_day_it_was_filled_in() -> None:
    binds = (
        '<bind nodeset="/data/start" type="dateTime" jr:preload="timestamp" jr:preloadParams="start"/>'
        '<bind nodeset="/data/next" type="date" constraint=". &gt;= today()"/>'
        '<bind nodeset="/data/seen" type="date" constraint=". &lt;= today()"/>'
    )
    form = xform("<start/><next/><seen/>", binds, '<input ref="/data/next"/><input ref="/data/seen"/>')
    start = "<start>2026-05-02T07:00:00+03:30</start>"
    assert codes(read(form, f"{start}<next>2026-05-02</next><seen>2026-05-02</seen>")) == []
    found = read(form, f"{start}<next>2026-05-01</next><seen>2026-05-03</seen>")
    assert codes(found) == [("constraint", "next"), ("constraint", "seen")]


def test_one_date_may_be_compared_with_another_also_in_a_namespace() -> None:
    binds = '<bind nodeset="/data/a" type="date"/><bind nodeset="/data/b" type="date" constraint=". &gt;= /data/a"/>'
    form = FormSchema(FormDefinition.from_xform(xform("<a/><b/>", binds, '<input ref="/data/b"/>')))
    for attributes in ('id="small"', 'xmlns="http://example.org/form" id="small"'):
        xml = f"<data {attributes}><a>2026-05-02</a><b>2026-05-01</b></data>"
        found = form.read(identify(xml.encode()))
        assert codes(found) == [("constraint", "b")]
        assert found.answers == {"a": "2026-05-02", "b": "2026-05-01"}


def test_an_empty_answer_breaks_no_constraint() -> None:
    assert codes(read(asked("int", more='constraint=". &gt; 0"'), "<q/>")) == []


def test_constraints_that_cannot_be_judged_are_listed_and_hold_nothing_against_a_record() -> None:
    bad = ["pulldata('a', 'b', 'c', .) = 1", "regex(., '(?=x)x')", ". >", "instance('v')/root/item = ."]
    nodes = "".join(f"<q{number}/>" for number in range(5))
    binds = "".join(f'<bind nodeset="/data/q{number}"/>' for number in range(5))
    root = etree.fromstring(xform(nodes, binds, "".join(f'<input ref="/data/q{number}"/>' for number in range(5))))
    for bind, constraint in zip(root.iter("{*}bind"), [*bad, ". = 1"], strict=True):
        bind.set("constraint", constraint)
    form = FormSchema(FormDefinition.from_xform(etree.tostring(root)))
    assert form.unjudged == ["q0", "q1", "q2", "q3"]
    found = form.read(identify(b'<data id="small"><q0>x</q0><q1>x</q1><q2>x</q2><q3>x</q3><q4>x</q4></data>'))
    assert codes(found) == [("constraint", "q4")]


def test_the_place_is_the_first_one_a_person_gave_and_the_day_too() -> None:
    nodes, binds = (
        "<auto/><first/><second/><start/><when/>",
        "".join(
            f'<bind nodeset="/data/{name}" type="{kind}"/>'
            for name, kind in (
                ("auto", "geopoint"),
                ("first", "geopoint"),
                ("second", "geopoint"),
                ("start", "dateTime"),
                ("when", "date"),
            )
        ),
    )
    body = '<input ref="/data/first"/><input ref="/data/second"/><input ref="/data/when"/>'
    form = xform(nodes, binds, body)
    found = read(
        form,
        "<auto>1 1</auto><first>35 51 1320 4.5</first><second>36 52</second>"
        "<start>2026-05-03T07:00:00+03:30</start><when>2026-05-02</when>",
    )
    assert (found.latitude, found.longitude, found.accuracy, found.day) == (35.0, 51.0, 4.5, "2026-05-02")
    found = read(form, "<auto>1 1</auto><first>nowhere</first><start>2026-05-03T00:30:00+03:30</start>")
    assert (found.latitude, found.day) == (None, "2026-05-03")


@pytest.mark.parametrize("text", ["20260502T0741", "2026-W18T07:41", "2026-W18-6", "20260502", "2026-05-02T07:41:09+03:30"])
def test_the_day_of_a_record_is_a_calendar_day_or_none(text: str) -> None:
    found = read(asked("dateTime"), f"<q>{text}</q>")
    assert found.day in {"2026-05-02", None}
    assert found.answers == {"q": text}


def test_of_an_encrypted_envelope_only_the_names_of_its_files_are_read() -> None:
    xml = (
        '<data xmlns="http://www.opendatakit.org/xforms/encrypted" id="small" encrypted="yes">'
        "<meta><instanceID>uuid:1</instanceID></meta><base64EncryptedKey>x</base64EncryptedKey>"
        "<media><file>a.jpg.enc</file></media><media><file>b.jpg.enc</file></media>"
        "<encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>"
    )
    found = FormSchema(FormDefinition.from_xform(asked("string", more='required="true()"'))).read(identify(xml.encode()))
    assert (found.answers, codes(found)) == ({}, [("encrypted", "")])
    assert found.files == ["a.jpg.enc", "b.jpg.enc", "submission.xml.enc"]


def test_a_hundred_thousand_rows_are_read_9() -> None:
    found = read(NESTED, "<animals><kind>1</kind></animals>" * 100_000)
    assert len(found.answers["animals"]) == 100_000


def test_a_million_strangers_of_one_name_do_not_stall_the_reading_9() -> None:
    before = time.process_time()
    found = read(xform("<q/>"), "<a/>" * 1_000_000)
    assert time.process_time() - before < 60  # quadratic reading takes hours
    assert len(found.answers["a"]) == 1_000_000
    assert len(found.violations) == MAX_VIOLATIONS + 1
    assert found.violations[-1].code == "more"


def test_a_constraint_that_looks_at_all_rows_at_every_row_is_given_up_11(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_SECONDS", 0.0)
    form = xform(
        "<rows><k/></rows>",
        '<bind nodeset="/data/rows/k" constraint="count(../../rows[k = .]) &gt; 0"/>',
        '<input ref="/data/rows/k"/>',
    )
    assert codes(read(form, "<rows><k>1</k></rows>" * 3))[-1] == ("unjudged", "rows/k")


def test_a_constraint_that_one_evaluation_could_stall_is_given_up_and_the_others_are_judged_11() -> None:
    costly = '<bind nodeset="/data/rows/k" constraint="count(../../rows[k = ../rows/k]/preceding-sibling::rows) = 0"/>'
    body = '<repeat nodeset="/data/rows"><input ref="/data/rows/k"/></repeat><input ref="/data/q"/>'
    form = xform("<rows><k/></rows><q/>", f'{costly}<bind nodeset="/data/q" constraint=". &gt; 5"/>', body)
    before = time.process_time()
    found = read(form, "<rows><k>1</k></rows>" * 20_000 + "<q>1</q>")  # 10**13 visits
    assert time.process_time() - before < 60
    assert codes(found) == [("constraint", "q"), ("unjudged", "rows[1]/k")]
    assert "unjudged" not in dict(codes(read(form, "<rows><k>1</k></rows>" * 20 + "<q>1</q>")))


def test_long_names_make_neither_a_long_list_of_violations_nor_a_long_reading_4() -> None:
    name = "n" * 40_000
    before = time.process_time()
    found = read(xform("<q/>"), f"<{name}>" * 60 + "".join(f"<b{number % 300}/>" for number in range(400_000)) + f"</{name}>" * 60)
    assert time.process_time() - before < 60  # a path of megabytes at every element takes hours
    assert sum(len(item.path) + len(item.message) for item in found.violations) < 201 * 1000
    assert found.answers


def test_the_deepest_record_the_parser_takes_can_be_kept() -> None:
    for depth in range(240, 256):
        found = read(xform("<q/>"), "<x>" * depth + "deep" + "</x>" * depth)
        assert b"deep" in orjson.dumps(found.answers)
        assert orjson.loads(orjson.dumps(found.answers)) == found.answers


XML_CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
TEXT = st.text(XML_CHARACTERS, max_size=12) | st.sampled_from(
    ["1", "-5", "9" * 19, "9" * 240, "NaN", "1e400", "2026-05-02", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"]
)  # fmt: skip
NAMES = st.sampled_from(["a", "b", "a.b", "g", "meta", "instanceID", "data"])
KINDS = st.sampled_from(["string", "int", "decimal", "date", "dateTime", "time", "boolean", "geopoint", "geotrace", "binary"])
CONSTRAINTS = st.sampled_from(
    ["", ". > 0", ". <= today()", "regex(., '[a-z]+')", "selected(., 'a')", "../b = .", "pow(., 999) > 0"]
)


@st.composite
def forms(draw: st.DrawFn) -> bytes:
    """Arbitrary small forms: groups and repeats with questions of any type."""
    root = etree.fromstring(xform(""))
    data = next(root.iter("{*}data"))
    model, body = next(root.iter("{*}model")), next(root.iter("{*}body"))
    space = "{http://www.w3.org/2002/xforms}"

    def grow(parent: etree._Element, path: str, depth: int) -> None:
        for name in draw(st.lists(NAMES, max_size=3, unique=True)):
            node, here = etree.SubElement(parent, space + name), f"{path}/{name}"
            inner = draw(st.sampled_from(["question", "group", "repeat"])) if depth < 3 else "question"
            if inner == "question":
                required = draw(st.sampled_from(["", "true()"]))
                etree.SubElement(
                    model, space + "bind", nodeset=here, type=draw(KINDS), constraint=draw(CONSTRAINTS), required=required
                )
                etree.SubElement(body, space + "input", ref=here)
                continue
            if inner == "repeat":
                etree.SubElement(body, space + "repeat", nodeset=here)
            grow(node, here, depth + 1)

    grow(data, "/data", 0)
    return etree.tostring(root)


@st.composite
def filled(draw: st.DrawFn) -> etree._Element:
    """Arbitrary records, which need not fit any form."""
    data = etree.Element("data", id="small", version="1")

    def grow(parent: etree._Element, depth: int) -> None:
        for name in draw(st.lists(NAMES, max_size=4)):
            node = etree.SubElement(parent, name)
            if depth < 3 and draw(st.booleans()):
                grow(node, depth + 1)
            else:
                node.text = draw(TEXT)

    grow(data, 0)
    return data


def leaves(answers: object) -> list[str]:
    """Every value in the answers, as text."""
    if isinstance(answers, dict):
        return [text for inner in answers.values() for text in leaves(inner)]
    if isinstance(answers, list):
        return [text for inner in answers for text in leaves(inner)]
    return [] if answers is None else [str(answers)]


def same(text: str, kept: str) -> bool:
    """Whether a kept value stands for this text: equal, or the same number or truth value."""
    if text.strip() == kept.strip():
        return True
    try:
        return float(text) == float(kept)
    except ValueError:
        return text.strip() in {"1", "true", "0", "false"} and kept in {"True", "False"}


@settings(max_examples=120)
@given(forms(), filled())
def test_whatever_comes_is_read_nothing_is_lost_and_the_answers_can_be_kept(form: bytes, data: etree._Element) -> None:
    xml = etree.tostring(data)
    written = [node.text for node in data.iter() if len(node) == 0 and (node.text or "").strip()]
    found = FormSchema(FormDefinition.from_xform(form)).read(identify(xml))
    assert orjson.loads(orjson.dumps(found.answers)) == found.answers
    assert b"\\u0000" not in orjson.dumps(found.answers)
    kept = leaves(found.answers)
    for text in written:
        match = next((value for value in kept if same(str(text), value)), None)
        assert match is not None, (text, found.answers)
        kept.remove(match)
    assert all(found.message for found in found.violations)
