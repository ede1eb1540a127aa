"""One submission as it came: who it is, before anybody asks whether its values are right (OpenRosa metadata).

Only what cannot be identified is refused. Names are compared without their namespaces, because clients write them differently.
"""

import hashlib
import uuid
from dataclasses import dataclass

from lxml import etree

from forms.definition import version_of
from forms.problems import Problem
from forms.xml import local_name, parse_xml, text_of

_NAMESPACE = uuid.UUID("7d7dbd3a-54d0-4f34-8b0e-8a56b2d1f5aa")
_IDENTITY = {"instanceID", "deprecatedID", "instanceName"}
MAX_ID_CHARACTERS = 249  # OpenRosa metadata: the longest instanceID


@dataclass(frozen=True, slots=True)
class Submission:
    """The identity of a submission, the exact bytes received and their tree."""

    xml: bytes
    root: etree._Element
    form_id: str
    version: str
    instance_id: str
    deprecated_id: str
    instance_name: str
    encrypted: bool


def _identity(root: etree._Element) -> dict[str, str]:
    """What meta says, else the root itself; some clients write two metas."""
    in_meta: list[tuple[str, str]] = []
    beside: list[tuple[str, str]] = []
    for node in root:
        name = local_name(node)
        if name == "meta":
            in_meta += [(local_name(entry), text_of(entry)) for entry in node]
        elif name in _IDENTITY:
            beside.append((name, text_of(node)))
    return {name: text for name, text in reversed(in_meta + beside) if text}


def identify(xml: bytes) -> Submission:
    """Read the identity of a submission.

    A missing instanceID becomes one that follows from the bytes, so that a repeated upload stays one record.
    Raises `Problem` "xml_unreadable", "form_id_missing" or "value_invalid" (an identifier beyond 249 characters).
    """
    root = parse_xml(xml, lenient=True)
    form_id = root.get("id", "").strip()
    if not form_id:
        raise Problem("form_id_missing")
    said = _identity(root)
    instance_id = said.get("instanceID") or root.get("instanceID", "") or f"uuid:{uuid.uuid5(_NAMESPACE, xml.hex())}"
    deprecated_id = said.get("deprecatedID", "")
    if max(len(form_id), len(instance_id), len(deprecated_id)) > MAX_ID_CHARACTERS:
        raise Problem("value_invalid", f"An identifier is longer than {MAX_ID_CHARACTERS} characters.")
    return Submission(
        xml=xml,
        root=root,
        form_id=form_id,
        version=version_of(root),
        instance_id=instance_id,
        deprecated_id=deprecated_id,
        instance_name=said.get("instanceName", ""),
        encrypted=root.get("encrypted") == "yes",
    )


def case_number(instance_id: str) -> str:
    """A short number people can say and write down; it follows from the instance id. The surveys work it out on the phone too."""
    number = hashlib.sha256(instance_id.encode()).hexdigest()[:8].upper()
    return f"{number[:4]}-{number[4:]}"
