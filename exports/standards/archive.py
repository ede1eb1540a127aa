"""The descriptions in a Darwin Core archive: meta.xml, which says what is in its files, and eml.xml, which says what the whole is.

Darwin Core text guide (TDWG); GBIF Metadata Profile 1.1, a part of the Ecological Metadata Language 2.1.1.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from lxml import etree

from exports.package.readme import LICENCES
from exports.standards.releasing import Box, Edition
from exports.standards.surveys import SURVEYS
from exports.standards.taxa import Taxon
from exports.standards.terms import Part

_TEXT = "http://rs.tdwg.org/dwc/text/"
_EML = "eml://ecoinformatics.org/eml-2.1.1"
_XML = "http://www.w3.org/XML/1998/namespace"
_ABSTRACT = (
    "Counts of wild prey along lines and in blocks, what patrols met, and sure signs of the Persian leopard, from the surveys of "
    "this programme. Places are the middles of fixed cells of {size} degrees and days are months or quarters, to protect the "
    "animals. What was looked for and not seen, and how much was looked over, is told with the Humboldt extension."
)
_GENERALISED = "Places are rounded to fixed cells and never moved at random (Chapman 2020, doi:10.15468/doc-5jp4-5g10)."
_SAMPLING = "See the steps of the method, and humboldt.csv for each event."


class Coverage(NamedTuple):
    """Where, when and of what the data are: the box around them, the first day, the taxa. None of no data."""

    box: Box | None
    first: date | None
    taxa: Sequence[Taxon]


def meta_xml(parts: Mapping[str, Part]) -> bytes:
    """Say which term each column is. The first file is the core; the first column of the others names a row of it."""
    root = etree.Element(f"{{{_TEXT}}}archive", {"metadata": "eml.xml"}, nsmap={None: _TEXT})  # type: ignore[dict-item]
    for number, (name, part) in enumerate(parts.items()):
        about = {"encoding": "UTF-8", "fieldsTerminatedBy": ",", "linesTerminatedBy": r"\r\n", "fieldsEnclosedBy": '"'}
        about |= {"ignoreHeaderLines": "1", "rowType": part.row_type}
        element = _of_text(root, "extension" if number else "core", about)
        _of_text(_of_text(element, "files", {}), "location", {}).text = name
        _of_text(element, "coreid" if number else "id", {"index": "0"})
        for index, column in list(enumerate(part.names))[min(number, 1) :]:
            _of_text(element, "field", {"index": str(index), "term": part.term(column)})
    return _written(root)


def _of_text(parent: etree._Element, name: str, about: dict[str, str]) -> etree._Element:
    return etree.SubElement(parent, f"{{{_TEXT}}}{name}", about)


def eml_xml(edition: Edition, title: str, name: str, coverage: Coverage) -> bytes:
    """Say what the dataset is, whose, where, when, by which methods, and under which licence."""
    root = etree.Element(f"{{{_EML}}}eml", {f"{{{_XML}}}lang": "eng"}, nsmap={"eml": _EML})
    root.attrib.update({"packageId": name, "system": "http://gbif.org", "scope": "system"})
    licence, whose = LICENCES[edition.policy.name], ("organizationName", edition.publisher)
    address = ("ulink", ("citetitle", licence["title"]), {"url": licence["path"]}) if "path" in licence else licence["title"]
    steps = [("methodStep", ("description", ("para", f"{each.form_id}: {each.description}"))) for each in SURVEYS]
    extent = ("studyExtent", ("description", ("para", _GENERALISED)))
    _add(
        root,
        "dataset",
        ("alternateIdentifier", name),
        ("title", title),
        ("creator", whose),
        ("metadataProvider", whose),
        ("pubDate", edition.day.isoformat()),
        ("language", "eng"),
        ("abstract", ("para", _ABSTRACT.format(size=edition.policy.degrees))),
        ("keywordSet", ("keyword", "Samplingevent"), ("keywordThesaurus", "GBIF Dataset Type Vocabulary")),
        ("intellectualRights", ("para", "This work is licensed under: ", address)),
        *_coverage(coverage, edition.end),
        ("contact", whose),
        ("methods", *steps, ("sampling", extent, ("samplingDescription", ("para", _SAMPLING)))),
    )
    return _written(root)


def _coverage(coverage: Coverage, last: date) -> Iterator[tuple[Any, ...]]:
    if coverage.box is None or coverage.first is None:
        return
    west, south, east, north = (f"{side:.2f}" for side in coverage.box)
    sides = {"west": west, "east": east, "north": north, "south": south}
    bounds = [(f"{side}BoundingCoordinate", degrees) for side, degrees in sides.items()]
    first = ("beginDate", ("calendarDate", coverage.first.isoformat()))
    taxa = [
        ("taxonomicClassification", *zip(("taxonRankName", "taxonRankValue", "commonName"), (rank, name, english), strict=True))
        for name, rank, english in coverage.taxa
    ]
    yield (
        "coverage",
        ("geographicCoverage", ("geographicDescription", "The box around all cells with events"), ("boundingCoordinates", *bounds)),
        ("temporalCoverage", ("rangeOfDates", first, ("endDate", ("calendarDate", last.isoformat())))),
        ("taxonomicCoverage", *taxa),
    )


def _add(parent: etree._Element, name: str, *content: Any) -> None:
    """Add an element: text, attributes (a dict), and further elements as tuples of their name and content."""
    element = etree.SubElement(parent, name)
    for each in content:
        if isinstance(each, tuple):
            _add(element, *each)
        elif isinstance(each, dict):
            element.attrib.update(each)
        else:
            element.text = (element.text or "") + each


def _written(root: etree._Element) -> bytes:
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"
