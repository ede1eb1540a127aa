"""The numbers of a report: the rows of the releases of hotspots and indicators as they are given out, and nothing else.

Both releases are written for the same day, level and boundaries, and read back. So a report can say no more than they do.
"""

import csv
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from exports.hotspots.export import run_hotspots
from exports.indicators.files import run_indicators
from exports.indicators.slices import Period, periods
from exports.windows import Window
from records.access import Access, Right

HOT = ("hot_99", "hot_95")
INSUFFICIENT = "insufficient"
EVENT_SET = "standard"
PREDATOR = "leopard"
HALF = 50
"""Percent of the months with a report, or a report of nothing, below which a country counts as under-reported."""


@dataclass(frozen=True, slots=True)
class Place:
    """A row of the hotspot table: a cell, or a province or country for what is counted in none. None is what is kept back."""

    cell_id: str
    level: str
    country: str
    province: str
    attacks: int
    reports: int
    verified: int
    households: str
    killed: int | None
    loss: float | None
    currency: str
    hotspot_class: str
    flags: tuple[str, ...]

    @property
    def is_cell(self) -> bool:
        """Whether it is a cell and no province or country."""
        return self.level.startswith("h3")

    @property
    def is_hot(self) -> bool:
        """Whether it is a hotspot: for a province or country, whether it holds one."""
        return self.hotspot_class in HOT


@dataclass(frozen=True, slots=True)
class Value:
    """A row of the table of indicators. `country` is empty for the range; without `value` and `category`, `reason` says why."""

    indicator: str
    figure: str
    of: str
    predator: str
    country: str
    period: str
    unit: str
    value: float | None
    category: str
    lower: float | None
    upper: float | None
    n: int
    households: str
    coverage: float | None
    flags: tuple[str, ...]
    reason: str

    @property
    def is_told(self) -> bool:
        """Whether there is a figure."""
        return self.value is not None or bool(self.category)


@dataclass(frozen=True)
class Numbers:
    """What a report may say of an area: a country by its code, or the range (empty).

    `sources` are the tables all of it was read from, by file name: that of the places first.
    """

    level: str
    release_id: str
    start: date
    end: date
    as_of: date
    area: str
    places: tuple[Place, ...]
    values: tuple[Value, ...]
    summary: Mapping[str, Any]
    boundaries: Path | None
    sources: Mapping[str, bytes]

    @property
    def countries(self) -> list[str]:
        """The countries with records, by code."""
        found = {place.country for place in self.places} | {value.country for value in self.values}
        return sorted(found - {""})

    def of(self, country: str) -> "Numbers":
        """The same for one country."""
        places = tuple(place for place in self.places if place.country == country)
        values = tuple(value for value in self.values if value.country == country)
        return replace(self, area=country, places=places, values=values)

    @cached_property
    def own(self) -> dict[tuple[str, str], list[Value]]:
        """The values of the area itself by indicator and figure."""
        found: dict[tuple[str, str], list[Value]] = {}
        for value in self.values:
            if value.country == self.area:
                found.setdefault((value.indicator, value.figure), []).append(value)
        return found

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not self.places and not any(value.is_told for value in self.values)

    @property
    def is_tested(self) -> bool:
        """Whether there were enough attacks to look for hotspots."""
        return any(place.is_cell and place.hotspot_class != INSUFFICIENT for place in self.places) or (
            bool(self.places) and not any(place.hotspot_class == INSUFFICIENT for place in self.places)
        )

    @property
    def attacks(self) -> int:
        """Attacks in all rows; rows do not overlap."""
        return sum(place.attacks for place in self.places)

    @property
    def quarters(self) -> list[Period]:
        """The quarters of the window."""
        return [period for period in periods(Window(self.start, self.end)) if not period.is_year]

    def rates(self, country: str) -> dict[str, Value]:
        """Attacks per month by quarter of the window, as far as they are told."""
        names = {quarter.name for quarter in self.quarters}
        chosen = (each for each in self.values if (each.indicator, each.figure) == ("I-CON-1", "attacks_per_month"))
        return {
            each.period: each
            for each in chosen
            if each.country == country and each.predator == PREDATOR and each.period in names and each.value is not None
        }

    def completeness(self, country: str) -> float:
        """Percent of the months of the window in which a country sent a report, or a report of nothing."""
        names = {quarter.name: quarter for quarter in self.quarters}
        told = {
            each.period: each.value
            for each in self.values
            if (each.indicator, each.country) == ("I-EFF-2", country) and each.period in names and each.value is not None
        }
        return sum(told.values()) / len(names) if names else math.nan

    @property
    def under_reported(self) -> set[str]:
        """Countries with records of fewer than half of the months."""
        return {country for country in self.countries if self.completeness(country) < HALF}


def read_numbers(
    connection: Connection, access: Access, level: str, as_of: date, *, boundaries: Path | None = None, revision: int = 1
) -> Numbers:
    """Write both releases into a folder of their own and read them. Raises what they raise."""
    access.require(Right.SEE)
    common: Any = {"revision": revision, "boundaries": boundaries}
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        hotspots = run_hotspots(connection, access, level, as_of, Path(folder), predator=PREDATOR, **common)
        indicators = run_indicators(connection, access, level, as_of, Path(folder), **common)
        table = next(hotspots.folder.glob(f"conflict_hotspots_*_{EVENT_SET}_*.csv"))
        figures = indicators.folder / "indicators.csv"
        places, values = tuple(_places(_rows(table))), tuple(_values(_rows(figures)))
        sources = {path.name: path.read_bytes() for path in (table, figures)}
    summary = hotspots.summary
    start, end = (date.fromisoformat(summary[name]) for name in ("period_start", "period_end"))
    return Numbers(level, summary["release_id"], start, end, as_of, "", places, values, summary, boundaries, sources)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _places(rows: Iterable[Mapping[str, str]]) -> Iterator[Place]:
    for row in rows:
        yield Place(
            cell_id=row["cell_id"],
            level=row["cell_level"],
            country=row["country"],
            province=row["admin1"],
            attacks=int(row["n_events"]),
            reports=int(row["n_reports"]),
            verified=int(row["n_events_strict"]),
            households=row["n_households"],
            killed=int(row["n_killed"]) if row["n_killed"] else None,
            loss=_number(row["loss_local"]),
            currency=row["loss_currency"],
            hotspot_class=row["hotspot_class"],
            flags=_flags(row["quality_flags"]),
        )


def _values(rows: Iterable[Mapping[str, str]]) -> Iterator[Value]:
    for row in rows:
        yield Value(
            indicator=row["indicator"],
            figure=row["figure"],
            of=row["of"],
            predator=row["predator"],
            country=row["country"],
            period=row["period"],
            unit=row["unit"],
            value=_number(row["value"]),
            category=row["class"],
            lower=_number(row["lower"]),
            upper=_number(row["upper"]),
            n=int(row["n"] or 0),
            households=row["n_households"],
            coverage=_number(row["coverage"]),
            flags=_flags(row["flags"]),
            reason=row["reason"],
        )


def _flags(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(";")))


def _number(text: str) -> float | None:
    return float(text) if text else None
