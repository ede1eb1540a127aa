"""Herds come before households, households before land; what tells of few households stays hidden."""

from datetime import UTC, date, datetime
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import pytest
from sqlalchemy import Engine, insert

from exports.grid import H3
from exports.hotspots.exposure import Exposures, Source, exposure_of, read_exposures, safe
from exports.hotspots.release import Release
from exports.hotspots.rows import Row, TableRows
from exports.privacy import LEVELS
from exports.regions import region_of
from exports.windows import Window
from records.models import StudyArea
from tests.support.conflict import insert_record, reports_at
from tests.support.stores import EVERYTHING

WINDOW = Window(date(2025, 1, 1), date(2025, 12, 31))
PLACE = (36.5, 52.0)
CELL = h3.latlng_to_cell(*PLACE, 6)
CELLS = H3.with_ring(H3.with_ring(np.array([CELL], np.uint64)))


def camp(household: str, head: int, *, arrive: str = "2025-01-01", leave: str = "2025-03-02", share: str = "yes") -> dict[str, Any]:
    return {
        "consent_share": share, "household_g": {"household_code": household}, "arrive": arrive, "leave": leave,
        "herd": [{"species": "sheep", "head": head}, {"species": "cattle", "head": 1}],
    }  # fmt: skip


def read(engine: Engine) -> Exposures:
    with engine.connect() as connection:
        return read_exposures(connection, EVERYTHING, WINDOW)


def test_herds_are_head_times_days_spread_over_the_cell_and_its_ring(engine: Engine) -> None:
    with engine.begin() as connection:
        insert_record(connection, "uuid:1", camp("H1", 99), form_id="grazing_survey", place=(*PLACE, 5.0))
        insert_record(connection, "uuid:2", camp("H2", 99, share="no"), form_id="grazing_survey", place=(*PLACE, 5.0))
        late = camp("H3", 99, arrive="2026-01-01", leave="2026-02-01")
        insert_record(connection, "uuid:3", late, form_id="grazing_survey", place=(*PLACE, 5.0))
        half = camp("H1", 99, arrive="2024-12-01", leave="2025-01-31")
        insert_record(connection, "uuid:4", half, form_id="grazing_survey", place=(*PLACE, 5.0))
    found = read(engine)
    assert set(found.herds.amounts) == set(H3.ring(CELL))
    assert found.herds.amounts[CELL] == pytest.approx(100 * (60 + 30) / 30.4375 / 7)
    assert found.herds.shares[CELL] == {"h1": pytest.approx(100 * 90 / 30.4375 / 7)}
    assert found.left_out["n_herds_unplaced"] == 1


def test_households_asked_are_spread_over_their_study_area(engine: Engine) -> None:
    outline = {"type": "Polygon", "coordinates": [[[51.9, 36.4], [52.1, 36.4], [52.1, 36.6], [51.9, 36.6], [51.9, 36.4]]]}
    area = {"code": "IR-01", "name": "x", "country": "IR", "metapopulation": 1, "transboundary": False, "geometry": outline}
    asked = {"zero_month": "yes", "month": "2025-05-01", "households_asked": 40, "area_code": "ir-01"}
    with engine.begin() as connection:
        insert_record(connection, "uuid:1", asked, form_id="patrol_effort", place=(None, None, None))
        insert_record(connection, "uuid:2", asked | {"month": "2024-05-01"}, form_id="patrol_effort", place=(None, None, None))
        insert_record(connection, "uuid:3", asked | {"area_code": "XX"}, form_id="patrol_effort", place=(None, None, None))
        connection.execute(insert(StudyArea), area | {"project_id": 1, "changed_at": datetime(2025, 1, 1, tzinfo=UTC)})
    found = read(engine)
    assert set(found.asked.amounts) == set(h3.geo_to_cells(outline, 6))
    assert sum(found.asked.amounts.values()) == pytest.approx(40)
    assert found.left_out["n_areas_unknown"] == 1


def source(cells: Any, amount: float = 70.0, households: int = 5) -> Source:
    shares = {int(cell): {f"h{number}": amount / households for number in range(households)} for cell in cells}
    return Source({int(cell): amount for cell in cells}, shares)


def test_the_first_source_that_knows_of_eighty_percent_of_the_attacks_is_taken() -> None:
    attacked = CELLS[:10]
    assert Exposures(source(CELLS[:8]), source(CELLS)).chosen({}, attacked)[0] == "livestock_months"
    assert Exposures(source(CELLS[:7]), source(CELLS)).chosen({}, attacked)[0] == "household_months"
    assert Exposures(source(CELLS[:7]), source(CELLS[:7])).chosen({}, attacked)[0] == "area"
    assert Exposures().chosen({int(cell): {"1": 3.0} for cell in CELLS}, attacked)[0] == "area"  # reporters say nothing alone


def test_households_that_reported_count_with_those_asked() -> None:
    basis, found = Exposures(asked=source(CELLS, 7.0)).chosen({CELL: {"1": 2.0, "2": 1.0}}, CELLS)
    assert (basis, found.amounts[CELL]) == ("household_months", 10.0)


def test_a_cell_of_which_nothing_is_known_gets_half_of_the_smallest() -> None:
    exposure = exposure_of("livestock_months", source(CELLS[:4], 10.0), CELLS, 0)
    assert exposure.values[:5].tolist() == [10, 10, 10, 10, 5]
    assert exposure.floored is not None
    assert exposure.floored.tolist() == [False] * 4 + [True] * (len(CELLS) - 4)
    coarse = H3.parents(CELLS, 1)
    assert exposure_of("livestock_months", source(CELLS, 10.0), np.unique(coarse), 1).values.sum() == 10 * len(CELLS)


def test_sums_that_tell_of_few_households_are_not_safe() -> None:
    few = Source({1: 1.0, 2: 1.0}, {1: {"a": 1, "b": 1, "c": 1}, 2: {"c": 1, "d": 1, "": 2.0}})
    assert (safe(few, [1]), safe(few, [2]), safe(few, [1, 2]), safe(few, [3])) == (False, False, False, True)
    assert safe(source([1]), [1])


def release(herds: Source, hot: int = 30) -> list[Row]:
    """A hot place of ten households in the middle, single attacks farther away."""
    first = (WINDOW.start - date(1970, 1, 1)).days
    attacks = [(first + 10 * number, *PLACE, number % 10) for number in range(hot)]
    attacks += [(first + 5 * n, 36.3 + 0.06 * (n % 5), 52.25 + 0.045 * (n // 5), 10 + n) for n in range(50)]
    reports = reports_at(attacks)
    footprint = np.unique(H3.cells_of(reports.latitude, reports.longitude))
    made = Release(reports, footprint, WINDOW, region_of(None), Exposures(herds))
    return list(TableRows(made, made.table(LEVELS["partner"], "standard"), "standard"))


def everywhere() -> list[int]:
    wide = np.array([CELL], np.uint64)
    for _ in range(12):
        wide = H3.with_ring(wide)
    return [int(cell) for cell in wide]


def test_rows_say_what_their_rates_are_made_of() -> None:
    row = next(row for row in release(source(everywhere(), 140.0)) if row["cell_id"] == H3.name_of(CELL))
    assert (row["exposure_basis"], row["exposure_unit"], row["exposure"]) == ("livestock_months", "livestock-months", 140.0)
    assert row["rate"] == pytest.approx(float(str(row["n_events"])) / 140 * 1000, rel=1e-5)
    assert row["rate_unit"] == "attacks per 1,000 livestock-months"
    assert row["hotspot_class"] == "hot_99"
    assert row["nb_events"]


@pytest.mark.parametrize("households", [1, 4])
def test_the_herds_of_few_households_are_not_told(households: int) -> None:
    row = next(row for row in release(source(everywhere(), 140.0, households)) if row["cell_id"] == H3.name_of(CELL))
    for name in ("exposure", "rate", "rate_lo", "rate_hi", "rate_eb", "nb_expected", "rr_nb", "p_value"):
        assert row.get(name) is None, name
    assert "exposure_withheld" in str(row["quality_flags"])
    assert row["hotspot_class"] == "hot_99"


def test_an_exposure_that_was_made_up_is_flagged_and_gives_no_rate() -> None:
    cells = [cell for cell in everywhere() if cell != CELL]
    row = next(row for row in release(source(cells, 140.0), hot=10) if row["cell_id"] == H3.name_of(CELL))
    assert "exposure_floor" in str(row["quality_flags"])
    assert row.get("rate") is None
