"""How well twins are found: pairs by band against the truth, of made-up reports and of real attacks."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from math import log2
from pathlib import Path

from forms.spelling import folded
from sync.incidents.facts import PRECISION_DAYS, SLIP_DAYS, Facts, days_apart, metres_apart
from sync.incidents.scoring import LIKELY, POSSIBLE, TERMS, comparable, compared
from tests.support.twins import truth_set

TICINO = Path(__file__).parents[1] / "oracles" / "predati_ticino.csv"
CALIBRATION, TRIAL = range(1, 9), range(101, 113)
"""The seeds the weights were made from, and those they are tried on."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Pairs by (whether it is a twin, band); a twin that is not compared at all has the band "never"."""

    reports: int
    pairs: Counter[tuple[bool, str]]

    @property
    def twins(self) -> int:
        """How many pairs really tell of one event."""
        return sum(count for (is_twin, _), count in self.pairs.items() if is_twin)

    def precision(self, *bands: str) -> float:
        """The share of twins among the pairs of these bands."""
        found = sum(self.pairs[True, band] for band in bands)
        return found / (found + sum(self.pairs[False, band] for band in bands))

    def recall(self, *bands: str) -> float:
        """The share of all twins that are in these bands."""
        return sum(self.pairs[True, band] for band in bands) / self.twins


def figures(seeds: Iterable[int]) -> Figures:
    """The figures of these truth sets together."""
    reports, pairs = 0, Counter[tuple[bool, str]]()
    for seed in seeds:
        told = [(each.story, each.facts()) for each in truth_set(seed)]
        reports += len(told)
        for (story, one), (other_story, other) in _near(told):
            if comparable(one, other):
                pairs[story == other_story, compared(one, other).band] += 1
            elif story == other_story:
                pairs[True, "never"] += 1
    return Figures(reports, pairs)


def _near(told: Sequence[tuple[int, Facts]]) -> Iterator[tuple[tuple[int, Facts], tuple[int, Facts]]]:
    """All pairs that are not so far apart in time that they are neither twins nor compared."""
    longest = 2 * max(PRECISION_DAYS.values()) + SLIP_DAYS
    return ((one, other) for one, other in combinations(told, 2) if (days_apart(one[1], other[1]) or 0) <= longest)


def calibration(seeds: Iterable[int]) -> Iterator[tuple[str, str, float, float, float]]:
    """(term, level, share among twins, share among other pairs compared, base-2 logarithm of their ratio)."""
    seen: Counter[tuple[str, str, bool]] = Counter()
    total: Counter[bool] = Counter()
    for seed in seeds:
        told = [(each.story, each.facts()) for each in truth_set(seed)]
        for (story, one), (other_story, other) in _near(told):
            if comparable(one, other):
                is_twin = story == other_story
                total[is_twin] += 1
                seen.update((term, look(one, other)[0], is_twin) for term, look in TERMS.items())
    for term, level in sorted({key[:2] for key in seen}):
        among = [(seen[term, level, is_twin] + 0.5) / total[is_twin] for is_twin in (True, False)]
        yield term, level, *among, log2(among[0] / among[1])


def ticino() -> list[Facts]:
    """The attacks of Canton Ticino: day, place (often to the kilometre), animals; who reported them is not published."""
    with TICINO.open(newline="", encoding="utf-8-sig") as file:
        return [_attack(number, row) for number, row in enumerate(csv.DictReader(file))]


def _attack(number: int, row: dict[str, str]) -> Facts:
    words = row["Specie_Predate"].lower()
    species = [name for name, stems in _SPECIES.items() if any(stem in words for stem in stems)] or ["other"]
    is_rounded = row["X"].endswith("000") and row["Y"].endswith("000")
    return Facts(
        instance_id=f"uuid:{number}",
        happened_on=date.fromisoformat(row["Data"][:10]),
        date_precision="exact",
        latitude=float(row["Lat"]),
        longitude=float(row["Long"]),
        accuracy=700.0 if is_rounded else 50.0,
        place=folded(row["Luogo"]),
        predator="wolf",
        losses={name: [int(row["Numero_Predati"]) if name == species[0] else 0, 0, 0] for name in species},
    )


_SPECIES = {"sheep": ("pecor", "agnell", "ariet", "montone"), "goat": ("capr", "becco"), "cattle": ("vitell", "manz", "bovin")}


@dataclass(frozen=True, slots=True)
class Ticino:
    """How many rows and pairs the data of Canton Ticino hold; `near` are pairs at most 1 km and 1 day apart."""

    rows: int
    near: int
    likely: int
    possible: int


def ticino_figures() -> Ticino:
    """Compare every attack with every other one."""
    facts = ticino()
    near = 0
    counted: Counter[str] = Counter()
    for one, other in combinations(facts, 2):
        if (days_apart(one, other) or 0) <= SLIP_DAYS and comparable(one, other):
            near += (days_apart(one, other) or 0) <= 1 and (metres_apart(one, other) or 0) <= 1000
            counted[compared(one, other).band] += 1
    return Ticino(len(facts), near, counted[LIKELY], counted[POSSIBLE])
