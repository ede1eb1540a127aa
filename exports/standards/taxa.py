"""The scientific names of the animals that people choose from, with their ranks, and which of them were looked for in vain."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from forms.library.sources import LIBRARY, read_rows

KINGDOM = "Animalia"
PREY, PREDATOR = "prey", "predator"
LEOPARD, DOG = (PREDATOR, "leopard"), (PREDATOR, "dog")
_NONE_IN_PARTICULAR = frozenset({"other", "unknown"})
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
    row = next((row for row in read_rows(LIBRARY / "choices.csv") if (row["list_name"], row["name"]) == (list_name, code)), None)
    label = row["label"] if row else ""
    name = (row["scientific_name"].removesuffix(" sp.") if row else "") or KINGDOM
    return Taxon(name, _rank(name), label)


def _rank(name: str) -> str:
    if name.endswith("idae"):
        return "family"
    return _RANKS.get(name) or _BY_WORDS[len(name.split())]


@cache
def targets() -> tuple[Taxon, ...]:
    """What the prey counts look for: every animal on their list, by its name."""
    rows = [row for row in read_rows(LIBRARY / "choices.csv") if row["list_name"] == PREY]
    found = {taxon(PREY, row["name"]) for row in rows if row["name"] not in _NONE_IN_PARTICULAR}
    return tuple(sorted(found))


def is_known(code: str) -> bool:
    """Whether a choice says what was seen, so that everything else was not."""
    return code not in _NONE_IN_PARTICULAR


def not_seen(seen: Iterable[Taxon]) -> Sequence[str]:
    """The names of the targets that were not seen; none of a genus of which one was seen that could not be told to the species."""
    found = list(seen)
    vague = {each.genus for each in found if each.rank == "genus"}
    names = {each.name for each in found}
    sure = [each for each in targets() if each.name not in names and each.genus not in vague]
    return [each.name for each in sure if not (each.rank == "genus" and any(one.genus == each.name for one in found))]
