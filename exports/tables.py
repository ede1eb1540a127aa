"""The records of one form as CSV in the layout of ODK Central, which people's scripts already read.

Columns: SubmissionDate, every question as group-question, geopoints in four columns, then the columns about the submission. The
table of a repeat has the questions inside it, PARENT_KEY and KEY. Tables are streamed: memory does not grow with the number of
records.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Generic, NamedTuple, Protocol, TextIO, TypeVar

import orjson
from sqlalchemy import ColumnElement, Connection, Text, case, cast, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute

from exports.csvfile import Cell, as_texts, write_table, write_texts
from forms.datatypes import read_point
from forms.definition import Field, FormDefinition
from forms.problems import Problem
from records.access import Access, Right
from records.forms import latest_xform
from records.models import AppUser, Attachment, Submission
from records.models.base import MOMENT_TEXT

Path = tuple[str, ...]
Split = Callable[[Any], Iterable[Cell]]
Made = TypeVar("Made")
Reader = Callable[[Mapping[str, Any]], list[Made]]
"""Picks the cells of a row from answers."""
PLAIN = frozenset({str, int, float, bool, type(None)})
BATCH = 500
_REMEMBERED, _SHORT = 256, 100  # answers, characters

ABOUT_FIRST = ("SubmissionDate",)
ABOUT_LAST = (
    "KEY",
    "SubmitterID",
    "SubmitterName",
    "AttachmentsPresent",
    "AttachmentsExpected",
    "Status",
    "ReviewState",
    "DeviceID",
    "Edits",
    "FormVersion",
)
ABOUT_ROUND = ("PARENT_KEY", "KEY")
POINT_PARTS = ("Latitude", "Longitude", "Altitude", "Accuracy")


class HasPath(Protocol):
    """A question to be read: its path from the root or repeat of its table, and how it is split into cells, if it is."""

    @property
    def path(self) -> Path: ...
    @property
    def split(self) -> Split | None: ...


class CellMaker(NamedTuple, Generic[Made]):
    """How cells are made: one from an answer, and several from what already fits into cells. See `VALUES` and `TEXTS`."""

    of_answer: Callable[[Any], Made]
    of_cells: Callable[[Iterable[Cell]], list[Made]]


class Column(NamedTuple):
    """A question below the root or a repeat: its path from there, and its type."""

    path: Path
    type: str

    @property
    def header(self) -> list[str]:
        """One heading, or four for a geopoint."""
        name = "-".join(self.path)
        return [f"{name}-{part}" for part in POINT_PARTS] if self.type == "geopoint" else [name]

    @property
    def split(self) -> Split | None:
        """How an answer becomes several cells, for a type that has several headings."""
        return split_point if self.type == "geopoint" else None


class Table(NamedTuple):
    """A table to be written: its headings, and its rows, which are read while they are taken."""

    header: list[str]
    rows: Iterator[list[str]]


def write_csv(connection: Connection, access: Access, form_id: str, stream: TextIO, *, repeat: Path = ()) -> int:
    """Write the root table of a form, or of one of its repeats, to a stream opened with `newline=""`; give the number of rows.

    Columns are those of the current version of the form. Raises `Problem` form_unknown, or not_found for a repeat it does not have.
    """
    definition = FormDefinition.from_xform(latest_xform(connection, access.project_id, form_id))
    return write_all(stream, table(connection, access, definition, repeat=repeat))


def write_all(stream: TextIO, table: Table) -> int:
    """Write a table to a stream opened with `newline=""`; give the number of rows."""
    write_table(stream, table.header, ())
    return write_texts(stream, table.rows)


def table(
    connection: Connection,
    access: Access,
    definition: FormDefinition,
    *,
    repeat: Path = (),
    condition: ColumnElement[bool] | None = None,
) -> Table:
    """The root table of a form, or of one of its repeats; `condition` narrows the records. Raises `Problem("not_found")`."""
    columns = list(_columns(asked_in(definition, repeat), len(repeat)))
    headings = [heading for column in columns for heading in column.header]
    found = records(connection, access, definition.form_id, condition)
    if repeat:
        return Table([*headings, *ABOUT_ROUND], _repeat_rows(definition, found, repeat, columns))
    return Table([*ABOUT_FIRST, *headings, *ABOUT_LAST], _root_rows(found, columns))


def write_answers(
    definition: FormDefinition, records: Iterable[tuple[str, Mapping[str, Any]]], stream: TextIO, *, repeat: Path = ()
) -> int:
    """Write the same columns, and KEY, of answers that are not in the database: (key, answers) of records just decrypted."""
    columns = list(_columns(asked_in(definition, repeat), len(repeat)))
    headings = [heading for column in columns for heading in column.header]
    read = reader(columns, TEXTS)
    if not repeat:
        return write_all(stream, Table([*headings, "KEY"], ([*read(answers), key] for key, answers in records)))
    outer = around(definition, repeat)
    found = (each for key, answers in records for each in rounds(answers, key, (), outer))
    return write_all(stream, Table([*headings, *ABOUT_ROUND], ([*read(answers), above, key] for above, key, answers in found)))


def repeats_of(definition: FormDefinition) -> list[Path]:
    """Give the paths of all repeats of a form, the outer before the inner."""
    return [field.path for field in definition.walk() if field.kind == "repeat"]


def asked_in(definition: FormDefinition, repeat: Path) -> tuple[Field, ...]:
    """What the table of a repeat is about, or with an empty path the root table. Raises `Problem("not_found")`."""
    if not repeat:
        return definition.fields
    found = definition.by_path.get(repeat)
    if found is None or found.kind != "repeat":
        raise Problem("not_found", f"The form {definition.form_id} has no repeat {'/'.join(repeat)}.")
    return found.children


def _columns(fields: tuple[Field, ...], depth: int) -> Iterator[Column]:
    for field in fields:
        if field.kind == "group":
            yield from _columns(field.children, depth)
        elif field.kind == "question":
            yield Column(field.path[depth:], field.type)


def present_files() -> ColumnElement[int]:
    """How many files of a record are here, as a part of a query for `submission`."""
    same = (Attachment.project_id == Submission.project_id, Attachment.form_id == Submission.form_id)
    names = select(func.count(Attachment.name.distinct())).where(*same)
    of_two = names.where(Attachment.instance_id.in_((Submission.instance_id, Submission.current_instance_id)))
    of_one = names.where(Attachment.instance_id == Submission.instance_id)
    is_one = Submission.instance_id == Submission.current_instance_id  # most: nobody corrected them, and one look is enough
    return case((is_one, of_one.scalar_subquery()), else_=of_two.scalar_subquery())


def records(
    connection: Connection,
    access: Access,
    form_id: str,
    condition: ColumnElement[bool] | None = None,
    *,
    more: Sequence[InstrumentedAttribute[Any]] = (),
) -> Iterator[Any]:
    """Read the records in the order they arrived, with `more` columns at the end; answers stay JSON until they are needed.

    Raises `Problem("not_allowed")`.
    """
    access.require(Right.SEE)
    query = (
        select(
            *(type_coerce(Submission.received_at, MOMENT_TEXT), cast(Submission.answers, Text), Submission.instance_id),
            *(Submission.app_user_id, AppUser.name, present_files(), Submission.files, Submission.review_state),
            *(Submission.device_id, Submission.edits, Submission.version, Submission.encrypted),
            *more,
        )
        .join(AppUser, AppUser.id == Submission.app_user_id, isouter=True)
        .where(*access.visible(), Submission.form_id == form_id)
        .order_by(Submission.received_at, Submission.instance_id)
    )
    if condition is not None:
        query = query.where(condition)
    yield from connection.execute(query, execution_options={"yield_per": BATCH})


def about(record: Any) -> tuple[list[Cell], list[Cell]]:
    """The cells of `ABOUT_FIRST` and of `ABOUT_LAST` for one of `records`."""
    received, _, key, user_id, user, present, files, state, device, edits, version, encrypted = record[:12]
    status, review = "notDecrypted" if encrypted else None, None if state == "received" else state
    return [received], [key, user_id, user, present, len(files), status, review, device, edits, version]


def _root_rows(found: Iterator[Any], columns: list[Column]) -> Iterator[list[str]]:
    read = reader(columns, TEXTS)
    for record in found:
        first, last = about(record)
        yield [*as_texts(first), *read(orjson.loads(record[1])), *as_texts(last)]


def _repeat_rows(definition: FormDefinition, found: Iterator[Any], repeat: Path, columns: list[Column]) -> Iterator[list[str]]:
    read = reader(columns, TEXTS)
    outer = around(definition, repeat)
    for record in found:
        for parent_key, key, answers in rounds(orjson.loads(record[1]), record[2], (), outer):
            yield [*read(answers), parent_key, key]


def around(definition: FormDefinition, repeat: Path) -> list[Path]:
    """The repeats around a table and its own, the outer first."""
    return [path for path in repeats_of(definition) if repeat[: len(path)] == path]


def rounds(answers: Any, key: str, above: Path, repeats: list[Path]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Go down through the repeats around a table: the key of the parent, of the round, and its answers."""
    here, *inner = repeats
    found = answers
    for name in here[len(above) :]:
        found = found.get(name) if isinstance(found, dict) else None
    for number, content in enumerate(found if isinstance(found, list) else (), start=1):
        own_key = f"{key}/{'/'.join(here[len(above) :])}[{number}]"
        if inner:
            yield from rounds(content, own_key, here, inner)
        elif isinstance(content, dict):
            yield key, own_key, content


def reader(columns: Iterable[HasPath], made: CellMaker[Made]) -> Reader[Made]:
    """Make the function that picks the cells of a row from answers.

    It goes through the answers and not through the columns: most questions of a long form are asked of few people.
    """
    blank: list[Made] = []
    places: dict[str, Any] = {}
    splits: dict[Split, Callable[[Any], Iterable[Made]]] = {}
    cell_of = made.of_answer
    for column in columns:
        group = places
        for name in column.path[:-1]:
            group = group.setdefault(name, {})
        start, split = len(blank), column.split
        if split is None:
            blank.append(cell_of(None))
            group[column.path[-1]] = start
        else:
            blank += made.of_cells(split(None))
            group[column.path[-1]] = slice(start, len(blank)), splits.setdefault(split, _remembering(split, made))

    def read(answers: Mapping[str, Any]) -> list[Made]:
        row = blank.copy()
        fill(row, places, answers)
        return row

    def fill(row: list[Any], places: dict[str, Any], answers: Mapping[str, Any]) -> None:
        """Put answers where they belong: `places` has the number of a cell, the cells of what is split, or those of a group."""
        for name, value in answers.items():
            place = places.get(name)
            if type(place) is int:
                row[place] = value if type(value) is str else cell_of(value)
            elif type(place) is tuple:
                row[place[0]] = place[1](value)
            elif place is not None and isinstance(value, dict):
                fill(row, place, value)

    return read


def _remembering(split: Split, made: CellMaker[Made]) -> Callable[[Any], Iterable[Made]]:
    """The same, and what was made lately is not made again: many forms work out a position from one that was asked for."""

    def cells(value: Any) -> list[Made]:
        return made.of_cells(split(value))

    kept = lru_cache(_REMEMBERED)(cells)
    return lambda value: kept(value) if type(value) is str and len(value) <= _SHORT else cells(value)


def plain(value: Any) -> Cell:
    """An answer as one cell."""
    return value if type(value) in PLAIN else as_text(value)


def _written(value: Any) -> str:
    return "" if value is None else value if type(value) is str else str(value) if type(value) in PLAIN else as_text(value)


def as_text(value: Any) -> str:
    """An answer that is no plain value, as JSON."""
    return orjson.dumps(value).decode()


VALUES: CellMaker[Cell] = CellMaker(plain, list)
TEXTS: CellMaker[str] = CellMaker(_written, as_texts)


def split_point(value: Any) -> tuple[Cell, ...]:
    """Split a geopoint in four. What cannot be read stands whole in the first column."""
    if value is None or value == "":
        return None, None, None, None
    if not isinstance(value, str):
        return as_text(value), None, None, None
    try:
        return read_point(value)
    except ValueError:
        return value, None, None, None
