"""Checks of what effort surveys measure: distances, angles, speed, length, and whether nothing seen was said."""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise

from forms.datatypes import read_point
from records.flags import Flag, flag
from records.geography import km_between
from sync.checks.case import Answers, Case, as_number, as_text
from sync.checks.values import Path, moment, of, rows, whole

TOLERANCE_M = 1.0
FARTHEST_M = 1500.0
HEAP_M, HEAP_SHARE, FEWEST_DISTANCES = 50, 0.3, 10
"""Of distances rounded to 10 m a fifth are multiples of 50 m; below ten of them, three in ten come about by chance."""
SLOWEST, FASTEST = 0.3, 8.0  # km per hour
TRACK_SHARE = 0.2
SHORT_KM = 0.2
"""Below this difference the receiver's own scatter makes lengths differ."""


@of("prey_transect")
def distances(case: Case) -> Iterator[Flag]:
    """Perpendicular distances worked out anew, distances that are too large, distances that are rounded."""
    measured = []
    for prefix, row in rows(case, "obs"):
        said, expected = as_number(row.get("perp_m")), _perpendicular(row)
        if said is not None and expected is not None and abs(said - expected) > TOLERANCE_M:
            yield flag("distance_geometry", f"{prefix}/perp_m", phone_m=whole(said), worked_out_m=round(expected, 1))
        name = "perp_direct_m" if as_text(row.get("angle_method")) == "perp" else "radial_m"
        distance = as_number(row.get(name))
        if distance is not None and distance > FARTHEST_M:
            yield flag("distance_far", f"{prefix}/{name}", distance_m=whole(distance))
        if distance and name == "radial_m":
            measured.append(distance)
    heaped = sum(distance % HEAP_M == 0 for distance in measured)
    if len(measured) >= FEWEST_DISTANCES and heaped > HEAP_SHARE * len(measured):
        yield flag("distance_heaped", "obs", number=heaped, whole=len(measured))


def _perpendicular(row: Answers) -> float | None:
    """How far from the line a group was (m), by distance and angle; None where something is missing."""
    method = as_text(row.get("angle_method"))
    radial, angle = as_number(row.get("radial_m")), as_number(row.get("sight_angle"))
    if method == "perp":
        return as_number(row.get("perp_direct_m"))
    if method == "bearings":
        animal, line = as_number(row.get("bearing_animal")), as_number(row.get("bearing_line"))
        angle = None if animal is None or line is None else animal - line
    return None if radial is None or angle is None else abs(radial * math.sin(math.radians(angle)))


EFFORTS: Mapping[str, tuple[Path, Path, Path, Path, Path]] = {
    "prey_transect": (
        ("end_g", "length_km"), ("survey", "travel"), ("start_g", "start_time"), ("end_g", "end_time"), ("end_g", "track"),
    ),
    "patrol_effort": (
        ("patrol", "km"), ("patrol", "patrol_type"), ("patrol", "start_time"), ("patrol", "end_time"), ("patrol", "track"),
    ),
}  # fmt: skip
"""Where the surveys ask for length, way of travelling, start, end and track."""


@of(*EFFORTS)
def speed(case: Case) -> Iterator[Flag]:
    """People on foot who are too quick, or too slow for a count; patrols rest, and stay out for nights."""
    length, travel, start, end, _ = EFFORTS[case.form_id]
    km, begin, finish = case.number(*length), moment(case.value(*start)), moment(case.value(*end))
    if km is None or begin is None or finish is None or finish <= begin or case.text(*travel) != "foot":
        return
    seconds = (finish - begin).total_seconds()
    slowest = SLOWEST if case.form_id == "prey_transect" else 0.0
    if not slowest <= km / (seconds / 3600) <= FASTEST:
        yield flag("effort_speed", "/".join(length), km=whole(km), seconds=seconds)


@of(*EFFORTS)
def length(case: Case) -> Iterator[Flag]:
    """A length that differs from the track; without a track, one that is too short for the way from start to end."""
    path, *_, track = EFFORTS[case.form_id]
    km, points = case.number(*path), line(case.value(*track))
    ends = line(case.value("start_g", "start_point")) + line(case.value("end_g", "end_point"))
    way = points if len(points) > 1 else ends
    if km is None or len(way) < 2:
        return
    recorded = sum(km_between(*two) for two in pairwise(way))
    difference = recorded - km
    if way is points:
        difference = abs(difference)
    if difference > max(TRACK_SHARE * max(km, recorded), SHORT_KM):
        yield flag("effort_length", "/".join(path), km=whole(km), track_km=round(recorded, 2))


def line(value: object) -> list[tuple[float, float]]:
    """The points (latitude, longitude) of a geopoint or geotrace; none where it cannot be read."""
    try:
        return [read_point(point)[:2] for point in as_text(value).rstrip("; ").split(";")]
    except ValueError:
        return []


@of("prey_transect", "prey_block", "patrol_effort")
def empty(case: Case) -> Iterator[Flag]:
    """Nothing is listed, and nobody said that nothing was seen. An empty transect is a result, as is a month without conflict."""
    if case.form_id == "patrol_effort":
        said = case.text("zero_month") == "yes" or case.text("patrol", "anything_seen") == "no"
        repeat: Path = ("patrol", "obs")
    else:
        declared = ("end_g", "no_detection") if case.form_id == "prey_transect" else ("no_detection",)
        said = case.text(*declared) == "yes" or case.text("animals_seen") == "no"
        repeat = ("obs",) if case.form_id == "prey_transect" else ("grp",)
    if not said and not any(case.rows(*repeat)):
        yield flag("effort_empty", "/".join(repeat))
