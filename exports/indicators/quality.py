"""How good the records are, and who uses them (activities 3.3, 3.4): over all surveys but the restricted ones."""

from collections.abc import Iterable
from dataclasses import replace

from exports.indicators.figures import Figure, Indicator, share
from exports.indicators.slices import Data, Slice, Sorted, Standing
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


_SURVEYS = tuple(each for each in survey_ids() if each not in restricted_ids())
INDICATORS = (
    Indicator("I-USE-1", "different phones that sent records; people who worked with the database; downloads", (), _use),
    Indicator("I-DQ-1", "records kept out by a check / records", (), _flagged),
    Indicator("I-DQ-2", "records sent twice / records", (), _twice),
    Indicator("I-DQ-3", "records of the current version of their survey / records", (), _current),
)
