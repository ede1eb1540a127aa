"""What changed since the release before: which rows came, went or say something else, told by their keys."""

import csv
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from exports.package.contents import ExportResult, Table

NAME = "CHANGES.txt"
MOST_TOLD = 500
"""So many rows of a table are named; the rest is counted."""
_WINDOW = re.compile(r"_\d{4}Q\d(-\d{4}Q\d)?")


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows of a table came, went and changed; `lines` name them, such as "+ key"."""

    added: int
    removed: int
    changed: int
    lines: tuple[str, ...]

    def counted(self) -> dict[str, int]:
        """The numbers alone."""
        return {name: number for name, number in asdict(self).items() if name != "lines"}


def lasting_name(file_name: str) -> str:
    """The name of a file whatever its window: without the quarters."""
    return _WINDOW.sub("", file_name)


def compare(result: ExportResult, before: Path | None) -> dict[str, Changes]:
    """Compare every table with that of the release in the folder `before`, by the lasting names of the files."""
    if before is None:
        return {}
    old = {lasting_name(path.name): path for path in before.glob("*.csv")}
    found = {}
    for name, table in result.tables.items():
        path = old.get(lasting_name(name))
        found[name] = _compare(_rows(result.folder / name, table), _rows(path, table) if path else {})
    return found


def tells_of_few(result: ExportResult, before: Path) -> bool:
    """Whether this correction, taken from the release in the folder `before`, tells of fewer than five households."""
    from exports.privacy import told_by_difference

    old = {lasting_name(path.name): path for path in before.glob("*.csv")}
    return any(
        told_by_difference(_rows(path, table).values(), _rows(result.folder / name, table).values(), table.key)
        for name, table in result.tables.items()
        if (path := old.get(lasting_name(name))) is not None
    )


def _rows(path: Path, table: Table) -> dict[tuple[str, ...], dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {
            tuple(row.get(name) or "" for name in table.key): {key: each for key, each in row.items() if key not in table.naming}
            for row in csv.DictReader(file)
        }


def _compare(new: Mapping[tuple[str, ...], dict[str, str]], old: Mapping[tuple[str, ...], dict[str, str]]) -> Changes:
    added, removed = [key for key in new if key not in old], [key for key in old if key not in new]
    changed = {key: [name for name in row if row[name] != old[key].get(name)] for key, row in new.items() if key in old}
    changed = {key: names for key, names in changed.items() if names}
    lines = [f"+ {_said(key)}" for key in added] + [f"- {_said(key)}" for key in removed]
    lines += [f"~ {_said(key)}: {', '.join(names)}" for key, names in changed.items()]
    more = [f"... and {len(lines) - MOST_TOLD} more"] if len(lines) > MOST_TOLD else []
    return Changes(len(added), len(removed), len(changed), (*lines[:MOST_TOLD], *more))


def _said(key: tuple[str, ...]) -> str:
    return " / ".join(part for part in key if part)


def told(result: ExportResult, before: Path | None, found: Mapping[str, Changes], note: str) -> str:
    """The changes as a text."""
    lines = [f"CHANGES OF {result.folder.name}"]
    lines += [f"Note: {note}"] if note else []
    lines.append(f"Compared with {before.name}." if before else "There was no release before.")
    if before and found:
        lines.append("+ row is new, - row is gone, ~ row says something else in the columns named. Rows are told by their keys.")
    for name, changes in found.items():
        columns = ", ".join(result.tables[name].key)
        lines += ["", f"{name} ({columns}): {changes.added} new, {changes.removed} gone, {changes.changed} changed", *changes.lines]
    return "\n".join(lines) + "\n"
