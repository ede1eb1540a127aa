"""What each circle of readers is told: one policy for each, which every release, table, page and address follows.

Two secrets are kept: households (blame, theft, retaliation) and leopards (poaching, poison). Places are generalised to fixed cells
and never moved at random: Chapman, Current Best Practices for Generalizing Sensitive Species Occurrence Data (GBIF, 2020), advises
against randomisation, since points that are moved many times have the true one in their middle. Minimum frequency and dominance
follow Hundepool et al., Handbook on Statistical Disclosure Control (ESSnet, 2010).
"""

from dataclasses import dataclass
from typing import Literal

from forms.definition import Field
from forms.library.sources import confidential_ids, restricted_ids
from forms.personal import CODES, CONTACT

CELL_LEVELS = ("h3_6", "h3_5", "h3_4", "adm1", "country")
"""From fine to coarse: a place that is too small for one is counted in the next."""
ADMIN1, COUNTRY = 3, 4
TIME_LEVELS = ("month", "quarter", "year", "release", "release")
"""The same for time."""
EXACT = -1

FEWEST = 5
"""Households that stand behind a figure or a place; records, where a survey is told of by country and year only."""
LARGEST_SHARE = 0.7
"""A sum is kept back where one household makes up more of it than this."""
CLOSING_DAYS = 30
"""For so long after a quarter reports may come that belong to it; later ones belong to the next."""

Time = Literal["day", "month", "quarter", "year"]


@dataclass(frozen=True, slots=True)
class Policy:
    """A circle of readers and what it is told.

    `finest` is the first of `CELL_LEVELS` it sees (`EXACT`: the position), `degrees` the size of the cells in which places of
    wildlife lie (0: the position), `period` the finest time. `embargo_days` pass after the end of a quarter before it is told of.
    `bands`: numbers of households are given as 5-9 and 10+. `withheld` are the kinds of answers (keys of `KINDS`) it does not get.
    """

    name: str
    readers: str
    finest: int
    degrees: float
    period: Time
    embargo_days: int
    bands: bool
    withheld: frozenset[str]
    fewest: int = FEWEST
    largest_share: float = LARGEST_SHARE

    @property
    def is_exact(self) -> bool:
        """Whether positions and days are told as they are."""
        return self.finest == EXACT

    @property
    def resolution(self) -> int:
        """The H3 resolution of its finest cells."""
        return int(CELL_LEVELS[self.finest].removeprefix("h3_"))


KINDS = {
    "contact": "names and telephone numbers, sheets of attendance",
    "codes": "codes of households, reporters, samples and single animals",
    "text": "free text, in which names of people and places stand",
    "positions": "positions, lines and areas",
    "moments": "days and times of day",
    "files": "pictures, recordings and other files, their names, and what is noted in them (EXIF)",
    "origin": "who sent a record: its id and name, phone, times of filling in, track of changes",
    "calculated": "what the form worked out from other answers",
}
"""The kinds of answers that may be withheld, in words."""

_ALL = frozenset(KINDS)
RAW = Policy("raw", "coordinators", EXACT, 0, "day", 0, bands=False, withheld=frozenset())
TEAM = Policy("team", "reviewers; data collectors (their own)", EXACT, 0, "day", 0, bands=False, withheld=frozenset({"contact"}))
PARTNER = Policy("partner", "who signed an agreement; analysts", 0, 0.1, "month", CLOSING_DAYS, bands=False, withheld=_ALL)
PUBLIC = Policy("public", "everybody", 1, 0.1, "quarter", 90, bands=True, withheld=_ALL)
RESTRICTED = Policy(
    "restricted", "confidential and restricted surveys, to everybody", COUNTRY, 0, "year", 90, bands=True, withheld=_ALL
)
POLICIES = (RAW, TEAM, PARTNER, PUBLIC, RESTRICTED)
LEVELS = {policy.name: policy for policy in (PARTNER, PUBLIC)}
"""What may leave the programme."""

WILDLIFE = frozenset({"leopard_sign", "prey_transect", "prey_block", "patrol_effort", "corridor_barrier"})
"""Surveys that visit no household: their places are those of wildlife, rounded to `Policy.degrees` (Chapman 2020, category 2)."""
_OF_PEOPLE = frozenset({"community_attitudes", "training_event", "household_register"})
"""Surveys about people, which are told of in figures only."""
NEVER = {"sign_type": {"den", "collar", "dead"}, "life_stage": {"juvenile"}, "basis": {"collar"}}
"""By question: answers whose records never leave: dens, young, fixes of collars (Chapman 2020, category 1), dead leopards."""

_ORIGIN = frozenset({"meta", "instanceID", "instanceName", "deviceid", "username", "start", "end", "today", "audit", "form_schema"})
_PLACES = frozenset({"geopoint", "geotrace", "geoshape"})
_TIMES = frozenset({"date", "dateTime", "time"})
_NUMBERS = frozenset({"int", "integer", "decimal"})


def stays_inside(form_id: str) -> bool:
    """Whether no single record of this survey is told outside the programme, not even generalised."""
    return form_id in {*restricted_ids(), *confidential_ids(), *_OF_PEOPLE} - WILDLIFE


def kind_of(field: Field) -> str:
    """Which of `KINDS` the answers to a question are; empty for a number or a choice, which may be told."""
    by_rule = (
        (field.personal == CONTACT, "contact"),
        (field.is_file, "files"),
        (field.personal in CODES, "codes"),
        (bool(field.preload) or bool(_ORIGIN & set(field.path)), "origin"),
        (field.type in _PLACES, "positions"),
        (field.type in _TIMES, "moments"),
        (not field.control, "calculated"),
        (field.control in {"select", "select1", "rank"}, "" if field.choices else "codes"),
        (field.type == "barcode", "codes"),
        (field.type not in _NUMBERS, "text"),
    )
    return next((kind for applies, kind in by_rule if applies), "")
