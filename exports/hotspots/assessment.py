"""The hotspot test `exact-nb-1`: are there more attacks around a cell than its exposure explains?

A conditional binomial test of each cell with its ring of neighbours, with the false discovery rate held over the whole study area.
docs/hotspots.md explains every step in plain words.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exports.grid import H3, Cells, Grid
from exports.statistics import (
    Floats,
    Ints,
    Pairs,
    benjamini_hochberg,
    benjamini_yekutieli,
    binomial_upper_tail,
    empirical_bayes,
    getis_ord_star,
    overdispersion,
)

METHOD = "exact-nb-1"
METHOD_VERSION = "1.0.0"
FEWEST_EVENTS = 20
FEWEST_CELLS = 30
FEWEST_NEARBY = 3
"""Attacks around a cell below which it is never called hot."""

FALSE_DISCOVERY = {"bh": benjamini_hochberg, "by": benjamini_yekutieli}
"""How p-values are corrected for testing every cell: by is for the cautious, and finds less."""

HOT_99, HOT_95, WATCH, SINGLE_SITE, NONE, INSUFFICIENT = "hot_99", "hot_95", "watch", "single_site", "none", "insufficient"
CLASSES = (HOT_99, HOT_95, WATCH, SINGLE_SITE, NONE, INSUFFICIENT)


class Exposure(NamedTuple):
    """What could be attacked in each cell, above zero; rates are given per `rate_per` units of it."""

    values: Floats
    basis: str
    unit: str
    rate_per: float
    rate_unit: str
    floored: NDArray[np.bool_] | None = None
    """Where nothing is known and half of the smallest exposure was taken instead."""


def area_exposure(cells: Cells, grid: Grid = H3) -> Exposure:
    """Take the area of each cell as its exposure: the fallback where neither herds nor households are known."""
    return Exposure(grid.areas_km2(cells), "area", "km2", 100.0, "attacks per 100 km2")


@dataclass(frozen=True)
class Assessment:
    """The test of every cell of the study area. All arrays go with `cells` (ascending); p and q are empty when insufficient."""

    cells: Cells
    exposure: Exposure
    events: Ints
    nearby: Ints
    """Attacks in the cell and its ring."""
    expected: Floats
    """What `nearby` would be if every unit of exposure ran the same risk."""
    relative_risk: Floats
    p: Floats
    q: Floats
    gi_star_z: Floats
    rate_eb: Floats
    classes: NDArray[np.str_]
    dispersion: float
    sufficient: bool


def assess(cells: Cells, event_cells: Cells, households: Ints, exposure: Exposure, fdr: str = "bh", grid: Grid = H3) -> Assessment:
    """Test every cell of the study area (ascending) of a grid; `fdr` is one of `FALSE_DISCOVERY`.

    One entry per attack: its cell, which is one of the study area, and its household (-1: unknown).
    """
    position = np.searchsorted(cells, event_cells)
    events = np.bincount(position, minlength=len(cells)).astype(np.int64)
    total = int(events.sum())
    sufficient = total >= FEWEST_EVENTS and len(cells) >= FEWEST_CELLS
    pairs = grid.neighbourhoods(cells)
    share = exposure.values / exposure.values.sum()
    nearby = np.rint(pairs.total(events)).astype(np.int64)
    expected = total * pairs.total(share)
    unknown = np.full(len(cells), np.nan)
    p = binomial_upper_tail(nearby, total, pairs.total(share)) if sufficient else unknown
    q = FALSE_DISCOVERY[fdr](p) if sufficient else unknown
    several = _several_households(pairs, position, households)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative_risk = (nearby / expected) / ((total - nearby) / (total - expected))
    return Assessment(
        cells=cells,
        exposure=exposure,
        events=events,
        nearby=nearby,
        expected=expected,
        relative_risk=relative_risk,
        p=p,
        q=q,
        gi_star_z=getis_ord_star(events, pairs) if sufficient else unknown,
        rate_eb=empirical_bayes(events, exposure.values).rates if total else unknown,
        classes=_classes(nearby, p, q, several) if sufficient else np.full(len(cells), INSUFFICIENT),
        dispersion=overdispersion(events, total * share) if sufficient else float("nan"),
        sufficient=sufficient,
    )


def _classes(nearby: Ints, p: Floats, q: Floats, several: NDArray[np.bool_]) -> NDArray[np.str_]:
    enough = nearby >= FEWEST_NEARBY
    classes: NDArray[np.str_] = np.select(
        [enough & several & (q <= 0.01), enough & several & (q <= 0.05), enough & (q <= 0.05), enough & (p <= 0.05)],
        [HOT_99, HOT_95, SINGLE_SITE, WATCH],
        NONE,
    )
    return classes


def _several_households(pairs: Pairs, position: Ints, households: Ints) -> NDArray[np.bool_]:
    """Tell for each cell whether the attacks around it struck two known households or more."""
    known = households >= 0
    none = np.iinfo(np.int64)
    lowest, highest = np.full(pairs.size, none.max), np.full(pairs.size, none.min)
    np.minimum.at(lowest, position[known], households[known])
    np.maximum.at(highest, position[known], households[known])
    around_lowest, around_highest = lowest.copy(), highest.copy()
    np.minimum.at(around_lowest, pairs.cells, lowest[pairs.neighbours])
    np.maximum.at(around_highest, pairs.cells, highest[pairs.neighbours])
    return np.asarray(around_lowest < around_highest)
