"""The entities a phone keeps: those it got in lists and those it made itself and has not seen on a server yet.

Rules: getodk/collect, entities module (LocalEntityUseCases) and the javarosa finalisation of entity forms.
"""

import csv
import io
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.openrosa import Refused
from tests.support.wire import Answer

OWN = ("name", "label", "__version")
Deleted = Callable[[list[str]], set[str]]
"""Which of these the server calls deleted."""


@dataclass
class LocalEntity:
    """One entity as this phone knows it. `trunk` is the last version it had from a server; without one it was made here."""

    id: str
    label: str
    version: int
    properties: dict[str, str] = field(default_factory=dict)
    trunk: int | None = None
    branch: str = ""

    @property
    def is_online(self) -> bool:
        """Whether a server has shown it."""
        return self.trunk is not None

    @property
    def is_dirty(self) -> bool:
        """Whether this phone changed it since."""
        return self.version != self.trunk


@dataclass
class LocalEntities:
    """All lists of one project on one phone."""

    lists: dict[str, dict[str, LocalEntity]] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    approval: set[str] = field(default_factory=set)

    def take(self, name: str, kind: str, content: bytes, digest: str, deleted: Deleted) -> None:
        """Import a list that the server offers. One row without a mandatory column and nothing happens, not even an error."""
        self.approval = self.approval | {name} if kind == "approvalEntityList" else self.approval - {name}
        here = self.lists.setdefault(name, {})
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
        if any(row.get(column) is None for row in rows for column in OWN):
            return
        for row in rows:
            version, local = int(row["__version"]), here.get(row["name"])
            if local is None or version > local.version or (version == local.version and local.is_dirty):
                properties = {key: value for key, value in row.items() if key and not key.startswith("__") and key not in OWN}
                here[row["name"]] = LocalEntity(row["name"], row["label"], version, properties, trunk=version)
            elif not local.is_online:
                local.trunk = version
        listed = {row["name"] for row in rows}
        for gone in [entity.id for entity in here.values() if entity.is_online and entity.id not in listed]:
            del here[gone]
        self.ask(name, deleted)
        self.hashes[name] = digest

    def ask(self, name: str, deleted: Deleted) -> None:
        """Drop what was made here, sent, and deleted on the server before this phone saw it in the list."""
        here = self.lists.get(name, {})
        for gone in deleted([entity.id for entity in here.values() if not entity.is_online]):
            del here[gone]

    def choices(self, name: str) -> list[tuple[str, str]]:
        """(id, label) of what a question picks from."""
        return [(entity.id, entity.label) for entity in self.lists.get(name, {}).values()]

    def new(self, name: str, label: str, **properties: str) -> str:
        """Finalise a form that makes an entity; its id. The phone keeps it at once if it knows the list and may."""
        made = str(uuid.uuid4())
        if name in self.lists and name not in self.approval:
            self.lists[name][made] = LocalEntity(made, label, 1, dict(properties))
        return made

    def changed(self, name: str, entity_id: str, **properties: str) -> dict[str, str]:
        """Finalise a form that changes an entity; the attributes its record then has."""
        entity = self.lists[name][entity_id]
        branch = entity.branch or str(uuid.uuid4())
        trunk = "" if entity.trunk is None else str(entity.trunk)
        said = {"base": str(entity.version), "trunk": trunk, "branch": branch}
        entity.version, entity.branch = entity.version + 1, branch
        entity.properties |= properties
        return said


def read_integrity(answer: Answer) -> set[str]:
    """The ids an integrity answer calls deleted: no namespace, and exactly true or false."""
    if answer.status != 200 or "x-openrosa-version" not in answer.headers:
        raise Refused(f"The server {answer.url} returned status code {answer.status}", answer.status)
    root = ET.fromstring(answer.body.decode("utf-8"))
    if root.tag != "data":
        raise Refused(f"root is {root.tag}")
    said = {entity.get("id", ""): entity.findtext("deleted") for entity in root.findall("entities/entity")}
    if not set(said.values()) <= {"true", "false"}:
        raise Refused(f"deleted is {sorted(map(str, said.values()))}")
    return {each for each, deleted in said.items() if deleted == "true"}
