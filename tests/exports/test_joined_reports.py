"""Reports that a person said are one are counted once; pairs that are only proposed count apart, and the release says how many."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.dataset import read_conflicts
from exports.episodes import RULE, attacks_of, one_per_incident
from exports.hotspots.columns import COLUMNS
from exports.hotspots.export import run_hotspots
from exports.package.release import Made, make
from exports.recipes import RECIPES
from exports.reports import NOT_COUNTED, STANDARD, STRICT, Reports
from exports.windows import Window
from forms.submission import case_number
from records import incidents
from records.blobs import BlobStore
from records.store import Store
from sync.checks import checker
from sync.incidents.comparison import link_incidents
from tests.support.conflict import reports_at
from tests.support.incidents import Desk, ranger, told
from tests.support.stores import EVERYTHING
from tests.support.twins import FORM

WINDOW = Window(date(2024, 7, 1), date(2026, 6, 30))


@pytest.fixture
def desk(store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(checker, "CHECKS", ())
    monkeypatch.setattr(checker, "COMPARISONS", (link_incidents,))
    desk = Desk(store, blobs)
    desk.take(told("uuid:a", killed=3), ranger("uuid:b", household="NEW", killed=2, point=(36.501, 52.0, 4.0)))
    return desk


def decide(desk: Desk, decision: str) -> None:
    incidents.decide(desk.store, EVERYTHING, (FORM, "uuid:a"), (FORM, "uuid:b"), decision)


def counted(desk: Desk) -> tuple[Reports, int]:
    with desk.store.snapshot() as connection:
        data = read_conflicts(connection, EVERYTHING, "leopard", WINDOW)
    return attacks_of(data.reports), data.undecided_pairs


def test_two_reports_count_apart_until_somebody_says_that_they_are_one(desk: Desk) -> None:
    attacks, undecided = counted(desk)
    assert (len(attacks), attacks.killed_small.sum(), undecided) == (2, 5, 1)
    decide(desk, "same")
    attacks, undecided = counted(desk)
    assert (attacks.n_reports.tolist(), attacks.killed_small.tolist(), undecided) == ([2], [2], 0)
    assert (attacks.latitude.tolist(), attacks.household.tolist()) == ([36.501], [0])  # the better place, the code that is known
    decide(desk, "different")
    attacks, undecided = counted(desk)
    assert (attacks.n_reports.tolist(), undecided) == ([1, 1], 0)


def test_a_pair_of_which_a_report_was_rejected_waits_for_nobody(desk: Desk) -> None:
    from records import reviews

    reviews.set_state(desk.store, EVERYTHING, FORM, "uuid:b", "rejected")
    attacks, undecided = counted(desk)
    assert (len(attacks), undecided) == (1, 0)


def test_a_visit_to_one_report_is_a_visit_to_all_of_its_incident(desk: Desk) -> None:
    decide(desk, "same")
    visit = {"predator_final": "wolf", "verification_status": "confirmed", "scalp": "c2"}
    desk.visit("uuid:v", "conflict_verification", incident_ref=case_number("uuid:b"), **visit)
    assert len(counted(desk)[0]) == 0
    with desk.store.snapshot() as connection:
        wolves = read_conflicts(connection, EVERYTHING, "wolf", WINDOW).reports
    assert wolves.certainty.tolist() == [STRICT, STRICT]


def test_a_release_names_the_rule_and_says_how_many_pairs_are_open(desk: Desk, tmp_path: Path) -> None:
    with desk.store.snapshot() as connection:
        result = run_hotspots(connection, EVERYTHING, "partner", date(2026, 11, 1), tmp_path)
        made = make(connection, EVERYTHING, RECIPES["hotspots-partner"], date(2027, 2, 1), tmp_path / "releases")
    assert (result.summary["attack_rule"], result.summary["undecided_pairs"]) == (RULE, "1-4")
    assert isinstance(made, Made)
    text = (made.folder / "README.txt").read_text(encoding="utf-8")
    assert RULE in text
    assert "count apart: 1-4." in text
    assert RULE in next(column.description for column in COLUMNS if column.name == "attack_rule")


def test_an_incident_has_the_losses_of_its_most_certain_report() -> None:
    reports = replace(
        reports_at([(100, 36.0, 52.0, 1), (101, 36.2, 52.0, 2), (102, 37.0, 52.0, 3)]),
        incident=np.array([4, 4, -1]),
        certainty=np.array([STANDARD, STRICT, STANDARD]),
        killed_small=np.array([9, 2, 1]),
    )
    attacks = attacks_of(reports)
    assert sorted(zip(attacks.killed_small.tolist(), attacks.n_reports.tolist(), strict=True)) == [(1, 1), (2, 2)]


def test_the_place_of_an_incident_is_shared_only_if_all_its_reports_share_it() -> None:
    reports = replace(
        reports_at([(100, 36.0, 52.0, 1), (100, 36.0, 52.0, -1)]), incident=np.array([0, 0]), shared=np.array([True, False])
    )
    assert one_per_incident(reports).shared.tolist() == [False]


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(100, 104), st.integers(0, 3), st.integers(-1, 2), st.integers(-1, 3), st.integers(0, 2)),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_what_is_counted_does_not_depend_on_the_order_of_the_reports(sent: list[tuple[int, ...]], chance: object) -> None:
    def counted(rows: list[tuple[int, ...]]) -> list[tuple[object, ...]]:
        reports = replace(
            reports_at([(day, 36 + place / 111, 52.0, household) for day, place, household, _, _ in rows]),
            incident=np.array([row[3] for row in rows], np.int64),
            certainty=np.array([(NOT_COUNTED, STANDARD, STRICT)[row[4]] for row in rows], np.int64),
        )
        attacks = attacks_of(reports)
        columns = (attacks.day, attacks.n_reports, attacks.certainty, attacks.killed_small)
        return sorted(zip(*(column.tolist() for column in columns), strict=True))

    mixed = list(sent)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert counted(mixed) == counted(sent)
    assert sum(row[1] for row in counted(sent)) == len(sent)  # type: ignore[misc]
