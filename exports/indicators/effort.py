"""Effort in the field (activities 1.2.1 to 1.2.6, 1.3.1, 5.3): patrols, cameras, corridors, and what was found against the law."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from exports.indicators.attacks import REPORT, months_observed
from exports.indicators.dogs import PATROL, patrol_days, patrols
from exports.indicators.figures import Figure, Indicator, behind, estimated, share
from exports.indicators.prey_statistics import encounter_rate
from exports.indicators.quality import heard
from exports.indicators.records import Record
from exports.indicators.slices import Data, Slice

CAMERA, CORRIDOR = "camera_station", "corridor_barrier"
VIOLATIONS = ("snare", "poison", "shooting")
MONITORING = {PATROL: "area_code", "prey_transect": "survey/area_code", "prey_block": "survey/area_code"}
"""The surveys that monitor an area, and where they ask for its code."""
Station = Sequence[Record]


def _patrol_effort(where: Slice) -> Iterable[Figure]:
    walked = [record for record in where.of(PATROL) if record.answers.text("zero_month") != "yes"]
    if not walked:
        return
    km = sum(record.answers.number("patrol/km") or 0.0 for record in walked)
    known = sum(record.answers.number("patrol/km") is not None for record in walked)
    yield Figure("km", km, "km", len(walked), coverage=known / len(walked), method="sum")
    yield Figure("person_days", sum(map(_person_days, walked)), "person-days", len(walked), method="people * days")
    sized = [
        (record, *where.data.areas[code]) for record in walked if (code := record.answers.code("area_code")) in where.data.areas
    ]
    if sized:
        areas = {record.answers.code("area_code"): km2 for record, _, km2 in sized}
        days = sum(_person_days(record) for record, *_ in sized)
        value, coverage = 100 * days / sum(areas.values()), len(sized) / len(walked)
        yield Figure(
            "person_days_by_area", value, "person-days per 100 km2", len(sized), coverage=coverage, method="study areas patrolled"
        )


def _person_days(record: Record) -> int:
    return patrol_days(record) * max(1, record.answers.count("patrol/people"))


def _completeness(where: Slice) -> Iterable[Figure]:
    observed = months_observed(where)
    countries = {where.country} if where.country else {country for country, _ in observed}
    if observed:
        yield from share("completeness", len(observed), len(where.period.months) * len(countries))
    yield from heard(where)


def stations(data: Data) -> list[Station]:
    """The visits to each camera station in the order of time."""
    found: dict[tuple[str, ...], list[Record]] = {}
    for record in data.of(CAMERA):
        key = (record.country, record.answers.code("project_code"), record.answers.code("station_id"))
        found.setdefault(key, []).append(record)
    return [sorted(visits, key=lambda visit: (visit.answers.text("event_time"), visit.received)) for visits in found.values()]


class Spell(NamedTuple):
    """From the day `start` to the day `end` a camera worked: between these two visits."""

    before: Record
    after: Record
    start: date
    end: date


def working_spells(visits: Station) -> Iterable[Spell]:
    """The days between which a camera worked: from one visit to the next, or to its last picture where it had failed.

    What follows the last visit is not known yet; of a camera that was lost nothing is known since the visit before.
    """
    for before, after in pairwise(visits):
        event, start = before.answers.text("cam_event"), before.answers.day("event_time") or before.day
        if event not in ("deploy", "service") or after.answers.text("cam_event") not in ("service", "retrieve"):
            continue
        end = after.answers.day("event_time") or after.day
        if after.answers.text("working") == "no":
            end = min(end, after.answers.day("last_image") or start)
        if start < end:
            yield Spell(before, after, start, end)


def _trap_nights(where: Slice) -> Iterable[Figure]:
    mine = [visits for visits in where.data.once(stations) if where.country in ("", visits[0].country)]
    nights = [sum(where.period.days_within(spell.start, spell.end) for spell in working_spells(visits)) for visits in mine]
    active = [visits[0] for visits, number in zip(mine, nights, strict=True) if number]
    if active:
        method = "visit to visit, or to the last picture"
        common = Figure(
            "trap_nights", sum(nights), "nights", len(active), restricted=True, method=method, supports=(behind(active),)
        )
        yield common
        yield replace(common, name="stations", value=len(active), unit="stations", method="count")


def _areas(where: Slice) -> Iterable[Figure]:
    surveyed = {
        (record.country, code)
        for form_id, path in MONITORING.items()
        for record in where.of(form_id)
        if (code := record.answers.code(path))
    }
    if surveyed:
        known = {code for code, (country, _) in where.data.areas.items() if where.country in ("", country)}
        coverage = len({code for _, code in surveyed} & known) / len(known) if known else None
        yield Figure(
            "areas", len(surveyed), "areas", len(surveyed), coverage=coverage, method="area codes of patrols and prey counts"
        )


def _violations(where: Slice) -> Iterable[Figure]:
    walked = patrols(where)
    if not walked:
        return
    km = [record.answers.number("patrol/km") or 0.0 for record in walked]
    for kind in ("", *VIOLATIONS):
        counts = [
            sum(
                max(1, row.count("obs_n"))
                for row in record.answers.rows("patrol/obs")
                if row.text("obs_kind") in ((kind,) if kind else VIOLATIONS)
            )
            for record in walked
        ]
        rate, _ = encounter_rate(counts, km)
        method = "variance between patrols (Buckland et al. 2001)"
        yield replace(estimated("violations", rate, "per 100 km", sum(counts), factor=100), of=kind, method=method)


def _corridors(where: Slice) -> Iterable[Figure]:
    checks = where.of(CORRIDOR)
    if not checks:
        return
    latest = {(record.country, record.answers.code("corridor_code"), record.answers.text("barrier")): record for record in checks}
    corridors = {key[:2] for key in latest}
    yield Figure("corridors", len(corridors), "corridors", len(checks), method="count")
    lengths = [length for record in latest.values() if (length := record.answers.number("barrier_km")) is not None]
    coverage = len(lengths) / len(latest)
    yield Figure("barrier_km", sum(lengths), "km", len(lengths), coverage=coverage, method="last check of each barrier")
    passages = [record for record in latest.values() if record.answers.text("passage_state") in ("ok", "part", "not")]
    works = sum(record.answers.text("passage_state") == "ok" for record in passages)
    yield from share("working_passages", works, len(passages))
    yield Figure("carcasses", sum(record.answers.count("carcasses") for record in checks), "animals", len(checks), method="sum")


INDICATORS = (
    Indicator("I-EFF-1", "sum of km; people * days; the same / 100 km2 of the study areas patrolled", (PATROL,), _patrol_effort),
    Indicator(
        "I-EFF-2",
        "months with a report or a report of nothing / months; days from attack to report: median, 90th percentile; reports by the "
        "role of the reporter / reports; households asked in reports of nothing",
        (PATROL, REPORT),
        _completeness,
    ),
    Indicator("I-MON-1", "nights between visits on which the camera worked", (CAMERA,), _trap_nights),
    Indicator("I-MON-3", "different areas with a patrol or a prey count", tuple(MONITORING), _areas),
    Indicator("I-VIO-1", "100 * snares, poison baits, signs of shooting / km of patrol", (PATROL,), _violations),
    Indicator("I-COR-1", "corridors checked; km of barriers; passages that work / passages; carcasses", (CORRIDOR,), _corridors),
)
