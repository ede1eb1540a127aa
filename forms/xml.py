"""The one hardened XML parser. Everything that comes from outside as XML passes through `parse_xml`."""

import re

from lxml import etree

from forms.problems import Problem

MAX_XML_BYTES = 10 * 1024 * 1024
MAX_ATTRIBUTES = 1000
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_CROWDED = etree.XPath(f"boolean(//*[count(@*) > {MAX_ATTRIBUTES}])")


def parse_xml(data: bytes, *, limit: int = MAX_XML_BYTES, lenient: bool = False) -> etree._Element:
    """Return the root element of `data`.

    Refuses more than `limit` bytes, any DOCTYPE (so no entity can be declared) and elements with more than 1000 attributes (lxml
    lists them in quadratic time); libxml2 bounds depth (256) and text (10 MB). `lenient` makes a prefix that nobody declared part
    of the name: some clients forget to declare what they copy into a record. A form with such a prefix is opened by no phone.
    Raises `Problem("xml_unreadable")` or `Problem("too_large")`.
    """
    if len(data) > limit:
        raise Problem("too_large", f"The XML has {len(data)} bytes; {limit} are allowed.")
    if _DOCTYPE.search(data):
        raise Problem("xml_unreadable", "A DOCTYPE is not allowed.")
    try:
        root = _tree(data, lenient)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Problem("xml_unreadable", str(error)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Problem("xml_unreadable", "A DOCTYPE is not allowed.")
    if data.count(b"=") > MAX_ATTRIBUTES and _CROWDED(root):
        raise Problem("xml_unreadable", f"An element has more than {MAX_ATTRIBUTES} attributes.")
    return root


def _tree(data: bytes, lenient: bool) -> etree._Element:
    strict, forgiving = (
        etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, recover=recover
        )
        for recover in (False, True)
    )
    try:
        return etree.fromstring(data, strict)
    except etree.XMLSyntaxError:
        for error in strict.error_log:
            if not lenient or error.domain != etree.ErrorDomains.NAMESPACE:
                raise ValueError(f"{error.message}, line {error.line}, column {error.column}") from None
        return etree.fromstring(data, forgiving)


def local_name(element: etree._Element) -> str:
    """The element's name without its namespace: clients differ in the namespaces they write."""
    tag = str(element.tag)
    return tag.rpartition("}")[2].rpartition(":")[2]


def child(element: etree._Element, name: str) -> etree._Element | None:
    """The first child with this local name, in whatever namespace."""
    return next((node for node in element if local_name(node) == name), None)


def text_of(element: etree._Element | None) -> str:
    """The element's own text without surrounding blanks; empty for no element."""
    return (element.text or "").strip() if element is not None else ""


def full_text(element: etree._Element) -> str:
    """All text inside the element, with that of its children."""
    return text_of(element) if len(element) == 0 else "".join(str(piece) for piece in element.itertext()).strip()
