"""How good the records are, and who uses them (activities 3.3, 3.4): all surveys but the restricted; who was heard, how soon.

Counts of reports are no incidence: beside them stands who was asked, who told, and how long it took (CMS strategy, activity 1.2.3).
"""

from collections.abc import Iterable
from dataclasses import replace

from exports.indicators.attacks import REPORT
from exports.indicators.disclosure import FEW_HOUSEHOLDS
from exports.indicators.dogs import PATROL
from exports.indicators.figures import Figure, Indicator, behind, estimated, share
from exports.indicators.intervals import median, percentile_90
from exports.indicators.parts import KNOWN
from exports.indicators.slices import Data, Slice, Sorted, Standing
from exports.policy import FEWEST
from forms.library.sources import restricted_ids, survey_ids

FEWEST_PEOPLE = 5


def _sorted(data: Data) -> Sorted[Standing]:
    return Sorted(data.standings, lambda standing: (standing.country, standing.day))


def _part(name: str, where: Slice, field: str) -> Iterable[Figure]:
    found = where.data.once(_sorted).of(where)
    yield from share(name, sum(getattr(each, field) for each in found), sum(each.records for each in found))


def _flagged(where: Slice) -> Iterable[Figure]:
    yield from _part("flagged_share", where, "flagged")


def _twice(where: Slice) -> Iterable[Figure]:
    yield from _part("duplicate_share", where, "duplicates")


def _current(where: Slice) -> Iterable[Figure]:
    yield from _part("current_version_share", where, "current")


def _use(where: Slice) -> Iterable[Figure]:
    """Who sent records, by country; who worked with the database, of whom no country is known."""
    senders = {record.sender for form_id in _SURVEYS for record in where.of(form_id)} - {None}
    if senders:
        yield _people("senders", len(senders))
    uses = [use for use in where.data.uses if not where.country and where.period.start <= use.day <= where.period.end]
    if uses:
        yield _people("people", len({use.actor for use in uses}))
        yield Figure("downloads", sum(use.downloads for use in uses), "downloads", len(uses), method="releases run or taken")


def _people(name: str, number: int) -> Figure:
    figure = Figure(name, number, "people", number, method="count of different ones")
    return figure if number >= FEWEST_PEOPLE else replace(figure, value=None, refused="few_people")


def heard(where: Slice) -> Iterable[Figure]:
    """How soon attacks were told of, by whom, and how many households were asked in the reports of nothing."""
    reports = where.of(REPORT)
    yield from _delays(where)
    known = [record for record in reports if record.answers.text(_ROLE)]
    roles = (KNOWN, *sorted({record.answers.text(_ROLE) for record in known}))
    for role in roles:  # all with a known role first: what they leave of it must be of five households too
        mine = [record for record in known if role in (KNOWN, record.answers.text(_ROLE))]
        whole = reports if role == KNOWN else known
        yield from share("role_share", len(mine), len(whole), of=role, supports=(behind(mine),))
    asked = [record for record in where.of(PATROL) if record.answers.text("zero_month") == "yes"]
    households = sum(record.answers.count("households_asked") for record in asked)
    if households:
        figure = Figure("households_asked", households, "household-months", len(asked), method="sum of the reports of nothing")
        yield figure if households >= FEWEST else replace(figure, value=None, refused=FEW_HOUSEHOLDS)


def _delays(where: Slice) -> Iterable[Figure]:
    """Days from the attack to the arrival of its report, of those that say the day."""
    reports = where.of(REPORT)
    told = [(record, day) for record in reports if (day := record.answers.day(_DAY)) and day <= record.received.date()]
    if told:
        days = [(record.received.date() - day).days for record, day in told]
        supports, coverage = (behind(record for record, _ in told),), len(told) / len(reports)
        half = replace(estimated("delay_median", median(days), "days", len(days)), method="order statistics")
        yield replace(half, coverage=coverage, supports=supports)
        yield Figure(
            "delay_90", percentile_90(days), "days", len(days), coverage=coverage, method="90th percentile", supports=supports
        )


_ROLE, _DAY = "reporter/reporter_role", "when/event_date"
_SURVEYS = tuple(each for each in survey_ids() if each not in restricted_ids())
INDICATORS = (
    Indicator("I-USE-1", "different phones that sent records; people who worked with the database; downloads", (), _use),
    Indicator("I-DQ-1", "records kept out by a check / records", (), _flagged),
    Indicator("I-DQ-2", "records sent twice / records", (), _twice),
    Indicator("I-DQ-3", "records of the current version of their survey / records", (), _current),
)
