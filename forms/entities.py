"""What a form does with entity lists, and what a submission asks of them (ODK Entities specification, 2022.1 to 2025.1).

Clients differ and forms are written by hand, so reading is lenient: a block that cannot be used becomes a request with a `problem`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from lxml import etree

from forms.definition import Declaration, FormDefinition, Path
from forms.xml import child, full_text, local_name

Kind = Literal["create", "update", "upsert"]
_TRUE = {"1", "true"}
_SUFFIX = ".csv"
MAX_NAME = 249  # characters of a list's name, and of an id that cannot be read


@dataclass(frozen=True, slots=True)
class Request:
    """What one entity block of a submission asks. An absent answer leaves its property as it is; an empty one empties it.

    `base_version` is the version the phone had before, `trunk_version` the last one it had from a server, `branch_id` its own chain
    of changes since then. `problem` says why the block cannot be used.
    """

    list_name: str
    uuid: str
    kind: Kind
    base_version: int | None = None
    trunk_version: int | None = None
    branch_id: str | None = None
    label: str | None = None
    data: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def lists_fed(definition: FormDefinition) -> dict[str, list[str]]:
    """The lists a form feeds, with the properties it gives them, in the order of the form."""
    fed: dict[str, list[str]] = {}
    for declared in definition.declarations:
        properties = fed.setdefault(declared.list_name, [])
        properties += [name for name in dict.fromkeys(declared.properties.values()) if name not in properties]
    return fed


def list_of(file_name: str) -> str:
    """The list that a form means by this file name; empty when it can be none."""
    return file_name.removesuffix(_SUFFIX) if file_name.endswith(_SUFFIX) else ""


def asked(root: etree._Element, definition: FormDefinition) -> list[Request]:
    """What the entity blocks of a submission ask, in the order of the document. Blocks that ask nothing are left out."""
    found = [
        _request(block, container, declared)
        for declared in definition.declarations
        for container in _containers(root, declared.path)
        for meta in container
        if local_name(meta) == "meta"
        for block in meta
        if local_name(block) == "entity"
    ]
    return [request for request in found if request is not None]


def _containers(element: etree._Element, path: Path) -> Iterator[etree._Element]:
    """The nodes at a path, every row of a repeat."""
    if not path:
        yield element
        return
    for node in element:
        if local_name(node) == path[0]:
            yield from _containers(node, path[1:])


def _request(block: etree._Element, container: etree._Element, declared: Declaration) -> Request | None:
    said = {str(name).rpartition("}")[2]: str(value).strip() for name, value in block.attrib.items()}
    creates, updates = (said.get(name, "").lower() in _TRUE for name in ("create", "update"))
    if not creates and not updates:
        return None
    label = child(block, "label")
    name, uuid = said.get("dataset") or declared.list_name, normal_uuid(said.get("id", ""))
    problem = ""
    if name != declared.list_name:
        problem = "The form has no entities of this list."
    elif not uuid:
        problem = "The id is not a UUID."
    elif said.get("baseVersion") and _version(said["baseVersion"]) is None:
        problem = "The version it is based on is not a number."
    return Request(
        list_name=name[:MAX_NAME],
        uuid=uuid or said.get("id", "")[:MAX_NAME],
        kind="upsert" if creates and updates else "create" if creates else "update",
        base_version=_version(said.get("baseVersion", "")),
        trunk_version=_version(said.get("trunkVersion", "")),
        branch_id=said.get("branchId") or None,
        label=(full_text(label) or None) if label is not None else None,
        data=dict(_answers(container, declared)),
        problem=problem,
    )


def _answers(container: etree._Element, declared: Declaration) -> Iterator[tuple[str, str]]:
    for path, name in declared.properties.items():
        node = next(_containers(container, path[len(declared.path) :]), None)
        if node is not None:
            yield name, node.text or ""


def _version(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def normal_uuid(text: str) -> str:
    """A UUID in lower case with hyphens, whatever it came as (`uuid:` before it, upper case); empty for no UUID."""
    try:
        return str(UUID(text.strip().lower().removeprefix("uuid:")))
    except ValueError:
        return ""
