"""Reading a table page by page: a page begins where the one before ended, so the last costs no more than the first.

A connection is held for one batch of records, never for as long as a slow client takes.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, String, Text, and_, cast, func, or_, select

from exports.odata.expressions import Column, Columns, Order, condition, order
from exports.odata.model import ROOT, Table
from exports.odata.options import Options, Place, part_of, selected
from exports.odata.rows import Row as OutRow
from exports.odata.rows import Shape, moment
from exports.tables import present_files
from forms.problems import Problem
from records.access import Access, Right
from records.models import AppUser, Submission

BATCH = 500
Read = Callable[[], AbstractContextManager[Connection]]
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_COLUMNS: Columns = {
    "__id": Column(Submission.__table__.c.instance_id, "text", is_unique=True),
    "__system/submissionDate": Column(Submission.__table__.c.received_at, "moment"),
    "__system/updatedAt": Column(Submission.__table__.c.updated_at, "moment", low=_LONG_AGO),
    "__system/deletedAt": Column(Submission.__table__.c.deleted_at, "moment", low=_LONG_AGO),
    "__system/submitterId": Column(Submission.__table__.c.app_user_id, "number", low=0),
    "__system/reviewState": Column(func.nullif(Submission.__table__.c.review_state, "received", type_=String), "text", low=""),
}
_INSIDE = f"$root/{ROOT}/"
NEWEST_FIRST = "__system/submissionDate desc,__id desc"


def columns_for(table: Table) -> Columns:
    """What $filter and $orderby may name: columns of the record, also for the rows of a repeat."""
    return {f"{_INSIDE}{name}": column for name, column in _COLUMNS.items()} if table.repeats else _COLUMNS


def filtered(text: str, table: Table, access: Access) -> list[ColumnElement[bool]]:
    """What may be seen and passes $filter; deleted records only where it asks about deletion."""
    wanted = [condition(text, columns_for(table))] if text else []
    return [*access.visible(with_deleted="__system/deletedAt" in text), *wanted]


@dataclass
class Reading:
    """One request for rows of a table. `rows` gives them; what is left then is told by `next_place`."""

    read: Read
    access: Access
    form_id: str
    table: Table
    options: Options
    instance_id: str | None = None
    """Only rows of this record."""
    below: str | None = None
    """Only rows of a repeat that belong to the row with this id."""
    only: str | None = None
    """Only the row of a repeat with this id."""
    next_place: Place | None = None

    def __post_init__(self) -> None:
        self.access.require(Right.SEE)
        prefix = _INSIDE if self.table.repeats else ""
        chosen = self.options.orderby or ",".join(prefix + part for part in NEWEST_FIRST.split(","))
        self._orders = _complete(order(chosen, columns_for(self.table)))
        self._where = [Submission.form_id == self.form_id, *filtered(self.options.filter, self.table, self.access)]
        if self.instance_id is not None:
            self._where.append(Submission.instance_id == self.instance_id)
        self._shape = Shape(self.table, wkt=self.options.wkt, expand=self.options.expand)
        self._selected = selected(self.table, self.options.select)
        self._start = self._values(self.options.place.at) if self.options.place else None

    @cached_property
    def count(self) -> int:
        """How many rows there are without $top and $skip; pages after the first repeat what the first said."""
        if self.options.place is not None and self.options.place.count is not None:
            return self.options.place.count
        if not self.table.repeats:
            with self.read() as connection:
                return connection.execute(select(func.count()).select_from(Submission).where(*self._where)).scalar_one()
        return sum(1 for record in self._records(None) for _ in self._rows_of(record))

    def rows(self) -> Iterator[OutRow]:
        """The rows that are asked for, and no more of them in memory than a batch."""
        top, skip = self.options.top, self.options.skip if self.table.repeats else 0
        given = 0
        last: tuple[Row[Any], int] | None = None
        for record, number, row in self._from_start():
            if skip:
                skip -= 1
                continue
            if top is not None and given == top:
                self.next_place = self._place(last)
                return
            given += 1
            last = record, number
            yield part_of(row, self._selected)

    def _place(self, last: tuple[Row[Any], int] | None) -> Place | None:
        """Where the page ended; a page of nothing leads nowhere."""
        if last is None:
            return None
        at = [_plain(getattr(last[0], f"key_{index}")) for index in range(len(self._orders))]
        return Place(at, last[1], self.count if self.options.count else None)

    def _from_start(self) -> Iterator[tuple[Row[Any], int, OutRow]]:
        """(record, number of the row in it, row) after the place where the page before ended."""
        place = self.options.place
        for record in self._records(self._start):
            is_same = place is not None and self._start is not None and record.instance_id == place.at[-1]
            for number, row in enumerate(self._rows_of(record), start=1):
                if not (is_same and place is not None and number <= place.rows):
                    yield record, number, row

    def _rows_of(self, record: Row[Any]) -> Iterator[OutRow]:
        for row in self._shape.rows(record.instance_id, orjson.loads(record.answers)):
            if not self.table.repeats:
                yield {"__id": row["__id"], "__system": _system(record), **row}
            elif self.below in {None, row[self.table.parent_key]} and self.only in {None, row["__id"]}:
                yield row

    def _records(self, start: list[Any] | None) -> Iterator[Row[Any]]:
        is_first, offset = True, 0 if self.table.repeats else self.options.skip
        size = BATCH if self.options.top is None else min(BATCH, self.options.top + 1)
        while True:
            query = self._query()
            if start is not None:
                query = query.where(_from(self._orders, start, inclusive=is_first and bool(self.table.repeats)))
            with self.read() as connection:
                batch = connection.execute(query.limit(size).offset(offset if is_first else 0)).all()
            yield from batch
            if len(batch) < size:
                return
            start, is_first = [getattr(batch[-1], f"key_{index}") for index in range(len(self._orders))], False

    def _query(self) -> Any:
        keys = [each.expression.label(f"key_{index}") for index, each in enumerate(self._orders)]
        about = (Submission.instance_id, Submission.received_at, Submission.updated_at, Submission.deleted_at)
        more = (Submission.app_user_id, Submission.files, Submission.encrypted, Submission.review_state)
        last = (Submission.device_id, Submission.edits, Submission.version, AppUser.name.label("app_user"))
        answers = cast(Submission.answers, Text).label("answers")
        orders = [each.expression.desc() if each.descending else each.expression.asc() for each in self._orders]
        return (
            select(*about, *more, *last, answers, present_files().label("present"), *keys)
            .join(AppUser, AppUser.id == Submission.app_user_id, isouter=True)
            .where(*self._where)
            .order_by(*orders)
        )

    def _values(self, at: list[Any]) -> list[Any]:
        """The values of a $skiptoken as the database has them. Raises `Problem("value_invalid")`."""
        if len(at) != len(self._orders):
            raise _foreign()
        return [_value(each, given) for each, given in zip(self._orders, at, strict=True)]


def nothing(reading: Reading) -> bool:
    """Whether there is no row at all, which is looked for in vain with the id of a record that nobody sees."""
    return next(replace(reading, options=Options(top=1)).rows(), None) is None


def _complete(orders: list[Order]) -> list[Order]:
    """An order in which no two records are alike."""
    if any(each.column.is_unique for each in orders):
        return orders[: next(index for index, each in enumerate(orders) if each.column.is_unique) + 1]
    return [*orders, Order("__id", _COLUMNS["__id"], orders[-1].descending)]


def _from(orders: list[Order], values: list[Any], *, inclusive: bool) -> ColumnElement[bool]:
    """What comes after these values; written so that an index on the first column is used."""
    (first, *others), (value, *rest) = orders, values
    beyond = first.expression < value if first.descending else first.expression > value
    if not others:
        return or_(beyond, first.expression == value) if inclusive else beyond
    not_before = first.expression <= value if first.descending else first.expression >= value
    return and_(not_before, or_(beyond, _from(others, rest, inclusive=inclusive)))


def _value(each: Order, given: Any) -> Any:
    if each.column.kind == "moment":
        try:
            return datetime.fromisoformat(given).astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            raise _foreign() from None
    if each.column.kind == "number":
        if type(given) is not int or abs(given) >= 2**63:
            raise _foreign()
    elif not isinstance(given, str) or "\0" in given:
        raise _foreign()
    return given


def _foreign() -> Problem:
    return Problem("value_invalid", "$skiptoken: take it from a nextLink of this very request.")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _system(record: Row[Any]) -> OutRow:
    return {
        "submissionDate": moment(record.received_at),
        "updatedAt": moment(record.updated_at),
        "deletedAt": moment(record.deleted_at),
        "submitterId": None if record.app_user_id is None else str(record.app_user_id),
        "submitterName": record.app_user,
        "attachmentsPresent": record.present,
        "attachmentsExpected": len(record.files),
        "status": "notDecrypted" if record.encrypted else None,
        "reviewState": None if record.review_state == "received" else record.review_state,
        "deviceId": record.device_id or None,
        "edits": record.edits,
        "formVersion": record.version,
    }
