"""Counting conflict reports as two pure functions: `part` makes a small aggregate of some of the records, `merge` joins aggregates.

Batches of one process and partitions on many machines go the same way: whatever is cut into whatever parts, merged in whatever
order, gives the same result. Records are never refused for what they say, so every answer may be missing or of the wrong type.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import orjson

from exports.grid import H3, CellCounts, Grid
from exports.grid import merge as merged_cells
from exports.reports import UNKNOWN, Reports, certainty_of
from exports.windows import EPOCH
from forms.numbers import official
from forms.spelling import ascii_digits, folded
from forms.submission import case_number

NEVER_COUNTED = ("rejected", "duplicate")
NO_CODE = ("", "new")
"""What stands in place of a household code that is not known."""
ALL_LARGE_CARNIVORES = "all_large_carnivores"
LARGE_CARNIVORES = frozenset(
    ("leopard", "wolf", "bear_brown", "bear_black", "lynx", "hyena", "cheetah", "snow_leopard"),
)
"""The predators that are counted together under that name."""
SMALL_STOCK = ("sheep", "goat")
MOST_ANIMALS = 500
"""The form allows no more in one row; a larger number is no count."""
DEAREST = 1e12
"""An animal worth more, in whatever currency, is a slip."""


COUNTED = (
    *("submission_purpose", "consent", "consent_share", "country", "reporter/household_code"),
    *("cause/predator", "cause/confidence", "losses_g/currency", "losses_g/loss"),
)
"""The questions whose answers are counted, by their groups."""


class Record(NamedTuple):
    """One conflict report: where it happened in degrees and metres, when, and what was answered of it."""

    instance_id: str
    review_state: str
    latitude: float | None
    longitude: float | None
    accuracy: float | None
    event_date: str | None
    """ISO 8601."""
    answers: str
    """Those to `COUNTED` as a list in JSON, null where there is none."""


class Visit(NamedTuple):
    """What a verification visit found. An empty text was not answered."""

    predator: str
    finding: str
    scalp: str


_UNVISITED = Visit("", "", "")


@dataclass(frozen=True)
class Question:
    """What is asked of every part. Of records before `start` only the reports are kept: a history needs them.

    `visits` are by what they name their report by (`bare`), `joined` numbers incidents of several reports by instance id.
    """

    predator: str
    start: date
    visits: Mapping[str, Visit] = field(default_factory=dict)
    joined: Mapping[str, int] = field(default_factory=dict)
    grid: Grid = H3

    @property
    def predators(self) -> frozenset[str]:
        """The codes that are counted."""
        return LARGE_CARNIVORES if self.predator == ALL_LARGE_CARNIVORES else frozenset((self.predator,))


@dataclass(frozen=True)
class Aggregate:
    """What is known of some records. `reports.household` are positions in `households`, the codes as compared, ascending."""

    reports: Reports
    households: tuple[str, ...]
    touched: CellCounts
    left_out: Mapping[str, int]
    months: frozenset[tuple[str, str]] = frozenset()
    """The months (2026-05) of the window in which there was any report from a country (ISO 3166-1)."""


def part(records: Iterable[Record | tuple[Any, ...]], question: Question) -> Aggregate:
    """Count some of the conflict reports. Those of other predators still show that somebody was there."""
    predators, visits, joined, start = question.predators, question.visits, question.joined, question.start.isoformat()
    left_out: Counter[str] = Counter()
    points: list[tuple[float, float]] = []
    months: set[tuple[str, str]] = set()
    households: dict[str, int] = {}
    rows = []
    for instance_id, review_state, latitude, longitude, accuracy, event_date, document in records:
        is_past = event_date is not None and event_date < start
        purpose, consent, share, where, household, cause, confidence, currency, losses = orjson.loads(document)
        reason = _not_counted(review_state, purpose, event_date)
        if reason or event_date is None:
            left_out[reason] += not is_past
            continue
        country = text_of(where)[:2]
        if not is_past:
            months.add((country, event_date[:7]))
            if latitude is not None and longitude is not None:
                points.append((latitude, longitude))
        visit = _visit(visits, instance_id) if visits else _UNVISITED
        predator = visit.predator or cause
        if not isinstance(predator, str) or predator not in predators:
            left_out["n_other_predator"] += not is_past
            continue
        rows.append(
            (
                _day(event_date),
                latitude,
                longitude,
                accuracy,
                UNKNOWN if (told := _folded(text_of(household))) in NO_CODE else households.setdefault(told, len(households)),
                certainty_of(confidence, visit.finding, visit.scalp),
                consent == share == "yes",
                country,
                *_losses(losses, currency),
                joined.get(instance_id, -1),
                1,
                predator,
            )
        )
    touched = np.array(points, np.float64).reshape(-1, 2)
    codes = tuple(sorted(households))
    return Aggregate(
        _renumbered(Reports.from_rows(rows), households, _positions(codes)),
        codes,
        question.grid.part(touched[:, 0], touched[:, 1]),
        left_out,
        frozenset(months),
    )


def places(grid: Grid, latitudes: Iterable[float], longitudes: Iterable[float]) -> Aggregate:
    """Count places of other records, which only show that somebody was there."""
    here = np.array([*latitudes], np.float64), np.array([*longitudes], np.float64)
    return Aggregate(Reports.from_rows([]), (), grid.part(*here), {})


def merge(aggregates: Iterable[Aggregate]) -> Aggregate:
    """Join aggregates of records that have none in common."""
    every = list(aggregates)
    codes = tuple(sorted({code for one in every for code in one.households}))
    position = _positions(codes)
    left_out: Counter[str] = Counter()
    for one in every:
        left_out.update(one.left_out)
    return Aggregate(
        Reports.joined([_renumbered(one.reports, one.households, position) for one in every]),
        codes,
        merged_cells(one.touched for one in every),
        left_out,
        frozenset().union(*(one.months for one in every)),
    )


def bare(name: str) -> str:
    """What a visit names its report by, as compared."""
    return ascii_digits(name).strip().lower().removeprefix("uuid:")


def text_of(value: object) -> str:
    """An answer as text; empty where it is none."""
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


_folded = lru_cache(maxsize=1 << 18)(folded)


def _positions(codes: Iterable[str]) -> dict[str, int]:
    return {code: number for number, code in enumerate(codes)}


def _renumbered(reports: Reports, old: Iterable[str], position: Mapping[str, int]) -> Reports:
    numbers = np.array([*(position[code] for code in old), UNKNOWN], np.int64)
    return replace(reports, household=numbers[reports.household])


def _not_counted(review_state: str, purpose: object, event_date: str | None) -> str:
    if review_state in NEVER_COUNTED:
        return "n_rejected"
    if purpose == "test":
        return "n_test"
    return "n_undated" if event_date is None else ""


def _visit(visits: Mapping[str, Visit], instance_id: str) -> Visit:
    """What was found: a visit names its report by the id, or by the case number of the receipt."""
    found = visits.get(bare(instance_id))
    return found or visits.get(bare(case_number(instance_id)), _UNVISITED)


def _losses(rows: object, named: object) -> tuple[int, int, int, int, float, str]:
    """Give small and large animals killed, injured and missing ones, the value of the killed and its currency."""
    small = large = injured = missing = 0
    value = math.nan
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        killed = _animals(row.get("n_killed"))
        if row.get("species") in SMALL_STOCK:
            small += killed
        else:
            large += killed
        injured += _animals(row.get("n_injured"))
        missing += _animals(row.get("n_missing"))
        price = row.get("unit_value")
        if isinstance(price, int | float) and 0 < price <= DEAREST:
            value = killed * price + (0 if math.isnan(value) else value)
    currency = text_of(named)
    if not _CURRENCY.fullmatch(currency):
        return small, large, injured, missing, math.nan, ""
    return small, large, injured, missing, *official(value, currency)


@lru_cache(maxsize=1 << 14)
def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH.toordinal()


_CURRENCY = re.compile("[A-Z]{3}")


def _animals(value: object) -> int:
    return value if type(value) is int and 0 <= value <= MOST_ANIMALS else 0
