"""The numbers of a report: the rows of the releases of hotspots and indicators as they are given out, and nothing else.

`reading` has both releases written for the same day, level and boundaries, and reads them back. So a report can say no more than
they do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from exports.indicators.slices import Period, periods
from exports.package.contents import Table
from exports.privacy import CELL_LEVELS, LEVELS
from exports.windows import Window
from records.geography import km_between

HOT = ("hot_99", "hot_95")
INSUFFICIENT = "insufficient"
EVENT_SET = "standard"
PREDATOR = "leopard"
HALF = 50
"""Percent of the months with a report, or a report of nothing, below which a country counts as under-reported."""


@dataclass(frozen=True, slots=True)
class Place:
    """A row of the hotspot table: a cell, or a province or country for what is counted in none. None is what is kept back.

    `centre` is latitude and longitude, and no point of the cell is farther from it than `reach_km`; both zero for what is no cell.
    `nearby` are the attacks in and around the cell, `expected` those that would be there if the risk were the same everywhere,
    `risk` is that there against that everywhere else.
    """

    cell_id: str
    level: str
    centre: tuple[float, float]
    reach_km: float
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
    history: str
    nearby: int | None
    expected: float | None
    risk: float | None
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
class Cluster:
    """A circle of the second opinion. Its country and province are those of its centre; None is what is kept back."""

    centre: tuple[float, float]
    radius_km: float
    cells: int
    country: str
    province: str
    households: str
    attacks: int | None
    expected: float | None
    p: float

    def meets(self, place: Place) -> bool:
        """Whether a cell lies in the circle, or reaches into it."""
        return km_between(self.centre, place.centre) <= self.radius_km + place.reach_km


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

    Places and clusters are told of the days from `start` to `end`, quarters and years up to `newest`. `sources` are the files all
    of it was read from by name, `tables` what their columns are.
    """

    level: str
    release_id: str
    start: date
    end: date
    newest: date
    as_of: date
    area: str
    places: tuple[Place, ...]
    clusters: tuple[Cluster, ...]
    values: tuple[Value, ...]
    summary: Mapping[str, Any]
    boundaries: Path | None
    sources: Mapping[str, bytes]
    tables: Mapping[str, Table]

    @property
    def countries(self) -> list[str]:
        """The countries with records, by code."""
        found = {place.country for place in self.places} | {value.country for value in self.values}
        return sorted(found - {""})

    def of(self, country: str) -> "Numbers":
        """The same for one country."""
        places = tuple(place for place in self.places if place.country == country)
        values = tuple(value for value in self.values if value.country == country)
        clusters = tuple(cluster for cluster in self.clusters if cluster.country == country)
        return replace(self, area=country, places=places, clusters=clusters, values=values)

    @cached_property
    def own(self) -> dict[tuple[str, str], list[Value]]:
        """The values of the area itself by indicator and figure."""
        found: dict[tuple[str, str], list[Value]] = {}
        for value in self.values:
            if value.country == self.area:
                found.setdefault((value.indicator, value.figure), []).append(value)
        return found

    @property
    def is_made_up(self) -> bool:
        """Whether everything is the invention of a demonstration."""
        return "made_up" in self.summary

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

    @cached_property
    def hotspots(self) -> list[Place]:
        """Cells of the finest level that are hotspots, in the order in which they are numbered: most attacks first."""
        hot = (place for place in self.places if place.is_hot and self.is_finest(place))
        return sorted(hot, key=lambda place: (-place.attacks, place.cell_id))

    @cached_property
    def holding(self) -> list[Place]:
        """Larger cells, provinces and countries that hold a hotspot which may not be shown on its own."""
        return [place for place in self.places if place.is_hot and not self.is_finest(place)]

    def hotspots_in(self, cluster: Cluster) -> list[int]:
        """The numbers of the hotspots that a cluster touches, from 1."""
        return [number for number, place in enumerate(self.hotspots, 1) if cluster.meets(place)]

    def agrees(self, cluster: Cluster) -> bool:
        """Whether a cell that is a hotspot, or a larger one that holds one, is where a cluster is."""
        larger = (place for place in self.holding if place.is_cell)
        return bool(self.hotspots_in(cluster)) or any(map(cluster.meets, larger))

    def may_agree(self, cluster: Cluster) -> bool:
        """Whether the province or country of a cluster holds a hotspot, no one may know where."""
        larger = (place for place in self.holding if not place.is_cell and place.country == cluster.country)
        return any(place.province in ("", cluster.province) for place in larger)

    def is_finest(self, place: Place) -> bool:
        """Whether it is a cell of the size that is tested, and no larger one."""
        return place.level == CELL_LEVELS[LEVELS[self.level].finest]

    @property
    def attacks(self) -> int:
        """Attacks in all rows; rows do not overlap."""
        return sum(place.attacks for place in self.places)

    @property
    def quarters(self) -> list[Period]:
        """The quarters of the last two years, the earliest first."""
        after = self.newest + timedelta(days=1)
        two_years = Window(after.replace(year=after.year - 2), self.newest)
        return [period for period in periods(two_years) if not period.is_year]

    def rates(self, country: str) -> dict[str, Value]:
        """Attacks per month by quarter of the last two years, as far as they are told."""
        names = {quarter.name for quarter in self.quarters}
        told = self.told("I-CON-1", "attacks_per_month", country)
        return {name: value for name, value in told.items() if name in names}

    def told(self, indicator: str, figure: str, country: str) -> dict[str, Value]:
        """The values of a figure for a country (empty: the range) by period; of leopards, where predators differ."""
        found = {}
        for each in self.values:
            is_asked = (each.indicator, each.figure, each.country, each.of) == (indicator, figure, country, "")
            if is_asked and each.predator in ("", PREDATOR) and each.value is not None:
                found[each.period] = each
        return found

    @property
    def years(self) -> list[str]:
        """The whole calendar years of which anything is told of the area, the earliest first."""
        told = (each.period for each in self.values if each.country == self.area and each.is_told)
        return sorted({period for period in told if "Q" not in period})

    @property
    def months(self) -> int:
        """Months of these quarters."""
        return 3 * len(self.quarters)

    def months_told(self, country: str) -> int:
        """Those of them in which a country sent a report, or a report of nothing."""
        told = self.told("I-EFF-2", "completeness", country)
        shares = [told[quarter.name].value or 0.0 for quarter in self.quarters if quarter.name in told]
        return round(sum(share / 100 * 3 for share in shares))

    def completeness(self, country: str) -> float:
        """The same in percent."""
        return 100 * self.months_told(country) / self.months

    @property
    def under_reported(self) -> set[str]:
        """Countries with records of fewer than half of the months."""
        return {country for country in self.countries if self.completeness(country) < HALF}
