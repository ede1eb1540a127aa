"""Checks of counts, sums and currencies. What forms add up is added up again here, whatever the phone made of it.

Numbers below zero count as zero: the form's own limits have flagged them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import aliased

from forms.numbers import CURRENCIES
from records.flags import Flag, flag
from records.models import ConflictReport, IncidentLink, Submission
from sync.checks.case import Answers, Case, as_number
from sync.checks.values import DOLLAR, Path, at, count, counts, of, rows, whole

BIG, HUGE = 30, 100
SMALL_STOCK = frozenset({"sheep", "goat"})
LARGE_STOCK = frozenset({"cattle", "zebu", "buffalo", "yak", "horse", "donkey", "mule", "camel_d", "camel_b"})
NOT_A_HERD = frozenset({"poultry"})
"""A fox kills a henhouse in one night: such numbers are usual."""
LOSSES = ("losses_g", "loss")
FATES = ("n_killed", "n_injured", "n_missing")


@of("conflict_livestock")
def count_zero(case: Case) -> Iterator[Flag]:
    """Nothing was lost, and nobody declared an attack without loss."""
    if (
        not any(count(row.get(fate)) for row in case.rows(*LOSSES) for fate in FATES)
        and case.text("losses_g", "no_loss_ok") != "yes"
    ):
        yield flag("count_zero", "/".join(LOSSES))


@of("conflict_livestock", "dog_impact", "conflict_verification")
def count_big(case: Case) -> Iterator[Flag]:
    """Many animals in one attack."""
    path, killed = _killed(case)
    if killed > BIG:
        yield flag("count_huge" if killed > HUGE else "count_big", path, number=whole(killed))


def _killed(case: Case) -> tuple[str, float]:
    """Where the survey asks for the animals killed, and how many they are."""
    if case.form_id == "dog_impact":
        stock = 0.0 if case.text("stock", "stock_species") in NOT_A_HERD else count(case.value("stock", "stock_killed"))
        wild = count(case.value("wild", "wild_killed"))
        return ("stock/stock_killed", stock) if stock > wild else ("wild/wild_killed", wild)
    path: Path = LOSSES
    species, killed = "species", "n_killed"
    if case.form_id == "conflict_verification":
        path, species, killed = ("verified",), "v_species", "v_killed"
    return "/".join(path), sum(count(row.get(killed)) for row in case.rows(*path) if row.get(species) not in NOT_A_HERD)


@of("conflict_livestock")
def count_herd(case: Case) -> Iterator[Flag]:
    """More were killed than there were. A herd of zero is what the phone fills in: it says nothing."""
    for question, stock in (("herd_small", SMALL_STOCK), ("herd_large", LARGE_STOCK)):
        herd = count(case.value("husbandry", question))
        killed = sum(count(row.get("n_killed")) for row in case.rows(*LOSSES) if row.get("species") in stock)
        if 0 < herd < killed:
            yield flag("count_herd", f"husbandry/{question}", number=whole(killed), herd=whole(herd))


class Total(NamedTuple):
    """A total that the phone works out: its path, the repeat it adds up, and what a row adds."""

    path: Path
    repeat: Path
    adds: Callable[[Answers], float]


def _adding(*names: str) -> Callable[[Answers], float]:
    return lambda row: sum(count(row.get(name)) for name in names)


TOTALS: Mapping[str, tuple[Total, ...]] = {
    "conflict_livestock": (
        Total(("losses_g", "total_killed"), LOSSES, _adding("n_killed")),
        Total(("losses_g", "total_injured"), LOSSES, _adding("n_injured")),
        Total(("losses_g", "total_missing"), LOSSES, _adding("n_missing")),
        Total(("losses_g", "loss_value_local"), LOSSES, lambda row: count(row.get("n_killed")) * count(row.get("unit_value"))),
    ),
    "grazing_survey": (Total(("head_total",), ("herd",), _adding("head")),),
    "training_event": (Total(("participants",), ("aud",), _adding("women", "men", "unsaid")),),
}


@of(*TOTALS)
def count_sum(case: Case) -> Iterator[Flag]:
    """Totals of the phone that are not the sums of their rows."""
    for total in TOTALS[case.form_id]:
        said = case.number(*total.path)
        added = sum(map(total.adds, case.rows(*total.repeat)))
        if said is not None and abs(said - added) > 1e-6 * max(abs(said), added, 1):
            yield flag("count_sum", "/".join(total.path), total=whole(said), sum=whole(added))


class Part(NamedTuple):
    """Some of a whole: paths of both below the record, or a row of `repeat`; several are added up. The first names the flag."""

    some: tuple[Path, ...]
    whole: tuple[Path, ...]
    repeat: Path = ()


_CLASSES = tuple((name,) for name in ("n_male", "n_female", "n_subadult", "n_young"))
PARTS: Mapping[str, tuple[Part, ...]] = {
    "conflict_livestock": (Part((("husbandry", "dogs_lgd"),), (("husbandry", "dogs_n"),)),),
    "prey_transect": (Part(_CLASSES, (("n_total",),), ("obs",)),),
    "prey_block": (Part(_CLASSES, (("n_total",),), ("grp",)),),
    "dog_impact": (Part((("pups_n",),), (("dogs_n",),)), Part((("leo", "dogs_killed"),), (("dogs_n",),))),
    "mitigation_install": (Part((("base", "base_killed_leopard"),), (("base", "base_killed"),)),),
    "mitigation_followup": (Part((("killed_leopard",),), (("killed",),)),),
    "training_event": (
        Part((("first_time",),), (("women",), ("men",), ("unsaid",)), ("aud",)),
        Part((("passed",),), (("participants",),)),
    ),
}


@of(*PARTS)
def count_part(case: Case) -> Iterator[Flag]:
    """A part that is larger than its whole."""
    for part in PARTS[case.form_id]:
        for prefix, answers in rows(case, *part.repeat) if part.repeat else [("", case.answers)]:
            numbers = [number for path in part.whole if (number := as_number(at(answers, path))) is not None]
            some = sum(count(at(answers, path)) for path in part.some)
            if numbers and some > sum(numbers):
                where = "/".join([*filter(None, [prefix]), *part.some[0]])
                yield flag("count_part", where, part=whole(some), whole=whole(sum(numbers)))


CURRENCY_QUESTIONS: Mapping[str, Path] = {
    "conflict_livestock": ("losses_g", "currency"),
    "mitigation_install": ("base", "currency"),
    "mitigation_followup": ("currency",),
}


@of(*CURRENCY_QUESTIONS)
def value_currency(case: Case) -> Iterator[Flag]:
    """A currency of neither the country chosen nor the one where the point lies."""
    path = CURRENCY_QUESTIONS[case.form_id]
    currency, countries = case.text(*path), known_countries(case)
    accepted = {DOLLAR}.union(*(CURRENCIES[country] for country in countries))
    if currency and countries and currency not in accepted:
        yield flag("value_currency", "/".join(path), currency=currency, country=countries[0])


def known_countries(case: Case) -> list[str]:
    """The countries of the range the record is about: the one that was chosen, then the one where its point lies if it is another.

    Near a border both are right; that they differ is another check's concern.
    """
    return [country for country in dict.fromkeys((case.text("country"), case.country or "")) if country in CURRENCIES]


_LINK, _REPORT_LINK = IncidentLink, aliased(IncidentLink)
_REPORTED = (
    select(ConflictReport.losses)
    .join(
        _REPORT_LINK,
        (_REPORT_LINK.project_id == ConflictReport.project_id)
        & (_REPORT_LINK.form_id == ConflictReport.form_id)
        & (_REPORT_LINK.instance_id == ConflictReport.instance_id),
    )
    .join(_LINK, (_LINK.project_id == _REPORT_LINK.project_id) & (_LINK.incident_id == _REPORT_LINK.incident_id))
)


def count_verified(connection: Connection, case: Case) -> Iterable[Flag]:
    """A visit that accepts more than any report of its incident tells of.

    All three fates count together: what was missing is found dead, and what was hurt dies.
    """
    if case.form_id == "conflict_livestock":
        return _visits_again(connection, case)
    if case.form_id != "conflict_verification" or not counts(case):
        return ()
    accepted = sum(count(row.get(name)) for row in case.rows("verified") for name in ("v_killed", "v_injured"))
    query = _REPORTED.where(*(getattr(_LINK, name) == value for name, value in case.key.items()))
    reported = [sum(map(sum, losses.values())) for losses in connection.scalars(query)]
    if reported and accepted > max(reported):
        return [flag("count_verified", "verified", number=whole(accepted), reported_number=max(reported))]
    return ()


def _visits_again(connection: Connection, case: Case) -> Iterable[Flag]:
    """The visits to a report that was corrected are compared with it again."""
    if case.content_before is not None and case.content_before != case.content_sha256:
        visits = (
            select(_LINK.instance_id)
            .join(_REPORT_LINK, (_REPORT_LINK.project_id == _LINK.project_id) & (_REPORT_LINK.incident_id == _LINK.incident_id))
            .where(_LINK.role == "verification", *(getattr(_REPORT_LINK, name) == value for name, value in case.key.items()))
        )
        of_visits = (Submission.project_id == case.project_id, Submission.form_id == "conflict_verification")
        connection.execute(update(Submission).where(*of_visits, Submission.instance_id.in_(visits)).values(checked=0))
    return ()
