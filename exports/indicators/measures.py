"""Households in the evaluation of protection measures: before, after, and what visits found."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from exports.indicators.effect_statistics import Rate
from exports.indicators.parts import is_code
from exports.indicators.records import Record
from exports.indicators.slices import DAYS_PER_MONTH, Data, Slice, Sorted
from forms.numbers import official
from forms.submission import case_number
from records.counted import bare

INSTALLATION, FOLLOW_UP = "mitigation_install", "mitigation_followup"
TREATMENT, CONTROL = "treatment", "control"
BASELINE_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit to a household: its period, and what happened in it."""

    record: Record
    start: date
    end: date

    @property
    def months(self) -> float:
        """Length of its period."""
        return (self.end - self.start).days / DAYS_PER_MONTH

    @property
    def attacks(self) -> Rate:
        """Attacks, and the livestock-months they could happen in."""
        return Rate(self.record.answers.count("attacks"), stock(self.record, "") * self.months)

    @property
    def killed(self) -> Rate:
        """Animals killed, likewise."""
        return Rate(self.record.answers.count("killed"), stock(self.record, "") * self.months)


@dataclass(frozen=True, slots=True)
class Unit:
    """A household with a measure, or its control, and the visits to it in the order of their periods."""

    installation: Record
    visits: tuple[Visit, ...]

    @property
    def role(self) -> str:
        """Treatment or control."""
        return self.installation.answers.text("unit/unit_role")

    @property
    def measure(self) -> str:
        """The measure, of a control the one it is compared with."""
        return self.installation.answers.text("unit/measure")

    @property
    def pair(self) -> str:
        """The code it shares with its partner; empty without one."""
        return self.installation.answers.code("unit/pair_code")

    @property
    def since(self) -> date:
        """The day from which the measure is used."""
        return self.installation.answers.day("unit/start_date") or self.installation.day

    @property
    def before(self) -> Rate:
        """Attacks of the year before, and the livestock-months of it."""
        exposure = stock(self.installation, "base/") * BASELINE_MONTHS
        return Rate(self.installation.answers.count("base/base_attacks"), exposure)

    @property
    def killed_before(self) -> Rate:
        """Animals killed in the year before, likewise."""
        return Rate(self.installation.answers.count("base/base_killed"), self.before.exposure)

    def visited(self, where: Slice) -> "Unit":
        """The same with the visits whose period ended in a slice."""
        return Unit(self.installation, tuple(each for each in self.visits if where.period.start <= each.end <= where.period.end))


def stock(record: Record, group: str) -> float:
    """Animals of a household."""
    return float(record.answers.count(f"{group}small_stock") + record.answers.count(f"{group}large_stock"))


def added(rates: Iterable[Rate]) -> Rate:
    """Events and exposure of all together."""
    events, exposure = 0.0, 0.0
    for rate in rates:
        events, exposure = events + rate.events, exposure + rate.exposure
    return Rate(events, exposure)


def amount(record: Record, path: str, currency: str) -> tuple[float, str] | None:
    """A sum of money in its official currency; None where sum or currency is not known."""
    found, written = record.answers.number(path), record.answers.text(currency)
    return None if found is None or not is_code(written) else official(found, written)


def units_of(data: Data) -> Sequence[Unit]:
    """Join visits to the installation they name, by case number or instance id. Removals and units without livestock stay out."""
    installations = [record for record in data.of(INSTALLATION) if record.answers.text("unit/install_type") in ("", "new")]
    named = {
        bare(name): record.instance_id for record in installations for name in (record.instance_id, case_number(record.instance_id))
    }
    visits: dict[str, list[Visit]] = {}
    for record in data.of(FOLLOW_UP):
        unit = named.get(bare(record.answers.text("install_ref")))
        start, end = record.answers.day("period_from"), record.answers.day("period_to")
        if unit is not None and start is not None and end is not None and start < end:
            visits.setdefault(unit, []).append(Visit(record, start, end))
    return [
        Unit(record, tuple(sorted(visits.get(record.instance_id, ()), key=lambda visit: visit.end)))
        for record in installations
        if record.answers.text("unit/unit_role") in (TREATMENT, CONTROL) and record.answers.text("unit/measure")
    ]


def visited_units(where: Slice) -> list[Unit]:
    """The units with a visit whose period ended in a slice, with these visits."""
    country = where.country
    mine = (unit.visited(where) for unit in where.data.once(units_of) if country in ("", unit.installation.country))
    return [unit for unit in mine if unit.visits]


def installed(data: Data) -> Sorted[Unit]:
    """The units by country and the quarter in which they began."""
    return Sorted(data.once(units_of), lambda unit: (unit.installation.country, unit.since))
