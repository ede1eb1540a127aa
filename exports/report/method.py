"""How the numbers were made and what they cannot say, in plain words; what was left out; how to cite."""

from collections.abc import Iterator

import h3.api.basic_int as h3

from exports.privacy import LEVELS
from exports.report.document import Block, Bullets, Facts, Heading, PageBreak, Paragraph, Table, isolated
from exports.report.language import Language
from exports.report.numbers import EVENT_SET, Numbers


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is shown."""
    return text


STEPS = (
    _("Herders, rangers and partners report attacks with a phone. Tests, rejected reports and reports with an open "
      "error are not counted."),
    _("Reports that tell of one attack are put together by a person. Nights one after the other on the same herd "
      "count as one attack."),
    _("Only attacks that a visit bore out, or of which the reporter was sure, are counted. Where a visit found "
      "another cause, the visit decides."),
    _("Attacks are counted in cells of equal kind. A cell is called a hotspot where, in it and around it, there were "
      "more attacks than its share of what could be attacked explains, and chance alone would hardly do that."),
    _("All cells are tested together, so that a few do not look hot only because many were looked at."),
)  # fmt: skip
EXPOSURES = {
    "livestock_months": _("What could be attacked: the animals on pastures, times the months they are there, as far as surveys of "
                          "grazing tell."),
    "household_months": _("What could be attacked: the households that were asked or reported, times months. Where more people are "
                          "asked, more is expected."),
    "area": _("What could be attacked: the area of land stands for it, because herds and households are not known for enough of "
              "the cells. A hot cell may simply hold more livestock."),
}  # fmt: skip
"""What attacks are compared with, by the basis of the release."""
LIMITS = (
    _("“No hotspot” does not mean “no conflict”. With 50 attacks, a place with four times the risk is found only one "
      "time in four."),
    _("With fewer than {events} attacks or {cells} cells no hotspots are looked for at all."),
    _("Reports are not everything that happened. Where nobody asks, nothing is heard; where reporting gets better, numbers rise. "
      "Hatched countries have too few reports to be compared."),
    _("The second method and the years of a hotspot come from the same reports. They make a place surer, but no report better."),
    _("Attacks come in series. One leopard at one corral can make a cell hot for a while."),
    _("Before and after, without households that did not have the measure, is no evidence: anything else may have changed too. "
      "Such figures are marked."),
    _("A map shows cells, never the place of an attack. A cell drawn in the map can be larger than it is, so that it can be seen."),
)  # fmt: skip
PROTECTION = (
    _("No number stands for fewer than 5 households. A smaller place is counted with a larger one, up to the country."),
    _("Sums of animals and money are left out where one household would make up most of them."),
    _("Reports whose household did not agree to share the place are counted for the province or country only."),
    _("Of dead leopards and illegal trade only whole countries and years are told, from 5 records on."),
)
PUBLIC_ONLY = _("This public report is at least {days} days behind, and its cells measure about {km2} km².")
LEFT_OUT = {
    "n_rejected": _("Reports that a reviewer rejected"),
    "n_deleted": _("Reports that were deleted"),
    "n_encrypted": _("Encrypted reports, which cannot be counted here"),
    "n_error": _("Reports with an error that nobody has settled yet"),
    "n_test": _("Reports sent as a test"),
    "n_undated": _("Reports without a day"),
    "n_other_predator": _("Reports about another predator"),
    "n_uncertain": _("Reports that were neither sure nor verified"),
    "n_outside": _("Attacks outside the region"),
    "n_no_country": _("Attacks of which not even the country is known"),
    "n_unlocated": _("Attacks without an exact place: counted, but in no cell"),
    "n_not_shared": _("Attacks whose place is not shared: counted, but in no cell"),
}
"""What does not count, or not everywhere, by the names of the release."""
LICENCE = {
    "public": _("Creative Commons Attribution 4.0 (CC BY 4.0): pass it on and use it, and say where it comes from."),
    "partner": _("Data-sharing agreement only: not to be passed on or published."),
}
TERMS = {"public": _("CC BY 4.0"), "partner": _("For partners only, not to be passed on")}
"""The same in few words, for every page."""
BORDERS = _("Borders and names on the maps come from Natural Earth and imply no opinion on the status of any territory.")
FONT = _("Letters: Vazirmatn, SIL Open Font License 1.1.")


def method(numbers: Numbers, say: Language) -> Iterator[Block]:
    """How it was done, what it cannot say, what is kept back."""
    summary = numbers.summary
    values = {name: say.number(summary[f"fewest_{name}"]) for name in ("events", "cells")}
    yield PageBreak()
    yield Heading(say("Method and limits, in plain words"))
    yield Heading(say("How the numbers were made"), 3)
    yield Bullets((*(say(step) for step in STEPS), say(EXPOSURES[summary["exposure_basis"]])))
    yield Heading(say("What they cannot say"), 3)
    yield Bullets(tuple(say(limit, **values) for limit in LIMITS))
    yield Heading(say("What is kept back, to protect households and leopards"), 3)
    kept = (*PROTECTION, PUBLIC_ONLY) if numbers.level == "public" else PROTECTION
    circle = LEVELS[numbers.level]
    size = {"days": say.number(circle.embargo_days), "km2": say.number(average_km2(circle.resolution))}
    yield Bullets(tuple(say(rule, **size) for rule in kept))


def sources(numbers: Numbers, say: Language) -> Iterator[Block]:
    """Counts that add up, rules, licence and citation."""
    summary = numbers.summary
    yield Heading(say("Where the numbers come from"))
    if not numbers.area:
        counts = [
            (say("Attacks in the tables of this release"), say.number(summary["sets"][EVENT_SET]["n_events"])),
            (say("Reports they were counted from"), say.number(summary["sets"][EVENT_SET]["n_reports"])),
            (say("Pairs of reports that may tell of one attack, still undecided"), _said(summary["undecided_pairs"], say)),
        ]
        counts += [(say(words), _said(summary["left_out"].get(name, 0), say)) for name, words in LEFT_OUT.items()]
        yield Table(
            caption=say("What was counted, and what was left out"),
            columns=(say("What"), say("Number")),
            numeric=(False, True),
            widths=(5, 1),
            rows=tuple(counts),
            note=say("Numbers below 5 are not told exactly."),
        )
    yield Facts(
        (
            (say("Rules"), isolated(f"{summary['method']} {summary['method_version']}, {summary['attack_rule']}")),
            (
                say("Rows"),
                say(
                    "{places} of places, {values} of indicators",
                    places=say.number(len(numbers.places)),
                    values=say.number(len(numbers.values)),
                ),
            ),
            (say("Licence"), say(LICENCE[numbers.level])),
            (say("Cite as"), citation(numbers, say)),
        )
    )
    yield Paragraph(say(BORDERS) + " " + say(FONT), "note")


def citation(numbers: Numbers, say: Language) -> str:
    """How to name this report elsewhere."""
    area = say.country(numbers.area) if numbers.area else say("all countries")
    return say(
        "Leopards and livestock: report {release}, {area} ({year}). Made with Tulliana from reports of the programme.",
        release=isolated(numbers.release_id),
        area=area,
        year=say.digits(str(numbers.end.year)),
    )


def average_km2(resolution: int) -> int:
    """About how large a cell of this H3 resolution is."""
    return int(round(h3.average_hexagon_area(resolution, unit="km^2"), -1))


def _said(number: int | str, say: Language) -> str:
    """A count; one below five as the release says it, such as 1-4."""
    return say.number(number) if isinstance(number, int) else say("1 to 4")
