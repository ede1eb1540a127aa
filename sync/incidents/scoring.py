"""How likely two reports tell of one event: the rule `twins-1`.

Each fact speaks for or against it with a weight: the base-2 logarithm of how much more often it looks so in two reports of one
event than in two other reports compared (Fellegi and Sunter, "A theory for record linkage", J. Am. Stat. Assoc. 64, 1969). The sum,
with what is known before any fact is looked at, gives the chance. The facts are taken as independent, which they are only nearly,
so the chance is a score for ordering; what the bands are worth was measured (docs/incidents.md).
"""

from collections.abc import Callable, Mapping
from difflib import SequenceMatcher
from typing import NamedTuple

from sync.incidents.facts import FARTHEST, SLIP_DAYS, Facts, days_apart, metres_apart, spread_of

RULE = "twins-1"
LIKELY, POSSIBLE, UNLIKELY = "likely", "possible", "unlikely"
LIKELY_FROM, POSSIBLE_FROM = 0.9, 0.15
PRIOR = -1.5
"""Of the pairs that are near enough in place and time to be compared, about one in four tells of one event."""
COARSE = 600.0
"""Metres: places less sure than this are near each other in many pairs by chance."""
_64_BITS = 2**64 - 1
ALIKE = 8
"""Difference hashes of 64 bits that differ in at most so many show the same scene."""

WEIGHTS: Mapping[str, Mapping[str, float]] = {
    # Within what receivers and people account for; twice, four times as far. On a coarse place nearness says less, distance too.
    "distance": {
        "within": 1.5, "near": -1.5, "off": -3.5, "far": -4.0,
        "within_coarse": 0.5, "near_coarse": -1.5, "off_coarse": -3.5, "far_coarse": -4.0,
    },
    # People err by a day when they hear of it later; predators come back to a herd on the next nights.
    "days": {"same": 2.0, "within": -0.5, "next": -1.5, "apart": -5.0},
    # Most attacks happen at night, so that agreeing says little; nobody takes night for noon.
    "time_of_day": {"same": 0.5, "close": -0.5, "different": -4.0},
    # Most are blamed on the same few predators; two people differ in one event of eight.
    "predator": {"same": 0.5, "different": -1.0},
    # Sheep and goats are mixed up, cattle and goats are not.
    "species": {"same": 1.0, "some": -2.0, "different": -3.0},
    # One animal is killed in half of all attacks: agreeing on one says less than agreeing on nine. Others miss an animal.
    "counts": {"same_many": 4.0, "same": 1.0, "close": -0.5, "different": -5.0},
    # A herd is attacked again and again, so the same household is no proof; neighbours have codes that differ in one digit.
    "household": {"same": 1.0, "similar": -3.0, "different": -6.0},
    # Given only where there is no position; names of villages come in many spellings.
    "place": {"same": 1.0, "similar": 0.0, "different": -2.0},
    # Another person in another role is how twins come about; who reported it seldom reports it again.
    "reporter": {"others": 1.0, "same_role": -2.5, "same_phone": -2.0, "same": -3.0},
    # The same scene; not calibrated, because the made-up reports have no pictures: 64 bits agree by chance in hardly any pair.
    "photos": {"alike": 6.0},
}  # fmt: skip
"""What each fact is worth, calibrated on made-up reports (tests/support/twins.py, seeds 1 to 8; `python -m tests.load incidents`
shows the figures), rounded to halves, and drawn in where the made-up world is too tidy. What is not listed says nothing.
"""


class Evidence(NamedTuple):
    """What one fact says: `value` is a level of `WEIGHTS`, `figure` metres, days or animals where there is a number."""

    value: str
    weight: float
    figure: int | None = None


def _distance(one: Facts, other: Facts) -> tuple[str, int | None]:
    metres = metres_apart(one, other)
    if metres is None:
        return "unknown", None
    spread = spread_of(one, other)
    steps = ("within", "near", "off", "far")
    step = steps[(metres > spread) + (metres > 2 * spread) + (metres > 4 * spread)]
    return f"{step}_coarse" if spread > COARSE else step, round(metres)


def _days(one: Facts, other: Facts) -> tuple[str, int | None]:
    days = days_apart(one, other)
    if not days:
        return ("unknown" if days is None else "same"), days
    slack = one.slack + other.slack
    return ("within" if days <= slack else "next" if days == slack + 1 else "apart"), days


_CLOSE_TIMES = ({"night", "dawn"}, {"night", "dusk"}, {"dawn", "day"}, {"day", "dusk"})


def _time_of_day(one: Facts, other: Facts) -> tuple[str, int | None]:
    times = {one.time_of_day, other.time_of_day}
    if times & {"", "unknown"}:
        return "unknown", None
    return ("same" if len(times) == 1 else "close" if times in _CLOSE_TIMES else "different"), None


def _predator(one: Facts, other: Facts) -> tuple[str, int | None]:
    if {one.predator, other.predator} & {"", "unknown"}:
        return "unknown", None
    return ("same" if one.predator == other.predator else "different"), None


def _species(one: Facts, other: Facts) -> tuple[str, int | None]:
    here, there = set(one.losses), set(other.losses)
    if not here or not there:
        return "unknown", None
    return ("same" if here == there else "some" if here & there else "different"), None


def _counts(one: Facts, other: Facts) -> tuple[str, int | None]:
    """Compare the animals killed; where none was killed by either, there is nothing to compare."""
    here, there = (sum(numbers[0] for numbers in each.losses.values()) for each in (one, other))
    if not here and not there:
        return "unknown", None
    apart = abs(here - there)
    if apart == 0:
        return ("same_many" if here >= 4 else "same"), 0
    return ("close" if apart == 1 or apart <= max(here, there) / 5 else "different"), apart


def _household(one: Facts, other: Facts) -> tuple[str, int | None]:
    return _names(one.household, other.household), None


def _place(one: Facts, other: Facts) -> tuple[str, int | None]:
    return _names(one.place, other.place), None


def _names(one: str, other: str) -> str:
    if not one or not other:
        return "unknown"
    if one == other:
        return "same"
    alike = sorted(one) == sorted(other) or SequenceMatcher(None, one, other, autojunk=False).ratio() >= 0.85
    return "similar" if alike else "different"


def _reporter(one: Facts, other: Facts) -> tuple[str, int | None]:
    """Tell whether one person sent both: then the second is a repeat, or another event."""
    if one.reporter and one.reporter == other.reporter:
        return "same", None
    if one.device and one.device == other.device:
        return "same_phone", None
    if not one.reporter_role or not other.reporter_role:
        return "unknown", None
    return ("same_role" if one.reporter_role == other.reporter_role else "others"), None


def _photos(one: Facts, other: Facts) -> tuple[str, int | None]:
    near = sum(any(((here ^ there) & _64_BITS).bit_count() <= ALIKE for there in other.photos) for here in one.photos)
    return ("alike", near) if near else ("unknown", None)


TERMS: Mapping[str, Callable[[Facts, Facts], tuple[str, int | None]]] = {
    "distance": _distance,
    "days": _days,
    "time_of_day": _time_of_day,
    "predator": _predator,
    "species": _species,
    "counts": _counts,
    "household": _household,
    "place": _place,
    "reporter": _reporter,
    "photos": _photos,
}


def comparable(one: Facts, other: Facts) -> bool:
    """Whether two reports are near enough in time and place, or in household or place name, to be compared at all."""
    days = days_apart(one, other)
    if days is None or days > one.slack + other.slack + SLIP_DAYS:
        return False
    metres = metres_apart(one, other)
    if one.household and one.household == other.household:
        return True
    if metres is None:
        return bool(one.place) and one.place == other.place
    return metres <= min(FARTHEST, 4 * spread_of(one, other))


class Match(NamedTuple):
    """What comparing two reports gave: the score (0 to 1), its band and the evidence by term."""

    score: float
    band: str
    evidence: dict[str, Evidence]


def compared(one: Facts, other: Facts) -> Match:
    """Weigh the facts of two reports; the order of the two does not matter."""
    evidence = {}
    for term, look in TERMS.items():
        value, figure = look(one, other)
        weight = WEIGHTS[term].get(value)
        if weight is not None:
            evidence[term] = Evidence(value, weight, figure)
    score = 1 / (1 + 2 ** -(PRIOR + sum(each.weight for each in evidence.values())))
    return Match(score, LIKELY if score >= LIKELY_FROM else POSSIBLE if score >= POSSIBLE_FROM else UNLIKELY, evidence)
