"""The report of an area as a document: its chapters in the order in which they are read."""

from collections.abc import Iterator

from exports.report.charts import small_multiples, trend
from exports.report.document import Block, Document, Heading, PageBreak, isolated
from exports.report.hotspots import hotspots
from exports.report.indicators import activities, indicators
from exports.report.language import Language
from exports.report.maps import hotspot_map
from exports.report.method import TERMS, method, sources
from exports.report.numbers import Numbers
from exports.report.reporting import reporting
from exports.report.summary import area_name, first_page
from exports.report.tables import places
from exports.report.years import years


def written(numbers: Numbers, _: Language, links: tuple[tuple[str, str], ...] = ()) -> Document:
    """The report of the area of these numbers in a language; `links` are words and file names of the others."""
    title = _("Leopards and livestock")
    subtitle = _("{area}: report {release}", area=area_name(numbers, _), release=isolated(numbers.release_id))
    if numbers.is_made_up:
        title = _("{title} (made up)", title=title)
    footer = f"{title}, {subtitle}. {_(TERMS[numbers.level])}"
    blocks = (
        *first_page(numbers, _, links),
        *_map(numbers, _),
        *hotspots(numbers, _),
        *_trends(numbers, _),
        *years(numbers, _),
        *places(numbers, _),
        *reporting(numbers, _),
        *_strategy(numbers, _),
    )
    return Document(_.code, _.right_to_left, title, subtitle, footer, numbers.end, blocks)


def _map(numbers: Numbers, _: Language) -> Iterator[Block]:
    if numbers.places:
        yield PageBreak()
        yield Heading(_("Map"))
        yield hotspot_map(numbers, _)


def _trends(numbers: Numbers, _: Language) -> Iterator[Block]:
    drawings = [drawing for drawing in (trend(numbers, _), None if numbers.area else small_multiples(numbers, _)) if drawing]
    if drawings:
        yield Heading(_("How attacks change over time"))
        yield from drawings


def _strategy(numbers: Numbers, _: Language) -> Iterator[Block]:
    yield from activities(numbers, _)
    yield from indicators(numbers, _)
    yield from method(numbers, _)
    yield from sources(numbers, _)
