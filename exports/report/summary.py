"""The first page: what this is and for whom, and in a few sentences what the numbers say."""

from collections.abc import Iterator

from exports.report.document import Block, Bullets, Facts, Heading, Links, Paragraph, isolated
from exports.report.indicators import shown
from exports.report.language import Language
from exports.report.numbers import HALF, Numbers, Value
from exports.strategy import Status, status_of
from forms.strategy import strategy


def first_page(numbers: Numbers, _: Language, links: tuple[tuple[str, str], ...]) -> Iterator[Block]:
    """Facts about the report, then the summary; of an empty database that there is nothing yet."""
    if numbers.is_made_up:
        yield Paragraph(
            _("Everything here is made up: the records are inventions of a demonstration, and none of this happened."), "warning"
        )
    yield Paragraph(_about(numbers, _), "lead")
    later = ((_("Figures and trends"), _("up to {end}", end=_.day(numbers.newest))),) if numbers.newest != numbers.end else ()
    yield Facts(
        (
            (_("Time"), _.span(numbers.start, numbers.end)),
            *later,
            (_("Area"), area_name(numbers, _)),
            (_("For"), _("Everybody") if numbers.level == "public" else _("Partners who agreed not to pass it on")),
            (_("Release"), isolated(numbers.release_id)),
        )
    )
    if numbers.level != "public":
        yield Paragraph(_("For partners only. Do not publish this report and do not pass it on."), "warning")
    yield Heading(_("In short"))
    if numbers.is_empty:
        yield Paragraph(
            _("There is nothing to tell yet: no reports of this time have been counted. That does not mean that nothing happened."),
            "warning",
        )
    else:
        yield Bullets(tuple(_sentences(numbers, _)))
        yield Paragraph(
            _("“No hotspot” does not mean “no conflict”. Read the page about method and limits before you act."), "warning"
        )
    if links:
        yield Links(_("Other reports in this folder"), links)


def area_name(numbers: Numbers, _: Language) -> str:
    """The country, or the whole range."""
    return _.country(numbers.area) if numbers.area else _("The range of the Persian leopard, all countries")


def _about(numbers: Numbers, _: Language) -> str:
    text = _(
        "This report tells where and how often leopards attacked livestock, what was lost, and which numbers the "
        "range-wide strategy "
        "for the Persian leopard asks for. It is written for district officers, conservation staff and herders' councils."
    )
    return text if numbers.level == "public" else text + " " + _("It has finer cells and newer reports than the public one.")


def _sentences(numbers: Numbers, _: Language) -> Iterator[str]:
    if numbers.places:
        yield from _attacks(numbers, _)
        yield from _hotspots(numbers, _)
    else:
        yield _("Attacks on livestock: none that may be told. Fewer than 5 households told of one, or nobody did.")
    yield from _trend(numbers, _)
    yield from _reporting(numbers, _)
    overdue = [each for each in strategy().activities.values() if status_of(each.due, numbers.as_of) is Status.OVERDUE]
    yield _(
        "Activities of the strategy that field data serve: {all}. Past their date: {overdue}.",
        all=_.number(len(strategy().activities)),
        overdue=_.number(len(overdue)),
    )


def _attacks(numbers: Numbers, _: Language) -> Iterator[str]:
    reports, places = sum(place.reports for place in numbers.places), numbers.places
    counted = {"attacks": _.number(numbers.attacks), "reports": _.number(reports)}
    if numbers.area:
        yield _("Attacks by leopards on livestock: {attacks}, counted from {reports} reports.", **counted)
    else:
        countries = len({place.country for place in places})
        yield _(
            "Attacks by leopards on livestock: {attacks}, counted from {reports} reports, in {countries} countries.",
            countries=_.number(countries),
            **counted,
        )
    killed = [place.killed for place in places if place.killed is not None]
    if killed:
        n = _.number(sum(killed))
        yield _("Animals killed: {n}.", n=n) if len(killed) == len(places) else _("Animals killed: at least {n}.", n=n)
    verified = sum(place.verified for place in places)
    if verified:
        share = _.percent(100 * verified / numbers.attacks)
        yield _("A visit found {n} of these attacks confirmed or probable ({share}).", n=_.number(verified), share=share)
    else:
        yield _("None of these attacks was confirmed by a visit yet: who did it is what reporters say.")


def _hotspots(numbers: Numbers, _: Language) -> Iterator[str]:
    if not numbers.is_tested:
        yield _("There are too few attacks to look for hotspots.")
        return
    if not numbers.hotspots and not numbers.holding:
        yield _("No hotspot was found.")
        return
    if numbers.hotspots:
        inside = sum(place.attacks for place in numbers.hotspots)
        yield _(
            "Hotspots: {n} cells, with {inside} of the {attacks} attacks ({share}).",
            n=_.number(len(numbers.hotspots)),
            inside=_.number(inside),
            attacks=_.number(numbers.attacks),
            share=_.percent(100 * inside / numbers.attacks),
        )
    if numbers.holding:
        yield _(
            "Larger areas with a hotspot somewhere in them, not shown on its own since fewer than 5 households told of it: {n}.",
            n=_.number(len(numbers.holding)),
        )
    if numbers.clusters:
        yield _(
            "Clusters that a second method found: {n}. Of these, where a cell with a hotspot is shown: {agreed}.",
            n=_.number(len(numbers.clusters)),
            agreed=_.number(sum(map(numbers.agrees, numbers.clusters))),
        )
    fresh = sum(place.history == "new" for place in numbers.hotspots)
    if fresh:
        yield _("Hotspots that are new, in the newest period only: {n}.", n=_.number(fresh))


def _trend(numbers: Numbers, _: Language) -> Iterator[str]:
    rates = numbers.rates(numbers.area)
    if not rates:
        return
    newest = rates[max(rates)]
    yield _(
        "In the newest quarter that can be told ({period}) there were {value} attacks a month.",
        period=_.period(newest.period),
        value=shown(newest, _),
    )
    before = rates.get(f"{int(newest.period[:4]) - 1}{newest.period[4:]}")
    if before is None:
        return
    told = {"period": _.period(before.period), "value": shown(before, _)}
    if apart(newest, before):
        yield _(
            "A year before ({period}) there were {value}. The difference is more than chance, but reporting may have changed too.",
            **told,
        )
    else:
        yield _("A year before ({period}) there were {value}. The difference may be chance.", **told)


def apart(one: Value, other: Value) -> bool:
    """Whether the limits of two values do not meet."""
    if None in (one.lower, one.upper, other.lower, other.upper):
        return False
    return max(one.lower or 0, other.lower or 0) > min(one.upper or 0, other.upper or 0)


def _reporting(numbers: Numbers, _: Language) -> Iterator[str]:
    quiet = sorted(numbers.under_reported)
    if numbers.area and quiet:
        share = _.percent(numbers.completeness(numbers.area))
        yield _(
            "There is a report, or a report of nothing, of {share} of the months. That is too few to compare with other countries.",
            share=share,
        )
    elif quiet == numbers.countries:
        yield _("From no country are there reports of half of the months: do not compare countries with each other.")
    elif quiet:
        yield _(
            "Countries with reports of fewer than {half} of the months: {names}. Do not compare them with others.",
            half=_.percent(HALF),
            names=_(", ").join(_.country(code) for code in quiet),
        )
