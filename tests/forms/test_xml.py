"""The hardened XML parser: what it takes, what it refuses.

Numbers in brackets are those of our list of attacks: external entity [1], entity bomb [2], any DTD [3], sheer size [4],
encodings and characters [5].
"""

from pathlib import Path

import pytest

from forms.definition import FormDefinition
from forms.problems import Problem
from forms.xml import MAX_ATTRIBUTES, MAX_XML_BYTES, child, full_text, local_name, parse_xml, text_of
from tests.support.small import xform

BOMB = (
    '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">'
    '<!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;">]><a x="&f;">&f;</a>'
)


def refused(data: bytes) -> str:
    with pytest.raises(Problem) as caught:
        parse_xml(data)
    return caught.value.kind.code


@pytest.mark.parametrize(
    "data",
    [
        b"<a>1</a>",
        b"\xef\xbb\xbf<a>1</a>",
        b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\r\n<a>\r\n1\r\n</a>\r\n",
        "<?xml version='1.0' encoding='UTF-16'?><a>1</a>".encode("utf-16"),
        "<a>1</a>".encode("utf-16"),
        b"<?xml version='1.0' encoding='windows-1256'?><a>1</a>",
        b"<!-- first --><a><?pi?>1<!-- last --></a>",
    ],
    ids=["plain", "bom", "bom and crlf", "utf-16 declared", "utf-16 by its mark", "code page", "comments"],
)
def test_what_phones_and_converters_write_is_read(data: bytes) -> None:
    assert text_of(parse_xml(data)) == "1"


def test_an_external_entity_is_not_fetched_1(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the key of the safe")
    for system in (secret.as_uri(), "http://192.0.2.1/x"):
        assert refused(f'<!DOCTYPE a [<!ENTITY x SYSTEM "{system}">]><a>&x;</a>'.encode()) == "xml_unreadable"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32", "utf-7"])
def test_an_entity_bomb_is_refused_in_any_encoding_2(encoding: str) -> None:
    declared = f"<?xml version='1.0' encoding='{encoding}'?>{BOMB}"
    assert refused(declared.encode(encoding)) == "xml_unreadable"


@pytest.mark.parametrize("start", ["<!DOCTYPE a>", "<!doctype a>", '<!DOCTYPE a SYSTEM "x.dtd">', '<!DOCTYPE a PUBLIC "x" "y">'])
def test_any_document_type_is_refused_3(start: str) -> None:
    assert refused(f"{start}<a/>".encode()) == "xml_unreadable"
    assert refused(f"<?xml version='1.0' encoding='UTF-16'?>{start}<a/>".encode("utf-16")) == "xml_unreadable"


def test_the_words_of_a_document_type_in_an_answer_are_read_when_escaped() -> None:
    assert text_of(parse_xml(b"<a>&lt;!DOCTYPE a&gt;</a>")) == "<!DOCTYPE a>"


def test_sheer_size_and_depth_are_refused_4() -> None:
    assert refused(b"<a>" * 100_000 + b"</a>" * 100_000) == "xml_unreadable"
    assert refused(b"<a " + b" ".join(b'x%d="1"' % number for number in range(1_000_000)) + b"/>") in {
        "too_large",
        "xml_unreadable",
    }
    assert refused(b"<a>" + b"x" * 50_000_000 + b"</a>") == "too_large"
    assert refused(b"<" + b"a" * 9_000_000 + b"/>") == "xml_unreadable"


def test_an_element_with_countless_attributes_is_refused_before_they_are_listed_4() -> None:
    def crowded(count: int) -> bytes:
        return b"<a><b " + b" ".join(b'x%d="1"' % number for number in range(count)) + b"/></a>"

    assert len(parse_xml(crowded(MAX_ATTRIBUTES))) == 1
    for count in (MAX_ATTRIBUTES + 1, 500_000):
        assert refused(crowded(count)) == "xml_unreadable"


def test_the_limit_counts_bytes() -> None:
    parse_xml(b"<a/>", limit=4)
    with pytest.raises(Problem, match="5 bytes; 4 are allowed"):
        parse_xml(b"<a/> ", limit=4)


def test_a_long_record_of_five_megabytes_is_read() -> None:
    rows = b"<row><a>1</a></row>" * (5 * 1024 * 1024 // 19)
    assert len(parse_xml(b"<data>" + rows + b"</data>")) == len(rows) // 19
    assert MAX_XML_BYTES > 5 * 1024 * 1024


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"\x00",
        b"<a>\x00</a>",
        b"<a>&#0;</a>",
        b"<a>&#xD800;</a>",
        b"<a>\xff</a>",
        b"<a>\x08</a>",
        "<a>\ud800</a>".encode("utf-8", "surrogatepass"),
        b"<?xml version='1.0' encoding='klingon'?><a/>",
        b"<a>&b;</a>",
        b"<a",
        b"<a></b>",
        b"<a/><b/>",
        b"PK\x03\x04",
        b"\x1f\x8b",
        "<?xml version='1.0' encoding='UTF-8'?><a>é</a>".encode("latin-1"),
    ],
)
def test_what_is_not_well_formed_is_refused_with_a_reason_5(data: bytes) -> None:
    with pytest.raises(Problem) as caught:
        parse_xml(data)
    assert caught.value.kind.code == "xml_unreadable"
    assert caught.value.detail


def test_utf_7_cannot_smuggle_markup_past_the_check_5() -> None:
    assert refused(b"<?xml version='1.0' encoding='UTF-7'?>+ADwAIQ-DOCTYPE a+AD4-<a/>") == "xml_unreadable"


def test_names_are_compared_without_namespaces() -> None:
    root = parse_xml(b'<x:a xmlns:x="urn:x" xmlns="urn:y"><b> one <c>two</c></b><x:b/></x:a>')
    first = child(root, "b")
    assert first is not None
    assert (local_name(root), text_of(first), full_text(first)) == ("a", "one", "one two")
    assert child(root, "d") is None
    assert text_of(None) == ""


def test_a_prefix_nobody_declared_does_not_strand_a_record() -> None:
    root = parse_xml(
        b'<data id="x"><row jr:template=""/><orx:meta><orx:instanceID>uuid:1</orx:instanceID></orx:meta></data>', lenient=True
    )
    assert [local_name(node) for node in root.iter()] == ["data", "row", "meta", "instanceID"]


def test_a_broken_file_is_refused_for_what_is_broken_and_not_for_a_prefix() -> None:
    with pytest.raises(Problem, match=r"tag mismatch.*line 1") as caught:
        parse_xml(b'<data><row jr:template=""></data>', lenient=True)
    assert "prefix" not in caught.value.detail
    assert refused(b"<x:a>" * 300 + b"</x:a>" * 300) == "xml_unreadable"


def test_a_form_with_a_prefix_nobody_declared_is_refused_since_no_phone_opens_it() -> None:
    form = xform("<q/>", '<bind nodeset="/data/q" entities:saveto="name"/>')
    with pytest.raises(Problem, match="prefix entities") as caught:
        FormDefinition.from_xform(form)
    assert caught.value.kind.code == "xml_unreadable"
