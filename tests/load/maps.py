"""How often the hotspot test is wrong, and how often it finds what is there: a thousand made-up maps for every figure."""

from collections.abc import Iterator

from tests.load.deliveries import Options
from tests.load.meter import table
from tests.support.maps import simulated

MAPS = 1000
SCANNED = 100
"""The scan draws maps of its own for every map: fewer will do."""
ATTACKS = (20, 50, 100, 300)


def report(options: Options) -> Iterator[str]:
    """One table: by number of attacks and exposure."""
    del options
    rows = []
    for uneven in (False, True):
        for attacks in ATTACKS:
            none = simulated(MAPS, attacks, uneven=uneven)
            found = [simulated(MAPS, attacks, uneven=uneven, risk=risk, seed=2) for risk in (4.0, 8.0)]
            scanned = simulated(SCANNED, attacks, uneven=uneven, risk=4.0, method="scan", seed=2)
            shares = (none.alarms, *(each.hits for each in found), scanned.hits)
            rows.append([str(attacks), "uneven" if uneven else "even", *(f"{share:.3f}" for share in shares)])
    yield f"{MAPS:,} maps of 217 cells for each figure ({SCANNED} for the scan); the cluster has 7 cells."
    yield table(["attacks", "exposure", "false alarm", "found, risk 4", "found, risk 8", "scan found, risk 4"], rows)
