"""Tables of places: countries and provinces with attacks, animals, households and losses. What a release keeps back stays back."""

from collections.abc import Iterable, Iterator, Sequence

from exports.report.document import Block, Heading, Table
from exports.report.labels import NONE_OR_FEW
from exports.report.language import Language
from exports.report.numbers import Numbers, Place

MOST_PROVINCES = 15


def places(numbers: Numbers, _: Language) -> Iterator[Block]:
    """The table of countries where there are several, and that of provinces."""
    if not numbers.places:
        return
    yield Heading(_("Where"))
    if not numbers.area:
        yield countries(numbers, _)
    yield provinces(numbers, _)


def countries(numbers: Numbers, _: Language) -> Table:
    """A row for each country with records."""
    by_country = {code: [place for place in numbers.places if place.country == code] for code in numbers.countries}
    rows = [
        (_.country(code), *_counts(found, _), _verified(found, _), _losses(found, _))
        for code, found in sorted(by_country.items(), key=lambda pair: (-_attacks(pair[1]), pair[0]))
    ]
    return Table(
        caption=_("Countries, {start} to {end}", start=_.day(numbers.start), end=_.day(numbers.end)),
        columns=(_("Country"), _("Attacks"), _("Animals killed"), _("Verified"), _("Value lost")),
        numeric=(False, True, True, True, True),
        widths=(4, 3, 3, 3, 5),
        rows=tuple(rows),
        note=_(
            "Verified: confirmed or probable at a visit. At least: what one household could be known by is kept back. "
            "Values are what "
            "reporters said, in the money of the country; currencies are never added up, and toman are counted as ten rial."
        ),
    )


def provinces(numbers: Numbers, _: Language) -> Table:
    """The provinces with most attacks, and what is counted for a country as a whole."""
    found: dict[str, list[Place]] = {}
    for place in numbers.places:
        found.setdefault(place.province, []).append(place)
    whole = found.pop("", [])
    most_first = sorted(found.items(), key=lambda pair: (-_attacks(pair[1]), pair[0]))
    rows = [(_named(code, numbers, _), *_counts(here, _), _hot(here, _)) for code, here in most_first[:MOST_PROVINCES]]
    rest = [place for _code, here in most_first[MOST_PROVINCES:] for place in here]
    if rest:
        rows.append((_("{n} more provinces", n=_.number(len(most_first) - MOST_PROVINCES)), *_counts(rest, _), _hot(rest, _)))
    if whole:
        rows.append(
            (_("Elsewhere in these countries") if not numbers.area else _("Elsewhere in the country"), *_counts(whole, _), "–")
        )
    rows.append((_("Every other province"), _(NONE_OR_FEW), "–", "–"))
    return Table(
        caption=_("Provinces with most attacks"),
        columns=(_("Province"), _("Attacks"), _("Animals killed"), _("Cells with a hotspot")),
        numeric=(False, True, True, True),
        widths=(6, 4, 3, 2),
        rows=tuple(rows),
        note=_(
            "A place in which fewer than 5 households told of attacks is counted with a larger one, up to the country "
            "(“elsewhere”). So a "
            "province may have had more attacks than stand here, and one that is not here may have had some. Cells with a hotspot: "
            "those that are one or hold one."
        ),
    )


def _named(code: str, numbers: Numbers, _: Language) -> str:
    name = _.province(code, numbers.boundaries)
    return name if numbers.area else _("{province}, {country}", province=name, country=_.country(code[:2]))


def _attacks(found: Iterable[Place]) -> int:
    return sum(place.attacks for place in found)


def _counts(found: Sequence[Place], _: Language) -> tuple[str, str]:
    """Attacks, and animals killed as far as they are told."""
    if not found:
        return _(NONE_OR_FEW), "–"
    killed = [place.killed for place in found if place.killed is not None]
    if not killed:
        return _.number(_attacks(found)), "–"
    return _.number(_attacks(found)), _said(_.number(sum(killed)), _, whole=len(killed) == len(found))


def _said(amount: str, _: Language, *, whole: bool) -> str:
    """A sum, marked where parts of it are kept back."""
    return amount if whole else _("at least {n}", n=amount)


def _verified(found: Sequence[Place], _: Language) -> str:
    """How many attacks a visit bore out, of how many."""
    if not found:
        return "–"
    verified = sum(place.verified for place in found)
    share = _.percent(100 * verified / _attacks(found))
    return _("{n} of {all} ({share})", n=_.number(verified), all=_.number(_attacks(found)), share=share)


def _losses(found: Sequence[Place], _: Language) -> str:
    """Sums by currency."""
    sums: dict[str, float] = {}
    for place in found:
        if place.loss is not None:
            sums[place.currency] = sums.get(place.currency, 0.0) + place.loss
    whole = all(place.loss is not None for place in found)
    return _(", ").join(_said(_.money(sums[code], code), _, whole=whole) for code in sorted(sums)) or "–"


def _hot(found: Sequence[Place], _: Language) -> str:
    return _.number(sum(place.is_hot for place in found if place.is_cell))
