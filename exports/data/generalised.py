"""The records of one survey as they may leave the programme: cells and quarters in place of points and days, and no names or codes.

Everybody of a circle gets the same rows: there are no filters, since two answers to narrow questions tell a third one. Rows are in
the order of ids that phones draw at random and that are not told, so nothing follows from their order.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path as File
from typing import Any, NamedTuple

import numpy as np
import orjson
from sqlalchemy import Connection, Text, cast, select
from sqlalchemy.orm import InstrumentedAttribute

from exports.csvfile import Cell
from exports.data.columns import Column, Table, tables_of
from exports.data.grouping import Gathered, Group, Grouping, group_households, is_open, quarter_name, told_with
from exports.data.source import Source
from exports.data.telling import Common, Told, code_in, household_of, never_told
from exports.data.wanted import Layout
from exports.data.wildlife import group_wildlife
from exports.dataset import NEVER_COUNTED
from exports.indicators.disclosure import said
from exports.policy import WILDLIFE, Policy, stays_inside
from exports.regions import region_of
from exports.tables import ABOUT_FIRST, ABOUT_LAST, BATCH
from exports.windows import EPOCH
from forms.problems import Problem
from records.access import Access, Right
from records.audit import note
from records.models import Form, Submission
from records.store import Store

ABOUT = (
    Column("record", "int"),
    Column("release", "text"),
    Column("country", "text"),
    Column("admin1", "text"),
    Column("place", "text"),
    Column("place_level", "text"),
    Column("decimalLatitude", "decimal"),
    Column("decimalLongitude", "decimal"),
    Column("coordinateUncertaintyInMeters", "int"),
    Column("period", "text"),
    Column("period_start", "date"),
    Column("period_end", "date"),
)
REASONS = (Column("dataGeneralizations", "text"), Column("informationWithheld", "text"))
LEFT_OUT = {
    "inside": "tests, rejected or encrypted reports, and such with an error nobody settled",
    "undated": "reports without a day",
    "consent": "reports without consent",
    "never": "dens, young, dead leopards and collars",
    "open": "reports of quarters that are not told of yet",
    "few": "reports that could not be put together with those of four other households",
}
"""Why records are left out, in words."""
_POINT = "the place"
"""Where the map finds the place of a row: under a name that no question has."""


class _Seen(NamedTuple):
    """What is known of a record that may be told of."""

    latitude: float
    longitude: float
    accuracy: float
    shared: bool
    day: int
    quarter: int
    country: str
    household: int


class Single(NamedTuple):
    """One record as it is told. Its own id is for whoever writes it, and never leaves."""

    instance_id: str
    group: Group
    answers: dict[str, Any]
    generalisation: str
    withheld: str


class Generalised(Source):
    """What a circle of readers is told of one survey. It is read three times: for groups, for answers, and to be written."""

    needs = (Right.EXPORTS,)

    def __init__(
        self,
        connection: Connection,
        access: Access,
        form_id: str,
        policy: Policy,
        as_of: date,
        layout: Layout | None = None,
        *,
        boundaries: File | None = None,
    ) -> None:
        """`as_of` is the day it is told on. Raises `Problem` not_allowed, form_unknown, or not_supported for what never leaves."""
        access.require(*self.needs)
        own = select(Form.confidential).filter_by(project_id=access.project_id, form_id=form_id)
        if stays_inside(form_id) or connection.execute(own).scalar():
            raise Problem("not_supported", f"{form_id}: single records are never told.", hint="Figures are in the releases.")
        super().__init__(connection, access, form_id, layout=_layout(layout or Layout()))
        self.policy, self.as_of = policy, as_of
        self._codes = household_of(self.definition)
        self._asks_consent = ("consent",) in self.definition.by_path
        self._asks_share = ("consent_share",) in self.definition.by_path
        self._is_wildlife = form_id in WILDLIFE
        if not self._is_wildlife and not self._codes:
            detail = f"{form_id} asks for no code of a household, so nobody can tell whether five stand behind a place."
            raise Problem("not_supported", detail, hint="Mark the question for it in the form (docs/privacy.md).")
        telling = Told.of(self.definition)
        self.definition = telling.definition
        self.tables = [_generalised(table) for table in tables_of(self.definition, self.layout)]
        self.left_out: Counter[str] = Counter()
        self._withheld = telling.reason(counted=not self._is_wildlife)
        self._group_of: dict[str, int] = {}
        self._grouping = self._grouped(boundaries)
        self._common = self._counted()

    def count(self) -> int:
        """How many records are told of."""
        return len(self._group_of)

    def left_out_in_words(self) -> list[tuple[str, str]]:
        """(why, how many) of the records that are not told; below five it is not said exactly."""
        return [(words, said(self.left_out[reason])) for reason, words in LEFT_OUT.items() if self.left_out[reason]]

    def note(self, store: Store, format_name: str) -> None:
        """Leave in the log who takes them out."""
        detail = {"format": format_name, "level": self.policy.name, "rows": self.count()}
        actor, project_id = self.access.actor, self.access.project_id
        store.write(lambda write: note(write, "data.generalised", self.form_id, actor=actor, project_id=project_id, **detail))

    def records(self, *more: InstrumentedAttribute[Any]) -> Iterator[Any]:
        """(group, answers that are told as JSON, number as key) of each record, and nothing `more`."""
        for group, answers, _ in self._told():
            self.done += 1
            yield group, orjson.dumps(self._common[group.quarter].told(answers)), str(self.done)

    def singles(self) -> Iterator[Single]:
        """The records one by one, in the order of their ids, for files that are no table of answers."""
        for group, answers, key in self._told():
            yield Single(key, group, self._common[group.quarter].told(answers), _generalisation(group), self._withheld)

    def _about(self, record: Any) -> tuple[list[Cell], list[Cell]]:
        group, _, key = record
        where = [group.country, group.admin1, group.place, group.level, group.latitude, group.longitude, group.uncertainty]
        when = [group.period, group.first and group.first.isoformat(), group.last.isoformat()]
        return [int(key), quarter_name(group.quarter), *where, *when], [_generalisation(group), self._withheld]

    def _placed(self, record: Any, answers: dict[str, Any]) -> Mapping[str, Any]:
        group, *_ = record
        return answers if group.latitude is None else {**answers, _POINT: f"{group.latitude} {group.longitude} 0 0"}

    def _grouped(self, boundaries: File | None) -> Grouping:
        keys, seen = [], []
        households: dict[str, int] = {}
        for key, record in self._read():
            found = self._seen(record, households)
            if isinstance(found, str):
                self.left_out[found] += 1
            else:
                keys.append(key)
                seen.append(found)
        columns = zip(*seen, strict=True) if seen else ([] for _ in _Seen._fields)
        types = (np.float64, np.float64, np.float64, np.bool_, np.int64, np.int64, np.str_, np.int64)
        gathered = Gathered(*(np.array(list(column), kind) for column, kind in zip(columns, types, strict=True)))
        make = group_wildlife if self._is_wildlife else group_households
        grouping = make(gathered, self.policy, region_of(boundaries))
        self._group_of = {key: group for key, group in zip(keys, grouping.group.tolist(), strict=True) if group >= 0}
        self._household = {key: each.household for key, each in zip(keys, seen, strict=True) if key in self._group_of}
        self.left_out["few"] += len(keys) - len(self._group_of)
        return grouping

    def _seen(self, record: Any, households: dict[str, int]) -> _Seen | str:
        """What is needed of a record, or why it is left out."""
        answers = orjson.loads(record.answers)
        day, reason = record.event_date, self._refused(record, answers)
        if reason:
            return reason
        quarter = told_with(day, record.received_at.date())
        if is_open(quarter, self.policy, self.as_of):
            return "open"
        code = code_in(answers, self._codes)
        latitude, longitude, accuracy = (
            np.nan if value is None else value for value in (record.latitude, record.longitude, record.accuracy)
        )
        return _Seen(
            latitude=latitude if np.isfinite(longitude) else np.nan,
            longitude=longitude,
            accuracy=accuracy,
            shared=not self._asks_share or answers.get("consent_share") == "yes",
            day=(day - EPOCH).days,
            quarter=quarter,
            country=record.country or str(answers.get("country") or "")[:2],
            household=households.setdefault(code, len(households)) if code else -1,
        )

    def _refused(self, record: Any, answers: dict[str, Any]) -> str:
        reasons = {
            "inside": record.review_state in NEVER_COUNTED or answers.get("submission_purpose") == "test",
            "undated": record.event_date is None,
            "consent": self._asks_consent and answers.get("consent") != "yes",
            "never": never_told(answers),
        }
        return next((name for name, applies in reasons.items() if applies), "")

    def _counted(self) -> dict[int, Common]:
        """By quarter, which answers enough households gave."""
        fields, counted = self.definition.fields, not self._is_wildlife
        common: dict[int, Common] = defaultdict(lambda: Common(fields, counted=counted))
        for group, answers, key in self._told():
            common[group.quarter].add(answers, self._household[key])
        return common

    def _told(self) -> Iterator[tuple[Group, dict[str, Any], str]]:
        for key, record in self._read():
            if key in self._group_of:
                yield self._grouping.groups[self._group_of[key]], orjson.loads(record.answers), key

    def _read(self) -> Iterator[tuple[str, Any]]:
        own = Submission
        columns = (own.instance_id, own.review_state, own.event_date, own.received_at, own.latitude, own.longitude, own.accuracy)
        query = select(*columns, own.country, cast(own.answers, Text).label("answers")).where(
            *self.access.visible(), own.form_id == self.form_id, own.encrypted.is_(False), own.excluded.is_(False)
        )
        for record in self.connection.execute(query.order_by(own.instance_id), execution_options={"yield_per": BATCH}):
            yield record.instance_id, record


def _layout(asked: Layout) -> Layout:
    """Of a layout, what changes only headings and how choices are written."""
    return Layout(groups=asked.groups, split_selects=asked.split_selects, language=asked.language)


def _generalisation(group: Group) -> str:
    unit = "the middle of a fixed cell" if group.latitude is not None else "an administrative unit"
    return f"place generalised to {unit} ({group.level}), day to {group.period}"


def _generalised(table: Table) -> Table:
    """A table without the columns that say where a record comes from."""
    if table.path:
        return replace(table, places=())
    taken = {column.header.lower() for column in (*ABOUT, *REASONS)}
    asked = table.columns[len(ABOUT_FIRST) : -len(ABOUT_LAST)]
    own = [replace(each, header=f"{each.header} (asked)") if each.header.lower() in taken else each for each in asked]
    return replace(table, columns=(*ABOUT, *own, *REASONS), places=(((_POINT,), "geopoint"),))
