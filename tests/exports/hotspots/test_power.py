"""On maps without a hotspot hardly ever is one called; on maps with one it is found as often as is said (docs/hotspots.md)."""

import pytest

from tests.support.maps import HEXAGONS, SQUARES, Map, simulated

GROUNDS = pytest.mark.parametrize("ground", [HEXAGONS, SQUARES], ids=["h3", "ease10"])


@GROUNDS
def test_on_a_thousand_maps_without_a_hotspot_the_false_alarms_stay_below_five_percent(ground: Map) -> None:
    assert simulated(600, 50, uneven=False, ground=ground).alarms <= 0.05
    assert simulated(400, 100, uneven=True, ground=ground).alarms <= 0.05


@GROUNDS
@pytest.mark.parametrize(("attacks", "uneven", "said"), [(50, False, 0.25), (100, True, 0.50), (300, False, 1.0)])
def test_a_fourfold_risk_is_found_as_often_as_is_said(ground: Map, attacks: int, said: float, *, uneven: bool) -> None:
    assert simulated(200, attacks, uneven=uneven, risk=4.0, seed=2, ground=ground).hits == pytest.approx(said, abs=0.09)
