"""Reading the files of the strategy. A slip in them is told with the file and the id it is in."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from forms.library.sources import Row, read_rows
from forms.problems import Problem
from forms.strategy.model import Activity, Country, Due, Indicator, Note, Objective, Reference, Result, Strategy

FOLDER = Path(__file__).parent
_EVERY = {"yearly": 1, "four-yearly": 4}
_YEARS = re.compile(r"\d{4}(-\d{4})?")
_KEYS = {"id", "source_id", "text", "due", "priority", "all_surveys", "surveys", "indicators"}


class _Named(Protocol):
    @property
    def id(self) -> str: ...


_T = TypeVar("_T", bound=_Named)


@cache
def strategy() -> Strategy:
    """The strategy as shipped."""
    return read_strategy(FOLDER)


def read_strategy(folder: Path) -> Strategy:
    """The strategy from the files of a folder. Raises `Problem("form_invalid")` naming the file and the id that are wrong."""
    activities = tomllib.loads((folder / "activities.toml").read_text(encoding="utf-8"))["activity"]
    return Strategy(
        objectives=_by_id("objectives.csv", (Objective(row["id"], row["text"]) for row in read_rows(folder / "objectives.csv"))),
        results=_by_id("results.csv", map(_result, read_rows(folder / "results.csv"))),
        activities=_by_id("activities.toml", map(_activity, activities)),
        indicators=_by_id(
            "indicators.csv", (Indicator(row["id"], row["text"], row["unit"]) for row in read_rows(folder / "indicators.csv"))
        ),
        countries={row["code"]: _country(row) for row in read_rows(folder / "countries.csv")},
        references=tuple(Reference(row["activity"], row["refers_to"]) for row in read_rows(folder / "references.csv")),
        notes=tuple(Note(tuple(row["concerns"].split()), row["text"]) for row in read_rows(folder / "notes.csv")),
    )


def due(written: int | str, where: str) -> Due:
    """What a due date as it is written in the files means. Raises `Problem("form_invalid")` naming `where` it stands."""
    text = str(written)
    if not text:
        return Due()
    if text == "asap":
        return Due(soon=True)
    if text in _EVERY:
        return Due(every=_EVERY[text])
    years = [int(year) for year in text.split("-")] if _YEARS.fullmatch(text) else []
    if not years or years[0] > years[-1]:
        raise _wrong(where, f"due is {text!r}; use a year, two years like 2025-2031, yearly, four-yearly or asap")
    return Due(years[0], years[-1])


def _activity(written: dict[str, Any]) -> Activity:
    where = f"activities.toml, {written.get('id', 'an activity without id')}"
    unknown = sorted(written.keys() - _KEYS)
    missing = sorted({"id", "text"} - written.keys())
    if unknown or missing:
        raise _wrong(where, ", ".join([*(f"{name} is unknown" for name in unknown), *(f"{name} is missing" for name in missing)]))
    priority = written.get("priority")
    return Activity(
        id=written["id"],
        source_id=written.get("source_id", written["id"]),
        text=written["text"],
        due=due(written.get("due", ""), where),
        priority=None if priority is None else float(priority),
        all_surveys=written.get("all_surveys", False),
        surveys={survey: tuple(fields) for survey, fields in written.get("surveys", {}).items()},
        indicators=tuple(written.get("indicators", ())),
    )


def _result(row: Row) -> Result:
    return Result(row["id"], row["text"], due(row["due"], f"results.csv, {row['id']}"))


def _country(row: Row) -> Country:
    return Country(row["code"], row["name"], row["range_state"] == "yes", row["cami"] == "yes")


def _by_id(file: str, each: Iterable[_T]) -> Mapping[str, _T]:
    found: dict[str, _T] = {}
    for one in each:
        if one.id in found:
            raise _wrong(f"{file}, {one.id}", "the id is there twice")
        found[one.id] = one
    return found


def _wrong(where: str, what: str) -> Problem:
    return Problem("form_invalid", f"forms/strategy/{where}: {what}.")
