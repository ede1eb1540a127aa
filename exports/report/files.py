"""The files of a report: for the range and each country with something to tell, in each language, as HTML and as PDF."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from exports.package.contents import ExportedFile, ExportResult, new_folder, write_file
from exports.policy import FEWEST
from exports.report import html, pdf
from exports.report.chapters import written
from exports.report.language import CODES, NAMES, Language
from exports.report.numbers import Numbers
from exports.report.reading import read_numbers
from exports.report.summary import area_name
from exports.windows import Window
from records.access import Access, Right

RANGE = "range"
"""The area of the files about all countries."""


def run_report(
    connection: Connection,
    access: Access,
    level: str,
    as_of: date,
    out: Path,
    *,
    revision: int = 1,
    boundaries: Path | None = None,
) -> ExportResult:
    """Write the report that is due on a day into a folder of its own below `out`, which must not be there yet.

    The tables it was read from lie beside it, so that a correction of the report is held back where one of the tables is. It says
    what the hotspots and indicators of the same day, level ("partner" or "public"), revision and boundaries say. The same
    records give the same bytes. Raises what these raise.
    """
    access.require(Right.SEE)
    numbers = read_numbers(connection, access, level, as_of, boundaries=boundaries, revision=revision)
    window = Window(numbers.start, numbers.end).name
    folder = new_folder(out, f"report_{window}_{level}_r{revision}")
    files = list(_write(folder, numbers, f"report_{window}_{level}"))
    rows = (len(numbers.places), len(numbers.clusters), len(numbers.values))
    sources = zip(numbers.sources.items(), rows, strict=True)
    files += [write_file(folder / name, content, number) for (name, content), number in sources]
    return ExportResult(folder, files, _summary(numbers), title="Report", tables=numbers.tables, readme="report")


def areas(numbers: Numbers) -> list[Numbers]:
    """The range, then every country with something to tell."""
    return [numbers, *(part for part in map(numbers.of, numbers.countries) if not part.is_empty)]


def _write(folder: Path, numbers: Numbers, stem: str) -> Iterator[ExportedFile]:
    every = areas(numbers)
    for language in map(Language, CODES):
        for part in every:
            links = tuple(_links(part, every, stem, language))
            document = written(part, language, links)
            for kind, render in (("html", html.render), ("pdf", pdf.render)):
                yield write_file(folder / _name(stem, part, language.code, kind), render(document))


def _name(stem: str, part: Numbers, language: str, kind: str) -> str:
    return f"{stem}_{part.area or RANGE}_{language}.{kind}"


def _links(part: Numbers, every: list[Numbers], stem: str, language: Language) -> Iterator[tuple[str, str]]:
    """The same as PDF and in the other languages, then the other areas."""
    yield language("This report for printing (PDF)"), _name(stem, part, language.code, "pdf")
    for code in CODES:
        if code != language.code:
            yield NAMES[code], _name(stem, part, code, "html")
    for other in every:
        if other.area != part.area:
            yield area_name(other, language), _name(stem, other, language.code, "html")


def _summary(numbers: Numbers) -> dict[str, Any]:
    """What the release is, for its package: the rules are those of the numbers it is made from."""
    kept = ("release_id", "level", "period_start", "period_end", "predator", "method", "method_version", "attack_rule")
    said = {name: numbers.summary[name] for name in (*kept, "made_up") if name in numbers.summary}
    return said | {"households": FEWEST}
