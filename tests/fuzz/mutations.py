"""Changes to good XML that keep it XML: what odd clients, other versions and attackers send."""

from collections.abc import Callable, Sequence
from copy import deepcopy

from hypothesis import strategies as st
from lxml import etree

CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
ODD = [
    "",
    " ",
    "\u202e",
    "۱۲۳",
    "NaN",
    "-1e400",
    "9" * 400,
    "2026-02-30",
    "35 51 0 0; 91 0",
    "a.jpg",
    "../a.jpg",
    "=1+1",
    "🐆" * 50,
]
TEXTS = st.sampled_from(ODD) | st.text(CHARACTERS, max_size=30)
NAMES = st.sampled_from(["data", "meta", "instanceID", "deprecatedID", "herder", "sheep", "animals", "photo", "x", "entity", "id"])
SPACES = st.sampled_from(["", "{http://openrosa.org/xforms}", "{http://www.w3.org/2002/xforms}", "{urn:other}"])
Change = Callable[[etree._Element, st.DataObject], None]


def _text(node: etree._Element, data: st.DataObject) -> None:
    node.text = data.draw(TEXTS)


def _name(node: etree._Element, data: st.DataObject) -> None:
    node.tag = data.draw(SPACES) + data.draw(NAMES)


def _remove(node: etree._Element, _: st.DataObject) -> None:
    parent = node.getparent()
    if parent is not None:
        parent.remove(node)


def _twice(node: etree._Element, data: st.DataObject) -> None:
    parent = node.getparent()
    if parent is not None:
        parent.extend(deepcopy(node) for _ in range(data.draw(st.sampled_from([1, 2, 30]))))


def _inside(node: etree._Element, data: st.DataObject) -> None:
    inner = node
    for _ in range(data.draw(st.sampled_from([1, 3, 70]))):
        inner = etree.SubElement(inner, data.draw(SPACES) + data.draw(NAMES))
    inner.text = data.draw(TEXTS)


def _attribute(node: etree._Element, data: st.DataObject) -> None:
    names = st.sampled_from([*node.attrib, "id", "version", "encrypted", "type", "nodeset", "constraint", "ref"])
    node.set(data.draw(names), data.draw(TEXTS))


def _move(node: etree._Element, data: st.DataObject) -> None:
    others = [other for other in node.getroottree().iter(etree.Element) if node not in (other, *other.iterancestors())]
    if others:
        data.draw(st.sampled_from(others)).append(node)


CHANGES: list[Change] = [_text, _name, _remove, _twice, _inside, _attribute, _move]
ENCODINGS = ["utf-8", "utf-16", "us-ascii", "utf-8-sig"]


def changed(xml: bytes, data: st.DataObject, encodings: Sequence[str] = ENCODINGS) -> bytes:
    """This document with up to four changes, in one of these encodings."""
    root = etree.fromstring(xml)
    for change in data.draw(st.lists(st.sampled_from(CHANGES), max_size=4)):
        change(data.draw(st.sampled_from(list(root.iter(etree.Element)))), data)
    encoding = data.draw(st.sampled_from(encodings))
    if encoding == "utf-8-sig":
        return b"\xef\xbb\xbf" + etree.tostring(root, encoding="utf-8")
    return etree.tostring(root, encoding=encoding)
