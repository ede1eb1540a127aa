"""Attacks on livestock (activities 7.1.1, 7.1.2): how often, how bad, how sure, under which protection."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from exports.indicators.attacks import REPORT, VERIFIED, VISIT, Attack, Told, attacks_of, months_observed
from exports.indicators.figures import ANY, LEOPARD, LOW_N, Figure, Indicator, Support, behind, estimated, share
from exports.indicators.grazing import livestock_months, of_herds
from exports.indicators.intervals import median, percentile_90, poisson_rate
from exports.indicators.parts import OTHER_PREDATOR
from exports.indicators.slices import Slice

UNDER_REPORTED, INCOMPLETE = "under_reported", "exposure_incomplete"
GARWOOD = "Garwood 1936"


def of_attacks(attacks: Iterable[Attack], amounts: Sequence[float] | None = None) -> Support:
    """The households that attacks struck."""
    return behind((attack.first for attack in attacks), amounts)


def _per_month(where: Slice) -> Iterable[Figure]:
    observed = len(months_observed(where))
    if not observed:
        return
    countries = 1 if where.country else len({country for country, _ in months_observed(where)})
    coverage = observed / (len(where.period.months) * countries)
    for predator in (LEOPARD, ANY):
        attacks = where.data.once(attacks_of).of(predator, where)
        months = len({month for _, month in months_observed(where)})
        figure = estimated("attacks_per_month", poisson_rate(len(attacks), months), "attacks per month", len(attacks))
        flags = (UNDER_REPORTED,) if coverage < 0.5 else ()
        supports = (of_attacks(attacks),)
        yield replace(figure, predator=predator, coverage=coverage, method=GARWOOD, flags=flags, supports=supports)


def _rate(where: Slice) -> Iterable[Figure]:
    herds = livestock_months(where)
    exposure = sum(herd.months for herd in herds)
    if not exposure:
        return
    known = {herd.record.household for herd in herds} - {""}
    for predator in (LEOPARD, ANY):
        attacks = where.data.once(attacks_of).of(predator, where)
        counted = sum(attack.first.household in known for attack in attacks)
        coverage = counted / len(attacks) if attacks else None
        figure = estimated("attack_rate", poisson_rate(len(attacks), exposure, 1000), "per 1,000 livestock-months", len(attacks))
        supports = (
            of_attacks(attacks),
            of_herds(herds),
        )
        flags = (INCOMPLETE,) if coverage is not None and coverage < 0.8 else ()
        yield replace(figure, predator=predator, coverage=coverage, method=GARWOOD, flags=flags, supports=supports)


def _animals(where: Slice) -> Iterable[Figure]:
    for predator in (LEOPARD, ANY):
        attacks = where.data.once(attacks_of).of(predator, where)
        killed = [attack.animals("n_killed") for attack in attacks]
        if not attacks:
            continue
        supports = (of_attacks(attacks),)
        flags = (LOW_N,) if len(attacks) < 10 else ()
        half = replace(estimated("median", median(killed), "animals", len(killed)), method="order statistics")
        tenth = Figure("percentile_90", percentile_90(killed), "animals", len(killed))
        for figure in (half, tenth):
            yield replace(figure, predator=predator, supports=supports, flags=flags)
        for figure in share("surplus_share", sum(number >= 2 for number in killed), len(killed), supports=supports):
            yield replace(figure, predator=predator)


def _verified(where: Slice) -> Iterable[Figure]:
    told = where.data.once(attacks_of).told.of(where)
    supports = (behind(each.report for each in told),)
    visited = sum(each.visit is not None for each in told)
    for figure in share("verified_share", sum(each.finding in VERIFIED for each in told), len(told), supports=supports):
        yield replace(figure, coverage=visited / len(told))
    yield from share("visited_share", visited, len(told), supports=supports)


def _attribution(where: Slice) -> Iterable[Figure]:
    blamed = [
        each
        for each in where.data.once(attacks_of).told.of(where)
        if each.report.answers.text("cause/predator") == LEOPARD and each.visit is not None
    ]
    supports = (behind(each.report for each in blamed),)
    found = [_found(each) for each in blamed]
    for kind in (LEOPARD, OTHER_PREDATOR, "dog", "not_predation", "undetermined"):
        for figure in share("found", found.count(kind), len(found), of=kind, supports=supports):
            yield replace(figure, predator=LEOPARD)


def _found(told: Told) -> str:
    """What a visit found to be behind a loss."""
    if told.finding == "not_predation" or told.predator == "not_predator":
        return "not_predation"
    if told.predator in ("leopard", "dog"):
        return told.predator
    return "undetermined" if told.predator in ("", "unknown") or told.finding == "undetermined" else OTHER_PREDATOR


def _protection(where: Slice) -> Iterable[Figure]:
    for predator in (LEOPARD, ANY):
        every = where.data.once(attacks_of).of(predator, where)
        asked = [attack for attack in every if attack.first.answers.chosen("husbandry/measures")]
        supports, coverage = (of_attacks(asked),), len(asked) / len(every) if every else None
        for measure in sorted({name for attack in asked for name in attack.first.answers.chosen("husbandry/measures")}):
            has = [attack for attack in asked if measure in attack.first.answers.chosen("husbandry/measures")]
            works = [attack for attack in has if attack.first.answers.text("husbandry/measures_state") == "ok"]
            for name, yes in (("present_share", has), ("working_share", works)):
                if name == "present_share" or measure != "none":
                    for figure in share(name, len(yes), len(asked), of=measure, supports=supports):
                        yield replace(figure, predator=predator, coverage=coverage)
        yield from _of_answers("breach_share", every, "husbandry/breach", ("yes",), ("yes", "no"), predator)


def _circumstances(where: Slice) -> Iterable[Figure]:
    for predator in (LEOPARD, ANY):
        attacks = where.data.once(attacks_of).of(predator, where)
        times = ("dawn", "day", "dusk", "night")
        yield from _of_answers("night_share", attacks, "when/time_of_day", ("night",), times, predator)
        yield from _of_answers("corral_share", attacks, "place_more/setting", ("corral",), None, predator)
        presence = ("with", "near", "far", "none")
        yield from _of_answers("herder_absent_share", attacks, "husbandry/herder_presence", ("none",), presence, predator)


def _of_answers(
    name: str, attacks: Sequence[Attack], path: str, yes: Sequence[str], known: Sequence[str] | None, predator: str
) -> Iterable[Figure]:
    """The share of attacks with one of the answers `yes` among those with a known answer (None: any)."""
    is_known: Callable[[str], bool] = lambda answer: bool(answer) if known is None else answer in known
    asked = [attack for attack in attacks if is_known(attack.first.answers.text(path))]
    hits = sum(attack.first.answers.text(path) in yes for attack in asked)
    for figure in share(name, hits, len(asked), supports=(of_attacks(asked),)):
        yield replace(figure, predator=predator, coverage=len(asked) / len(attacks))


_WITH_VISITS = (REPORT, VISIT)
INDICATORS = (
    Indicator("I-CON-1", "attacks / months with a report or a report of nothing", (*_WITH_VISITS, "patrol_effort"), _per_month),
    Indicator("I-CON-2", "1000 * attacks / livestock-months", (*_WITH_VISITS, "grazing_survey"), _rate),
    Indicator(
        "I-CON-4", "animals killed per attack: median, 90th percentile; attacks with 2 or more / attacks", _WITH_VISITS, _animals
    ),
    Indicator("I-CON-5", "reports found confirmed or probable / reports; visited / reports", _WITH_VISITS, _verified),
    Indicator("I-CON-6", "visited reports blamed on leopards, by what was found / all of these", _WITH_VISITS, _attribution),
    Indicator(
        "I-CON-8", "attacks with a measure, or a working one / attacks of which it is known; breaches", _WITH_VISITS, _protection
    ),
    Indicator(
        "I-CON-9", "attacks at night, in a corral, without herder / attacks of which it is known", _WITH_VISITS, _circumstances
    ),
)
