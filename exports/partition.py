"""Counting conflict reports as two pure functions: `part` makes a small aggregate of some of the records, `merge` joins aggregates.

Batches of one process and partitions on many machines go the same way: whatever is cut into whatever parts, merged in whatever
order, gives the same result.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from exports.grid import H3, CellCounts, Cells, Grid
from exports.grid import merge as merged_cells
from exports.reports import NOT_COUNTED, STANDARD, UNKNOWN, Flags, Reports, certainty_of
from exports.statistics import Ints
from exports.windows import EPOCH
from records.counted import UNDATED, digest, report_named, report_number

ALL_LARGE_CARNIVORES = "all_large_carnivores"
LARGE_CARNIVORES = frozenset(
    ("leopard", "wolf", "bear_brown", "bear_black", "lynx", "hyena", "cheetah", "snow_leopard"),
)
"""The predators that are counted together under that name."""


Counted: TypeAlias = NDArray[np.void]
"""Some conflict reports: an array of `records.counted.LAYOUT`."""


class Visit(NamedTuple):
    """What a verification visit found. An empty text was not answered."""

    predator: str
    finding: str
    scalp: str


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

    @cached_property
    def visits_by_report(self) -> Mapping[int, Visit]:
        """The visits by the digest of the instance id that they name."""
        return {digest(name): visit for name, visit in self.visits.items()}

    @cached_property
    def visits_by_case(self) -> Mapping[int, Visit]:
        """The visits by the case number that they name."""
        return {case: visit for name, visit in self.visits.items() if (case := report_named(name)) is not None}

    @cached_property
    def joined_by_number(self) -> Mapping[int, int]:
        """The incidents by the number of the report."""
        return {report_number(instance_id): incident for instance_id, incident in self.joined.items()}


@dataclass(frozen=True)
class Aggregate:
    """What is known of some records. `reports.household` are positions in `households`, the digests of their codes, ascending."""

    reports: Reports
    households: NDArray[np.uint64]
    touched: CellCounts
    left_out: Mapping[str, int]
    months: frozenset[tuple[str, str]] = frozenset()
    """The months (2026-05) of the window in which there was any report from a country (ISO 3166-1)."""


def part(facts: Counted, question: Question) -> Aggregate:
    """Count some of the conflict reports. Those of other predators still show that somebody was there."""
    dated, is_test = facts["day"] != UNDATED, facts["is_test"]
    in_window = facts["day"] >= (question.start - EPOCH).days
    counts = dated & ~is_test
    predator, certainty = _judged(facts, question)
    codes = np.array(sorted(question.predators))
    mine = counts & np.isin(predator, codes.astype(np.bytes_))
    seen = facts[counts & in_window]
    left_out = {
        "n_test": is_test & (in_window | ~dated),
        "n_undated": ~dated & ~is_test,
        "n_other_predator": counts & in_window & ~mine,
    }
    told = facts[mine]
    households = np.unique(told["household"][told["household"] > 0])
    reports = Reports(
        day=told["day"].astype(np.int64),
        latitude=told["latitude"],
        longitude=told["longitude"],
        accuracy_m=told["accuracy"],
        household=_positions(told["household"], households),
        certainty=certainty[mine],
        shared=told["is_shared"],
        country=told["country"].astype(np.str_),
        killed_small=told["killed_small"].astype(np.int64),
        killed_large=told["killed_large"].astype(np.int64),
        injured=told["injured"].astype(np.int64),
        missing=told["missing"].astype(np.int64),
        loss=told["loss"],
        currency=told["currency"].astype(np.str_),
        incident=_incidents(told, question),
        n_reports=np.ones(len(told), np.int64),
        predator=codes[np.searchsorted(codes.astype(np.bytes_), predator[mine])],
        cell=told["cell"] if question.grid.name == H3.name else np.zeros(len(told), np.uint64),
    )
    numbers = Counter({reason: int(which.sum()) for reason, which in left_out.items()})
    return Aggregate(reports, households, _cells(seen, question.grid), +numbers, _months(seen))


def places(grid: Grid, latitudes: Iterable[float], longitudes: Iterable[float]) -> Aggregate:
    """Count places of other records, which only show that somebody was there."""
    here = np.array([*latitudes], np.float64), np.array([*longitudes], np.float64)
    return Aggregate(Reports.from_rows([]), np.empty(0, np.uint64), grid.part(*here), {})


def merge(aggregates: Iterable[Aggregate]) -> Aggregate:
    """Join aggregates of records that have none in common."""
    every = list(aggregates)
    codes = np.unique(np.concatenate([one.households for one in every])) if every else np.empty(0, np.uint64)
    left_out: Counter[str] = Counter()
    for one in every:
        left_out.update(one.left_out)
    return Aggregate(
        Reports.joined([_renumbered(one.reports, one.households, codes) for one in every]),
        codes,
        merged_cells(one.touched for one in every),
        left_out,
        frozenset().union(*(one.months for one in every)),
    )


def _judged(facts: Counted, question: Question) -> tuple[NDArray[np.bytes_], Ints]:
    """The predator of each report and how certain it is: as its reporter says, or as a visit found.

    A visit names its report by the id, or by the case number of the receipt.
    """
    predator, certainty = facts["predator"].copy(), np.where(facts["is_sure"], STANDARD, NOT_COUNTED)
    by_report, by_case = question.visits_by_report, question.visits_by_case
    for number in np.flatnonzero(_among(facts["named"], by_report) | _among(facts["report"] >> np.uint64(32), by_case)).tolist():
        visit = by_report.get(int(facts["named"][number])) or by_case[int(facts["report"][number]) >> 32]
        predator[number] = visit.predator.encode() or predator[number]
        certainty[number] = certainty_of(visit.finding, visit.scalp, is_sure=bool(facts["is_sure"][number]))
    return predator, certainty


def _incidents(facts: Counted, question: Question) -> Ints:
    """The incident of several reports that each belongs to; -1 for none."""
    found = np.full(len(facts), -1)
    for number in np.flatnonzero(_among(facts["report"], question.joined_by_number)).tolist():
        found[number] = question.joined_by_number[int(facts["report"][number])]
    return found


def _among(numbers: NDArray[np.uint64], names: Mapping[int, object]) -> Flags:
    return np.isin(numbers, np.fromiter(names, np.uint64, len(names)))


def _cells(seen: NDArray[np.void], grid: Grid) -> CellCounts:
    """Count the places of reports by finest cell."""
    placed = seen[seen["cell"] > 0]
    cells: Cells = placed["cell"] if grid.name == H3.name else grid.cells_of(placed["latitude"], placed["longitude"])
    return CellCounts(*np.unique(cells, return_counts=True))


def _months(seen: NDArray[np.void]) -> frozenset[tuple[str, str]]:
    months = seen["day"].astype("datetime64[D]").astype("datetime64[M]")
    country = np.ascontiguousarray(seen["country"])
    _, first = np.unique(months.astype(np.int64) << 16 | country.view(np.uint16), return_index=True)
    return frozenset(zip(country[first].astype(np.str_).tolist(), months[first].astype(np.str_).tolist(), strict=True))


def _positions(household: NDArray[np.uint64], codes: NDArray[np.uint64]) -> Ints:
    return np.where(household > 0, np.searchsorted(codes, household), UNKNOWN)


def _renumbered(reports: Reports, old: NDArray[np.uint64], codes: NDArray[np.uint64]) -> Reports:
    numbers = np.append(np.searchsorted(codes, old), UNKNOWN)
    return replace(reports, household=numbers[reports.household])
