"""Do protection measures work (activities 7.1.6, 8.1.3)? Attack rates before and after, with the measure and without.

Without control households a change is no evidence: it says so, and gets no class.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from exports.indicators.effect_statistics import (
    Rate,
    RatioOfRates,
    before_after_control_impact,
    cluster_bootstrap,
    effect_class,
    relative_risk,
)
from exports.indicators.figures import NO_CONTROLS, Figure, Indicator, Support, behind, blurred, estimated, share
from exports.indicators.intervals import Estimate
from exports.indicators.measures import (
    CONTROL,
    FOLLOW_UP,
    INSTALLATION,
    TREATMENT,
    Unit,
    added,
    amount,
    installed,
    visited_units,
)
from exports.indicators.parts import SPELLS
from exports.indicators.slices import DAYS_PER_MONTH, Slice
from exports.statistics import Floats

FILLED_UP = "half_added_to_empty_counts"
FEWEST_PAIRS = 10
POISSON = "log-normal, Poisson counts"


class Comparison:
    """The units of one measure in a slice, those with it and their controls."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.treated = [unit for unit in units if unit.role == TREATMENT and unit.before.exposure]
        self.controls = [unit for unit in units if unit.role == CONTROL and unit.before.exposure]

    @property
    def supports(self) -> tuple[Support, ...]:
        """The households on either side."""
        return tuple(_support(units) for units in (self.treated, self.controls) if units)

    def after(self, units: Sequence[Unit]) -> Rate:
        """Attacks and exposure of the visits."""
        return added(visit.attacks for unit in units for visit in unit.visits)

    def baci(self) -> RatioOfRates | None:
        """Change with the measure by change without; None where one side was never exposed."""
        after, after_control = self.after(self.treated), self.after(self.controls)
        if not after.exposure or not after_control.exposure:
            return None
        before, before_control = (added(unit.before for unit in units) for units in (self.treated, self.controls))
        return before_after_control_impact(before, after, before_control, after_control)


def _support(units: Iterable[Unit]) -> Support:
    visits = [(visit.record, unit.installation.household) for unit in units for visit in unit.visits]
    return behind([record for record, _ in visits], households=[household for _, household in visits])


def _comparisons(where: Slice) -> Iterable[tuple[str, Comparison]]:
    units = visited_units(where)
    for measure in sorted({unit.measure for unit in units if unit.role == TREATMENT}):
        yield measure, Comparison([unit for unit in units if unit.measure == measure])


def _figure(name: str, found: RatioOfRates, comparison: Comparison, measure: str) -> Figure:
    n = len(comparison.treated) + len(comparison.controls)
    flags = (FILLED_UP,) if found.is_filled_up else ()
    figure = estimated(name, found.ratio, "ratio", n)
    return replace(figure, of=measure, flags=flags, supports=comparison.supports, method=POISSON)


def _relative_risk(where: Slice) -> Iterable[Figure]:
    for measure, comparison in _comparisons(where):
        treated, control = comparison.after(comparison.treated), comparison.after(comparison.controls)
        if treated.exposure and control.exposure:
            yield _figure("relative_risk", relative_risk(treated, control), comparison, measure)


def _baci(where: Slice) -> Iterable[Figure]:
    for measure, comparison in _comparisons(where):
        found = comparison.baci()
        if found is None:
            yield from _before_after(comparison, measure)
            continue
        figure = _figure("baci_ratio", found, comparison, measure)
        yield figure
        ratio = found.ratio
        limits = [None if each is None else 100 * (1 - each) for each in (ratio.upper, ratio.lower)]
        yield replace(figure, name="reduction", unit="%", value=100 * (1 - ratio.value), lower=limits[0], upper=limits[1])
        yield from _of_pairs(comparison, measure)


def _before_after(comparison: Comparison, measure: str) -> Iterable[Figure]:
    after, before = comparison.after(comparison.treated), added(unit.before for unit in comparison.treated)
    if after.exposure and before.exposure:
        yield _figure("before_after_ratio", relative_risk(after, before), comparison, measure).flagged(NO_CONTROLS)


def _of_pairs(comparison: Comparison, measure: str) -> Iterable[Figure]:
    """The same from households paired with their control, drawing pairs: neighbours are alike."""
    controls = {unit.pair: unit for unit in comparison.controls if unit.pair}
    pairs = [(unit, controls[unit.pair]) for unit in comparison.treated if unit.pair in controls]
    if len(pairs) < FEWEST_PAIRS:
        return
    rows = np.array([_pair_row(comparison, *pair) for pair in pairs], np.float64)
    limits = cluster_bootstrap([rows], _pair_ratio)
    ratio = float(_pair_ratio([rows.sum(axis=0)[None, :]])[0])
    chosen = Comparison([unit for pair in pairs for unit in pair])
    estimate = Estimate(ratio, *(limits or (None, None)))
    figure = replace(estimated("baci_ratio_of_pairs", estimate, "ratio", len(pairs)), of=measure, supports=chosen.supports)
    yield replace(figure, method="bootstrap of pairs, 2000 draws, fixed seed")


def _pair_row(comparison: Comparison, treated: Unit, control: Unit) -> tuple[float, ...]:
    return (*treated.before, *comparison.after([treated]), *control.before, *comparison.after([control]))


def _pair_ratio(totals: Sequence[Floats]) -> Floats:
    """Ratio of ratios by draw; half an attack is added where a count is empty."""
    one = totals[0]
    counts = one[:, ::2] + 0.5 * (one[:, ::2] == 0).any(axis=1, keepdims=True)
    before, after, control_before, control_after = (counts / one[:, 1::2]).T
    ratio: Floats = after / before / (control_after / control_before)
    return ratio


def _class(where: Slice) -> Iterable[Figure]:
    for measure, comparison in _comparisons(where):
        found = comparison.baci()
        if found is not None:
            figure = _figure("class", found, comparison, measure)
            rule = "effective: ratio <= 0.25 and upper limit <= 1; promising: upper limit < 1; harmful: lower limit > 1"
            yield replace(figure, value=None, lower=None, upper=None, unit="class", category=effect_class(found.ratio), method=rule)


def _durability(where: Slice) -> Iterable[Figure]:
    for measure, comparison in _comparisons(where):
        for spell, (first, last) in SPELLS.items():
            units = [_within(unit, first, last) for unit in (*comparison.treated, *comparison.controls)]
            part = Comparison([unit for unit in units if unit.visits])
            found = part.baci() if part.treated and part.controls else None
            if found is not None:
                yield _figure("baci_ratio_by_months", found, part, f"{measure}:{spell}")
        visits = [visit for unit in comparison.treated for visit in unit.visits]
        days = sum((visit.end - visit.start).days for visit in visits)
        down = sum(min(visit.record.answers.count("days_down"), (visit.end - visit.start).days) for visit in visits)
        if days:
            support = (_support(comparison.treated),)
            yield Figure("days_down_share", 100 * down / days, "%", len(visits), of=measure, supports=support, method="days / days")
        yield from _cost(comparison, measure)


def _within(unit: Unit, first: float, last: float) -> Unit:
    """The same with the visits whose period had its middle between so many months since the start."""
    middles = (
        (visit, ((visit.start - unit.since).days + (visit.end - unit.since).days) / 2 / DAYS_PER_MONTH) for visit in unit.visits
    )
    return Unit(unit.installation, tuple(visit for visit, months in middles if first <= months < last))


def _cost(comparison: Comparison, measure: str) -> Iterable[Figure]:
    """Cost and upkeep by animals saved: killed as expected from the year before and the controls, less those that were."""
    killed, before = (added(visit.killed for unit in comparison.treated for visit in unit.visits),
                      added(unit.killed_before for unit in comparison.treated))  # fmt: skip
    after_control = added(visit.killed for unit in comparison.controls for visit in unit.visits)
    before_control = added(unit.killed_before for unit in comparison.controls)
    if not (before.exposure and after_control.exposure and before_control.events):
        return
    change = (after_control.events / after_control.exposure) / (before_control.events / before_control.exposure)
    saved = before.events / before.exposure * killed.exposure * change - killed.events
    sums = [amount(unit.installation, "detail/cost", "base/currency") for unit in comparison.treated]
    sums += [amount(visit.record, "upkeep", "currency") for unit in comparison.treated for visit in unit.visits]
    currencies = {found[1] for found in sums if found}
    if len(currencies) == 1:
        currency, total = currencies.pop(), sum(found[0] for found in sums if found)
        value = total / saved if saved > 0 else None
        figure = Figure("cost_per_animal_saved", value, currency, len(comparison.treated), of=measure, supports=comparison.supports)
        known = sum(found is not None for found in sums) / len(sums)
        yield replace(figure, coverage=known, refused="" if saved > 0 else "nothing_saved", method="cost / (expected - killed)")


def _adoption(where: Slice) -> Iterable[Figure]:
    new = [unit for unit in where.data.once(installed).of(where) if unit.role == TREATMENT]
    visited = [unit for unit in visited_units(where) if unit.role == TREATMENT]
    for measure in ("", *sorted({unit.measure for unit in (*new, *visited)})):
        mine = [unit for unit in new if measure in ("", unit.measure)]
        if mine:
            support = behind(unit.installation for unit in mine)
            yield Figure("installed", len(mine), "measures", len(mine), of=measure, supports=(support,), method="count")
        seen = [unit for unit in visited if measure in ("", unit.measure)]
        last = [unit.visits[-1].record.answers for unit in seen]
        for name, path, yes, known in (
            ("working_share", "state", "ok", ("ok", "part", "not")),
            ("continued_share", "continue", "yes", ("yes", "no")),
        ):
            asked = [unit for unit, answers in zip(seen, last, strict=True) if answers.text(path) in known]
            hits = sum(answers.text(path) == yes for answers in last)
            yield from share(name, hits, len(asked), of=measure, supports=(_support(asked),))


def _income(where: Slice) -> Iterable[Figure]:
    for measure, comparison in _comparisons(where):
        changes = [_changes(units) for units in (comparison.treated, comparison.controls)]
        for currency in sorted(set(changes[0])):
            treated, control = (found.get(currency, []) for found in changes)
            if not control:
                value = float(np.median([change for _, change in treated]))
                figure = Figure(
                    "income_change", value, currency, len(treated), of=measure, supports=(_support([u for u, _ in treated]),)
                )
                yield blurred(figure).flagged(NO_CONTROLS)
                continue
            arms = [np.array([change for _, change in arm], np.float64) for arm in (treated, control)]
            estimate = Estimate(float(np.median(arms[0]) - np.median(arms[1])), *_median_limits(arms))
            supports = tuple(_support([unit for unit, _ in arm]) for arm in (treated, control))
            figure = estimated("income_difference", estimate, currency, len(treated) + len(control))
            method = "difference of medians, bootstrap of households, fixed seed, two digits"
            yield replace(blurred(figure), of=measure, supports=supports, method=method)


def _changes(units: Sequence[Unit]) -> dict[str, list[tuple[Unit, float]]]:
    """Income of the visits for a whole year, less that of the year before, by currency."""
    found: dict[str, list[tuple[Unit, float]]] = {}
    for unit in units:
        base = amount(unit.installation, "base/base_income", "base/currency")
        told = [(visit, amount(visit.record, "income", "currency")) for visit in unit.visits]
        sums = [(visit, one[0]) for visit, one in told if one is not None and base is not None and one[1] == base[1]]
        months = sum(visit.months for visit, _ in sums)
        if base is not None and months:
            found.setdefault(base[1], []).append((unit, sum(income for _, income in sums) / months * 12 - base[0]))
    return found


def _median_limits(arms: Sequence[Floats]) -> tuple[float | None, float | None]:
    """Limits of a difference of medians, drawing households on each side."""
    if min(map(len, arms)) < 2:
        return None, None
    chance = np.random.default_rng(7161)
    drawn = [np.median(arm[chance.integers(0, len(arm), (2000, len(arm)))], axis=1) for arm in arms]
    lower, upper = np.quantile(drawn[0] - drawn[1], [0.025, 0.975])
    return float(lower), float(upper)


_SURVEYS = (INSTALLATION, FOLLOW_UP)
INDICATORS = (
    Indicator("I-MIT-1", "(attacks / livestock-months) with the measure / the same of controls", _SURVEYS, _relative_risk),
    Indicator("I-MIT-2", "(rate after / rate before) with the measure / the same of controls", _SURVEYS, _baci),
    Indicator("I-MIT-3", "class of the ratio of I-MIT-2 and its limits", _SURVEYS, _class),
    Indicator("I-MIT-4", "I-MIT-2 by months since start; days out of order / days; cost / animals saved", _SURVEYS, _durability),
    Indicator("I-MIT-5", "measures installed; working at the last visit; to be continued", _SURVEYS, _adoption),
    Indicator("I-MIT-6", "median change of a year's livestock income with the measure minus that of controls", _SURVEYS, _income),
)
