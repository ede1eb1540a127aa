"""A reader who adds and subtracts all published figures learns nothing about a place with fewer than five households.

The attacker knows more than a real one: which attacked places each row counts. He holds the partner and the public tables, of both
event sets, and looks for any set of places whose figure is a linear combination of published ones.
"""

from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import product
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from exports.equal_area import EASE10
from exports.grid import H3, Cells, Grid
from exports.hotspots.assessment import SINGLE_SITE, WATCH
from exports.hotspots.columns import TABLE
from exports.hotspots.release import Release
from exports.hotspots.rows import TableRows
from exports.hotspots.shown import EVENT_SETS
from exports.privacy import PARTNER, PUBLIC, Level
from exports.regions import Region
from exports.reports import STANDARD, STRICT
from exports.windows import EPOCH, Window
from tests.support.conflict import reports_at

WINDOW = Window(date(2024, 7, 1), date(2026, 6, 30))
REGION = Region({"IR-02": box(50, 35, 52, 38), "IR-23": box(52, 35, 53, 38), "TM-B": box(53, 35, 56, 38)})


class Ground(NamedTuple):
    """Cells in which attacks happen: four of one coarser cell (`home`), two of its neighbour, three far away."""

    grid: Grid
    home: int
    cells: list[int]
    footprint: Cells


def _ground(grid: Grid) -> Ground:
    home = grid.cells_of(np.array([36.5]), np.array([52.0]), 1)
    beside = next(cell for cell in grid.ring(int(home[0])) if cell != home[0])
    wide = grid.with_ring(grid.with_ring(grid.with_ring(grid.cells_of(*grid.centres(home)))))
    children = [wide[grid.parents(wide, 1) == coarse].tolist() for coarse in (int(home[0]), beside)]
    far = grid.cells_of(np.full(3, 36.5), np.array([51.0, 52.6, 54.5]))
    cells = [*children[0][:4], *children[1][:2], *far.tolist()]
    footprint = np.array(cells, np.uint64)
    for _ in range(3):
        footprint = grid.with_ring(footprint)
    return Ground(grid, int(home[0]), cells, footprint)


GROUND, SQUARES = _ground(H3), _ground(EASE10)
CELLS, HOME = GROUND.cells, GROUND.home
GROUNDS = pytest.mark.parametrize("ground", [GROUND, SQUARES], ids=["h3", "ease10"])

report = st.tuples(
    st.sampled_from(range(len(CELLS))),
    st.integers(-1, 14),
    st.booleans(),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([0, 1, 1, 2, 30]),
)


def release_of(sent: list[tuple[int, int, bool, bool, int]], ground: Ground = GROUND) -> Release:
    first = (WINDOW.start - EPOCH).days
    centres = list(zip(*ground.grid.centres(np.array(ground.cells, np.uint64)), strict=True))
    points = [centres[cell] for cell, *_ in sent]
    reports = reports_at((first + 7 * number, *points[number], household) for number, (_, household, *_) in enumerate(sent))
    reports = replace(
        reports,
        certainty=np.array([STRICT if strict else STANDARD for _, _, strict, _, _ in sent], np.int64),
        shared=np.array([shared for *_, shared, _ in sent], bool),
        killed_small=np.array([killed for *_, killed in sent], np.int64),
    )
    return Release(reports, ground.footprint, WINDOW, REGION, grid=ground.grid)


def derivable(equations: list[np.ndarray], size: int) -> np.ndarray:
    """All 0/1 combinations of the variables that the equations give away."""
    if not equations:
        return np.empty((0, size))
    _, spread, basis = np.linalg.svd(np.array(equations, float), full_matrices=False)
    basis = basis[spread > 1e-9]
    every = np.array(list(product((0.0, 1.0), repeat=size)))
    return every[np.abs(every @ basis.T @ basis - every).max(axis=1) < 1e-9]


def households_in(release: Release, places: np.ndarray) -> int:
    attacks = release.found.attacks
    return len(set(attacks.household[np.isin(release.found.place, places)].tolist()) - {-1})


def count_equations(release: Release, event_set: str) -> list[np.ndarray]:
    """One vector over the places per published figure, checked against the figure itself."""
    found = release.found
    places = len(found.paths)
    counted = (found.attacks.certainty == STRICT) if event_set == "strict" else np.ones(len(found.attacks), bool)
    equations = []
    for level in (PARTNER, PUBLIC):
        table = release.table(level, event_set)
        truth = np.bincount(found.place[(table.row >= 0) & counted], minlength=places)
        for number, row in rows(release, level, event_set):
            vector = np.isin(np.arange(places), found.place[table.row == number]).astype(float)
            assert vector @ truth == row["n_events"]
            equations.append(vector)
            if row.get("nb_events") is not None:
                near = release.grid.ring(release.grid.named(row["cell_id"]))
                around = np.isin(found.paths[:, level.finest], np.array(near, np.uint64)) & (truth > 0)
                assert around.astype(float) @ truth == row["nb_events"]
                equations.append(around.astype(float))
                total = truth[: found.cell_places].sum()
                assert row["nb_expected"] < total
        equations.append(((np.arange(places) < found.cell_places) & (truth > 0)).astype(float))  # N of the test
    return [equation for equation in equations if equation.any()]


def rows(release: Release, level: Level, event_set: str) -> list[tuple[int, dict]]:
    table = release.table(level, event_set)
    units = table.partition.paths[np.arange(len(table.partition.levels)), table.partition.levels]
    numbers = np.lexsort((units, table.partition.levels)).tolist()
    return list(zip(numbers, TableRows(release, table, event_set), strict=True))


@GROUNDS
@given(sent=st.lists(report, min_size=1, max_size=70))
@settings(max_examples=100, deadline=None)
def test_no_place_below_five_households_can_be_derived(ground: Ground, sent: list[tuple[int, int, bool, bool, int]]) -> None:
    release = release_of(sent, ground)
    for event_set in EVENT_SETS:
        for chosen in derivable(count_equations(release, event_set), len(release.found.paths)):
            places = np.flatnonzero(chosen)
            attacked = np.isin(release.found.place, places)
            assert not attacked.any() or households_in(release, places) >= 5


@GROUNDS
@given(sent=st.lists(report, min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_no_sum_of_animals_is_derivable_that_one_household_dominates(
    ground: Ground, sent: list[tuple[int, int, bool, bool, int]]
) -> None:
    release = release_of([(cell % 6, *rest) for cell, *rest in sent], ground)
    attacks, place = release.found.attacks, release.found.place
    item = place * 2 + (attacks.certainty == STRICT)
    items, position = np.unique(item, return_inverse=True)
    killed = attacks.killed_small.astype(float)
    equations = []
    for level, event_set in product((PARTNER, PUBLIC), EVENT_SETS):
        table = release.table(level, event_set)
        for number, row in rows(release, level, event_set):
            if row.get("n_killed") is not None:
                assert killed[table.row == number].sum() == row["n_killed"]
                equations.append(np.isin(items, item[table.row == number]).astype(float))
    for chosen in derivable(equations, len(items)):
        shares: Counter[int] = Counter()
        for household, number in zip(attacks.household[chosen[position] > 0], killed[chosen[position] > 0], strict=True):
            shares[int(household)] += int(number)
        assert not shares or len(set(shares) - {-1}) >= 5
        assert not sum(shares.values()) or max(shares.values()) <= 0.7 * sum(shares.values())


@GROUNDS
@given(sent=st.lists(report, min_size=1, max_size=70))
@settings(max_examples=50, deadline=None)
def test_rolling_up_keeps_the_totals(ground: Ground, sent: list[tuple[int, int, bool, bool, int]]) -> None:
    release = release_of(sent, ground)
    attacks = release.found.attacks
    for level in (PARTNER, PUBLIC):
        table = release.table(level, "standard")
        lost = table.row < 0
        assert sum(row["n_events"] for _, row in rows(release, level, "standard")) == (~lost).sum()
        for country, unplaced in product(range(2), (False, True)):
            pool = release.found.paths[release.found.place, 4] % (1 << 32) == country + 1
            pool &= (release.found.place >= release.found.cell_places) == unplaced
            households = set(attacks.household[pool].tolist()) - {-1}
            assert len(households) < 5 or not lost[pool].any()


def sent_to(cell: int, households: range, *, shared: bool = True) -> list[tuple[int, int, bool, bool, int]]:
    return [(cell, household, False, shared, 1) for household in households]


def table_of(release: Release, level: Level) -> dict[str, dict]:
    return {row["cell_id"]: row for _, row in rows(release, level, "standard")}


def test_no_row_names_a_class_that_stays_inside_nor_lets_a_single_farm_be_read_off_its_test() -> None:
    inside = {WATCH, SINGLE_SITE}
    farm = [(6, 1, True, True, 1)] * 8
    valley = [(0, household, True, True, 1) for household in range(5, 40)]
    release = release_of([*farm, *valley, *sent_to(7, range(50, 55)), *sent_to(5, range(60, 64))])
    own = release.table(PARTNER, "standard")
    assert inside < set(own.assessment.classes.tolist())
    assert CELLS[7] in own.cells  # a cell to be watched has a row of its own
    for level, event_set in product((PARTNER, PUBLIC), EVENT_SETS):
        for _, row in rows(release, level, event_set):
            assert inside.isdisjoint(row.values())
            assert row.get("q_value") is None or row["q_value"] > 0.05 or row["hotspot_class"] in ("hot_95", "hot_99")
    assert inside.isdisjoint(word for column in TABLE.columns for word in column.allowed)


def test_a_cell_with_five_households_is_shown_and_with_four_is_rolled_up() -> None:
    table = table_of(release_of(sent_to(0, range(5)) + sent_to(1, range(5, 9)) + sent_to(2, range(9, 12))), PARTNER)
    assert table[H3.name_of(CELLS[0])]["n_events"] == 5
    assert table[H3.name_of(HOME)]["n_events"] == 7
    assert table[H3.name_of(HOME)]["suppression"] == "rolled_up"
    assert H3.name_of(CELLS[1]) not in table


def test_one_hidden_cell_beside_shown_ones_takes_the_smallest_of_them_with_it() -> None:
    table = table_of(release_of(sent_to(0, range(7)) + sent_to(1, range(6)) + sent_to(2, range(2))), PARTNER)
    assert table[H3.name_of(CELLS[0])]["n_events"] == 7
    assert (table["country:IR"]["n_events"], table["country:IR"]["suppression"]) == (8, "merged")


def test_a_country_with_fewer_than_five_households_has_no_row() -> None:
    release = release_of(sent_to(0, range(6)) + sent_to(8, range(6, 10)))
    assert {row["country"] for row in table_of(release, PARTNER).values()} == {"IR"}


def test_a_place_that_is_not_shared_is_in_no_cell() -> None:
    release = release_of(sent_to(0, range(6), shared=False) + sent_to(0, range(6, 10)))
    table = table_of(release, PARTNER)
    assert set(table) == {"adm1:IR-02:unplaced"}
    assert table["adm1:IR-02:unplaced"]["n_events"] == 6


def test_reports_without_household_code_never_make_five() -> None:
    assert table_of(release_of(sent_to(0, range(4)) + [(0, -1, False, True, 1)] * 20), PARTNER) == {}


@GROUNDS
def test_the_public_sees_bands_and_coarser_cells(ground: Ground) -> None:
    table = table_of(release_of(sent_to(0, range(5)) + sent_to(1, range(20, 32)), ground), PUBLIC)
    home = ground.grid.name_of(ground.home)
    assert list(table) == [home]
    assert (table[home]["n_households"], table[home]["cell_level"]) == ("10+", ground.grid.levels[1])


def test_a_hot_cell_hidden_by_the_rule_is_rolled_up_and_says_so() -> None:
    herd = [(0, household, False, True, 1) for household in (1, 2, 3, 4)] * 8
    beside = [(cell, household, False, True, 1) for cell in (1, 2) for household in (5, 6)]
    row = table_of(release_of(herd + beside), PARTNER)[H3.name_of(HOME)]
    assert (row["suppression"], row["hotspot_class"]) == ("rolled_up", "hot_99")
    assert row.get("p_value") is None


def test_neighbourhood_figures_are_kept_back_where_they_would_set_a_few_households_apart() -> None:
    ring = [cell for cell in H3.ring(CELLS[0]) if cell in CELLS]
    assert CELLS[1] in ring
    release = release_of(sent_to(0, range(20)) + sent_to(1, range(2)) + sent_to(7, range(30, 34)))
    row = table_of(release, PARTNER)[H3.name_of(CELLS[0])]
    assert row.get("nb_events") is None
    assert "nearby_withheld" in row["quality_flags"]
    assert row["hotspot_class"] == "hot_99"


def test_a_sum_that_one_household_dominates_is_empty() -> None:
    release = release_of([*sent_to(0, range(6)), (0, 7, False, True, 90)])
    assert table_of(release, PARTNER)[H3.name_of(CELLS[0])].get("n_killed") is None
    assert table_of(release_of(sent_to(0, range(6))), PARTNER)[H3.name_of(CELLS[0])]["n_killed"] == 6


@pytest.mark.parametrize("level", [PARTNER, PUBLIC])
def test_nothing_at_all_makes_no_rows(level: Level) -> None:
    assert table_of(release_of([]), level) == {}
