"""Who told of anything, and who did not: the months with a report by country, or by quarter for one country."""

from collections.abc import Iterator

from exports.report.document import Block, Heading, Paragraph, Table
from exports.report.indicators import shown
from exports.report.labels import NONE_OR_FEW
from exports.report.language import Language
from exports.report.numbers import HALF, Numbers, Value
from forms.strategy import strategy


def reporting(numbers: Numbers, _: Language) -> Iterator[Block]:
    """How much of the time and of the range anything was told of."""
    if numbers.is_empty:
        return
    yield Heading(_("How much was reported"))
    yield Paragraph(
        _(
            "Numbers can only be as good as the reports behind them. A month counts as reported when there is any report from a "
            "country, also one that says that nothing happened. One report in a month is enough to count: a full row does not mean "
            "that every village was asked."
        )
    )
    yield _quarters(numbers, _) if numbers.area else _countries(numbers, _)
    silent = sorted(set(strategy().countries) - set(numbers.countries)) if not numbers.area else []
    if silent:
        names = _(", ").join(_.country(code) for code in silent)
        yield Paragraph(_("Countries of the range without any report: {names}. Nothing at all is known of them here.", names=names))


def _countries(numbers: Numbers, _: Language) -> Table:
    most_first = sorted(numbers.countries, key=lambda code: (-numbers.months_told(code), code))
    return Table(
        caption=_("Months with a report, of the {n} months up to {end}", n=_.number(numbers.months), end=_.day(numbers.newest)),
        columns=(_("Country"), _("Months"), _("Share"), _("Mind")),
        numeric=(False, True, True, False),
        widths=(5, 3, 3, 6),
        rows=tuple(_country(code, numbers, _) for code in most_first),
    )


def _country(code: str, numbers: Numbers, _: Language) -> tuple[str, ...]:
    told, share = numbers.months_told(code), numbers.completeness(code)
    months = _("{n} of {all}", n=_.number(told), all=_.number(numbers.months))
    return _.country(code), months, _.percent(share), _("too few to compare with others") if share < HALF else ""


def _quarters(numbers: Numbers, _: Language) -> Table:
    told = numbers.told("I-EFF-2", "completeness", numbers.area)
    rates = numbers.rates(numbers.area)
    rows = [_quarter(quarter.name, told.get(quarter.name), rates.get(quarter.name), _) for quarter in numbers.quarters]
    return Table(
        caption=_("Months with a report, and attacks a month in them, by quarter"),
        columns=(_("Quarter"), _("Months"), _("Attacks a month")),
        numeric=(False, True, True),
        widths=(5, 3, 6),
        rows=tuple(rows),
        note=_("In all {n} of {all} months.", n=_.number(numbers.months_told(numbers.area)), all=_.number(numbers.months)),
    )


def _quarter(name: str, told: Value | None, rate: Value | None, _: Language) -> tuple[str, ...]:
    months = round(3 * (told.value or 0.0) / 100) if told else 0
    attacks = shown(rate, _) if rate else _(NONE_OR_FEW) if months else "–"
    return _.period(name), _("{n} of {all}", n=_.number(months), all=_.number(3)), attacks
