"""Hotspots as indicators (activities 7.1.1, 7.1.2, 8.1.3): how many, how large, how much happens there, how well protected."""

from collections.abc import Iterable
from dataclasses import replace

import h3.api.basic_int as h3

from exports.indicators.attacks import REPORT, VISIT
from exports.indicators.figures import LEOPARD, Figure, Indicator, behind, share
from exports.indicators.measures import FOLLOW_UP, INSTALLATION, TREATMENT, Unit, units_of
from exports.indicators.slices import Slice
from exports.privacy import PUBLIC

METHOD = "exact-nb-1, public cells, the calendar year"


def _hotspots(where: Slice) -> Iterable[Figure]:
    found = [cell for cell in where.data.hot.get(where.period.name, ()) if where.country in ("", cell.country)]
    if not found:
        return
    hot = [cell for cell in found if cell.is_hot]
    common = Figure("hotspots", len(hot), "cells", len(found), predator=LEOPARD, method=METHOD)
    yield common
    yield replace(common, name="area", value=sum(cell.km2 for cell in hot), unit="km2")
    inside, every = (sum(cell.attacks for cell in cells) for cells in (hot, found))
    for figure in share("attacks_in_hotspots", inside, every):
        yield replace(figure, predator=LEOPARD, method=f"{METHOD}; Wilson 1927")
    units = where.data.once(units_of)
    if not units:  # nobody told of measures: that is no share of zero
        return
    cells = {cell.cell for cell in hot}
    working = [unit for unit in units if _works(unit, where)]
    protecting = {_cell(unit): unit for unit in working if _cell(unit) in cells}
    mine = [unit.installation for unit in working if _cell(unit) in cells]
    for figure in share("protected_hotspots", len(protecting), len(cells), supports=(behind(mine),)):
        yield replace(figure, predator=LEOPARD)


def _works(unit: Unit, where: Slice) -> bool:
    """Whether a measure was found working at the last visit up to the end of the period."""
    visits = [visit for visit in unit.visits if visit.end <= where.period.end]
    return unit.role == TREATMENT and bool(visits) and visits[-1].record.answers.text("state") == "ok"


def _cell(unit: Unit) -> int:
    return h3.latlng_to_cell(*unit.installation.place, PUBLIC.resolution) if unit.installation.place else 0


INDICATORS = (
    Indicator(
        "I-HOT",
        "cells of class hot_95 or hot_99; their area; attacks in them / attacks; hot cells with a working measure / hot cells",
        (REPORT, VISIT, INSTALLATION, FOLLOW_UP),
        _hotspots,
    ),
)
