"""What of each survey becomes an event of Darwin Core: how it was looked for, how much, and what was seen."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from exports.indicators.records import Answers
from exports.standards.taxa import DOG, LEOPARD, PREY, UNKNOWN, Taxon, is_target, taxon

SURE_ALONE = frozenset({"photo", "camera"})
SURE_IF_TRAINED = frozenset({"track", "kill_wild", "kill_livestock", "scat", "scrape"})
"""Signs that prove a leopard, and those that do where the observer is trained: C1 and C2 of SCALP (KORA; Molinari-Jobin 2012)."""
_SEXES = {"f": "female", "m": "male"}
_STAGES = frozenset({"adult", "subadult"})
_PROPERTIES = {
    "n_male": "adultMales",
    "n_female": "adultFemales",
    "n_subadult": "subadults",
    "n_young": "youngOfTheYear",
    "radial_m": "radialDistanceInMeters",
    "sight_angle": "sightingAngleInDegrees",
    "bearing_animal": "bearingToGroupInDegrees",
    "bearing_line": "bearingOfLineInDegrees",
    "perp_direct_m": "perpendicularDistanceInMeters",
    "distance_m": "distanceInMeters",
    "bearing": "bearingInDegrees",
    "livestock_500m": "livestockWithin500m",
    "dogs_500m": "dogsWithin500m",
}
_COUNTS = {
    "vantage": "vantagePointCount",
    "double": "doubleObserverCount",
    "total": "totalBlockCount",
    "drive": "driveCount",
    "roadside": "vehicleCount",
}


class Seen(NamedTuple):
    """One occurrence: a group of animals or a sign. `animals` is 0 where it is not known, or where a sign cannot tell."""

    taxon: Taxon
    animals: int = 0
    sex: str = ""
    stage: str = ""
    behavior: str = ""
    by_machine: bool = False
    remarks: str = ""
    verification: str = ""
    properties: Mapping[str, float | str] = {}


@dataclass(frozen=True)
class Sampled:
    """One event. `effort` is in `unit` (empty: none is known), `how` says how in words, `area_km2` was looked over.

    `is_complete`: every animal on the list that was seen is told, and what is on the list and not told was not seen.
    """

    protocol: str
    seen: tuple[Seen, ...]
    effort: float = 0.0
    unit: str = ""
    how: str = ""
    area_km2: float = 0.0
    habitat: str = ""
    weather: Mapping[str, str] = field(default_factory=dict)
    is_complete: bool = False
    looks_beyond: bool = False
    has_samples: bool = False


@dataclass(frozen=True)
class Survey:
    """How one survey is told: `read` makes an event of the answers that are told, or None of what is no search for animals.

    `inventory` is the way of searching in the words of the Humboldt extension.
    """

    form_id: str
    event_type: str
    inventory: str
    description: str
    reference: str
    read: Callable[[Answers], Sampled | None]
    targets_dogs: bool = False
    targets_leopard: bool = False


def transect(told: Answers) -> Sampled | None:
    """A walk along a line, with every group that was seen from it. One on which nothing was seen is an event as well."""
    length = told.number("end_g/length_km") or 0.0
    if not length:
        return None
    rows = list(told.rows("obs"))
    travel = told.text("survey/travel")
    return Sampled(
        protocol="distance sampling along a line transect",
        seen=tuple(map(_group, rows)),
        effort=length,
        unit="kilometre",
        how=f"{length:g} km of line" + (f", {travel}" if travel else ""),
        weather=_weather(told, "start_g"),
        is_complete=all(is_target(row.text("species")) for row in rows),
        looks_beyond=any(_is_beyond(row.text("species")) for row in rows),
    )


def block(told: Answers) -> Sampled | None:
    """A block that was looked over. Of two observers' sheets only the one they made together counts, and each group once."""
    size, share = told.number("survey/block_km2") or 0.0, told.number("survey/visible_share")
    if not size or told.text("survey/obs_role") not in ("", "reconciled"):
        return None
    area = round(size * (100 if share is None else share) / 100, 3)
    rows = [row for row in told.rows("grp") if row.text("double_count") != "yes"]
    return Sampled(
        protocol=_COUNTS.get(told.text("survey/count_method"), "blockCount"),
        seen=tuple(map(_group, rows)),
        effort=area,
        unit="square kilometre",
        how=f"{area:g} km2 in view, of a block of {size:g} km2",
        area_km2=area,
        weather=_weather(told, "survey"),
        is_complete=all(is_target(row.text("species")) for row in rows),
        looks_beyond=any(_is_beyond(row.text("species")) for row in rows),
    )


def patrol(told: Answers) -> Sampled | None:
    """A patrol, with dogs without people and wild animals. Of those that saw neither nothing is told: they have no position."""
    seen = tuple(_of_patrol(told))
    if not seen:
        return None
    km, way = told.number("patrol/km") or 0.0, told.text("patrol/patrol_type")
    return Sampled(
        protocol="ranger patrol",
        seen=seen,
        effort=km,
        unit="kilometre" if km else "",
        how=f"{km:g} km" + (f", {way}" if way else "") if km else "",
        looks_beyond=any(_is_beyond(row.text("obs_species")) for row in told.rows("patrol/obs") if row.text("obs_kind") == "wild"),
    )


def _of_patrol(told: Answers) -> Iterator[Seen]:
    for row in told.rows("patrol/obs"):
        kind, species = row.text("obs_kind"), row.text("obs_species")
        if kind == "dog":
            yield Seen(taxon(*DOG), row.count("obs_n"), remarks="dogs without people")
        elif kind == "wild" and species:
            yield Seen(taxon(PREY, species), row.count("obs_n"))


def sign(told: Answers) -> Sampled | None:
    """A leopard or its sign that came up by chance, if it is sure: SCALP C1 or C2. Others are told to nobody outside."""
    kind, is_trained = told.text("sign_type"), told.text("trained") == "yes"
    grade = "C1" if kind in SURE_ALONE else "C2" if kind in SURE_IF_TRAINED and is_trained else ""
    if not grade:
        return None
    stage = told.text("life_stage")
    leopard = Seen(
        taxon(*LEOPARD),
        told.count("n_animals"),
        sex=_SEXES.get(told.text("sex"), ""),
        stage=stage if stage in _STAGES else "",
        by_machine=kind == "camera",
        remarks=f"evidence: {kind.replace('_', ' ')}",
        verification=f"SCALP {grade}",
    )
    return Sampled(
        protocol="chance observation of a leopard or its sign",
        seen=(leopard,),
        habitat=told.text("habitat"),
        has_samples=told.text("sample") == "yes",
    )


def _group(row: Answers) -> Seen:
    known = {name: value for path, name in _PROPERTIES.items() if (value := row.number(path)) is not None}
    numbers = {name: int(value) if value.is_integer() else value for name, value in known.items()}
    method = {"distanceMeasuredWith": row.text("dist_method")} if row.text("dist_method") else {}
    animals, behavior = row.count("n_total"), row.text("behaviour")
    return Seen(taxon(PREY, row.text("species")), animals, behavior=behavior, properties={**numbers, **method})


def _is_beyond(code: str) -> bool:
    return bool(code) and code != UNKNOWN and not is_target(code)


def _weather(told: Answers, group: str) -> Mapping[str, str]:
    return {name: text for name in ("weather", "visibility") if (text := told.text(f"{group}/{name}"))}


SURVEYS = (
    Survey(
        "prey_transect",
        "survey",
        "restrictedSearch",
        "Observers move along a line and note each group of wild prey where it was first seen, with distance and angle. Lines on "
        "which nothing was seen are told too. The species are those on the list of the survey.",
        "Buckland et al. 2001, Introduction to Distance Sampling, Oxford University Press",
        transect,
    ),
    Survey(
        "prey_block",
        "survey",
        "restrictedSearch",
        "A block is looked over from one or several points and every group of wild prey is counted. Blocks in which nothing was "
        "seen are told too. Of a count by two observers the sheet that they made together is told.",
        "Suryawanshi, Bhatnagar & Mishra 2012, Oecologia 169",
        block,
    ),
    Survey(
        "patrol_effort",
        "survey",
        "opportunisticSearch",
        "Rangers on patrol note dogs without people and wild animals where they meet them. Patrols that met none have no position "
        "and are not in this dataset: no rate may be worked out from these events.",
        "",
        patrol,
        targets_dogs=True,
    ),
    Survey(
        "leopard_sign",
        "observation",
        "adventitious",
        "A leopard or its sign came up by chance. Only sure evidence is told: pictures (SCALP C1), and tracks, scats, scrapes and "
        "kills that a trained observer saw (SCALP C2). Dens, young, dead leopards and collars are never told.",
        "Molinari-Jobin et al. 2012, Hystrix 23",
        sign,
        targets_leopard=True,
    ),
)
