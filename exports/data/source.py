"""The records somebody wants, as rows of tables, read while they are taken. Every format is written from a `Source`."""

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from itertools import islice
from typing import Any, Generic, NamedTuple

import orjson
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import InstrumentedAttribute

from exports.csvfile import Cell
from exports.data.columns import Table, tables_of
from exports.data.versions import definition_of
from exports.data.wanted import Filters, Layout, told
from exports.kobo.query import id_of
from exports.kobo.rows import STATES
from exports.tables import VALUES, CellMaker, Made, Path, about, reader, records, rounds
from forms.problems import Problem
from records.access import Access, Right
from records.audit import note_taken
from records.models import Submission
from records.store import Store

BATCH = 500
_KOBO = (Submission.received_at, Submission.current_instance_id)
_CHECKS = (Submission.event_date, Submission.country, Submission.admin1, Submission.study_area, Submission.flags)


class Row(NamedTuple, Generic[Made]):
    """A row of a table, with the answers it was made from; `key` is its own."""

    table: Table
    key: str
    cells: list[Made]
    answers: Mapping[str, Any]


def held(connection: Connection, access: Access, form_id: str) -> dict[str, list[str]]:
    """By the name of a filter, what the records of a form have of it. Raises `Problem("not_allowed")`."""
    access.require(Right.SEE)
    of_form = (*access.visible(), Submission.form_id == form_id)
    columns = {"country": Submission.country, "area": Submission.study_area, "version": Submission.version}
    found = connection.execute(select(*columns.values()).distinct().where(*of_form)).all()
    return {name: sorted({str(row[index]) for row in found if row[index]}) for index, name in enumerate(columns)}


class Source:
    """What one person may see of one survey, narrowed and laid out as wanted."""

    needs: tuple[Right, ...] = (Right.SEE,)
    """One of these rights is asked for."""

    def __init__(
        self,
        connection: Connection,
        access: Access,
        form_id: str,
        filters: Filters | None = None,
        layout: Layout | None = None,
    ) -> None:
        """`connection` is one of `Store.snapshot`. Raises `Problem` not_allowed, form_unknown or not_found."""
        access.require(*self.needs)
        self.filters, self.layout = filters or Filters(), layout or Layout()
        self.connection, self.access, self.form_id = connection, access, form_id
        self.definition = definition_of(connection, access, form_id, self.filters.versions)
        self.tables = tables_of(self.definition, self.layout)
        self.done = 0
        """Records read so far."""

    def count(self) -> int:
        """How many records there are to be read."""
        query = select(func.count()).select_from(Submission).where(*self.access.visible(), Submission.form_id == self.form_id)
        return self.connection.execute(query.where(self.filters.condition())).scalar_one()

    def left_out_in_words(self) -> list[tuple[str, str]]:
        """(why, how many) of the records that are not told: none of what is exact."""
        return []

    def note(self, store: Store, format_name: str) -> None:
        """Leave in the log who takes exact data out, and which."""
        note_taken(store, self.access, self.form_id, format_name, **told(self.filters), rows=self.count())

    def table(self, name: str) -> Table:
        """The table of this name. Raises `Problem("not_found")`."""
        found = next((table for table in self.tables if table.name == name), None)
        if found is None:
            raise Problem(
                "not_found", f"There is no table {name[:100]}. There are: {', '.join(table.name for table in self.tables)}."
            )
        return found

    def records(self, *more: InstrumentedAttribute[Any]) -> Iterator[Any]:
        """The records as `exports.tables.records` gives them, with `more` columns at the end."""
        for record in records(self.connection, self.access, self.form_id, self.filters.condition(), more=more):
            self.done += 1
            yield record

    def rows(self, made: CellMaker[Made], *tables: Table) -> Iterator[Row[Made]]:
        """The rows of these tables (of all, where none is named): those of a record one after the other."""
        readers = {table.path: reader(table.questions, made) for table in tables or self.tables}
        root, read = self.tables[0], readers.pop((), None)
        self.done, totals = 0, Counter[Path]()
        for record in self.records(*_KOBO * self.layout.is_kobo, *_CHECKS * self.layout.checks):
            answers = orjson.loads(record[1])
            if read is not None:
                first, last = self._about(record)
                cells = [*made.of_cells(first), *read(answers), *made.of_cells(last)]
                yield Row(root, record[2], cells, self._placed(record, answers))
            if readers:
                for table, key, last, content in self._rounds(record, answers, readers, totals):
                    yield Row(table, key, [*readers[table.path](content), *made.of_cells(last)], content)

    def batches(self, *tables: Table) -> Iterator[list[Row[Cell]]]:
        """The same with values, several rows at a time."""
        found = self.rows(VALUES, *tables)
        while batch := list(islice(found, BATCH)):
            yield batch

    def _about(self, record: Any) -> tuple[list[Cell], list[Cell]]:
        """The cells about a record: before the answers, and after them."""
        first, last = ([], [*_about_kobo(record), self.done]) if self.layout.is_kobo else about(record)
        return first, [*last, *_about_checks(record)] if self.layout.checks else last

    def _placed(self, _: Any, answers: dict[str, Any]) -> Mapping[str, Any]:
        """The answers, among which a map finds the place of the record."""
        return answers

    def _rounds(
        self, record: Any, answers: dict[str, Any], wanted: Container[Path], totals: Counter[Path]
    ) -> Iterator[tuple[Table, str, list[Cell], Mapping[str, Any]]]:
        """(table, key, cells about it, answers) of the rounds. KoBoToolbox numbers all rows of a table: those around count too."""
        numbers = {record[2]: self.done}
        for table in self.tables[1:]:
            if table.path not in wanted and not self.layout.is_kobo:
                continue
            for parent_key, key, content in rounds(answers, record[2], (), list(table.repeats)):
                totals[table.path] += 1
                numbers[key] = totals[table.path]
                if table.path in wanted:
                    yield table, key, self._of_round(record, table, numbers, parent_key, key), content

    def _of_round(self, record: Any, table: Table, numbers: Mapping[str, int], parent_key: str, key: str) -> list[Cell]:
        if not self.layout.is_kobo:
            return [parent_key, key]
        around = table.repeats[-2] if len(table.repeats) > 1 else ()
        parent = next(each.name for each in self.tables if each.path == around)
        number, uuid, came, *_ = _about_kobo(record)
        return [numbers[key], parent, numbers.get(parent_key), number, uuid, came]


def _about_kobo(record: Any) -> list[Cell]:
    """The cells of `KOBO_ABOUT` but for the last."""
    written, _, key, _, user, _, _, state, _, _, version, _, received, current, *_ = record
    came = written[:19]
    status = STATES.get(state, {}).get("label")
    return [id_of(received), current.removeprefix("uuid:"), came, status, None, "submitted_via_web", user, version, None, key]


def _about_checks(record: Any) -> list[Cell]:
    """The cells of `ABOUT_CHECKS`."""
    day, country, admin1, area, flags = record[-len(_CHECKS) :]
    waiting = dict.fromkeys(flag["code"] for flag in flags if "settled" not in flag)
    return [day and day.isoformat(), country, admin1, area, " ".join(waiting) or None]
