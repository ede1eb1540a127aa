"""The three XML answers a phone reads, judged as strictly as Collect's own parsers judge them.

Rules: getodk/collect, open-rosa module (Kxml2OpenRosaResponseParser, OpenRosaXmlFetcher) and collect_app (ResponseMessageParser).
"""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from tests.support.wire import Answer

FORM_LIST = "http://openrosa.org/xforms/xformsList"
MANIFEST = "http://openrosa.org/xforms/xformsManifest"


class Refused(Exception):
    """The phone does not take this answer; the text is what its screen would say."""

    def __init__(self, message: str, status: int = 0) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True)
class ListedForm:
    """One `<xform>` of a form list; `hash` is bare MD5 hex or None."""

    form_id: str
    name: str
    version: str | None
    hash: str | None
    download_url: str
    manifest_url: str | None


@dataclass(frozen=True)
class ListedFile:
    """One `<mediaFile>` of a manifest; `hash` has lost its first four characters, whatever they were."""

    filename: str
    hash: str
    download_url: str
    kind: str | None
    integrity_url: str | None


def openrosa_document(answer: Answer, root: str, namespace: str) -> ET.Element:
    """The checks that come before parsing: status, content type, version header, well-formed UTF-8, root in its namespace."""
    if answer.status != 200:
        raise Refused(f"The server {answer.url} returned status code {answer.status}", answer.status)
    kind = answer.headers.get("content-type", "")
    if kind and "text/xml" not in kind.lower():
        raise Refused(f"ContentType: {kind} returned from: {answer.url} is not text/xml. Often caused by a network proxy.")
    if "x-openrosa-version" not in answer.headers:
        raise Refused("This server does not correctly implement the OpenRosa formList API.")
    try:
        element = ET.fromstring(answer.body.decode("utf-8"))
    except (ET.ParseError, UnicodeDecodeError, ValueError) as error:
        raise Refused(f"The server returned an invalid response: {error}") from error
    found, name = _split(element)
    if name != root or found.lower() != namespace.lower():
        raise Refused(f"The server returned an invalid response: root is {element.tag}")
    return element


def parse_form_list(answer: Answer) -> list[ListedForm]:
    """One entry without formID, name or downloadUrl voids the whole list."""
    forms = []
    for entry in openrosa_document(answer, "xforms", FORM_LIST):
        namespace, name = _split(entry)
        if namespace.lower() != FORM_LIST.lower() or name != "xform":
            continue
        texts = _texts(entry, FORM_LIST)
        missing = [key for key in ("formID", "name", "downloadUrl") if not texts.get(key)]
        if missing:
            raise Refused(f"The server returned an invalid response: an entry lacks {missing}")
        forms.append(
            ListedForm(
                texts["formID"], texts["name"], texts.get("version") or None, _list_hash(texts),
                texts["downloadUrl"], texts.get("manifestUrl") or None,
            )
        )  # fmt: skip
    return forms


def parse_manifest(answer: Answer) -> list[ListedFile]:
    """One entry without filename, hash or downloadUrl voids the manifest."""
    files = []
    for entry in openrosa_document(answer, "manifest", MANIFEST):
        namespace, name = _split(entry)
        if namespace.lower() != MANIFEST.lower() or name != "mediaFile":
            continue
        texts = _texts(entry, MANIFEST)
        if not all(texts.get(key) for key in ("filename", "hash", "downloadUrl")):
            raise Refused("The server returned an invalid response: a mediaFile lacks filename, hash or downloadUrl")
        plain = re.split(r"[/\\]", texts["filename"])[-1]
        files.append(ListedFile(plain, texts["hash"][4:], texts["downloadUrl"], entry.get("type"), texts.get("integrityUrl")))
    return files


def parse_message(body: bytes) -> str | None:
    """The text shown in the result list, or None where Collect finds none: the first element named exactly `message`."""
    text = body.decode("utf-8", "replace")
    if "OpenRosaResponse" not in text:
        return None
    try:
        ET.fromstring(text)
    except (ET.ParseError, ValueError):
        return None
    found = re.search(r"<message(?:\s[^>]*)?>(.*?)</message>", text, re.DOTALL)
    return "".join(ET.fromstring(f"<m>{found[1]}</m>").itertext()) if found else None


def _list_hash(texts: dict[str, str]) -> str | None:
    if texts.get("hash") == "":
        raise Refused("null dereference on an empty <hash/>")
    value = texts.get("hash", "")
    return value[4:] if value.startswith("md5:") else None


def _texts(entry: ET.Element, namespace: str) -> dict[str, str]:
    pairs = ((_split(child), (child.text or "").strip()) for child in entry)
    return {name: text for (space, name), text in pairs if space.lower() == namespace.lower()}


def _split(element: ET.Element) -> tuple[str, str]:
    namespace, _, name = element.tag.rpartition("}")
    return namespace.lstrip("{"), name
