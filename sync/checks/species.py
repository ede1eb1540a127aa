"""Checks of wild animals against the countries they live in.

`species_countries.csv` lists what lives in some of the 13 states only, with its source; what it does not list may be anywhere.
"""

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path as File
from typing import NamedTuple

from records.flags import Flag, flag
from sync.checks.amounts import known_countries
from sync.checks.case import Case
from sync.checks.values import Path, of, rows, words

COUNTRIES = File(__file__).parent / "species_countries.csv"
_CODES = {"prey": "species_range", "predator": "species_impossible"}


class Question(NamedTuple):
    """A question for an animal of a choice list, below the record or below a row of `repeat`; one or several answers."""

    list_name: str
    path: Path
    repeat: Path = ()


QUESTIONS: Mapping[str, tuple[Question, ...]] = {
    "conflict_livestock": (Question("predator", ("cause", "predator")),),
    "conflict_verification": (Question("predator", ("predator_final",)),),
    "dog_impact": (
        Question("prey", ("wild", "wild_species")),
        Question("predator", ("leo", "pred_species")),
        Question("prey", ("leo", "kill_species")),
    ),
    "prey_transect": (Question("prey", ("species",), ("obs",)),),
    "prey_block": (Question("prey", ("species",), ("grp",)),),
    "leopard_sign": (Question("prey", ("kill_species",)),),
    "patrol_effort": (Question("prey", ("obs_species",), ("patrol", "obs")),),
    "grazing_survey": (Question("prey", ("prey_seen",)),),
    "corridor_barrier": (Question("prey", ("signs_prey",)),),
}


@cache
def home_countries() -> Mapping[tuple[str, str], frozenset[str]]:
    """Where the animals live, by choice list and code; those that may be anywhere are not listed."""
    with COUNTRIES.open(newline="", encoding="utf-8") as file:
        return {(row["list_name"], row["name"]): frozenset(row["countries"].split()) for row in csv.DictReader(file)}


@of(*QUESTIONS)
def strangers(case: Case) -> Iterator[Flag]:
    """Animals that live neither in the country chosen nor in the one where the point lies; each is told once."""
    countries = known_countries(case)
    told = set()
    for question, path, name in _answered(case) if countries else ():
        home = home_countries().get((question.list_name, name))
        if home is not None and home.isdisjoint(countries) and name not in told:
            told.add(name)
            yield flag(_CODES[question.list_name], path, **{question.list_name: name, "country": countries[0]})


def _answered(case: Case) -> Iterator[tuple[Question, str, str]]:
    """Every animal that is named, with its question and path."""
    for question in QUESTIONS[case.form_id]:
        if not question.repeat:
            for name in words(case.value(*question.path)):
                yield question, "/".join(question.path), name
            continue
        for prefix, row in rows(case, *question.repeat):
            for name in words(row.get(question.path[0])):
                yield question, f"{prefix}/{question.path[0]}", name
