"""Records are put together until five households share a place and a time, whatever they are; quarters are closed once."""

from collections import defaultdict
from datetime import date, timedelta

import h3.api.basic_int as h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.data.grouping import Gathered, Grouping, group_households, is_open, quarter_name, quarter_of, told_with
from exports.data.wildlife import FARTHEST_M, centre, group_wildlife
from exports.policy import PARTNER, PUBLIC, Policy
from exports.regions import region_of
from exports.windows import EPOCH

HOME = h3.latlng_to_cell(36.4, 52.2, 5)
CELLS = sorted(h3.cell_to_children(HOME, 6))
JANUARY = (date(2025, 1, 1) - EPOCH).days
records = st.lists(
    st.tuples(st.integers(0, 6), st.integers(-1, 12), st.integers(0, 200), st.booleans(), st.booleans()), min_size=1, max_size=60
)


def gathered(sent: list[tuple[int, int, int, bool, bool]]) -> Gathered:
    """(cell, household, day of the year, is the place shared, did it come late) as columns."""
    cells, households, days, shared, late = (np.array(column) for column in zip(*sent, strict=True))
    points = np.array([h3.cell_to_latlng(CELLS[cell]) for cell in cells])
    day = JANUARY + days
    quarter = [told_with(EPOCH + timedelta(days=int(each)), EPOCH + timedelta(days=int(each) + 200 * int(is_late)))
               for each, is_late in zip(day, late, strict=True)]  # fmt: skip
    size = len(sent)
    return Gathered(
        points[:, 0], points[:, 1], np.full(size, 8.0), shared.astype(bool), day, np.array(quarter), np.full(size, "IR"), households
    )


def groups_of(found: Gathered, policy: Policy) -> Grouping:
    return group_households(found, policy, region_of())


@given(records)
@settings(max_examples=60, deadline=None)
def test_every_group_and_every_pair_of_a_partner_and_a_public_group_has_five_households(
    sent: list[tuple[int, int, int, bool, bool]],
) -> None:
    found = gathered(sent)
    partner, public = groups_of(found, PARTNER), groups_of(found, PUBLIC)
    behind: dict[tuple[int, int], set[int]] = defaultdict(set)
    for household, fine, coarse in zip(found.household.tolist(), partner.group.tolist(), public.group.tolist(), strict=True):
        if household >= 0:
            for key in ((fine, -2), (-2, coarse), (fine, coarse)):
                behind[key].add(household)
    told = {key: who for key, who in behind.items() if -1 not in key}
    assert all(len(who) >= 5 for who in told.values())
    assert ((partner.group >= 0) == (public.group >= 0)).all()


@given(records)
@settings(max_examples=30, deadline=None)
def test_what_comes_later_leaves_what_was_told_as_it_was(sent: list[tuple[int, int, int, bool, bool]]) -> None:
    sent = sorted(sent, key=lambda each: each[4])
    on_time = [each for each in sent if not each[4]]
    if not on_time or len(on_time) == len(sent):
        return
    before, after = gathered(on_time), gathered(sent)
    last = int(before.quarter.max())
    if int(after.quarter[len(on_time) :].min()) <= last:
        return
    for policy in (PARTNER, PUBLIC):
        old, new = groups_of(before, policy), groups_of(after, policy)
        assert [old.groups[g] if g >= 0 else None for g in old.group] == [
            new.groups[g] if g >= 0 else None for g in new.group[: len(on_time)]
        ]


def test_a_group_says_where_and_when_as_finely_as_it_may() -> None:
    crowd = [(0, household, day, True, False) for household, day in enumerate((3, 5, 9, 12, 20))]
    [group] = groups_of(gathered(crowd), PARTNER).groups
    assert (group.level, group.period, group.country) == ("h3_6", "2025-01", "IR")
    [coarse] = groups_of(gathered(crowd), PUBLIC).groups
    assert (coarse.level, coarse.period) == ("h3_5", "2025Q1")
    spread = [(0, household, day, True, False) for household, day in enumerate((3, 40, 70, 12, 20))]
    [group] = groups_of(gathered(spread), PARTNER).groups
    assert (group.level, group.period) == ("h3_6", "2025Q1")


def test_a_place_that_is_not_shared_is_told_as_a_province() -> None:
    [group] = groups_of(gathered([(0, household, 3, False, False) for household in range(6)]), PARTNER).groups
    assert group.place.startswith("adm1:IR-")
    assert group.place.endswith(":unplaced")
    assert group.latitude is None


def test_four_households_and_reports_without_a_code_are_not_told() -> None:
    few = [(0, household, 3, True, False) for household in range(4)] + [(0, -1, 3, True, False)] * 9
    assert groups_of(gathered(few), PARTNER).groups == []


@pytest.mark.parametrize(
    ("happened", "came", "told"),
    [
        (date(2025, 3, 31), date(2025, 4, 1), "2025Q1"),
        (date(2025, 1, 5), date(2025, 4, 30), "2025Q1"),
        (date(2025, 1, 5), date(2025, 5, 1), "2025Q2"),
        (date(2025, 1, 5), date(2026, 9, 9), "2026Q3"),
    ],
)
def test_a_report_is_told_with_its_quarter_or_with_the_one_that_was_open_when_it_came(
    happened: date, came: date, told: str
) -> None:
    assert quarter_name(told_with(happened, came)) == told


def test_the_public_waits_longer_than_partners() -> None:
    quarter = quarter_of(date(2025, 2, 1))
    assert is_open(quarter, PARTNER, date(2025, 4, 30))
    assert not is_open(quarter, PARTNER, date(2025, 5, 1))
    assert is_open(quarter, PUBLIC, date(2025, 6, 29))
    assert not is_open(quarter, PUBLIC, date(2025, 6, 30))


def test_wildlife_lies_in_the_middle_of_a_tenth_of_a_degree() -> None:
    found = gathered([(0, -1, 3, True, False)])
    [group] = group_wildlife(found, PUBLIC, region_of()).groups
    assert abs(float(group.latitude or 0) - float(found.latitude[0])) <= 0.05
    assert (group.period, group.uncertainty) == ("2025Q1", -(-(FARTHEST_M + 8) // 100) * 100)
    assert centre(36.4999, 0.1) == 36.45
    assert centre(-0.01, 0.1) == -0.05
