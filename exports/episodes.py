"""Attacks: double reports of one event and repeated nights on one herd are one attack, not independent ones.

First, reports of which a person decided that they tell of one event are one: it has the place and the losses of its most certain
report. Pairs that are only proposed stay apart. Then come episodes: two reports of the same household and predator are linked when
at most 3 days and at most 1 km apart; whatever hangs together by such links is one episode, so a chain of nights may last longer
than 3 days. A report without a household code or without a place stands alone.
"""

from dataclasses import replace

import numpy as np

from exports.reports import Reports
from exports.statistics import Floats, Ints

RULE = "incident-episode-1"
"""The name of this rule and its version, told with everything that is counted by it."""
DAYS_APART = 3
METRES_APART = 1000.0
LOOK_BACK = 100
"""Each report is compared with at most this many reports of its household just before it, however many a household sends."""
EARTH_RADIUS_M = 6_371_008.8


def episodes_of(reports: Reports) -> Ints:
    """Give for each report the position of the earliest report of its episode."""
    earliest = np.arange(len(reports))
    chosen = _near_in_time(reports.household, reports.day)
    order = chosen[np.lexsort([values[chosen] for values in (reports.longitude, reports.latitude, reports.day, reports.household)])]
    earliest[order] = order[_earliest_of_episode(reports.where(order))]
    return earliest


def _near_in_time(household: Ints, day: Ints) -> Ints:
    """The reports of known households that have another one within the days of an episode: most stand alone."""
    known = np.flatnonzero(household >= 0)
    order = known[np.argsort(household[known] * (1 << 32) + day[known])]
    near = (np.diff(household[order]) == 0) & (np.diff(day[order]) <= DAYS_APART)
    return np.sort(order[np.append(near, False) | np.append(False, near)]) if len(order) else order


def _earliest_of_episode(ordered: Reports) -> Ints:
    """Compare each report with those just before it in the order of household and day, nearest first."""
    household, day = ordered.household, ordered.day
    latitude, longitude = np.radians(ordered.latitude), np.radians(ordered.longitude)
    linkable = (household >= 0) & np.isfinite(latitude) & np.isfinite(longitude)
    later, earlier = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    candidates = np.flatnonzero(linkable)
    for back in range(1, LOOK_BACK + 1):
        candidates = candidates[candidates >= back]
        before = candidates - back
        near_in_time = (household[candidates] == household[before]) & (day[candidates] - day[before] <= DAYS_APART)
        candidates, before = candidates[near_in_time], before[near_in_time]
        if not len(candidates):
            break
        metres = _distance_m(latitude[candidates], longitude[candidates], latitude[before], longitude[before])
        linked = linkable[before] & (metres <= METRES_APART) & (ordered.predator[candidates] == ordered.predator[before])
        later.append(candidates[linked])
        earlier.append(before[linked])
    return _first_reached(len(ordered), np.concatenate(later), np.concatenate(earlier))


def _distance_m(latitude: Floats, longitude: Floats, other_latitude: Floats, other_longitude: Floats) -> Floats:
    """Give great-circle distances (haversine), angles in radians."""
    half = (
        np.sin((latitude - other_latitude) / 2) ** 2
        + np.cos(latitude) * np.cos(other_latitude) * np.sin((longitude - other_longitude) / 2) ** 2
    )
    metres: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(half))
    return metres


def _first_reached(size: int, later: Ints, earlier: Ints) -> Ints:
    """Give for each position the first one that hangs together with it by links."""
    first = np.arange(size)
    while True:
        reached = first.copy()
        low = np.minimum(first[later], first[earlier])
        np.minimum.at(reached, first[later], low)
        np.minimum.at(reached, first[earlier], low)
        reached = reached[reached]
        if np.array_equal(reached, first):
            return first
        first = reached


def one_per_incident(reports: Reports) -> Reports:
    """Give one entry per incident: that of its most certain report, among equals of the best placed one.

    The place is shared only if every report of the incident shares it.
    """
    if (reports.incident < 0).all():
        return reports
    alone = np.where(reports.incident < 0, np.arange(len(reports)) + reports.incident.max(initial=0) + 1, reports.incident)
    accuracy = np.where(np.isfinite(reports.accuracy_m), reports.accuracy_m, np.inf)
    unplaced = ~np.isfinite(reports.latitude)
    ties = (reports.predator, reports.household, reports.killed_small, reports.longitude, reports.latitude, reports.day)
    order = np.lexsort((*ties, accuracy, unplaced, -reports.certainty, alone))
    ordered = reports.where(order)
    _, first, number = np.unique(alone[order], return_index=True, return_inverse=True)
    if len(first) == len(reports):
        return reports
    leading = ordered.where(first)
    known = np.flatnonzero(ordered.household >= 0)[::-1]
    household = leading.household.copy()
    household[number[known]] = ordered.household[known]
    return replace(
        leading,
        household=np.where(leading.household >= 0, leading.household, household),
        shared=np.bincount(number[~ordered.shared], minlength=len(first)) == 0,
        n_reports=np.bincount(number, weights=ordered.n_reports, minlength=len(first)).astype(np.int64),
    )


def attacks_of(reports: Reports) -> Reports:
    """Give one entry per attack: place and day of its first incident, losses of all, certain as its most certain one.

    The place is shared only if every report of the attack shares it. Losses in several currencies have no sum.
    """
    reports = one_per_incident(reports)
    earliest_of = episodes_of(reports)
    first = np.flatnonzero(earliest_of == np.arange(len(reports)))
    size = len(first)
    if size == len(reports):
        return reports
    episode = np.searchsorted(first, earliest_of)

    def total(values: Ints) -> Ints:
        return np.bincount(episode, weights=values, minlength=size).astype(np.int64)

    certainty = np.zeros(size, np.int64)
    np.maximum.at(certainty, episode, reports.certainty)
    known = np.isfinite(reports.loss)
    foreign = known & (reports.currency != reports.currency[first][episode])
    loss = np.bincount(episode, weights=np.where(known, reports.loss, 0.0), minlength=size).astype(np.float64)
    loss[(np.bincount(episode[known], minlength=size) == 0) | (np.bincount(episode[foreign], minlength=size) > 0)] = np.nan
    return Reports(
        day=reports.day[first],
        latitude=reports.latitude[first],
        longitude=reports.longitude[first],
        accuracy_m=reports.accuracy_m[first],
        household=reports.household[first],
        certainty=certainty,
        shared=np.bincount(episode[~reports.shared], minlength=size) == 0,
        country=reports.country[first],
        killed_small=total(reports.killed_small),
        killed_large=total(reports.killed_large),
        injured=total(reports.injured),
        missing=total(reports.missing),
        loss=loss,
        currency=reports.currency[first],
        incident=reports.incident[first],
        n_reports=total(reports.n_reports),
        predator=reports.predator[first],
        cell=reports.cell[first],
    )
