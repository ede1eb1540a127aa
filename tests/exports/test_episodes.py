"""Repeated nights on one herd and double reports of one kill count once."""

from dataclasses import replace
from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.episodes import LOOK_BACK, attacks_of, episodes_of
from exports.reports import NOT_COUNTED, STANDARD, STRICT, Reports, certainty_of
from tests.support.conflict import reports_at

KM = 1 / 111.195  # degrees of latitude per kilometre


def same(reports: Reports, *members: int) -> bool:
    return len(set(episodes_of(reports)[list(members)].tolist())) == 1


def test_the_same_household_within_three_days_and_one_kilometre_is_one_episode() -> None:
    nights = reports_at([(100, 36.0, 52.0, 1), (103, 36.0 + 0.99 * KM, 52.0, 1)])
    assert same(nights, 0, 1)


def test_four_days_or_more_than_a_kilometre_apart_are_two() -> None:
    assert not same(reports_at([(100, 36.0, 52.0, 1), (104, 36.0, 52.0, 1)]), 0, 1)
    assert not same(reports_at([(100, 36.0, 52.0, 1), (100, 36.0 + 1.01 * KM, 52.0, 1)]), 0, 1)


def test_two_households_are_two_episodes() -> None:
    assert not same(reports_at([(100, 36.0, 52.0, 1), (100, 36.0, 52.0, 2)]), 0, 1)


def test_a_chain_of_nights_is_one_episode_however_long() -> None:
    chain = reports_at([(100 + 3 * night, 36.0, 52.0, 7) for night in range(60)])
    assert len(attacks_of(chain)) == 1


def test_two_camps_attacked_in_turn_stay_two_episodes() -> None:
    camps = reports_at([(100 + night, 36.0 + 2 * KM * (night % 2), 52.0, 7) for night in range(6)])
    assert episodes_of(camps)[::2].tolist() == [episodes_of(camps)[0]] * 3
    assert len(attacks_of(camps)) == 2


def test_reports_without_household_code_or_place_stand_alone() -> None:
    assert len(attacks_of(reports_at([(100, 36.0, 52.0, -1)] * 3))) == 3
    assert len(attacks_of(reports_at([(100, np.nan, np.nan, 4)] * 3))) == 3


def test_an_unlocated_report_between_does_not_break_the_episode() -> None:
    assert same(reports_at([(100, 36.0, 52.0, 1), (101, np.nan, np.nan, 1), (102, 36.0, 52.0, 1)]), 0, 2)


def test_a_household_that_reports_without_end_costs_no_more_than_the_look_back() -> None:
    many = reports_at([(100, 36.0, 52.0, 1)] * (LOOK_BACK * 20))
    assert len(attacks_of(many)) == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 5), st.integers(-1, 2)),
        max_size=25,
    )
)
@settings(max_examples=150, deadline=None)
def test_episodes_equal_linking_every_pair(sent: list[tuple[int, int, int]]) -> None:
    reports = reports_at([(day, 36 + step * 0.6 * KM, 52.0, household) for day, step, household in sent])
    group = list(range(len(sent)))
    for _ in sent:
        for (i, a), (j, b) in combinations(enumerate(sent), 2):
            if a[2] == b[2] >= 0 and abs(a[0] - b[0]) <= 3 and abs(a[1] - b[1]) * 0.6 <= 1:
                group[i] = group[j] = min(group[i], group[j])
    found = episodes_of(reports).tolist()
    assert len(set(zip(group, found, strict=True))) == len(set(group)) == len(set(found))


def test_an_attack_has_the_place_of_its_first_report_and_the_losses_of_all() -> None:
    two = reports_at([(101, 36.001, 52.0, 1), (100, 36.0, 52.0, 1)])
    two = replace(
        two,
        killed_small=np.array([2, 3]),
        loss=np.array([100.0, 50.0]),
        certainty=np.array([STRICT, STANDARD]),
        shared=np.array([True, False]),
    )
    attack = attacks_of(two)
    assert (attack.latitude[0], attack.killed_small[0], attack.loss[0]) == (36.0, 5, 150.0)
    assert (attack.certainty[0], attack.shared[0]) == (STRICT, False)


def test_losses_in_two_currencies_are_not_added() -> None:
    two = reports_at([(100, 36.0, 52.0, 1), (100, 36.0, 52.0, 1)])
    two = replace(two, loss=np.array([1.0, 2.0]), currency=np.array(["IRR", "USD"]))
    assert np.isnan(attacks_of(two).loss).all()


def test_a_visit_decides_over_the_reporter() -> None:
    assert certainty_of("confirmed", None, is_sure=False) == STRICT
    assert certainty_of(None, "c2", is_sure=False) == STRICT
    assert certainty_of("not_predation", None, is_sure=True) == NOT_COUNTED
    assert certainty_of("confirmed", "false", is_sure=True) == NOT_COUNTED
    assert certainty_of("undetermined", "c3", is_sure=True) == STANDARD
    assert certainty_of(None, None, is_sure=False) == NOT_COUNTED
