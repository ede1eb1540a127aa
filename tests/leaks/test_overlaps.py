"""An attacker keeps every release and takes them from each other, whatever window, night and circle: no household is left."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import h3.api.basic_str as h3
import pytest
from sqlalchemy import Connection, delete

from exports.hotspots.export import run_hotspots
from exports.indicators.table import TABLE
from exports.package.contents import ExportResult
from exports.policy import LEVELS, PARTNER
from exports.recipes import RECIPES
from exports.windows import Window, year_for
from records import export_runs
from records.models import Base, ExportRun
from records.store import open_engine
from tests.support.conflict import answers, insert_record
from tests.support.stores import EVERYTHING

PLACE = (36.5, 52.0, 8.0)
CELL = h3.latlng_to_cell(36.5, 52.0, 6)
QUARTERS = [date(2026, 5, 15), date(2026, 8, 15), date(2026, 11, 15), date(2027, 2, 15), date(2027, 5, 15)]
"""Days on which the release of a new quarter is due."""


class Attack(NamedTuple):
    """What really happened in `CELL`."""

    household: str
    day: date


class Published(NamedTuple):
    """The attacks of a cell as a release counts them."""

    window: Window
    attacks: dict[str, int]


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Connection]:
    engine = open_engine(f"sqlite:///{tmp_path / 'records.db'}")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def sent(records: Connection, household: str, day: date, *, came: date | None = None) -> Attack:
    came = came or day + timedelta(days=1)
    key = f"uuid:{household}-{day}-{came}"
    moment = datetime(came.year, came.month, came.day, tzinfo=UTC)
    insert_record(records, key, answers(household), place=PLACE, day=day, received_at=moment)
    return Attack(household, day)


def told(records: Connection, name: str, as_of: date, out: Path) -> dict[tuple[str, ...], dict[str, str]]:
    """Give a release of the indicators out, as the schedule does; its rows by their key."""
    moment = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    result = RECIPES[name].run(records, EVERYTHING, as_of, out / f"{name}-{as_of}", boundaries=None, revision=1)
    run_id = export_runs.claim(records, 1, name, moment, origin=export_runs.SCHEDULE, now=moment)
    assert run_id is not None
    export_runs.finish(records, run_id, result.folder.name, [], now=moment, about={**result.summary, "outcome": "new"})
    return {tuple(row[key] for key in TABLE.key): row for row in rows_of(result.folder / "indicators.csv")}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def published(result: ExportResult) -> Published:
    [path] = result.folder.glob("conflict_hotspots_*_standard_*.csv")
    rows = rows_of(path)
    start, end = (date.fromisoformat(result.summary[name]) for name in ("period_start", "period_end"))
    return Published(Window(start, end), {row["cell_id"]: int(row["n_events"]) for row in rows})


def left_over(releases: Iterable[Published], truth: list[Attack]) -> set[frozenset[str]]:
    """The households, fewer than five, behind what two windows that overlap differ by in the cell both tell of.

    The attacker is taken to know what only the older one holds, such as that there was no programme yet.
    """
    found = set()
    for one, other in combinations(releases, 2):
        older, newer = sorted((one, other), key=lambda each: each.window.end)
        overlaps = older.window != newer.window and newer.window.start <= older.window.end
        if overlaps and CELL in older.attacks and CELL in newer.attacks:
            behind = {each.household for each in truth if older.window.end < each.day <= newer.window.end}
            found.add(frozenset(behind))
    return {each for each in found if 0 < len(each) < 5}


def test_hotspots_of_different_windows_leave_nobody_over(records: Connection, tmp_path: Path) -> None:
    truth = [sent(records, f"H{number}", date(2025, 5, 1)) for number in range(8)]
    truth += [sent(records, f"H{number}", date(2026, 2, 1)) for number in range(6)]
    truth += [
        sent(records, f"N{number}", day) for number, day in enumerate((date(2026, 5, 2), date(2026, 8, 2), date(2026, 11, 2)))
    ]
    sliding, fixed = [], []
    for as_of in QUARTERS:
        sliding.append(published(run_hotspots(records, EVERYTHING, "partner", as_of, tmp_path / f"sliding{as_of}")))
        run = RECIPES["hotspots-partner"].run
        fixed.append(published(run(records, EVERYTHING, as_of, tmp_path / f"fixed{as_of}", boundaries=None, revision=1)))
    assert {frozenset({"N0"}), frozenset({"N1"}), frozenset({"N2"})} < left_over(sliding, truth)
    assert {CELL in each.attacks for each in fixed} == {True}
    assert len({each.window for each in fixed}) == 2
    assert left_over(fixed, truth) == set()


@pytest.mark.parametrize("level", LEVELS)
def test_two_windows_of_hotspots_are_the_same_or_have_no_day_in_common(level: str) -> None:
    assert all(RECIPES[f"hotspots-{level}"].options["by_year"] for level in LEVELS)
    windows = {year_for(date(2025, 1, 1) + timedelta(days=day), LEVELS[level]) for day in range(1200)}
    assert len(windows) == 5
    assert not any(one.start <= other.end and other.start <= one.end for one, other in combinations(windows, 2))


def changed(before: dict[tuple[str, ...], dict[str, str]], after: dict[tuple[str, ...], dict[str, str]]) -> set[int]:
    """By how many cases the figures differ that both releases tell."""
    numbers = {(before[key]["n"], after[key]["n"]) for key in before.keys() & after.keys()}
    return {int(new) - int(old) for old, new in numbers if old.isdecimal() and new.isdecimal()} - {0}


def test_a_late_report_is_in_no_figure_that_was_told_until_four_more_have_come(records: Connection, tmp_path: Path) -> None:
    january, name = date(2026, 1, 20), f"indicators-{PARTNER.name}"
    for number in range(12):
        sent(records, f"H{number}", january)
    first = told(records, name, date(2026, 5, 15), tmp_path)
    sent(records, "L0", january, came=date(2026, 6, 1))
    open_to_all = told(records, "indicators-public", date(2026, 7, 15), tmp_path)
    assert changed(first, open_to_all) == set()  # nor by taking the two circles from each other
    for number in range(1, 4):
        sent(records, f"L{number}", january, came=date(2026, 7, 20))
    second = told(records, name, date(2026, 8, 15), tmp_path)
    assert second.keys() >= first.keys()
    assert changed(first, second) == set()
    sent(records, "L4", january, came=date(2026, 9, 1))
    third = told(records, name, date(2026, 11, 15), tmp_path)
    assert min(changed(second, third)) >= 5
    sent(records, "L5", january, came=date(2026, 12, 1))
    fourth = told(records, name, date(2027, 2, 15), tmp_path)
    assert changed(third, fourth) == set()


def test_without_the_rule_the_same_attack_finds_the_late_one(records: Connection, tmp_path: Path) -> None:
    january = date(2026, 1, 20)
    for number in range(12):
        sent(records, f"H{number}", january)
    first = told(records, "indicators-partner", date(2026, 5, 15), tmp_path)
    sent(records, "L0", january, came=date(2026, 6, 1))
    records.execute(delete(ExportRun))  # nobody knows that it was told
    second = told(records, "indicators-partner", date(2026, 8, 15), tmp_path)
    assert 1 in changed(first, second)
