"""The deployments of cameras that were taken down, as they are told: in cells, by months or quarters, with the nights they worked.

While a camera stands, nothing is told of it: it would be stolen, and would show where leopards pass (Chapman 2020, category 1).
"""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from exports.data.grouping import Gathered, Group, is_open, told_with
from exports.data.wildlife import group_wildlife, period_around
from exports.indicators.effort import CAMERA, Spell, Station, stations, working_spells
from exports.indicators.records import Answers, Record, read_records
from exports.indicators.slices import Data
from exports.policy import Policy
from exports.regions import region_of
from exports.windows import EPOCH
from forms.datatypes import read_point
from records.access import Access, Right


class Over(NamedTuple):
    """A spell of a camera that was taken down: how it was set up, the visit that ended it, and the first visit to its station."""

    spell: Spell
    setup: Answers
    ended: Record
    station: Record


class Deployment(NamedTuple):
    """One spell as it is told. The two ids are those of records, for whoever writes it, and never leave."""

    instance_id: str
    station_id: str
    place: Group
    first: date
    last: date
    nights: int
    setup: Answers


def told_deployments(
    connection: Connection, access: Access, policy: Policy, as_of: date, boundaries: Path | None = None
) -> list[Deployment]:
    """Every deployment that a circle of readers is told of on a day. Raises `Problem("not_allowed")`."""
    access.require(Right.SEE)
    data = Data(read_records(connection, access, as_of, surveys=(CAMERA,)), as_of)
    over = [each for visits in stations(data) for each in spells_over(visits)]
    due = [each for each in over if not is_open(_quarter(each), policy, as_of)]
    grouping = group_wildlife(_gathered(due), policy, region_of(boundaries))
    pairs = zip(due, grouping.group.tolist(), strict=True)
    return [_told(each, grouping.groups[group], policy) for each, group in pairs if group >= 0]


def spells_over(visits: Station) -> Iterator[Over]:
    """The spells after which every camera at the station was taken down, or was found to be gone.

    Cameras are counted: two that were put up one after the other both have to be taken down.
    """
    spells = {spell.before.instance_id: spell for spell in working_spells(visits)}
    standing, setup = 0, Answers({})
    waiting: list[tuple[Spell, Answers]] = []
    for visit in visits:
        event = visit.answers.text("cam_event")
        if event == "deploy":
            standing, setup = standing + 1, visit.answers
        elif event == "service":
            standing = max(standing, 1)
        elif event in ("retrieve", "lost"):
            standing = max(standing - 1, 0)
        if visit.instance_id in spells:
            waiting.append((spells[visit.instance_id], setup))
        if not standing:
            yield from (Over(spell, own, visit, visits[0]) for spell, own in waiting)
            waiting, setup = [], Answers({})


def _quarter(over: Over) -> int:
    """The quarter that a spell is told with: that in which the camera was taken down, or all about it was known."""
    came = max(visit.received for visit in (over.spell.before, over.spell.after, over.ended))
    return told_with(over.ended.day, came.date())


def _gathered(spells: Sequence[Over]) -> Gathered:
    places = np.array([each.spell.before.place or (np.nan, np.nan) for each in spells], np.float64).reshape(-1, 2)
    nobody = np.full(len(spells), -1, np.int64)
    return Gathered(
        latitude=places[:, 0],
        longitude=places[:, 1],
        accuracy_m=np.array([_accuracy(each.spell.before.answers) for each in spells], np.float64),
        shared=np.ones(len(spells), bool),
        day=np.array([(each.ended.day - EPOCH).days for each in spells], np.int64),
        quarter=np.array([_quarter(each) for each in spells], np.int64),
        country=np.array([each.spell.before.country for each in spells], np.str_),
        household=nobody,
    )


def _accuracy(answers: Answers) -> float:
    try:
        return read_point(answers.text("point"))[3] or np.nan
    except ValueError:
        return np.nan


def _told(over: Over, place: Group, policy: Policy) -> Deployment:
    spell = over.spell
    _, first, _ = period_around(spell.start, policy)
    _, _, last = period_around(spell.end, policy)
    nights = (spell.end - spell.start).days
    return Deployment(spell.before.instance_id, over.station.instance_id, place, first or last, last, nights, over.setup)
