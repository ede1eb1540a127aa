"""The whole test on real attacks: Canton Ticino, 2022 to July 2025, as computed independently before.

The recipe: rows from 2022-01-01 inside the canton buffered by 0.03 degrees; a row repeated word for word is one report; each row is
an attack of its own; the study area is the H3 cells of resolution 6 of that polygon plus the cells of attacks; exposure is area.
"""

import csv
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import shapely
from shapely.geometry import mapping, shape

from exports.equal_area import EASE10
from exports.grid import H3, Grid
from exports.hotspots.assessment import Assessment, area_exposure, assess

ORACLES = Path(__file__).parents[2] / "oracles"
EXPECTED = json.loads((ORACLES / "REFERENCE_VALUES.json").read_text())["ticino_2022_2025"]


class Ticino(NamedTuple):
    rows_total: int
    rows_outside: int
    animals: int
    result: Assessment
    squares: Assessment


@pytest.fixture(scope="module")
def ticino() -> Ticino:
    canton = shape(json.loads((ORACLES / "canton_ticino.geojson").read_text())["geometry"]).buffer(0.03)
    with (ORACLES / "predati_ticino.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    inside = [row for row in rows if canton.covers(shapely.Point(float(row["Long"]), float(row["Lat"])))]
    distinct = {tuple(row.values()): row for row in inside if row["Data"] >= EXPECTED["window_from"]}
    chosen = list(distinct.values())
    latitudes = np.array([float(row["Lat"]) for row in chosen])
    longitudes = np.array([float(row["Long"]) for row in chosen])

    def tested(grid: Grid) -> Assessment:
        attacks = grid.cells_of(latitudes, longitudes)
        cells = np.union1d(np.array(grid.within(mapping(canton)), np.uint64), attacks)
        return assess(cells, attacks, np.arange(len(attacks)), area_exposure(cells, grid), grid=grid)

    return Ticino(
        rows_total=len(rows),
        rows_outside=len(rows) - len(inside),
        animals=sum(int(row["Numero_Predati"]) for row in chosen),
        result=tested(H3),
        squares=tested(EASE10),
    )


def test_the_feed_is_read_as_before(ticino: Ticino) -> None:
    assert (ticino.rows_total, ticino.rows_outside) == (EXPECTED["rows_total"], EXPECTED["rows_outside_canton"])
    assert (ticino.result.events.sum(), ticino.animals) == (EXPECTED["events"], EXPECTED["animals"])
    assert len(ticino.result.cells) == EXPECTED["n_cells"]
    assert (ticino.result.events > 0).sum() == EXPECTED["cells_with_events"]


def test_as_many_cells_are_hot(ticino: Ticino) -> None:
    classes = ticino.result.classes.tolist()
    assert classes.count("hot_99") + classes.count("hot_95") == EXPECTED["flagged_q<=.05_nb>=3"]
    assert classes.count("hot_99") == EXPECTED["q<=.01"]


def test_the_hottest_cell_is_the_same_to_the_printed_digits(ticino: Ticino) -> None:
    result = ticino.result
    top = int(np.argmin(result.p))
    assert H3.name_of(int(result.cells[top])) == EXPECTED["top_cell"]
    assert result.nearby[top] == EXPECTED["top_nb"]
    assert result.expected[top] == pytest.approx(EXPECTED["top_E"], rel=1e-6)
    assert result.q[top] == pytest.approx(EXPECTED["top_q"], rel=1e-6)
    assert result.gi_star_z[top] == pytest.approx(5.3251, abs=5e-5)
    assert result.dispersion == pytest.approx(EXPECTED["dispersion"], abs=5e-5)


def test_squares_of_one_area_hold_the_same_attacks_and_find_the_same_place(ticino: Ticino) -> None:
    hexagons, squares = ticino.result, ticino.squares
    assert squares.events.sum() == EXPECTED["events"]
    assert squares.exposure.values.tolist() == [100.0] * len(squares.cells)
    hottest = [
        shapely.Polygon(grid.outline(int(found.cells[np.argmin(found.p)]))) for grid, found in ((H3, hexagons), (EASE10, squares))
    ]
    assert hottest[0].intersects(hottest[1])


def test_cells_without_attacks_belong_to_the_comparison(ticino: Ticino) -> None:
    quiet = ticino.result.events > 0
    cells = ticino.result.cells[quiet]
    attacks = np.repeat(cells, ticino.result.events[quiet])
    only_events = assess(cells, attacks, np.arange(len(attacks)), area_exposure(cells))
    assert np.isin(only_events.classes, ["hot_99", "hot_95"]).sum() == 11  # leaving out the zeros hides four of fifteen


def test_attacks_on_one_household_are_a_single_site(ticino: Ticino) -> None:
    result = ticino.result
    attacks = np.repeat(result.cells, result.events)
    one_farm = assess(result.cells, attacks, np.zeros(len(attacks), np.int64), result.exposure)
    assert np.unique(one_farm.classes[result.q <= 0.05]).tolist() == ["single_site"]


def test_few_attacks_or_few_cells_are_not_tested(ticino: Ticino) -> None:
    cells = ticino.result.cells
    for few_cells, attacks in ((cells, cells[:19]), (cells[:29], np.repeat(cells[:5], 10))):
        small = assess(few_cells, attacks, np.arange(len(attacks)), area_exposure(few_cells))
        assert set(small.classes) == {"insufficient"}
        assert np.isnan(small.p).all()
