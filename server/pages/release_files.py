"""What the files of a release are, in words for people who do not know their names."""

from fnmatch import fnmatch


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is shown."""
    return text


KINDS = {
    "conflict_hotspots_*_standard_*.csv": _("Hotspots from verified and sure reports: table"),
    "conflict_hotspots_*_standard_*.geojson": _("Hotspots from verified and sure reports: map, for QGIS"),
    "conflict_hotspots_*_strict_*.csv": _("Hotspots from verified reports only: table"),
    "conflict_hotspots_*_strict_*.geojson": _("Hotspots from verified reports only: map, for QGIS"),
    "conflict_clusters_*.csv": _("Clusters that a second method found: table"),
    "indicators.csv": _("Figures of the strategy: table"),
    "indicator_definitions.csv": _("What each figure means: table"),
    "report_*.html": _("Report to read"),
    "report_*.pdf": _("Report to print"),
    "METHOD*.txt": _("How it was worked out, in plain words"),
    "README*.txt": _("What is in it, how to read and cite it"),
    "event.csv": _("Visits, counts and patrols: table"),
    "occurrence.csv": _("What was seen: table"),
    "humboldt.csv": _("How much was searched, and what was not found: table"),
    "deployments.csv": _("Where and when cameras worked: table"),
    "media.csv": _("Pictures: table, empty"),
    "observations.csv": _("What the pictures show: table, empty"),
    "data_dictionary.csv": _("What each column means: table"),
    "CHANGES.txt": _("What changed since the release before"),
    "provenance.json": _("What it was made from, for programs"),
    "datapackage.json": _("What is in it, for programs"),
    "meta.xml": _("What is in it, for programs"),
    "eml.xml": _("Who made it, how and for what, for programs"),
    "CITATION.cff": _("How to cite it, for programs"),
    "SHA256SUMS": _("Checksums, to see that no file is damaged"),
}
"""By the pattern of the name."""


def kind_of(name: str) -> str:
    """What a file is, in English as marked for translation; its name where that is not known."""
    return next((words for pattern, words in KINDS.items() if fnmatch(name, pattern)), name)
