"""Which answers tell who somebody is, and an instance without them.

A form marks its questions by an attribute of their binds, `tulliana:personal` in the namespace below; in an XLSForm that is a
column `bind::tulliana:personal`. A question for a file is personal without being marked: people are in photos.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from forms.xml import local_name, parse_xml

NAMESPACE = "urn:tulliana:xforms"
CONTACT = "contact"
"""A name, a telephone number: sealed, shown to coordinators only, deleted on schedule."""
CODE = "code"
"""A code that stands for the household or person a record is about: kept with the answers, replaced when their data are erased."""
REGISTER = "register"
"""The same, in the record that gives them the code: the entity made by it is theirs, and is deleted with their data."""
REPORTER = "reporter"
"""A code that stands for who wrote the record: the contacts and photos in it may be of somebody else."""
CODES = frozenset({CODE, REGISTER, REPORTER})
ATTENDANCE = "attendance"
"""A file with the names of people, such as an attendance sheet: shown to coordinators only."""
PICTURE = "picture"
"""Every other file."""
WITHHELD = "withheld"
"""Stands among the answers where one is kept apart."""
DELETED = "deleted"
"""Stands there when its time was over."""
ERASED = "erased"
"""Stands there when the data of a person were erased."""
CONSENT = "consent"
"""The question whether a person takes part; who says no is not to be recognised."""
LEAST_COPY = 4
"""Characters of a contact answer from which on another text that holds it is a copy of it."""
_ROW = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Told:
    """One answer that is kept apart: `path` is "group/question", with "[2]" after the second row of a repeat."""

    path: str
    text: str


def kind_of(marked: str, *, is_file: bool) -> str:
    """The kind of a question marked like this; empty for one that is not personal. What nobody knows counts as the strictest."""
    if is_file:
        return PICTURE if marked in {"", PICTURE} else ATTENDANCE
    return marked if marked in {"", *CODES} else CONTACT


def bare(path: str) -> str:
    """The path of the question, whatever the rows of the repeats around it."""
    return _ROW.sub("", path)


def is_copy(text: str, told: Iterable[Told]) -> bool:
    """Whether a text repeats one of these answers."""
    return any(len(each.text.strip()) >= LEAST_COPY and each.text.strip() in text for each in told)


def put(answers: dict[str, Any], path: str, word: str | None) -> None:
    """Let this word stand in place of the answer at a path, if there is one; None: as if it had not been answered."""
    *above, name = path.split("/")
    found: Any = answers
    for step in above:
        group, _, row = step.partition("[")
        found = found.get(group) if isinstance(found, dict) else None
        if row and isinstance(found, list) and len(found) >= int(row[:-1]):
            found = found[int(row[:-1]) - 1]
    if isinstance(found, dict) and name in found:
        found[name] = word


def emptied(xml: bytes, paths: Sequence[str]) -> bytes:
    """The instance with nothing in the elements at these paths (in every row of a repeat); otherwise it says the same."""
    wanted = {tuple(path.split("/")) for path in paths}
    return rewritten(xml, lambda path, text: "" if any(path[:end] in wanted for end in range(1, len(path) + 1)) else text)


def rewritten(xml: bytes, change: Callable[[tuple[str, ...], str], str]) -> bytes:
    """The instance with each text changed as `change(path, text)` says; an element that has nothing left is empty."""
    root = parse_xml(xml, lenient=True)
    _rewrite(root, (), change)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _rewrite(element: etree._Element, above: tuple[str, ...], change: Callable[[tuple[str, ...], str], str]) -> None:
    for node in element:
        here = (*above, local_name(node))
        if node.text and node.text.strip():
            node.text = change(here, node.text) or None
        if node.tail and node.tail.strip():
            node.tail = change(here[:-1] or here, node.tail) or None
        _rewrite(node, here, change)
