"""Hotspots one by one: where they are, how strong, since when; and what a second method finds."""

from collections.abc import Iterator

from exports.hotspots.scan import REPLICATES
from exports.report.document import POP, Block, Heading, Paragraph, Table, isolated
from exports.report.labels import FLAGS_OF_PLACES, HISTORIES
from exports.report.language import Language
from exports.report.numbers import Cluster, Numbers, Place

KEPT_BACK = "–"
NO_BREAK = "\u00a0"
_NO_HISTORY = "none"


def hotspots(numbers: Numbers, _: Language) -> Iterator[Block]:
    """The hotspots of an area, or why there are none."""
    if not numbers.places:
        return
    yield Heading(_("Hotspots, one by one"))
    if not numbers.is_tested:
        yield Paragraph(
            _(
                "Hotspots were not looked for: that needs at least {events} attacks and {cells} cells in all. Too few reports say "
                "nothing about whether a place is safe.",
                events=_.number(numbers.summary["fewest_events"]),
                cells=_.number(numbers.summary["fewest_cells"]),
            )
        )
        return
    if numbers.hotspots or numbers.holding:
        yield _one_by_one(numbers, _)
        yield from _history(numbers, _)
    else:
        yield Paragraph(_("No hotspot was found. That does not mean that there were no attacks, or that a place is safe."))
    yield from _second_opinion(numbers, _)


def _one_by_one(numbers: Numbers, _: Language) -> Table:
    every = [*numbers.hotspots, *numbers.holding]
    rows: list[tuple[str, ...]] = []
    for number, place in enumerate(numbers.hotspots, 1):
        where = _("{n}. {where}", n=_.number(number), where=_where(place, numbers, _))
        rows.append(_row(where, place, _))
    if numbers.holding:
        rows.append((_("A hotspot is somewhere in this larger area; attacks and households are those of the whole area"),))
        rows += [_row(_where(place, numbers, _), place, _) for place in numbers.holding]
    table = Table(
        caption=_("Hotspots, those with most attacks first; the numbers are those on the map"),
        columns=(_("Where"), _("Attacks"), _("Households"), _("Risk"), _("Since when"), _("Mind")),
        numeric=(False, True, True, True, False, False),
        widths=(9, 3, 4, 4, 6, 6),
        rows=tuple(rows),
        note=_(
            "Where: the middle of the cell, never the place of an attack. Households: how many told of these attacks. Risk: how "
            "many times as high as everywhere else, in brackets the attacks in and around the cell, and those expected there. –: "
            "kept back, because it would tell of fewer than 5 households."
        ),
    )
    empty = {4} if not any(place.history for place in every) else set()
    return table.without(empty | ({5} if not any(_mind(place, _) for place in every) else set()))


def _row(where: str, place: Place, _: Language) -> tuple[str, ...]:
    return (
        where,
        _.number(place.attacks),
        households(place.households, _),
        _risk(place, _),
        _(HISTORIES[place.history]) if place.history else KEPT_BACK,
        _mind(place, _),
    )


def _risk(place: Place, _: Language) -> str:
    if place.risk is None or place.nearby is None or place.expected is None:
        return KEPT_BACK
    told = (_.number(each, 2) for each in (place.risk, place.nearby, place.expected))
    return _("{n} times ({attacks} for {expected})", **dict(zip(("n", "attacks", "expected"), told, strict=True)))


def _mind(place: Place, _: Language) -> str:
    return _("; ").join(_(FLAGS_OF_PLACES[flag]) for flag in place.flags if flag in FLAGS_OF_PLACES)


def _where(place: Place, numbers: Numbers, _: Language) -> str:
    area = place_name(place.province, place.country, numbers, _)
    if not place.is_cell:
        return _("{area}, elsewhere", area=area)
    centre = _centre(place.centre, _)
    if numbers.is_finest(place):
        return _("{area}, around {centre}", area=area, centre=centre)
    return _("{area}, larger cell around {centre}", area=area, centre=centre)


def place_name(province: str, country: str, numbers: Numbers, _: Language) -> str:
    """The province and its country; the country where there is no province, the province alone in a report of one country."""
    if not province:
        return _.country(country)
    name = _.province(province, numbers.boundaries)
    return name if numbers.area else _("{province}, {country}", province=name, country=_.country(country))


def _centre(centre: tuple[float, float], _: Language) -> str:
    latitude, longitude = (isolated(_.number(round(each, 2), 4) + "°") for each in centre)
    return _("{north} N, {east} E", north=latitude, east=longitude).replace(f"{POP} ", f"{POP}{NO_BREAK}")


def households(told: str, _: Language) -> str:
    """A number of households as a release has it, or its band."""
    if told.isdecimal():
        return _.number(int(told))
    if told.endswith("+"):
        return _("{n} or more", n=_.number(int(told[:-1])))
    least, _dash, most = told.partition("-")
    return _("{start} to {end}", start=_.number(int(least)), end=_.number(int(most))) if most else KEPT_BACK


def _history(numbers: Numbers, _: Language) -> Iterator[Block]:
    """What the hotspots have been over the years, or why that is not told."""
    history = numbers.summary["history"]
    if not history["months"]:
        yield Paragraph(
            _(
                "Since when a place has been a hotspot is not told: that needs eight half-years or years one after the other, each "
                "with at least {events} attacks. There are reports of {n} half-years.",
                events=_.number(numbers.summary["fewest_events"]),
                n=_.number(history["periods"]),
            ),
            "note",
        )
        return
    found = [place.history for place in numbers.places if place.history not in ("", _NO_HISTORY)]
    yield Paragraph(
        _(
            "Since when: every cell was tested again in each of {n} periods of {months} months. “Getting worse” and “getting "
            "better” are said only where a trend is more than chance.",
            n=_.number(history["periods"]),
            months=_.number(history["months"]),
        ),
        "note",
    )
    if found:
        rows = [(_(words), _.number(found.count(name))) for name, words in HISTORIES.items() if name in found]
        yield Table(
            caption=_("What cells have been over the years"),
            columns=(_("Since when"), _("Cells")),
            numeric=(False, True),
            widths=(6, 1),
            rows=tuple(rows),
            note=_("Cells that were never hotspots, or only now and then before, are not counted here."),
        )


def _second_opinion(numbers: Numbers, _: Language) -> Iterator[Block]:
    """The clusters of the scan, and whether they are where the hotspots are."""
    yield Heading(_("A second opinion"), 3)
    if numbers.summary["scan"]["refused"]:
        yield Paragraph(_("No second method was tried: there are too few attacks, or too many cells for it."))
        return
    yield Paragraph(
        _(
            "Another method (the circular scan of Kulldorff) draws circles of every size and looks where attacks lie closer "
            "together than on {n} maps made by chance. Where both methods point to one place, the place is surer. Both use the "
            "same reports: what nobody reported is missing in both.",
            n=_.number(REPLICATES),
        )
    )
    if not numbers.clusters:
        yield Paragraph(_("It found nothing here that chance would not make as well, or that may be told."))
        return
    yield Table(
        caption=_("Clusters that the second method found; rings on the map"),
        columns=(_("Middle"), _("Size"), _("Attacks"), _("Expected"), _("Households"), _("By chance alone"), _("Hotspots there")),
        numeric=(False, False, True, True, True, True, False),
        widths=(8, 6, 3, 4, 4, 5, 5),
        rows=tuple(_cluster_row(cluster, numbers, _) for cluster in numbers.clusters),
        note=_(
            "Expected: the attacks there would be in the circle if the risk were the same everywhere. By chance alone: how often a "
            "map made by chance has a cluster as clear. Hotspots there: the numbers of the table above."
        ),
    )


def _cluster_row(cluster: Cluster, numbers: Numbers, _: Language) -> tuple[str, ...]:
    area = place_name(cluster.province, cluster.country, numbers, _) if cluster.country else ""
    size = _("{n} cells, up to {km} km from the middle", n=_.number(cluster.cells), km=_.number(cluster.radius_km))
    return (
        _("{area}, around {centre}", area=area, centre=_centre(cluster.centre, _)),
        size if cluster.cells > 1 else _("one cell"),
        _.number(cluster.attacks) if cluster.attacks is not None else KEPT_BACK,
        _.number(cluster.expected, 2) if cluster.expected is not None else KEPT_BACK,
        households(cluster.households, _),
        _one_in(cluster.p, _),
        _there(cluster, numbers, _),
    )


def _there(cluster: Cluster, numbers: Numbers, _: Language) -> str:
    """The numbers of the hotspots in a cluster; where these are hidden in a larger area, that there is one."""
    inside = numbers.hotspots_in(cluster)
    if inside:
        return _(", ").join(map(_.number, inside))
    if numbers.agrees(cluster):
        return _("one in a larger cell")
    return _("may be: one is somewhere in the province or country") if numbers.may_agree(cluster) else _("none")


def _one_in(p: float, _: Language) -> str:
    """A chance as people say it."""
    return _("1 in {n}", n=_.number(max(1, round(1 / p)))) if p > 0 else KEPT_BACK
