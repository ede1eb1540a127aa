"""The data of a release of the indicators: the table, and what each indicator is. Same data, same bytes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from exports.indicators.catalogue import indicators
from exports.indicators.disclosure import FEWEST_RECORDS
from exports.indicators.effect_statistics import SEED
from exports.indicators.reading import read_data
from exports.indicators.slices import Data, Exchange
from exports.indicators.table import NAMES, TABLE, Row, rows
from exports.package.contents import Column, ExportedFile, ExportResult, Table, new_folder, write_csv
from exports.privacy import FEWEST_HOUSEHOLDS, LEVELS, Level
from exports.windows import Window, window_for
from forms.problems import Problem
from forms.strategy import strategy
from forms.strategy.model import FIRST_YEAR
from records.access import Access

METHOD = "indicators-1"
FIGURES, DEFINITIONS = "indicators.csv", "indicator_definitions.csv"
DEFINED = (
    Column("indicator", "string", "", "Id of the indicator, such as I-CON-2"),
    Column("text", "string", "", "What it says"),
    Column("unit", "string", "", "Unit of its figures"),
    Column("formula", "string", "", "How it is worked out"),
    Column("surveys", "string", "", "Surveys it is worked out from, separated by ;"),
    Column("activity", "string", "", "Activities of the strategy that it serves, separated by ;"),
)
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
    """Write the release that is due on a day into a folder of its own below `out`, which must not be there yet.

    It covers the years since the strategy began, up to the end of the newest quarter behind the embargo of the level ("partner" or
    "public"). Raises `Problem("value_invalid")` for another level, `Problem("not_allowed")` without the right to see records.
    """
    if level not in LEVELS:
        raise Problem("value_invalid", f"There is no level {level}: choose {' or '.join(LEVELS)}.")
    newest = window_for(as_of, LEVELS[level])
    window = Window(date(FIRST_YEAR, 1, 1), newest.end)
    name = f"indicators_{newest.release}_{level}_r{revision}"
    data = read_data(connection, access, window, rates=rates, boundaries=boundaries)
    found = list(rows(data, window, LEVELS[level]))
    folder = new_folder(out, name)
    summary = _summary(f"{newest.release}-r{revision}", LEVELS[level], window, data)
    summary["kept_back"] = dict(sorted(Counter(str(row["reason"]) for row in found if row.get("reason")).items()))
    return ExportResult(
        folder,
        _write(folder, found),
        summary,
        title="Indicators of the strategy",
        tables={FIGURES: TABLE, DEFINITIONS: Table(DEFINED, key=("indicator",))},
        readme="indicators",
        lists={"flags": list(FLAGS.items())},
    )


def _summary(release_id: str, level: Level, window: Window, data: Data) -> dict[str, Any]:
    return {
        "release_id": release_id,
        "level": level.name,
        "period_start": window.start.isoformat(),
        "period_end": window.end.isoformat(),
        "method": METHOD,
        "households": FEWEST_HOUSEHOLDS,
        "records": FEWEST_RECORDS,
        "seed": SEED,
        "exchange_rates": {
            currency: {"usd": rate.usd, "day": rate.day.isoformat(), "source": rate.source}
            for currency, rate in sorted(data.rates.items())
        },
    }


def _write(folder: Path, table: Iterable[Row]) -> list[ExportedFile]:
    return [
        write_csv(folder / FIGURES, NAMES, ([row.get(name) for name in NAMES] for row in table)),
        write_csv(folder / DEFINITIONS, [column.name for column in DEFINED], _definitions()),
    ]


def _definitions() -> Iterable[tuple[str, ...]]:
    for indicator in indicators().values():
        told = strategy().indicators[indicator.id]
        serves = ";".join(strategy().activities_of(indicator.id))
        yield indicator.id, told.text, told.unit, indicator.formula, ";".join(indicator.surveys), serves
