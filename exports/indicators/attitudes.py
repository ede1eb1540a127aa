"""What people think about living beside leopards (activity 6.1.3), in the programme and elsewhere, before and after."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from exports.indicators.effect_statistics import difference_in_differences
from exports.indicators.figures import NO_CONTROLS, Figure, Indicator, Support, behind, estimated
from exports.indicators.intervals import Estimate, ratio_of_sums
from exports.indicators.parts import ELSEWHERE, PROGRAMME
from exports.indicators.records import Record
from exports.indicators.slices import Slice
from exports.statistics import Floats

SURVEY = "community_attitudes"
OPINIONS = ("value", "fear", "tolerate", "remove", "benefit", "trust", "measures", "prey", "dogs", "say")
REVERSED = frozenset({"fear", "remove"})
FEWEST_OPINIONS = 7
UNIT = "points from 1 to 5"
FEW_CLUSTERS = "few_clusters"


def index(record: Record) -> float | None:
    """The mean of the opinions from 1 to 5, fear and removal turned round; None for fewer than seven answers ("9" is none)."""
    told = {name: record.answers.text(f"att/a_{name}") for name in OPINIONS}
    valid = [6 - int(answer) if name in REVERSED else int(answer) for name, answer in told.items() if answer in "12345" and answer]
    return sum(valid) / len(valid) if len(valid) >= FEWEST_OPINIONS else None


def _people(records: Iterable[Record]) -> Support:
    """Each interview stands for one household: nobody is asked which one it is."""
    chosen = list(records)
    return behind(chosen, households=[record.instance_id for record in chosen])


def _index(where: Slice) -> Iterable[Figure]:
    asked = [record for record in where.of(SURVEY) if record.answers.text("consent") == "yes"]
    for area, answer in ((PROGRAMME, "yes"), (ELSEWHERE, "no")):
        mine = [record for record in asked if record.answers.text("programme_area") == answer]
        valid = [record for record in mine if index(record) is not None]
        if valid:
            totals = _totals(valid)
            estimate = ratio_of_sums(totals[:, 0].tolist(), totals[:, 1].tolist())
            figure = estimated("mean", estimate, UNIT, len(valid))
            method = "limits between clusters (Fieller 1954)"
            yield replace(figure, of=area, supports=(_people(valid),), coverage=len(valid) / len(mine), method=method)
    if where.period.is_year:
        yield from _change(where)


def _totals(records: Iterable[Record]) -> Floats:
    """Sum and number of indexes by cluster."""
    found: dict[str, list[float]] = {}
    for record in records:
        found.setdefault(record.answers.code("cluster_code"), []).append(index(record) or 0.0)
    return np.array([[sum(values), len(values)] for values in found.values()], np.float64)


def _change(where: Slice) -> Iterable[Figure]:
    """From the first round to the last one of those held up to the end of the year."""
    records = [
        record for record in where.until(SURVEY) if index(record) is not None and record.answers.number("round_no") is not None
    ]
    rounds = sorted({record.answers.count("round_no") for record in records})
    if len(rounds) < 2 or where.period.start.year != max(record.day.year for record in records):
        return
    both = [record for record in records if record.answers.count("round_no") in (rounds[0], rounds[-1])]
    programme, elsewhere = (
        [record for record in both if record.answers.text("programme_area") == answer] for answer in ("yes", "no")
    )
    arms = [_before_after(arm, rounds[0]) for arm in (programme, elsewhere)]
    is_whole = [bool(len(arm)) and bool(arm[:, 1].sum() and arm[:, 3].sum()) for arm in arms]
    of = f"round {rounds[0]} to {rounds[-1]}"
    if all(is_whole):
        figure = estimated("difference_in_differences", difference_in_differences(*arms), UNIT, len(both))
        flags = (FEW_CLUSTERS,) if min(map(len, arms)) < 10 else ()
        supports = (_people(programme), _people(elsewhere))
        yield replace(figure, of=of, supports=supports, flags=flags, method="bootstrap of clusters, 2000 draws, fixed seed")
    elif is_whole[0]:
        sums = arms[0].sum(axis=0)
        value = Estimate(float(sums[2] / sums[3] - sums[0] / sums[1]))
        figure = replace(estimated("change", value, UNIT, len(programme)), of=of, supports=(_people(programme),))
        yield figure.flagged(NO_CONTROLS)


def _before_after(records: Sequence[Record], first: int) -> Floats:
    """Sum and number before, sum and number after, by cluster."""
    clusters: dict[str, list[float]] = {}
    for record in records:
        row = clusters.setdefault(record.answers.code("cluster_code"), [0.0, 0.0, 0.0, 0.0])
        offset = 0 if record.answers.count("round_no") == first else 2
        row[offset] += index(record) or 0.0
        row[offset + 1] += 1
    return np.array(list(clusters.values()), np.float64).reshape(-1, 4)


INDICATORS = (Indicator("I-ATT-1", "mean of ten opinions; its change in the programme - its change elsewhere", (SURVEY,), _index),)
