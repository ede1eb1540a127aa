"""From the questions of a form to the columns of its tables, in the words that were asked for.

`columns_of` is the one place where it is chosen what becomes a column, whatever is written from it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from exports.csvfile import Cell
from exports.data.wanted import Layout
from exports.tables import (
    ABOUT_FIRST,
    ABOUT_LAST,
    ABOUT_ROUND,
    POINT_PARTS,
    Path,
    Split,
    around,
    asked_in,
    plain,
    repeats_of,
    split_point,
)
from exports.zipped import entry_name
from forms.definition import Field, FormDefinition, pick

Kind = Literal["text", "int", "decimal", "date"]
KOBO_ABOUT = (
    *("_id", "_uuid", "_submission_time", "_validation_status", "_notes", "_status", "_submitted_by", "__version__"),
    *("_tags", "meta/rootUuid", "_index"),
)
KOBO_ROUND = (
    *("_index", "_parent_table_name", "_parent_index"),
    *("_submission__id", "_submission__uuid", "_submission__submission_time"),
)
ABOUT_CHECKS = ("EventDate", "Country", "Admin1", "StudyArea", "Flags")
"""The day it happened, where (ISO 3166-1, ISO 3166-2, code), and the codes of what nobody has settled yet, apart by blanks."""
_WHOLE = frozenset({"SubmitterID", "AttachmentsPresent", "AttachmentsExpected", "Edits", "_id", "_index", "_parent_index"})
_KINDS: dict[str, Kind] = {"int": "int", "integer": "int", "decimal": "decimal", "date": "date"}
PLACES = frozenset({"geopoint", "geotrace", "geoshape"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, and what its cells hold if the answer is what the question asks for."""

    header: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the columns its answer fills; `split` makes the cells of an answer, where it is not taken as it is."""

    path: Path
    split: Split | None
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Table:
    """A table: of the form, or of a repeat."""

    path: Path
    name: str
    columns: tuple[Column, ...]
    questions: tuple[Question, ...]
    places: tuple[tuple[Path, str], ...]
    """(path from the root of the table, type) of the questions that can give its geometry, the best first."""
    repeats: tuple[Path, ...]
    """The repeats around it and its own, the outer first."""

    @property
    def headers(self) -> list[str]:
        """The headings."""
        return [column.header for column in self.columns]


def tables_of(definition: FormDefinition, layout: Layout) -> list[Table]:
    """The table of the form, then those of its repeats, the outer before the inner."""
    return [_table(definition, layout, path) for path in [(), *repeats_of(definition)]]


def _table(definition: FormDefinition, layout: Layout, path: Path) -> Table:
    asked = list(_questions(asked_in(definition, path)))
    questions = list(columns_of(definition, layout, asked, len(path)))
    first, last = _about(layout, is_root=not path)
    answers = _unique((column for question in questions for column in question.columns), [*first, *last])
    return Table(
        path=path,
        name=entry_name("-".join((definition.form_id, *path))),
        columns=(*first, *answers, *last),
        questions=tuple(questions),
        places=_places(asked, layout.place, len(path)),
        repeats=tuple(around(definition, path)) if path else (),
    )


def columns_of(definition: FormDefinition, layout: Layout, asked: Iterable[Field], depth: int) -> Iterator[Question]:
    """The columns of these questions of a table that begins `depth` names below the root."""
    for field in asked:
        heading = _heading(definition, layout, field, depth)
        if field.type == "geopoint" and layout.split_points:
            yield _point(field.path[depth:], heading, layout)
        elif field.control in {"select", "rank"} and field.choices:
            yield _several(field, heading, layout, depth)
        elif field.choices and layout.language:
            yield Question(field.path[depth:], _labelling(_labels(field, layout.language)), (Column(heading, "text"),))
        else:
            yield Question(field.path[depth:], None, (Column(heading, _KINDS.get(field.type, "text")),))


def _questions(fields: Iterable[Field]) -> Iterator[Field]:
    for field in fields:
        if field.kind == "group":
            yield from _questions(field.children)
        elif field.kind == "question":
            yield field


def _point(path: Path, heading: str, layout: Layout) -> Question:
    parts = [part.lower() if part != "Accuracy" else "precision" for part in POINT_PARTS]
    if layout.is_kobo:
        columns = [Column(heading, "text"), *(Column(f"_{heading}_{part}", "decimal") for part in parts)]
        return Question(path, _whole_and_parts, tuple(columns))
    return Question(path, split_point, tuple(Column(f"{heading}-{part}", "decimal") for part in POINT_PARTS))


def _whole_and_parts(value: Any) -> tuple[Cell, ...]:
    return plain(value), *split_point(value)


def _several(field: Field, heading: str, layout: Layout, depth: int) -> Question:
    """The answers to a question with several of them in one cell, and on demand each choice as 1 or 0 in one of its own."""
    labels = _labels(field, layout.language) if layout.language else {}
    codes = list(dict.fromkeys(choice.name for choice in field.choices or ()))
    split = layout.split_selects and field.control == "select"

    def cells(value: Any) -> list[Cell]:
        chosen = value.split() if isinstance(value, str) else ()
        text = "; ".join(labels.get(code, code) for code in chosen) if labels and chosen else plain(value)
        return [text, *((None if not chosen else int(code in chosen)) for code in codes)] if split else [text]

    columns = [Column(heading, "text")]
    if split:
        columns += [Column(f"{heading}/{labels.get(code, code)}", "int") for code in codes]
    return Question(field.path[depth:], cells, tuple(columns))


def _labels(field: Field, language: str) -> dict[str, str]:
    return {choice.name: " ".join(pick(choice.labels, language).split()) or choice.name for choice in field.choices or ()}


def _labelling(labels: Mapping[str, str]) -> Split:
    return lambda value: (labels.get(value, value) if isinstance(value, str) else plain(value),)


def _heading(definition: FormDefinition, layout: Layout, field: Field, depth: int) -> str:
    between = "/" if layout.is_kobo else " - " if layout.language else "-"
    if not layout.language:
        return between.join(field.path[depth:] if layout.groups else field.path[-1:])
    own = " ".join(pick(field.labels, layout.language).split()) or field.name
    groups = [definition.by_path.get(field.path[:end]) for end in range(depth + 1, len(field.path))] if layout.groups else []
    above = [" ".join(pick(group.labels, layout.language).split()) for group in groups if group is not None]
    return between.join([*filter(None, above), own])


def _about(layout: Layout, *, is_root: bool) -> tuple[list[Column], list[Column]]:
    """The columns about the record: before the answers and after them."""
    names: tuple[Sequence[str], Sequence[str]]
    if layout.is_kobo:
        names = ((), KOBO_ABOUT if is_root else KOBO_ROUND)
    else:
        names = (ABOUT_FIRST, ABOUT_LAST) if is_root else ((), ABOUT_ROUND)
    if is_root and layout.checks:
        names = names[0], (*names[1], *ABOUT_CHECKS)
    before, after = ([Column(name, _kind_about(name)) for name in part] for part in names)
    return before, after


def _kind_about(name: str) -> Kind:
    if name == "EventDate":
        return "date"
    return "int" if name.removeprefix("_submission_") in _WHOLE else "text"


def _unique(columns: Iterable[Column], about: Iterable[Column]) -> Iterator[Column]:
    """Headings of which no two are alike, whatever their capitals; those about the record stay as everybody knows them."""
    taken = {column.header.lower() for column in about}
    for column in columns:
        header, number = column.header, 1
        while header.lower() in taken:
            number += 1
            header = f"{column.header} ({number})"
        taken.add(header.lower())
        yield Column(header, column.kind)


def _places(asked: Iterable[Field], wanted: str, depth: int) -> tuple[tuple[Path, str], ...]:
    found = [field for field in asked if field.type in PLACES]
    if wanted and not depth:
        found = [field for field in found if "-".join(field.path) == wanted]
    return tuple((field.path[depth:], field.type) for field in sorted(found, key=lambda field: not field.control))
