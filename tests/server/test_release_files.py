"""People who do not know the names of files are told what each file of a release is."""

import pytest

from exports.hotspots.card import card_name
from exports.indicators.files import DEFINITIONS, FIGURES
from exports.package import changes, dictionary, provenance
from exports.package.readme import file_name
from exports.package.release import SUMS
from exports.package.words import LANGUAGES
from exports.standards.terms import PARTS
from server.pages.release_files import KINDS, kind_of

NAMES = [
    *(
        f"conflict_hotspots_leopard_{events}_2024Q3-2026Q2_public.{kind}"
        for events in ("standard", "strict")
        for kind in ("csv", "geojson")
    ),
    *(f"report_2024Q3-2026Q2_public_{area}.{kind}" for area in ("range_en", "IR_fa") for kind in ("html", "pdf")),
    *(make(language) for make in (card_name, file_name) for language in LANGUAGES),
    *(dictionary.NAME, changes.NAME, provenance.NAME, SUMS, FIGURES, DEFINITIONS, "datapackage.json", "CITATION.cff"),
    *PARTS,
    *("meta.xml", "eml.xml", "deployments.csv", "media.csv", "observations.csv"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_a_release_is_told_in_words(name: str) -> None:
    assert kind_of(name) in KINDS.values()


def test_an_unknown_file_is_told_by_its_name() -> None:
    assert kind_of("surprise.bin") == "surprise.bin"
