"""What attacks cost (activities 7.1.1, 8.1.4): share of the herd, and money, every currency apart."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from statistics import median as middle
from typing import NamedTuple

from exports.indicators.attacks import REPORT, VISIT, Attack, attacks_of
from exports.indicators.conflict import of_attacks
from exports.indicators.figures import ANY, LEOPARD, Figure, Indicator, behind, blurred, estimated
from exports.indicators.grazing import livestock_months, of_herds
from exports.indicators.intervals import Estimate, Z, median, ratio_of_sums
from exports.indicators.parts import is_code
from exports.indicators.records import Answers, Record
from exports.indicators.slices import Data, Slice
from forms.numbers import official
from records.counted import DEAREST

IMPUTED = "values_imputed"
Price = Callable[[Record, str, str], float | None]
"""The value of an animal by report, species and age, in the official currency of the report."""


def _loss_rate(where: Slice) -> Iterable[Figure]:
    herds = livestock_months(where)
    for species in ("", *sorted({herd.species for herd in herds})):
        mine = [herd for herd in herds if species in ("", herd.species)]
        animal_years = sum(herd.months for herd in mine) / 12
        exposed = of_herds(mine)
        for predator in (LEOPARD, ANY) if animal_years else ():
            attacks = where.data.once(attacks_of).of(predator, where)
            for name, kinds in (("loss_rate", ("n_killed",)), ("loss_rate_with_missing", ("n_killed", "n_missing"))):
                lost = [sum(attack.animals(kind, species) for kind in kinds) for attack in attacks]
                figure = estimated(name, _compound(lost, animal_years), "% per year", sum(lost), factor=100)
                struck = of_attacks(attacks, lost)
                method = "compound Poisson: attacks are counted, not animals"
                yield replace(figure, of=species, predator=predator, method=method, supports=(struck, exposed), is_sum=True)
    yield from _predation_share(where)


def _compound(lost: list[int], animal_years: float) -> Estimate:
    """Animals per animal-year; whole attacks come by chance, so the variance of their sum is the sum of squares."""
    total = sum(lost)
    if not total:
        return Estimate(0.0)
    factor = math.exp(Z * math.sqrt(sum(number**2 for number in lost)) / total)
    return Estimate(total / animal_years, total / factor / animal_years, total * factor / animal_years)


def _predation_share(where: Slice) -> Iterable[Figure]:
    visits = [record for record in where.of("mitigation_followup") if _deaths(record)]
    if visits:
        killed = [record.answers.count("killed") for record in visits]
        figure = estimated("predation_share", ratio_of_sums(killed, list(map(_deaths, visits))), "%", sum(killed), factor=100)
        yield replace(
            figure, method="Fieller 1954", supports=(behind(visits, list(map(float, map(_deaths, visits)))),), is_sum=True
        )


def _deaths(record: Record) -> int:
    return record.answers.count("killed") + record.answers.count("other_deaths")


class _Loss(NamedTuple):
    attack: Attack
    value: float
    animals: int
    imputed: int


def _money(where: Slice) -> Iterable[Figure]:
    price = where.data.once(prices)
    by_currency: dict[str, list[_Loss]] = {}
    for attack in where.data.once(attacks_of).of(ANY, where):
        for currency, loss in _values(attack, price).items():
            by_currency.setdefault(currency, []).append(loss)
    for currency, losses in sorted(by_currency.items()):
        animals, imputed = sum(loss.animals for loss in losses), sum(loss.imputed for loss in losses)
        known = 1 - imputed / animals if animals else None
        flags = (IMPUTED,) if imputed else ()
        support = of_attacks((loss.attack for loss in losses), [loss.value for loss in losses])
        total = sum(loss.value for loss in losses)
        figure = Figure("loss", total, currency, len(losses), of=currency, predator=ANY, coverage=known, flags=flags)
        figure = replace(
            figure, supports=(support,), is_sum=True, method="sum; missing values by median of species, age, country, year"
        )
        yield figure
        rate = where.data.rates.get(currency)
        if rate is not None:
            stated = f"{rate.usd:.10g} USD per {currency} on {rate.day} ({rate.source})"
            yield replace(figure, name="loss_usd", value=total * rate.usd, unit="USD", method=stated)
        households: dict[str, float] = {}
        for loss in losses:
            if loss.attack.first.household:
                households[loss.attack.first.household] = households.get(loss.attack.first.household, 0.0) + loss.value
        if households:
            half = estimated("loss_per_household", median(list(households.values())), currency, len(households))
            yield replace(
                blurred(half), of=currency, predator=ANY, supports=(support,), flags=flags, method="order statistics, two digits"
            )


def _values(attack: Attack, price: Price) -> dict[str, _Loss]:
    """What an attack cost, by currency; animals whose value nobody knows are in none."""
    found: dict[str, _Loss] = {}
    for told in attack.told:
        answers = told.report.answers
        currency = _currency(answers)
        if not currency:
            continue
        before = found.get(currency, _Loss(attack, 0.0, 0, 0))
        value, animals, imputed = (
            before.value + (_official(answers.number("losses_g/vet_cost"), answers) or 0.0),
            before.animals,
            before.imputed,
        )
        for row in answers.rows("losses_g/loss"):
            own = _official(row.number("unit_value"), answers)
            each = own or price(told.report, row.text("species"), row.text("age"))
            if each is not None:
                value += each * row.count("n_killed")
                animals += row.count("n_killed")
                imputed += 0 if own else row.count("n_killed")
        found[currency] = _Loss(attack, value, animals, imputed)
    return {currency: loss for currency, loss in found.items() if loss.value}


def _currency(answers: Answers) -> str:
    written = answers.text("losses_g/currency")
    return official(0.0, written)[1] if is_code(written) else ""


def _official(amount: float | None, answers: Answers) -> float | None:
    if amount is None or not 0 < amount <= DEAREST:
        return None
    return official(amount, answers.text("losses_g/currency"))[0]


def prices(data: Data) -> Price:
    """Give the medians of the values told, by species, age, country, year and currency."""
    told: dict[tuple[object, ...], list[float]] = {}
    for report in data.of(REPORT):
        for row in report.answers.rows("losses_g/loss"):
            value = _official(row.number("unit_value"), report.answers)
            if value is not None and _currency(report.answers):
                told.setdefault(_price_key(report, row.text("species"), row.text("age")), []).append(value)
    medians: Mapping[tuple[object, ...], float] = {key: middle(values) for key, values in told.items()}
    return lambda report, species, age: medians.get(_price_key(report, species, age))


def _price_key(report: Record, species: str, age: str) -> tuple[object, ...]:
    return species, age, report.country, report.day.year, _currency(report.answers)


_SURVEYS = (REPORT, VISIT, "grazing_survey", "mitigation_followup")
INDICATORS = (
    Indicator(
        "I-CON-3",
        "100 * animals killed (with missing ones) / animal-years of herds; killed / all deaths of visited households",
        _SURVEYS,
        _loss_rate,
    ),
    Indicator("I-CON-7", "sum of animals killed * value + treatment, by currency; median of households", (REPORT, VISIT), _money),
)
