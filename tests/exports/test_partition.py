"""Whatever parts the records are cut into, and in whatever order these are joined, the result is the same."""

import random
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.grid import H3
from exports.hotspots.release import Release
from exports.hotspots.rows import TableRows
from exports.partition import ALL_LARGE_CARNIVORES, Aggregate, Question, merge, part, places
from exports.privacy import LEVELS
from exports.regions import region_of
from records.counted import UNDATED, counted
from tests.support.conflict import answers
from tests.support.counting import QUESTION, REPORTS, WINDOW, packed, told


@given(st.lists(st.integers(0, len(REPORTS)), max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_any_cut_and_any_order_give_the_same_aggregate(cuts: list[int], chance: random.Random) -> None:
    edges = [0, *sorted(cuts), len(REPORTS)]
    parts = [part(REPORTS[first:last], QUESTION) for first, last in pairwise(edges)]
    chance.shuffle(parts)
    split = chance.randrange(len(parts) + 1)
    assert told(merge([merge(parts[:split]), merge(parts[split:])])) == told(part(REPORTS, QUESTION))


def test_the_tables_are_the_same_from_one_part_and_from_many() -> None:
    def rows(aggregate: Aggregate) -> list[Any]:
        release = Release(aggregate.reports, aggregate.touched.cells, WINDOW, region_of(None))
        return [list(TableRows(release, release.table(level, "standard"), "standard")) for level in LEVELS.values()]

    once = rows(part(REPORTS, QUESTION))
    assert rows(merge([part(REPORTS[start : start + 37], QUESTION) for start in range(0, len(REPORTS), 37)][::-1])) == once
    assert any(row["cell_level"] == "h3_6" for row in once[0])


def test_records_before_the_window_are_kept_for_history_and_counted_nowhere() -> None:
    first, _ = WINDOW.days
    told_of_past = part(REPORTS[(REPORTS["day"] > UNDATED) & (REPORTS["day"] < first)], QUESTION)
    assert len(told_of_past.reports) > 0
    assert len(told_of_past.touched.cells) == 0
    assert not any(told_of_past.left_out.values())


def test_places_of_other_records_only_show_that_somebody_was_there() -> None:
    found = merge([part(REPORTS[:0], QUESTION), places(H3, [36.5, 36.5], [52.0, 52.0])])
    assert (len(found.reports), found.touched.counts.tolist(), found.left_out) == (0, [2], {})
    assert len(merge([]).reports) == 0


@pytest.mark.parametrize(("predator", "expected"), [("leopard", 1), ("wolf", 1), (ALL_LARGE_CARNIVORES, 2), ("jackal", 1)])
def test_all_large_carnivores_are_counted_together_and_small_ones_are_not(predator: str, expected: int) -> None:
    rows = [
        counted(f"uuid:{kind}", answers("H1", predator=kind), 36.5, 52.0, 9.0, date(2026, 1, 1))
        for kind in ("leopard", "wolf", "jackal", "unknown", "not_predator")
    ]
    found = part(packed(*rows), Question(predator, WINDOW.start))
    assert len(found.reports) == expected
    assert found.left_out["n_other_predator"] == 5 - expected
    assert np.unique(found.reports.household).tolist() == [0]
