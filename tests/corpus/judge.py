"""Whether what a server keeps is what was sent: bytes, files, every answer, and no flag on a record its engine finds valid."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lxml import etree

from forms.personal import WITHHELD, Told, bare

FALSE_FLAGS = {
    "constraint", "required", "value_invalid", "extra", "answers_unreadable", "unknown_version",
    "file_unexpected", "file_twice", "file_missing", "unjudged",
}  # fmt: skip
Path = tuple[str, ...]


def wrong(sent: bytes, files: dict[str, bytes], kept: bytes, record: dict[str, Any], *, valid: bool) -> list[str]:
    """What differs, in words; nothing where all is well. `valid` says that the engine had no objection.

    `record["told"]` are the answers that are kept apart from the others.
    """
    found = [] if kept == sent else ["the XML differs"]
    here = {file["name"]: file["sha256"] for file in record["files"]}
    if here != {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}:
        found.append(f"the files differ: {sorted(here)} instead of {sorted(files)}")
    found += different_answers(sent, record["answers"], record["told"])
    if valid:
        flags = [flag for flag in record["flags"] if flag["code"] in FALSE_FLAGS]
        found += [f"flag {flag['code']} at {flag['path']}: {flag['message']}" for flag in flags]
    return found


def different_answers(xml: bytes, answers: dict[str, Any], told: Sequence[Told] = ()) -> list[str]:
    """Where the answers as kept do not say what the XML says; an empty element and no answer are the same."""
    said, kept = _by_path(_leaves(etree.fromstring(xml, etree.XMLParser(recover=True)), ())), _by_path(_answers(answers, ()))
    apart = _by_path((tuple(bare(each.path).split("/")), each.text) for each in told)
    kept |= {path: apart.get(path, []) for path in kept if set(kept[path]) == {WITHHELD}}
    found = []
    for path in {**said, **kept}:
        left, right = said.get(path, []), kept.get(path, [])
        if len(left) != len(right) or not all(map(_same, left, right)):
            found.append(f"answer {'/'.join(path)}: {left!r} became {right!r}")
    return found


def _leaves(element: etree._Element, path: Path) -> Iterator[tuple[Path, Any]]:
    for node in element.iterchildren(etree.Element):
        here = (*path, str(node.tag).rpartition("}")[2].rpartition(":")[2])
        if len(node):
            yield from _leaves(node, here)
        elif (node.text or "").strip():
            yield here, node.text


def _answers(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _answers(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _answers(inner, path)
    elif value is not None and value != "":
        yield path, value


def _by_path(pairs: Iterable[tuple[Path, Any]]) -> dict[Path, list[Any]]:
    found: dict[Path, list[Any]] = defaultdict(list)
    for path, value in pairs:
        found[path].append(value)
    return found


def _same(text: str, value: Any) -> bool:
    if isinstance(value, bool):
        return text.strip() in ({"true", "1"} if value else {"false", "0"})
    if isinstance(value, int | float):
        return float(text) == value
    return value == text or value == text.strip()
