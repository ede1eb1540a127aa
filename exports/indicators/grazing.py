"""Livestock on pastures (activity 7.1.3): how much, how long, on which land; what is attacked is counted by it too."""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from exports.grid import H3
from exports.indicators.figures import Figure, Indicator, Share, Support, behind, estimated, share
from exports.indicators.intervals import mean, ratio_of_sums
from exports.indicators.records import Record
from exports.indicators.slices import DAYS_PER_MONTH, Data, Slice

SURVEY = "grazing_survey"
LIVESTOCK_UNITS = {
    **dict.fromkeys(("cattle", "zebu", "buffalo", "yak", "horse", "mule", "camel_d", "camel_b"), 1.0),
    "donkey": 0.5,
    **dict.fromkeys(("sheep", "goat"), 0.1),
}
"""Livestock units of one animal; what is not named here is none."""
NOT_UNGULATES = frozenset({"", "hystrix", "lepus", "marmota", "galliform", "other"})
"""What the list of prey holds beside wild ungulates."""


class Herd(NamedTuple):
    """Animals of one kind, and the animal-months they spent on a pasture in one quarter."""

    record: Record
    species: str
    quarter: str
    months: float


def livestock_months(where: Slice) -> list[Herd]:
    """The herds that were on a pasture in the days of a slice: head * days / 30.4375, quarter by quarter."""
    found = []
    for record in where.data.of(SURVEY):
        arrive, leave = record.answers.day("arrive"), record.answers.day("leave")
        if arrive is None or leave is None or where.country not in ("", record.country):
            continue
        if not where.period.days_within(arrive, leave):
            continue
        herds = [(row.text("species"), row.count("head")) for row in record.answers.rows("herd")]
        for quarter in where.period.quarters:
            days = quarter.days_within(arrive, leave)
            found += [Herd(record, species, quarter.name, head * days / DAYS_PER_MONTH) for species, head in herds if head and days]
    return found


def of_herds(herds: Iterable[Herd]) -> Support:
    """The households of herds. A stay counts quarter by quarter: it may be in two of them."""
    return tuple(Share(f"{herd.record.instance_id} {herd.quarter}", herd.record.household, herd.months) for herd in herds)


def _stocking(where: Slice) -> Iterable[Figure]:
    sized = [record for record in where.of(SURVEY) if record.answers.number("pasture_ha")]
    if sized:
        units = [_units(record) for record in sized]
        km2 = [(record.answers.number("pasture_ha") or 0.0) / 100 for record in sized]
        figure = estimated("stocking_density", ratio_of_sums(units, km2), "LU/km2", len(sized))
        coverage = len(sized) / len(where.of(SURVEY))
        yield replace(figure, coverage=coverage, method="Fieller 1954", supports=(behind(sized, units),), is_sum=True)
    herds = livestock_months(where)
    for species in ("", *sorted({herd.species for herd in herds})):
        mine = [herd for herd in herds if species in ("", herd.species)]
        if mine:
            months = [herd.months for herd in mine]
            support = behind((herd.record for herd in mine), months)
            yield Figure(
                "livestock_months", sum(months), "livestock-months", len(mine), of=species, supports=(support,), is_sum=True
            )


def _units(record: Record) -> float:
    return sum(LIVESTOCK_UNITS.get(row.text("species"), 0.0) * row.count("head") for row in record.answers.rows("herd"))


def _degradation(where: Slice) -> Iterable[Figure]:
    rated = [record for record in where.of(SURVEY) if record.answers.text("degradation")]
    bad = sum(record.answers.text("degradation") in ("3", "4") for record in rated)
    yield from share("degraded_share", bad, len(rated), supports=(behind(rated),))
    bare = [record for record in where.of(SURVEY) if record.answers.number("bare_pct") is not None]
    if bare:
        figure = estimated("bare_ground", mean([record.answers.number("bare_pct") or 0.0 for record in bare]), "%", len(bare))
        yield replace(figure, method="Student's t", supports=(behind(bare),))


def _overlap(where: Slice) -> Iterable[Figure]:
    camps = [record for record in where.of(SURVEY) if record.place]
    if not camps:  # nobody asked: that is no overlap of zero
        return
    cells = where.data.once(_cells)
    livestock = {cells[record.instance_id] for record in camps}
    wild = {cells[record.instance_id] for record in (*camps, *_counts(where)) if record.place and _has_ungulates(record)}
    for figure in share("overlap", len(wild & livestock), len(wild)):
        yield replace(figure, supports=(behind(camps),), method="H3 cells of resolution 6; Wilson 1927")


def _counts(where: Slice) -> list[Record]:
    return [record for form_id in ("prey_transect", "prey_block", "patrol_effort") for record in where.of(form_id)]


def _cells(data: Data) -> dict[str, int]:
    """The cell of each record with a place."""
    forms = (SURVEY, "prey_transect", "prey_block", "patrol_effort")
    placed = [record for form_id in forms for record in data.of(form_id) if record.place]
    points = np.array([record.place for record in placed], np.float64).reshape(-1, 2)
    cells = H3.cells_of(points[:, 0], points[:, 1]).tolist()
    return {record.instance_id: cell for record, cell in zip(placed, cells, strict=True)}


def _has_ungulates(record: Record) -> bool:
    answers = record.answers
    seen = {*answers.chosen("prey_seen")}
    seen.update(row.text("species") for path in ("obs", "grp") for row in answers.rows(path))
    seen.update(row.text("obs_species") for row in answers.rows("patrol/obs") if row.text("obs_kind") == "wild")
    return bool(seen - NOT_UNGULATES)


def _rights(where: Slice) -> Iterable[Figure]:
    known = [record for record in where.of(SURVEY) if record.answers.text("land_status") and _head(record)]
    if known:
        head = [_head(record) for record in known]
        inside = [
            number if record.answers.text("land_status") == "pa_core" else 0 for record, number in zip(known, head, strict=True)
        ]
        figure = estimated("core_share", ratio_of_sums(inside, head), "%", len(known), factor=100)
        yield replace(figure, method="Fieller 1954", supports=(behind(known, [float(each) for each in head]),), is_sum=True)


def _head(record: Record) -> int:
    return sum(row.count("head") for row in record.answers.rows("herd"))


INDICATORS = (
    Indicator("I-GRZ-1", "livestock units / km2 of pasture; head * days / 30.4375", (SURVEY,), _stocking),
    Indicator("I-GRZ-2", "pastures of class 3 or 4 / pastures rated; mean of bare ground", (SURVEY,), _degradation),
    Indicator(
        "I-GRZ-3",
        "cells with livestock and wild ungulates / cells with wild ungulates",
        (SURVEY, "prey_transect", "prey_block", "patrol_effort"),
        _overlap,
    ),
    Indicator("I-GRZ-4", "animals in the core of a protected area / animals", (SURVEY,), _rights),
)
