"""The release of the wildlife surveys as a Darwin Core archive: events, what was seen at each, and how it was looked for."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from exports.csvfile import Cell
from exports.data.generalised import Generalised, Single
from exports.indicators.records import Answers
from exports.package.contents import ExportResult, new_folder, said, write_file
from exports.package.readme import LICENCES
from exports.standards.archive import Coverage, eml_xml, meta_xml
from exports.standards.releasing import Edition, archive, box_around, edition, may_be_told, truth, write_plain
from exports.standards.surveys import SURVEYS, Sampled, Survey
from exports.standards.taxa import DOG, KINGDOM, LEOPARD, not_seen, targets, taxon
from exports.standards.terms import PARTS
from records.access import Access, Right

METHOD = "darwincore-1"
TITLE = "Wildlife surveys (Darwin Core)"
ARCHIVE = "darwin-core-archive.zip"
_LIST = " | "


class Event(NamedTuple):
    """One event with what it was made from; `key` is its id in this edition."""

    key: str
    survey: Survey
    sampled: Sampled
    single: Single


def run_darwincore(
    connection: Connection,
    access: Access,
    level: str,
    as_of: date,
    out: Path,
    *,
    boundaries: Path | None = None,
    revision: int = 1,
) -> ExportResult:
    """Write the release that is due on a day into a folder of its own below `out`, which must not be there yet.

    It covers everything up to the end of the newest quarter that is told of. Without any event its tables are empty. Raises
    `Problem` not_allowed, or value_invalid for another level.
    """
    access.require(Right.SEE)
    due = edition(connection, access, level, as_of, revision)
    events, left_out = _events(connection, access, due, as_of, boundaries)
    folder = new_folder(out, due.name("darwincore"))
    rows: dict[str, Iterator[list[Cell]]] = {
        "event.csv": (_event(each, due) for each in events),
        "occurrence.csv": (row for each in events for row in _occurrences(each)),
        "humboldt.csv": (_humboldt(each) for each in events),
    }
    files = [write_plain(folder / name, part.names, rows[name]) for name, part in PARTS.items()]
    coverage = _coverage(events, due)
    files.append(write_file(folder / "meta.xml", meta_xml(PARTS)))
    files.append(write_file(folder / "eml.xml", eml_xml(due, f"{TITLE}: {due.publisher}", folder.name, coverage)))
    files.append(archive(folder, ARCHIVE, files))
    summary = {**due.summary(coverage.first), "method": METHOD, "left_out": {"records": said(left_out)}}
    return ExportResult(
        folder,
        files,
        summary,
        title=TITLE,
        tables={name: part.table for name, part in PARTS.items()},
        readme="darwincore",
        surveys=tuple(survey.form_id for survey in SURVEYS),
    )


def _events(
    connection: Connection, access: Access, due: Edition, as_of: date, boundaries: Path | None = None
) -> tuple[list[Event], int]:
    """Every event that is told in an edition, in the order of its id, and how many records are not told."""
    events, left_out = [], 0
    for survey in SURVEYS:
        if not may_be_told(connection, access, survey.form_id):
            continue
        source = Generalised(connection, access, survey.form_id, due.policy, as_of, boundaries=boundaries)
        left_out += sum(source.left_out.values())
        for single in source.singles():
            sampled = survey.read(Answers(single.answers))
            if sampled is None:
                left_out += 1
            else:
                events.append(Event(due.id_of("event", single.instance_id), survey, sampled, single))
    return sorted(events, key=lambda event: event.key), left_out


def _event(event: Event, due: Edition) -> list[Cell]:
    group, sampled = event.single.group, event.sampled
    when = f"{group.first}/{group.last}" if group.first else str(group.last)
    licence = LICENCES[due.policy.name]
    what = [event.survey.event_type, when, sampled.protocol, sampled.effort or None, sampled.unit, sampled.how, sampled.habitat]
    where = [group.country, group.latitude, group.longitude, "EPSG:4326", group.uncertainty, due.policy.degrees]
    return [event.key, *what, *where, event.single.generalisation, event.single.withheld, licence.get("path", licence["title"])]


def _occurrences(event: Event) -> Iterator[list[Cell]]:
    for number, seen in enumerate(event.sampled.seen, start=1):
        basis = "MachineObservation" if seen.by_machine else "HumanObservation"
        name = [seen.taxon.name, seen.taxon.rank, KINGDOM, seen.taxon.english]
        animals = [seen.animals or None, seen.sex, seen.stage, seen.behavior]
        evidence = [seen.verification, seen.remarks, _json(dict(seen.properties))]
        yield [event.key, f"{event.key}:{number}", basis, "present", *name, *animals, *evidence]


def _humboldt(event: Event) -> list[Cell]:
    survey, sampled = event.survey, event.sampled
    method = [survey.inventory, "samplingEvents", sampled.protocol, survey.description, survey.reference]
    absent = not_seen(seen.taxon for seen in sampled.seen) if sampled.is_complete else []
    is_search = survey.inventory == "restrictedSearch"
    scope: list[Cell] = [_scope(survey), "true" if is_search else None, truth(bool(absent)), _LIST.join(absent)]
    counted = truth(any(seen.animals for seen in sampled.seen) or is_search)
    effort: list[Cell] = [truth(bool(sampled.unit)), sampled.how, sampled.effort or None, sampled.unit]
    area: list[Cell] = [sampled.area_km2, "km²"] if sampled.area_km2 else [None, None]
    return [
        event.key,
        *method,
        *scope,
        truth(sampled.looks_beyond),
        counted,
        *effort,
        *area,
        _json(dict(sampled.weather)),
        truth(sampled.has_samples),
    ]


def _scope(survey: Survey) -> str:
    if survey.targets_leopard:
        return taxon(*LEOPARD).name
    return _LIST.join([*[taxon(*DOG).name] * survey.targets_dogs, *(each.name for each in targets())])


def _json(content: dict[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False) if content else ""


def _coverage(events: list[Event], due: Edition) -> Coverage:
    cells = {(event.single.group.latitude, event.single.group.longitude) for event in events}
    known = [(latitude, longitude) for latitude, longitude in cells if latitude is not None and longitude is not None]
    firsts = [event.single.group.first for event in events if event.single.group.first]
    taxa = {seen.taxon for event in events for seen in event.sampled.seen}
    return Coverage(box_around(known, due.policy.degrees), min(firsts, default=None), sorted(taxa))
