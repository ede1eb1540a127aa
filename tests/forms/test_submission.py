"""Who a submission is: found in every way clients write it, before anybody asks whether its values are right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from forms.problems import Problem
from forms.submission import MAX_ID_CHARACTERS, identify

ORX = 'xmlns:orx="http://openrosa.org/xforms"'


def of(content: str, attributes: str = 'id="f" version="1"') -> str:
    return identify(f"<data {attributes}>{content}</data>".encode()).instance_id


@pytest.mark.parametrize(
    "content",
    [
        f"<orx:meta {ORX}><orx:instanceID>uuid:1</orx:instanceID></orx:meta>",
        "<meta><instanceID>uuid:1</instanceID></meta>",
        '<meta xmlns="http://openrosa.org/xforms"><instanceID>uuid:1</instanceID></meta>',
        "<meta><instanceID>\r\n uuid:1 \t</instanceID></meta>",
        "<instanceID>uuid:1</instanceID>",
        f"<meta/><orx:meta {ORX}><orx:instanceID>uuid:1</orx:instanceID></orx:meta>",
        "<meta><instanceID/></meta><instanceID>uuid:1</instanceID>",
        "<q>x</q><meta><audit>audit.csv</audit><instanceID>uuid:1</instanceID></meta>",
    ],
    ids=["orx", "plain", "own default namespace", "blanks", "below the root", "two metas", "empty in meta", "last"],
)
def test_t102_t103_the_instance_id_is_found_wherever_clients_write_it_6(content: str) -> None:
    assert of(content) == "uuid:1"
    assert of(content, 'xmlns="http://example.org/form" id="f"') == "uuid:1"


def test_the_first_of_two_instance_ids_counts_6() -> None:
    assert of("<meta><instanceID>a</instanceID><instanceID>b</instanceID></meta><instanceID>c</instanceID>") == "a"
    assert of("<instanceID>c</instanceID><meta><instanceID>a</instanceID></meta>") == "a"
    assert of("", 'id="f" instanceID="uuid:attribute"') == "uuid:attribute"


def test_t100_t101_the_form_is_named_by_the_id_attribute_and_not_by_the_root() -> None:
    for text in ('<data id=" f " version="01.0"/>', '<x:anything xmlns:x="urn:x" id="f" version="01.0"/>'):
        found = identify(text.encode())
        assert (found.form_id, found.version) == ("f", "01.0")
    orx = f'<data id="f" orx:version="3" {ORX}/>'
    assert identify(orx.encode()).version == "3"
    assert identify(b'<data id="f"/>').version == ""


@pytest.mark.parametrize("xml", [b"<data/>", b'<data id=""/>', b'<data id="  "/>', b"<data><id>f</id></data>"])
def test_without_a_form_id_nothing_can_be_done(xml: bytes) -> None:
    with pytest.raises(Problem) as caught:
        identify(xml)
    assert caught.value.kind.code == "form_id_missing"


@pytest.mark.parametrize(
    "instance_id",
    ["abc-1", "a:b/c", "../../etc/passwd", "%00", 'it\'s "quoted"', "🐆", "\u202eabc", "شناسه ۱", "A", "a", "uuid:" + "x" * 244],
)
def test_t104_any_text_may_be_an_instance_id_and_is_kept_exactly_7(instance_id: str) -> None:
    node = etree.Element("data", id="f")
    etree.SubElement(etree.SubElement(node, "meta"), "instanceID").text = instance_id
    assert identify(etree.tostring(node)).instance_id == instance_id


@pytest.mark.parametrize("which", ["id", "instanceID", "deprecatedID"])
def test_an_identifier_of_ten_kilobytes_is_refused_7(which: str) -> None:
    for length in (MAX_ID_CHARACTERS + 1, 10_000):
        name = "x" * length
        form_id = name if which == "id" else "f"
        inner = "" if which == "id" else f"<{which}>{name}</{which}>"
        with pytest.raises(Problem, match="249") as caught:
            identify(f'<data id="{form_id}"><meta>{inner}</meta></data>'.encode())
        assert caught.value.kind.code == "value_invalid"


def test_t105_a_missing_instance_id_follows_from_the_bytes() -> None:
    first, again, other = (identify(f'<data id="f"><q>{text}</q></data>'.encode()).instance_id for text in ("1", "1", "2"))
    assert first == again != other
    assert first.startswith("uuid:")
    assert of("<meta><instanceID>  </instanceID></meta>") == of("<meta><instanceID>  </instanceID></meta>")
    # this id must never change: phones repeat records for weeks, across updates of this program
    assert identify(b'<data id="f"/>').instance_id == "uuid:8a67ceb5-e46f-53c3-9ca6-8bad4eee55bd"


def test_an_edit_names_what_it_replaces_and_a_record_may_have_a_name() -> None:
    found = identify(
        '<data id="f"><meta><instanceID>b</instanceID><deprecatedID> a </deprecatedID>'
        "<instanceName>گله‌ی غلام</instanceName></meta></data>".encode()
    )
    assert (found.deprecated_id, found.instance_name, found.encrypted) == ("a", "گله‌ی غلام", False)


@pytest.mark.parametrize("namespace", ["http://www.opendatakit.org/xforms/encrypted", "http://opendatakit.org/submissions", ""])
def test_t137_an_encrypted_envelope_is_recognised_in_any_namespace(namespace: str) -> None:
    xml = f'<data xmlns="{namespace}" id="f" encrypted="yes"><meta {ORX}><orx:instanceID>e</orx:instanceID></meta></data>'
    found = identify(xml.encode())
    assert (found.encrypted, found.instance_id) == (True, "e")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_t099_byte_order_marks_and_utf_16_are_read_and_the_bytes_stay_as_they_came(encoding: str) -> None:
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    xml = f"<?xml version='1.0' encoding='{declared}'?>\r\n<data id='فرم'><meta><instanceID>۱</instanceID></meta></data>".encode(
        encoding
    )
    found = identify(xml)
    assert (found.form_id, found.instance_id, found.xml) == ("فرم", "۱", xml)


@given(st.binary(max_size=200))
def test_any_bytes_are_identified_or_refused_with_a_problem(data: bytes) -> None:
    for xml in (data, b'<data id="f">' + data + b"</data>"):
        try:
            found = identify(xml)
        except Problem:
            continue
        assert found.form_id
        assert found.instance_id
