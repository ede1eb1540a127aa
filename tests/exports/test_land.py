"""Every cell is looked up once, and a place that is known already is not worked out again."""

from dataclasses import replace

import numpy as np
from shapely.geometry import box

from exports.grid import H3, Cells
from exports.land import Land, Remembered
from exports.partition import part
from exports.places import placed
from exports.regions import Region
from exports.statistics import Ints
from tests.support.counting import QUESTION, REPORTS, WINDOW

REGION = Region({"IR-02": box(50, 36, 52, 38), "IR-27": box(52, 36, 54, 38)})
SEA = H3.cells_of(np.array([36.7, 36.7]), np.array([52.5, 60.0]))


def test_a_cell_is_looked_up_once_however_often_and_with_whatever_others_it_is_asked_for() -> None:
    asked: list[int] = []

    def doubled(cells: Cells) -> Ints:
        asked.extend(cells.tolist())
        return cells.astype(np.int64) * 2

    known = Remembered(doubled)
    for cells in ([5, 3, 3], [3, 9], [1, 9, 5], []):
        assert known(np.array(cells, np.uint64)).tolist() == [cell * 2 for cell in cells]
    assert sorted(asked) == [1, 3, 5, 9]


def test_a_cell_without_land_of_the_region_has_no_unit_but_one_that_is_nearest() -> None:
    land = Land(REGION)
    assert land.units_touched(SEA).tolist() == [1, -1]
    assert land.units_of(SEA).tolist() == [1, 1]
    assert land.units_touched(SEA).tolist() == [1, -1]


def test_the_cell_that_came_with_a_report_is_the_one_of_its_place() -> None:
    reports = part(REPORTS, QUESTION).reports
    assert (reports.cell == H3.cells_of(reports.latitude, reports.longitude)).all()


def test_a_place_is_counted_alike_whether_its_cell_was_known_or_not() -> None:
    reports = part(REPORTS, QUESTION).reports
    known, unknown = (
        placed(each, WINDOW, Land(REGION)) for each in (reports, replace(reports, cell=np.zeros(len(reports), np.uint64)))
    )
    assert len(known.attacks) > 100
    assert known.place.tolist() == unknown.place.tolist()
    assert known.paths.tolist() == unknown.paths.tolist()
