"""Attacks as the indicators count them: by the rule of `exports.episodes`, with everything their reports and visits say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from exports.episodes import episodes_of
from exports.indicators.records import Record
from exports.indicators.slices import Data, Slice, Sorted
from exports.reports import NOT_COUNTED, STRICT, UNKNOWN, Reports, certainty_of
from exports.windows import EPOCH
from forms.submission import case_number
from records.counted import SURE, bare

REPORT, VISIT = "conflict_livestock", "conflict_verification"
VERIFIED = ("confirmed", "probable")


@dataclass(frozen=True, slots=True)
class Told:
    """A report and the last visit to it. `predator` is that of the visit, else the reporter's."""

    report: Record
    visit: Record | None
    predator: str
    certainty: int

    @property
    def finding(self) -> str:
        """What the visit found; empty without one."""
        return self.visit.answers.text("verification_status") if self.visit else ""


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: the reports that are counted in it, the earliest first, one of each incident."""

    told: tuple[Told, ...]

    @property
    def first(self) -> Record:
        """The report that gives its day, place and circumstances."""
        return self.told[0].report

    @property
    def is_verified(self) -> bool:
        """Whether a visit bears it out."""
        return any(each.certainty == STRICT for each in self.told)

    def animals(self, name: str, species: str = "") -> int:
        """Animals lost in it: `name` is n_killed, n_injured or n_missing."""
        rows = (row for each in self.told for row in each.report.answers.rows("losses_g/loss"))
        return sum(row.count(name) for row in rows if species in ("", row.text("species")))


@dataclass(frozen=True, slots=True)
class Attacks:
    """All reports, and the attacks by predator ("any" for all of them), by country and quarter."""

    told: Sorted[Told]
    by_predator: Mapping[str, Sorted[Attack]]

    def of(self, predator: str, where: Slice) -> list[Attack]:
        """The attacks of a slice by one predator, or by any."""
        return self.by_predator[predator].of(where) if predator in self.by_predator else []


def attacks_of(data: Data) -> Attacks:
    """Join the reports that tell of one attack."""
    visits = visits_by_report(data)
    told = [_told(report, visits.get(report.instance_id)) for report in data.of(REPORT)]
    leading: dict[str, list[Attack]] = {}
    for each in _leading(told, data):
        leading.setdefault(each.predator, []).append(Attack((each,)))
    attacks = {predator: _episodes(alone) for predator, alone in sorted(leading.items())}
    every = [attack for found in attacks.values() for attack in found]
    by_predator = {
        predator: Sorted(found, lambda attack: (attack.first.country, attack.first.day))
        for predator, found in (*attacks.items(), ("any", every))
    }
    return Attacks(Sorted(told, lambda each: (each.report.country, each.report.day)), by_predator)


def visits_by_report(data: Data) -> dict[str, Record]:
    """The last visit to each report, by instance id. A visit to one report of an incident is one to all of them."""
    named = {
        bare(name): report.instance_id
        for report in data.of(REPORT)
        for name in (report.instance_id, case_number(report.instance_id))
    }
    together: dict[int, list[str]] = {}
    for instance_id, incident in data.joined.items():
        together.setdefault(incident, []).append(instance_id)
    visits: dict[str, Record] = {}
    for visit in data.of(VISIT):
        report = named.get(bare(visit.answers.text("incident_ref")))
        if report is not None:
            visits.update(dict.fromkeys(together.get(data.joined.get(report, -1), [report]), visit))
    return visits


def _told(report: Record, visit: Record | None) -> Told:
    answers = report.answers
    predator, finding, scalp = (
        (visit.answers.text(name) for name in ("predator_final", "verification_status", "scalp")) if visit else ("", "", "")
    )
    certainty = certainty_of(finding, scalp, is_sure=answers.text("cause/confidence") in SURE)
    return Told(report, visit, predator or answers.text("cause/predator"), certainty)


def _leading(told: Iterable[Told], data: Data) -> Iterable[Told]:
    """One report per incident, the most certain, among equals the earliest to arrive; those that do not count are left out."""
    best: dict[object, Told] = {}
    for each in told:
        key = data.joined.get(each.report.instance_id, each.report.instance_id)
        if each.certainty > NOT_COUNTED and each.predator != "not_predator":
            before = best.get(key)
            if before is None or each.certainty > before.certainty:
                best[key] = each
    return best.values()


def _episodes(alone: Sequence[Attack]) -> list[Attack]:
    """Put repeated nights on one herd together."""
    numbers: dict[str, int] = {}
    rows = [_row(each.first, numbers) for each in alone]
    earliest = episodes_of(Reports.from_rows(rows)).tolist()
    groups: dict[int, list[Told]] = {}
    for position, first in enumerate(earliest):
        groups.setdefault(first, []).extend(alone[position].told)
    return [Attack(tuple(sorted(group, key=lambda each: (each.report.day, each.report.instance_id)))) for group in groups.values()]


def _row(report: Record, numbers: dict[str, int]) -> tuple[object, ...]:
    """What the rule of episodes asks of a report; the rest is blank."""
    household = numbers.setdefault(report.household, len(numbers)) if report.household else UNKNOWN
    latitude, longitude = report.place or (None, None)
    return ((report.day - EPOCH).days, latitude, longitude, None, household, 0, False, "", 0, 0, 0, 0, None, "", -1, 1, "")


def months_observed(where: Slice) -> set[tuple[str, date]]:
    """The months (first day) of a slice and its countries of which there is a report, or a report of nothing."""
    months = {(record.country, record.day.replace(day=1)) for record in where.of(REPORT)}
    for record in where.data.of("patrol_effort"):
        day = record.answers.day("month")
        if record.answers.text("zero_month") == "yes" and day and where.has(record.country, day):
            months.add((record.country, day.replace(day=1)))
    return months
