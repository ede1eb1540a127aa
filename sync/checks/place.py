"""Whether a record can be where it says it was. What is told from several records of one phone is in `devices`."""

import math
from collections.abc import Iterator

from forms.datatypes import read_point
from forms.spelling import ascii_digits
from records.flags import Flag, flag
from records.seas import is_sea
from sync.checks.case import Asked, Case

NULL_ISLAND_DEGREES = 0.01
"""A kilometre around 0, 0, where there is a buoy."""
COAST_KM = 2.0
"""The shipped outlines are simplified by a kilometre, and small islands are missing."""
BORDER_KM = 5.0
"""Near a border, pastures and people's idea of where it runs cross it."""
COARSE_M = 500.0
"""Satellites give 5 to 50 m under open sky; what is this coarse comes from masts, or was made so for privacy."""
LOWEST_M, HIGHEST_M = -100.0, 6500.0
"""Phones give the height above the ellipsoid, tens of metres off that above the sea; the Caspian's shore is at -28 m. Nobody herds
above 6,500 m.
"""
FEWEST_DECIMALS = 3
"""Two decimals are a kilometre. That a receiver's six happen to end in four zeros, twice, comes once in a hundred million."""
AREA_KM = 20.0
"""A day's walk: herds and patrols leave their area by less."""
AREA_QUESTIONS = (("area_code",), ("survey", "area_code"))
COUNTRY_QUESTIONS = (("country",), ("household_g", "country"))
MAP = "map"


def asked_point(case: Case) -> Asked | None:
    """The question that gave the record its point; without one, the first that should have."""
    points = [each for each in case.asked if each.question.type == "geopoint" and each.question.control]
    return next((each for each in points if _is_readable(each.value)), points[0] if points else None)


def _is_readable(value: object) -> bool:
    try:
        return bool(read_point(value)) if isinstance(value, str) else False
    except ValueError:
        return False


def numbers(text: object) -> list[float]:
    """The numbers of a position, in whatever digits, with any decimal sign; empty when there is something else in it."""
    if not isinstance(text, str):
        return []
    try:
        return [float(part) for part in ascii_digits(text).replace("٫", ".").replace("\N{MINUS SIGN}", "-").split()]
    except ValueError:
        return []


def reported_country(case: Case) -> str:
    """The code of the country that was chosen in the form; empty if none of the region was."""
    chosen = next(filter(None, (case.text(*path).upper() for path in COUNTRY_QUESTIONS)), "")
    return chosen if case.land is not None and chosen in case.land.countries else ""


def position(case: Case) -> Iterator[Flag]:
    """The position is none, or not in the region; at most one reason is told."""
    asked = asked_point(case)
    path = asked.path if asked is not None else ""
    if case.point is None:
        found = numbers(asked.value) if asked is not None else []
        if len(found) > 1 and not (abs(found[0]) <= 90 and abs(found[1]) <= 180):
            yield flag("location_range", path, text=str(asked.value)[:60] if asked is not None else "")
        return
    latitude, longitude = case.point
    if abs(latitude) < NULL_ISLAND_DEGREES and abs(longitude) < NULL_ISLAND_DEGREES:
        yield flag("location_null_island", path)
    elif swapped := _swapped(case):
        yield flag("location_swapped", path, point=written(longitude, latitude), country=swapped)
    elif case.admin1 is None and case.land is not None:
        code = "location_water" if is_sea(latitude, longitude) else "location_outside"
        yield flag(code, path, point=written(latitude, longitude))


def _swapped(case: Case) -> str:
    """The country that the point lies in with its numbers swapped, if that explains where it lies; empty if not.

    It does for a point outside the region, where no country was chosen or the one that was; and for one in another country than the
    chosen one: many points of the southern Caucasus, swapped, lie in the northern.
    """
    reported = reported_country(case)
    if case.point is None or case.land is None or abs(case.point[1]) > 90 or (case.admin1 is not None and not _is_abroad(case)):
        return ""
    unit = case.land.units_at([case.point[1]], [case.point[0]])[0]
    return unit[:2] if unit is not None and reported in {"", unit[:2]} else ""


def _is_abroad(case: Case) -> bool:
    """Whether the point lies in another country than the chosen one, and not just beyond its border."""
    reported = reported_country(case)
    if case.point is None or case.land is None or case.country is None or reported in {"", case.country}:
        return False
    return reported not in case.land.countries_within(*case.point, BORDER_KM + (case.accuracy or 0) / 1000)


def written(latitude: float, longitude: float) -> str:
    """A point as people copy it into a map."""
    return f"{latitude:.6f}, {longitude:.6f}"


def other_country(case: Case) -> Iterator[Flag]:
    """The country that was chosen is another than the one the point lies in."""
    if case.country is not None and _is_abroad(case) and not _swapped(case):
        yield flag("location_country", _path(COUNTRY_QUESTIONS, case), reported=reported_country(case), country=case.country)


def accuracy(case: Case) -> Iterator[Flag]:
    """How well the position is known, and how it came about."""
    asked = asked_point(case)
    if case.point is None or asked is None:
        return
    if case.accuracy is not None:
        if case.accuracy > COARSE_M:
            yield flag("location_coarse", asked.path, accuracy_m=round(case.accuracy))
        return
    is_set = "placement-map" in asked.question.appearance or case.text("where", "loc_method") == MAP
    is_set = is_set or numbers(asked.value)[3:] == [0.0]  # what Collect and Enketo write for a point that was tapped
    yield flag("location_map" if is_set else "location_accuracy_missing", asked.path)


def named(case: Case) -> Iterator[Flag]:
    """There is only the name of a place."""
    name = case.text("where", "place_name")
    if case.point is None and name:
        yield flag("location_named", "where/place_name", name=name[:80])


def rounded(case: Case) -> Iterator[Flag]:
    """Both coordinates have two decimals at most."""
    if case.point is None or max(map(abs, case.point)) < NULL_ISLAND_DEGREES:
        return
    if all(math.isclose(value, round(value, FEWEST_DECIMALS - 1), rel_tol=0, abs_tol=1e-9) for value in case.point):
        asked = asked_point(case)
        yield flag("location_rounded", asked.path if asked is not None else "", point=f"{case.point[0]:g}, {case.point[1]:g}")


def elevation(case: Case) -> Iterator[Flag]:
    """No such height exists in the region."""
    asked = asked_point(case)
    height = numbers(asked.value)[2:3] if asked is not None and case.point is not None else []
    if height and not LOWEST_M <= height[0] <= HIGHEST_M:
        yield flag("location_elevation", asked.path if asked is not None else "", height_m=round(height[0]))


def far_from_area(case: Case) -> Iterator[Flag]:
    """The point lies far outside the study area that was chosen; a code that nobody gave an outline says nothing."""
    code = next(filter(None, (case.text(*path) for path in AREA_QUESTIONS)), "")
    km = case.areas.km_from(code, *case.point) if code and case.point is not None else None
    if km is not None and km > AREA_KM:
        yield flag("location_area", _path(AREA_QUESTIONS, case), area=code, km=round(km, 1))


def _path(paths: tuple[tuple[str, ...], ...], case: Case) -> str:
    """The first of these paths that has an answer."""
    return next(("/".join(path) for path in paths if case.text(*path)), "")


CHECKS = (position, other_country, accuracy, named, rounded, elevation, far_from_area)
