"""What is compared of a conflict report: a few facts, spelled alike whoever wrote them.

The owner's name and telephone number are not among them: they are personal, and codes do as well.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from forms.spelling import folded

if TYPE_CHECKING:  # the checks import this room
    from sync.checks.case import Case

REPORT = "conflict_livestock"
NO_CODE = {"", "new"}
"""What stands in place of a household code that is not known."""
SHOWS_NOTHING = {0, -1}
"""The difference hashes of pictures of one colour."""
POORLY_PLACED = 1000.0
"""Metres by which a place is taken to be wrong when it was tapped on a map, or the phone does not say."""
STANDING_APART = 300.0
"""Metres by which the places of two reports of one event differ with perfect receivers: carcasses lie apart, and so do people."""
FARTHEST = 6000.0
"""Metres; reports farther apart are not compared by place."""
PRECISION_DAYS = {"day1": 1, "week": 7, "month": 30}
"""By how many days a date is taken to be wrong at most, by the answer to how sure it is."""
SLIP_DAYS = 2
"""Two days are compared when they differ by at most this much more than their precisions allow."""
MOST_DAYS = 2 * max(PRECISION_DAYS.values()) + SLIP_DAYS
_CELLS_PER_DEGREE = 10
_METRES_PER_DEGREE = 111_195.0  # of a sphere with the Earth's mean radius


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one report; empty texts were not answered. Place in degrees and metres, `losses` as {species: [killed, injured,
    missing]}, `photos` as difference hashes of 64 bits.
    """

    instance_id: str
    happened_on: date | None = None
    date_precision: str = ""
    time_of_day: str = ""
    latitude: float | None = None
    longitude: float | None = None
    accuracy: float | None = None
    country: str = ""
    place: str = ""
    predator: str = ""
    household: str = ""
    reporter: str = ""
    reporter_role: str = ""
    device: str = ""
    losses: dict[str, list[int]] = field(default_factory=dict)
    photos: list[int] = field(default_factory=list)

    @property
    def point(self) -> tuple[float, float] | None:
        """(latitude, longitude), if there are both."""
        if self.latitude is None or self.longitude is None:
            return None
        return self.latitude, self.longitude

    @property
    def slack(self) -> int:
        """By how many days the date may be wrong."""
        return PRECISION_DAYS.get(self.date_precision, 0)

    @property
    def days(self) -> tuple[date, date] | None:
        """The first and the last day on which a report of the same event may be dated."""
        if self.happened_on is None:
            return None
        reach = timedelta(days=self.slack + max(PRECISION_DAYS.values()) + SLIP_DAYS)
        return max(self.happened_on, date.min + reach) - reach, min(self.happened_on, date.max - reach) + reach


def facts_of(case: "Case") -> Facts:
    """The facts of a conflict report. Without consent the reporter and the household are left out."""
    by_map = case.text("where", "loc_method") == "map"
    accuracy = case.accuracy if case.accuracy and case.accuracy > 0 and not by_map else None
    reporter = case.text("consent") == "yes"
    household = folded(case.text("reporter", "household_code")) if reporter else ""
    return Facts(
        instance_id=case.instance_id,
        happened_on=case.event_date,
        date_precision=case.text("when", "date_precision"),
        time_of_day=case.text("when", "time_of_day"),
        latitude=case.latitude,
        longitude=case.longitude,
        accuracy=accuracy,
        country=case.country or case.text("country"),
        place=folded(case.text("where", "place_name")),
        predator=case.text("cause", "predator"),
        household="" if household in NO_CODE else household,
        reporter=folded(case.text("reporter", "reporter_code")) if reporter else "",
        reporter_role=case.text("reporter", "reporter_role") if reporter else "",
        device=case.device_id,
        losses=_losses(case),
        photos=sorted({each.dhash for each in case.pictures if each.dhash not in SHOWS_NOTHING and each.dhash is not None}),
    )


def _losses(case: "Case") -> dict[str, list[int]]:
    """Animals killed, injured and missing by species; a number that is none counts nothing."""
    losses: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in case.rows("losses_g", "loss"):
        species = row.get("species")
        if isinstance(species, str) and species:
            for position, name in enumerate(("n_killed", "n_injured", "n_missing")):
                number = row.get(name)
                losses[species][position] += number if type(number) is int and 0 < number < 100_000 else 0
    return dict(losses)


def spread_of(one: Facts, other: Facts) -> float:
    """Metres by which the places of two reports of one event may well differ."""
    return math.sqrt(STANDING_APART**2 + (one.accuracy or POORLY_PLACED) ** 2 + (other.accuracy or POORLY_PLACED) ** 2)


def metres_apart(one: Facts, other: Facts) -> float | None:
    """The distance of two places near each other, on a sphere; None without both."""
    here, there = one.point, other.point
    if here is None or there is None:
        return None
    east = (here[1] - there[1] + 180) % 360 - 180
    return math.hypot(here[0] - there[0], east * math.cos(math.radians((here[0] + there[0]) / 2))) * _METRES_PER_DEGREE


def days_apart(one: Facts, other: Facts) -> int | None:
    """How many days lie between; None without both dates."""
    if one.happened_on is None or other.happened_on is None:
        return None
    return abs((one.happened_on - other.happened_on).days)


def cell_of(latitude: float | None, longitude: float | None) -> int | None:
    """The number of the square of a tenth of a degree that a place lies in."""
    if latitude is None or longitude is None or not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return _cell(math.floor((latitude + 90) * _CELLS_PER_DEGREE), math.floor((longitude + 180) * _CELLS_PER_DEGREE))


def cells_around(latitude: float, longitude: float, metres: float = FARTHEST) -> list[int]:
    """The squares in which places lie that are at most so far away."""
    north = metres / _METRES_PER_DEGREE
    east = min(180.0, north / max(0.01, math.cos(math.radians(min(89.0, abs(latitude) + north)))))
    rows = range(*_span(latitude + 90, north))
    return sorted({_cell(row, column) for row in rows for column in range(*_span(longitude + 180, east))})


def _span(degrees: float, reach: float) -> tuple[int, int]:
    return math.floor((degrees - reach) * _CELLS_PER_DEGREE), math.floor((degrees + reach) * _CELLS_PER_DEGREE) + 1


def _cell(row: int, column: int) -> int:
    return row * 360 * _CELLS_PER_DEGREE + column % (360 * _CELLS_PER_DEGREE)
