"""The scientific names of the animals that people choose from, with their ranks, and which of them were looked for in vain."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from forms.library.sources import LIBRARY, Row, read_rows

KINGDOM = "Animalia"
PREY, PREDATOR = "prey", "predator"
OTHER, UNKNOWN = "other", "unknown"
"""Choices for an animal that is not on the list, and for one that nobody could tell, which may well be on it."""
LEOPARD, DOG = (PREDATOR, "leopard"), (PREDATOR, "dog")
_RANKS = {"Animalia": "kingdom", "Artiodactyla": "order"}
_BY_WORDS = {1: "genus", 2: "species", 3: "subspecies"}


class Taxon(NamedTuple):
    """A taxon as Darwin Core names it, and in English."""

    name: str
    rank: str
    english: str

    @property
    def genus(self) -> str:
        """The genus; of a higher taxon its own name."""
        return self.name.partition(" ")[0]


@cache
def taxon(list_name: str, code: str) -> Taxon:
    """What a choice stands for. A choice without a name of its own, such as "other", stands for some animal."""
    row = _listed(list_name).get(code, {})
    name = row.get("scientific_name", "").removesuffix(" sp.") or KINGDOM
    return Taxon(name, _rank(name), row.get("label", ""))


@cache
def _listed(list_name: str) -> dict[str, Row]:
    return {row["name"]: row for row in read_rows(LIBRARY / "choices.csv") if row["list_name"] == list_name}


def _rank(name: str) -> str:
    if name.endswith("idae"):
        return "family"
    return _RANKS.get(name) or _BY_WORDS[len(name.split())]


@cache
def targets() -> tuple[Taxon, ...]:
    """What the prey counts look for: every animal on their list, by its name."""
    return tuple(sorted({taxon(PREY, code) for code in _listed(PREY) if is_target(code)}))


def is_target(code: str) -> bool:
    """Whether a choice is one of the animals that the prey counts look for."""
    return code in _listed(PREY) and code not in (OTHER, UNKNOWN)


def not_seen(seen: Iterable[Taxon]) -> Sequence[str]:
    """The names of the targets that were not seen; none of a genus of which one was seen that could not be told to the species."""
    found = list(seen)
    vague = {each.genus for each in found if each.rank == "genus"}
    names = {each.name for each in found}
    sure = [each for each in targets() if each.name not in names and each.genus not in vague]
    return [each.name for each in sure if not (each.rank == "genus" and any(one.genus == each.name for one in found))]
