"""The method card of a release: how its hotspots were found and what they cannot tell, in plain words and two languages."""

from typing import Any

from exports.package.words import in_language, text_about, warned

POWER = {20: 5, 50: 25, 100: 55, 300: 98}
"""In how many of 100 maps with so many attacks a fourfold risk in a cell and its ring is found (`python -m tests.load maps`)."""
_FOUND = "with {attacks} attacks in {maps} of 100 maps"
_EXPOSURES = {
    "livestock_months": "Herds: animals on pastures times months, from the grazing survey. A rate is attacks per 1,000 of them.",
    "household_months": "Households that were asked or reported, times months. A rate is attacks per 100 of them.",
    "area": "Land, because herds and households are not known for enough of the cells. A hot cell may simply hold more livestock, "
    "or better reporting: compare with herds before you act.",
}
_CELLS = {
    "h3": "The cells are hexagons (H3): about 36 km2 for partners and 250 km2 for the public. They are not all of one size; "
    "area_km2 tells that of each.",
    "ease10": "The cells are squares of one area (EASE-Grid 2.0, EPSG:6933): 100 km2 for partners and 400 km2 for the public. "
    "North of 30 degrees they are narrower and taller than squares on the ground.",
}
_TESTED = {
    True: "There were enough attacks for the test.",
    False: "There were fewer than {fewest_events} attacks or {fewest_cells} cells: nothing was tested.",
}
_FDR = {"bh": "Benjamini and Hochberg 1995", "by": "Benjamini and Yekutieli 2001, which is more cautious and finds less"}
_SCAN = {
    True: "A circular scan (Kulldorff 1997) looks for clusters of any size; what it found is in the file of clusters: {clusters}.",
    False: "No circular scan was made: there are too few attacks, or too many cells for it.",
}
_HISTORY = {
    True: "history_class tells how each cell came about, over {periods} periods of {months} months.",
    False: "None is given: it needs eight half-years or years, each with at least {fewest_events} attacks.",
}
SENTENCES = (_FOUND, *_EXPOSURES.values(), *_CELLS.values(), *_TESTED.values(), *_FDR.values(), *_SCAN.values(), *_HISTORY.values())


def card_name(language: str) -> str:
    """The name of the card in a language."""
    return "METHOD.txt" if language == "en" else f"METHOD.{language}.txt"


def card(summary: dict[str, Any], language: str) -> bytes:
    """The card in a language, from the summary of a release."""
    standard, history, scan = summary["sets"]["standard"], summary["history"], summary["scan"]
    values = {**summary, **standard, **history, "clusters": scan["clusters"]}

    def told(sentence: str) -> str:
        return in_language(language, sentence).format(**values)

    return (
        text_about("hotspots_method", language)
        .format(
            **{name: values[name] for name in ("n_events", "n_reports", "period_start", "period_end", "n_cells")},
            made_up=warned(summary, language),
            cells=told(_CELLS[summary["grid"]]),
            exposure=told(_EXPOSURES[summary["exposure_basis"]]),
            fdr=told(_FDR[summary["fdr"]]),
            tested=told(_TESTED[standard["tested"]]),
            scan=told(_SCAN[not scan["refused"]]),
            history=told(_HISTORY[not history["refused"]]),
            power="\n".join(in_language(language, _FOUND).format(attacks=attacks, maps=maps) for attacks, maps in POWER.items()),
        )
        .encode()
    )
