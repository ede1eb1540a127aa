"""What a recipe hands over to be packed: its files, and what has to be said about them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from exports.csvfile import Cell, write_table
from exports.policy import FEWEST
from forms.problems import Problem

_OF_UNITS: dict[str, dict[str, Any]] = {
    "0 to 1": {"minimum": 0, "maximum": 1},
    "degrees, WGS 84": {"minimum": -180, "maximum": 180},
    "ISO 3166-1 alpha-2": {"pattern": "[A-Z]{2}"},
    "ISO 3166-2": {"pattern": "[A-Z]{2}-[A-Z0-9]{1,3}"},
    "ISO 4217": {"pattern": "[A-Z]{3}"},
    **{unit: {"minimum": 0} for unit in ("attacks", "reports", "animals", "m", "km2")},
}


class Column(NamedTuple):
    """One column. `type` is a type of Frictionless Table Schema; `unit` is empty where there is none; `allowed` are its codes."""

    name: str
    type: str
    unit: str
    description: str
    allowed: tuple[str, ...] = ()

    @property
    def constraints(self) -> dict[str, Any]:
        """What every value keeps to, as Table Schema has it."""
        return {"enum": list(self.allowed)} if self.allowed else _OF_UNITS.get(self.unit, {})


@dataclass(frozen=True)
class Table:
    """What a CSV of a release holds. `key` are the columns that tell rows apart; `naming` those that only name the release."""

    columns: tuple[Column, ...]
    key: tuple[str, ...]
    naming: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExportedFile:
    """A written file: its name in the folder of the release, rows (0: not a table), digest and bytes."""

    name: str
    rows: int
    sha256: str
    size: int


@dataclass(frozen=True)
class ExportResult:
    """What was written where, and what is in it.

    `summary` has at least `release_id`, `level`, `period_start` and `period_end`. `tables` describes the CSV files by name.
    `readme` names the text about the method in `exports/package/texts`, `lists` what is put into it: a code or number, and words
    about it. `surveys` are the forms it was made from, none for all of them.
    """

    folder: Path
    files: list[ExportedFile]
    summary: dict[str, Any]
    title: str = ""
    tables: Mapping[str, Table] = field(default_factory=dict)
    readme: str = ""
    lists: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    surveys: tuple[str, ...] = ()


def new_folder(out: Path, name: str) -> Path:
    """Make the folder of a release below `out`. Raises `Problem("value_invalid")` when it is there: none is overwritten."""
    out.mkdir(parents=True, exist_ok=True)
    folder = out / name
    try:
        folder.mkdir()
    except FileExistsError:
        raise Problem("value_invalid", f"There is a release {name} already, and none is overwritten.") from None
    return folder


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> ExportedFile:
    """Write a table."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        number = write_table(stream, header, rows)
    return described(path, number)


def write_json(path: Path, content: Mapping[str, Any], rows: int = 0, *, indented: bool = False) -> ExportedFile:
    """Write a document; `indented` for people."""
    options = orjson.OPT_APPEND_NEWLINE | (orjson.OPT_INDENT_2 if indented else 0)
    return write_file(path, orjson.dumps(content, option=options), rows)


def write_file(path: Path, content: bytes, rows: int = 0) -> ExportedFile:
    """Write a file."""
    path.write_bytes(content)
    return described(path, rows)


def described(path: Path, rows: int = 0) -> ExportedFile:
    """Tell what was written."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return ExportedFile(path.name, rows, digest.hexdigest(), path.stat().st_size)


def said(number: int) -> int | str:
    """A number of records as it may be told: below five not exactly."""
    return number if number == 0 or number >= FEWEST else f"1-{FEWEST - 1}"
