"""The files of a release of the indicators: the table, two dictionaries, a readme and a data package. Same data, same bytes."""

import hashlib
import tempfile
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection

from exports.csvfile import write_table
from exports.hotspot_columns import Column
from exports.hotspot_export import ExportResult
from exports.hotspot_files import LICENCES, ExportedFile
from exports.indicators.catalogue import indicators
from exports.indicators.disclosure import FEWEST_RECORDS
from exports.indicators.effect_statistics import SEED
from exports.indicators.reading import read_data
from exports.indicators.slices import Data, Exchange
from exports.indicators.table import COLUMNS, NAMES, Row, Value, rows
from exports.privacy import FEWEST_HOUSEHOLDS, LEVELS, Level
from exports.windows import Window, window_for
from forms.problems import Problem
from forms.strategy import strategy
from forms.strategy.model import FIRST_YEAR
from records.access import Access

METHOD = "indicators-1"
README = """\
INDICATORS {release_id} ({level})

Numbers for the activities of the range-wide strategy for the Persian leopard (CMS, 2023-2032).
From {period_start} to {period_end}, by calendar year and quarter, for the whole range and by country.
Licence: {licence}

FILES
indicators.csv             one row per figure, period and area: UTF-8, comma, decimal point, ISO dates
indicator_definitions.csv  every indicator: what it says, its formula, its surveys, the activities it serves
data_dictionary.csv        every column of indicators.csv: type, unit, meaning
datapackage.json           the same for programs (Frictionless Data Package)

HOW TO READ IT
lower and upper are 95 percent limits; method says how they were worked out. n are the cases counted, coverage is the part of
the cases of which enough was known. More reports can mean more attacks or better reporting: look at coverage and at I-EFF-2.
Attacks are counted by the rule of the hotspots (reports of one event, and repeated nights on one herd, are one).
Before/after without control households (flag no_controls_not_evidence) is no evidence: anything else may have changed too.
Currencies are never added up. Toman are counted as ten rial. Dollars are given only where a rate is stated.
A country or period without a row had no records for that indicator. 0 means that people looked and found none.

FLAGS
{flags}

WHAT IS NOT SHOWN (column reason)
No figure about households stands for fewer than {households} of them, and none can be had by taking one figure from another.
few_households  fewer than {households} known households
dominance       one household would make up more than 70 percent of a sum
difference      together with other figures it would tell of fewer than {households} households
few_records     fewer than {records} records of a restricted survey; these are told for whole countries and years only
Other words in this column say why there is nothing to work out, such as below_40_groups.
"""
FLAGS = {
    "no_controls_not_evidence": "no control households: the change may have any cause",
    "low_n": "few cases: the value may change much with the next ones",
    "under_reported": "less than half of the months have a report or a report of nothing",
    "exposure_incomplete": "the herds of more than a fifth of the attacked households were not counted: the rate is too high",
    "values_imputed": "values that were not told are medians of the same species, age, country and year",
    "half_added_to_empty_counts": "a count was zero: half an event was added to all of them",
    "few_clusters": "fewer than ten villages on one side: the limits are too narrow",
    "groups_both_miss_bias_this_low": "groups that both observers miss, being hard to see, are not in it",
    "larger_groups_seen_farther": "small groups are missed far from the line: the density is too high",
    "uniform_detection": "sightings did not become fewer with distance: everything to the truncation counts as seen",
}


def run_indicators(
    connection: Connection,
    access: Access,
    level: str,
    as_of: date,
    out: Path,
    *,
    revision: int = 1,
    rates: Mapping[str, Exchange] | None = None,
    boundaries: Path | None = None,
) -> ExportResult:
    """Write the release that is due on a day into a folder of its own below `out`; an older one of that name is replaced.

    It covers the years since the strategy began, up to the end of the newest quarter behind the embargo of the level ("partner" or
    "public"). Raises `Problem("value_invalid")` for another level, `Problem("not_allowed")` without the right to see records.
    """
    if level not in LEVELS:
        raise Problem("value_invalid", f"There is no level {level}: choose {' or '.join(LEVELS)}.")
    newest = window_for(as_of, LEVELS[level])
    window = Window(date(FIRST_YEAR, 1, 1), newest.end)
    name = f"indicators_{newest.release}_{level}_r{revision}"
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=out) as workshop:
        fresh, final = Path(workshop) / "new", out / name
        fresh.mkdir()
        data = read_data(connection, access, window, rates=rates, boundaries=boundaries)
        summary = _summary(f"{newest.release}-r{revision}", LEVELS[level], window, data)
        files = _write(fresh, rows(data, window, LEVELS[level]), summary)
        if final.exists():
            final.rename(Path(workshop) / "old")
        fresh.rename(final)
    return ExportResult(final, files, summary)


def _summary(release_id: str, level: Level, window: Window, data: Data) -> dict[str, Any]:
    return {
        "release_id": release_id,
        "level": level.name,
        "period_start": window.start.isoformat(),
        "period_end": window.end.isoformat(),
        "method": METHOD,
        "licence": LICENCES[level.name],
        "households": FEWEST_HOUSEHOLDS,
        "records": FEWEST_RECORDS,
        "seed": SEED,
        "exchange_rates": {
            currency: {"usd": rate.usd, "day": rate.day.isoformat(), "source": rate.source}
            for currency, rate in sorted(data.rates.items())
        },
    }


def _write(folder: Path, table: Iterable[Row], summary: Mapping[str, Any]) -> list[ExportedFile]:
    written = [
        _csv(folder / "indicators.csv", NAMES, ([row.get(name) for name in NAMES] for row in table)),
        _csv(folder / "indicator_definitions.csv", ("indicator", "text", "unit", "formula", "surveys", "activity"), _definitions()),
        _csv(folder / "data_dictionary.csv", Column._fields, COLUMNS),
    ]
    readme = README.format(flags="\n".join(f"{flag}: {words}" for flag, words in FLAGS.items()), **summary)
    written.append(_file(folder / "README.txt", readme.encode()))
    package = orjson.dumps(_package(written, summary), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return [*written, _file(folder / "datapackage.json", package)]


def _definitions() -> Iterable[tuple[str, ...]]:
    for indicator in indicators().values():
        told = strategy().indicators[indicator.id]
        serves = ";".join(strategy().activities_of(indicator.id))
        yield indicator.id, told.text, told.unit, indicator.formula, ";".join(indicator.surveys), serves


def _csv(path: Path, header: Iterable[str], table: Iterable[Iterable[Value]]) -> ExportedFile:
    with path.open("w", encoding="utf-8", newline="") as stream:
        number = write_table(stream, header, table)
    return _described(path, number)


def _file(path: Path, content: bytes) -> ExportedFile:
    path.write_bytes(content)
    return _described(path, 0)


def _described(path: Path, number: int) -> ExportedFile:
    content = path.read_bytes()
    return ExportedFile(path.name, number, hashlib.sha256(content).hexdigest(), len(content))


def _package(written: Iterable[ExportedFile], summary: Mapping[str, Any]) -> dict[str, Any]:
    fields = [{"name": one.name, "type": one.type, "unit": one.unit, "description": one.description} for one in COLUMNS]
    key = ["indicator", "figure", "of", "predator", "area", "country", "period"]
    schema = {"fields": fields, "missingValues": [""], "primaryKey": key}
    resources = []
    for file in written:
        name, _, kind = file.name.rpartition(".")
        resource = {"name": name.lower(), "path": file.name, "format": kind, "bytes": file.size, "hash": f"sha256:{file.sha256}"}
        is_table = file.name == "indicators.csv"
        resources.append(resource | {"profile": "tabular-data-resource", "schema": schema} if is_table else resource)
    return {
        "name": f"indicators-{summary['release_id']}-{summary['level']}".lower(),
        "title": f"Indicators {summary['release_id']} ({summary['level']})",
        "version": summary["release_id"],
        "licenses": [{"name": summary["licence"]}],
        "summary": dict(summary),
        "resources": resources,
    }
