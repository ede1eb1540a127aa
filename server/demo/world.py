"""What happens in the made-up years: who is attacked where and when, and which mistakes people make in reporting it.

A Poisson cluster process: landscapes hold hamlets, hamlets hold households, attacks fall around households and repeat on following
nights. The number of reports is fixed, which makes the Poisson counts multinomial. The same seed and day give the same years.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count, islice
from random import Random

from exports.privacy import PUBLIC
from exports.windows import year_for
from server.demo.landscapes import LANDSCAPES, Landscape

SHARES = {"conflict_livestock": 0.66, "prey_transect": 0.12, "prey_block": 0.07, "dog_impact": 0.10, "camera_station": 0.05}
_CAMERA_AREAS = 4
_VISITS = 3
"""A camera is put up, looked after and taken down, some weeks between."""
TEST, SWAPPED, SECOND_REPORT, RESENT = "test", "swapped", "second report", "resent"
PLANTED = {TEST: 0.02, SWAPPED: 0.01, SECOND_REPORT: 0.015, RESENT: 0.015}
"""Mistakes, as shares of the reports: sent as a test, latitude and longitude exchanged, one attack reported by two people, and one
report delivered twice byte for byte."""
_ANOTHER_NIGHT = 0.14
_SEASON = (0.7, 0.7, 1.1, 1.4, 1.3, 1.2, 1.3, 1.3, 1.1, 1.0, 0.8, 0.7)
_MEASURES = (("lgd", 0.22), ("night_guard", 0.18), ("light", 0.08), ("corral", 0.1), ("sound", 0.06), ("fladry", 0.02))
_KM_PER_DEGREE = 111.2


@dataclass(frozen=True, slots=True)
class Household:
    """A family with its animals; `code` is all that is known of its name."""

    code: str
    landscape: Landscape
    latitude: float
    longitude: float
    herd_small: int
    herd_large: int
    dogs: int
    enclosure: str
    measures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One report. Reports of the same attack, and visits to one camera, have the same `story`; `visit` is the number of the visit.

    `planted` is the mistake made in it, if any.
    """

    number: int
    story: int
    form_id: str
    day: date
    reported: date
    landscape: Landscape
    household: Household | None
    latitude: float
    longitude: float
    predator: str = ""
    planted: str = ""
    visit: int = 0


def events(seed: int, today: date, reports: int) -> list[Event]:
    """Give this many reports in the order of their days: from the year that the public is told of up to two days before `today`."""
    chance = Random(f"year {seed}")  # noqa: S311 - a story, not a secret
    seconds = round(reports * PLANTED[SECOND_REPORT])
    counts = {form_id: round(reports * share) for form_id, share in SHARES.items()}
    counts["camera_station"] -= counts["camera_station"] % _VISITS
    counts["conflict_livestock"] = reports - seconds - sum(counts[name] for name in counts if name != "conflict_livestock")
    years = _Years(chance, today)
    happened = list(islice(years.attacks(), counts["conflict_livestock"]))
    attacks = range(len(happened))
    for form_id in ("prey_transect", "prey_block", "dog_impact"):
        happened += [years.visit(form_id) for _ in range(counts[form_id])]
    for number in range(counts["camera_station"] // _VISITS):
        happened += years.camera(LANDSCAPES[number % _CAMERA_AREAS])
    for mistake, candidates in ((SWAPPED, attacks), (TEST, range(len(happened))), (RESENT, range(len(happened)))):
        free = [position for position in candidates if not happened[position].planted]
        for position in chance.sample(free, math.ceil(reports * PLANTED[mistake])):
            happened[position] = replace(happened[position], planted=mistake)
    plain = [happened[position] for position in attacks if not happened[position].planted]
    happened += [_second_report(event, chance) for event in chance.sample(plain, seconds)]
    happened.sort(key=lambda event: (event.day, event.story))
    return [replace(event, number=number) for number, event in enumerate(happened)]


def moved(latitude: float, longitude: float, north_km: float, east_km: float) -> tuple[float, float]:
    """Give the place so far away, in degrees."""
    return latitude + north_km / _KM_PER_DEGREE, longitude + east_km / _KM_PER_DEGREE / math.cos(math.radians(latitude))


class _Years:
    """Draws what happens, one thing after the other."""

    def __init__(self, chance: Random, today: date) -> None:
        self.chance, self.today = chance, today
        first = year_for(today, PUBLIC).start
        self.days = [today - timedelta(days=back) for back in range(2, (today - first).days + 1)]
        self.season = [_SEASON[day.month - 1] * (1.8 if _is_nowruz(day) else 1) for day in self.days]
        self.households = {landscape: _households(landscape, chance) for landscape in LANDSCAPES}
        self.stories = count()

    def attacks(self) -> Iterator[Event]:
        """Attacks without end: night after night on one household, then on another."""
        weights = [landscape.weight for landscape in LANDSCAPES]
        while True:
            landscape = self.chance.choices(LANDSCAPES, weights)[0]
            families = self.households[landscape]
            household = self.chance.choices(families, [1 / (5 + rank) for rank in range(len(families))])[0]
            predator = self._predator(landscape)
            place = self._near(household.latitude, household.longitude, landscape, 0.7)
            day = self.chance.choices(self.days, self.season)[0]
            while day <= self.days[0]:
                yield self._event("conflict_livestock", day, landscape, household, place, predator)
                if self.chance.random() > _ANOTHER_NIGHT:
                    break
                day += timedelta(days=self.chance.randint(1, 2))
                place = self._near(*place, landscape, 0.1)

    def visit(self, form_id: str) -> Event:
        """A count of wild prey anywhere in a landscape, or dogs seen near a household."""
        landscape = self.chance.choice(LANDSCAPES)
        day = self.chance.choice(self.days)
        if form_id != "dog_impact":
            place = self._near(landscape.latitude, landscape.longitude, landscape, landscape.reach_km / 3)
            return self._event(form_id, day, landscape, None, place, "")
        household = self.chance.choice(self.households[landscape])
        place = self._near(household.latitude, household.longitude, landscape, 1.5)
        return self._event(form_id, day, landscape, household, place, self._predator(landscape))

    def camera(self, landscape: Landscape) -> list[Event]:
        """The visits to a camera station somewhere in a landscape."""
        place = self._near(landscape.latitude, landscape.longitude, landscape, landscape.reach_km / 3)
        first = self._event("camera_station", self.chance.choice(self.days[100:]), landscape, None, place, "")
        days = [first.day, *(first.day + timedelta(days=back + self.chance.randint(0, 12)) for back in (32, 70))]
        return [replace(first, day=day, reported=day, visit=number) for number, day in enumerate(days)]

    def _event(
        self, form_id: str, day: date, landscape: Landscape, household: Household | None, place: tuple[float, float], predator: str
    ) -> Event:
        later = timedelta(days=int(self.chance.expovariate(0.6)) if household else 0)
        reported = min(day + later, self.today - timedelta(days=1))
        return Event(0, next(self.stories), form_id, day, reported, landscape, household, *place, predator=predator)

    def _predator(self, landscape: Landscape) -> str:
        others = landscape.other_predators
        names = ("leopard", "unknown", "not_predator", "dog", *others)
        return self.chance.choices(names, (82, 4, 2, 1, *[11 / len(others)] * len(others)))[0]

    def _near(self, latitude: float, longitude: float, landscape: Landscape, spread_km: float) -> tuple[float, float]:
        return scattered(self.chance, latitude, longitude, landscape, spread_km)


def scattered(chance: Random, latitude: float, longitude: float, landscape: Landscape, spread_km: float) -> tuple[float, float]:
    """Give a place about `spread_km` away (standard deviation in each direction) that lies in the landscape."""
    while True:
        place = moved(latitude, longitude, chance.gauss(0, spread_km), chance.gauss(0, spread_km))
        if distance_km(*place, landscape.latitude, landscape.longitude) <= landscape.reach_km:
            return place


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Give the distance of places that are near each other, on a flat Earth."""
    north = latitude - other_latitude
    east = (longitude - other_longitude) * math.cos(math.radians(other_latitude))
    return math.hypot(north, east) * _KM_PER_DEGREE


def _households(landscape: Landscape, chance: Random) -> list[Household]:
    """Families, those attacked most often first: three of four live in hamlets near the centre, one alone anywhere."""
    hamlets = [
        scattered(chance, landscape.latitude, landscape.longitude, landscape, min(4, landscape.reach_km / 3))
        for _ in range(2 + round(landscape.weight / 20))
    ]
    sizes = [1 / (1 + rank) for rank in range(len(hamlets))]
    families = []
    for number in range(1, 3 + round(landscape.weight * 0.75)):
        home = scattered(chance, *chance.choices(hamlets, sizes)[0], landscape, 1)
        if number % 4 == 0:
            home = scattered(chance, landscape.latitude, landscape.longitude, landscape, landscape.reach_km / 2)
        families.append(_household(f"{landscape.code}-{number:03}", landscape, home, chance))
    return families


def _household(code: str, landscape: Landscape, home: tuple[float, float], chance: Random) -> Household:
    herd = round(chance.lognormvariate(4.4, 0.6))
    dogs = chance.choices((0, 1, 2, 3, 4, 5), (10, 25, 30, 20, 10, 5))[0]
    measures = [name for name, share in _MEASURES if chance.random() < share and (dogs or name != "lgd")]
    return Household(
        code,
        landscape,
        *home,
        herd_small=max(12, herd),
        herd_large=chance.choices((0, chance.randint(1, 6), chance.randint(7, 30)), (4, 4, 2))[0],
        dogs=dogs,
        enclosure=chance.choices(("stone", "thorn", "wire", "wood", "building", "cave", "proofed"), (34, 20, 16, 8, 12, 6, 4))[0],
        measures=tuple(measures) or ("none",),
    )


def _second_report(event: Event, chance: Random) -> Event:
    """Give the report of somebody else who stood a little away and heard of it a day later."""
    place = scattered(chance, event.latitude, event.longitude, event.landscape, 0.15)
    return replace(event, latitude=place[0], longitude=place[1], planted=SECOND_REPORT)


def _is_nowruz(day: date) -> bool:
    """Whether herds move to the spring pastures: the days around the Persian new year at the equinox."""
    return abs((day - date(day.year, 3, 20)).days) <= 10
