"""How often the hotspot test is wrong, and how often it finds what is there: a thousand made-up maps for every figure."""

from collections.abc import Iterator
from itertools import product

from tests.load.deliveries import Options
from tests.load.meter import table
from tests.support.maps import HEXAGONS, SQUARES, simulated

MAPS = 1000
SCANNED = 100
"""The scan draws maps of its own for every map: fewer will do."""
ATTACKS = (20, 50, 100, 300)


def report(options: Options) -> Iterator[str]:
    """One table: by grid, number of attacks and exposure."""
    del options
    rows = []
    for ground, uneven, attacks in product((HEXAGONS, SQUARES), (False, True), ATTACKS):
        none = simulated(MAPS, attacks, uneven=uneven, ground=ground)
        found = [simulated(MAPS, attacks, uneven=uneven, risk=risk, seed=2, ground=ground) for risk in (4.0, 8.0)]
        scanned = simulated(SCANNED, attacks, uneven=uneven, risk=4.0, method="scan", seed=2, ground=ground)
        shares = (none.alarms, *(each.hits for each in found), scanned.hits)
        rows.append([ground.grid.name, str(attacks), "uneven" if uneven else "even", *(f"{share:.3f}" for share in shares)])
    yield (
        f"{MAPS:,} maps of 217 hexagons or 289 squares for each figure ({SCANNED} for the scan); "
        "the cluster is a cell and its ring, of 7 or 9."
    )
    yield table(["grid", "attacks", "exposure", "false alarm", "found, risk 4", "found, risk 8", "scan found, risk 4"], rows)
