"""The contents of one report side by side: what came under the same id, or as a second correction, and in what they differ."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from forms.definition import Field
from forms.submission import identify
from records import submissions
from records.submissions import KeptFile, Record
from server.pages.access import access
from server.pages.answers import Shown, shown_answers
from server.services import services
from sync.intake import read_answers

MOST = 5
Place = tuple[tuple[str, ...], int]
"""A question: its labels from the outermost group in, and which one of several with these labels."""


@dataclass(frozen=True, slots=True)
class Line:
    """One question in both contents; an empty text was not answered."""

    label: str
    current: str
    other: str

    @property
    def differs(self) -> bool:
        """Whether the contents say different things here."""
        return self.current != self.other


@dataclass(frozen=True, slots=True)
class Comparison:
    """A content that is not the current one, and how it compares with it."""

    version: Any
    lines: Sequence[Line]

    @property
    def same(self) -> int:
        """In how many answers they agree."""
        return sum(not line.differs for line in self.lines)


def comparisons(connection: Connection, record: Record, versions: Sequence[Any]) -> list[Comparison]:
    """The current content of a record beside each of the others, newest first; at most `MOST`, none while the key is missing."""
    current = next((each for each in versions if each.sha256 == record.current_sha256), None)
    if current is None or record.encrypted or not services().store.vault.can_open():
        return []
    own = _told(connection, record, current)
    others = [each for each in reversed(versions) if each is not current]
    return [Comparison(each, lines(own, _told(connection, record, each))) for each in others[:MOST]]


def _told(connection: Connection, record: Record, version: Any) -> dict[Place, str]:
    """What a version says."""
    project_id = access().project_id
    xml = submissions.version_xml(connection, access(), record.form_id, version.instance_id, version.sha256)
    schema, _ = services().intake.schemas.get(project_id, record.form_id, version.version)
    answers = read_answers(schema, identify(xml)).answers
    return told_answers(schema.definition.fields, answers, record.attachments)


def told_answers(fields: Sequence[Field], answers: dict[str, Any], files: Sequence[KeptFile]) -> dict[Place, str]:
    """The text of each answer by its labels; equal labels are told apart by their order."""
    seen: Counter[tuple[str, ...]] = Counter()
    told = {}
    for labels, text in _flat(shown_answers(fields, answers, files), ()):
        told[labels, seen[labels]] = text
        seen[labels] += 1
    return told


def _flat(items: Sequence[Shown], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for item in items:
        here = (*above, item.label) if item.label else above
        if item.parts:
            yield from _flat(item.parts, here)
        else:
            yield here, item.file.name if item.file is not None else item.text


def lines(current: dict[Place, str], other: dict[Place, str]) -> list[Line]:
    """Two contents question by question."""
    places = dict.fromkeys([*current, *other])
    return [Line(" – ".join(place[0]), current.get(place, ""), other.get(place, "")) for place in places]
