"""Reading the survey sources: CSV sheets that a diff can show, shared blocks, choice lists and form.toml."""

import csv
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from forms.problems import Problem

LIBRARY = Path(__file__).parent
COLUMNS = (
    "type",
    "name",
    "label",
    "hint",
    "required",
    "relevant",
    "constraint",
    "constraint_message",
    "calculation",
    "appearance",
    "parameters",
    "default",
    "save_to",
    "personal",
)
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Survey:
    """One survey of the library, in English. `activities` are the activities of the range-wide strategy it serves.

    `entity` is the row of the XLSForm sheet entities, empty for a survey that makes and changes none.
    """

    id: str
    title: str
    version: str
    activities: tuple[str, ...]
    instance_name: str
    entity: Row
    questions: tuple[Row, ...]
    choices: tuple[Row, ...]


def survey_ids(root: Path = LIBRARY) -> list[str]:
    """The ids of all surveys, in alphabetical order."""
    return sorted(path.parent.name for path in root.glob("*/form.toml"))


@cache
def restricted_ids() -> tuple[str, ...]:
    """The ids of the surveys whose places nobody outside the programme is told, not even as a cell in which somebody was."""
    return tuple(survey_id for survey_id in survey_ids() if _about(survey_id, LIBRARY).get("restricted", False))


@cache
def confidential_ids() -> tuple[str, ...]:
    """The ids of the surveys whose records only coordinators see: they may be evidence, and name no one yet."""
    return tuple(survey_id for survey_id in survey_ids() if _about(survey_id, LIBRARY).get("confidential", False))


def read_survey(survey_id: str, root: Path = LIBRARY) -> Survey:
    """The survey with its shared blocks put in and the choice lists it uses.

    Raises `Problem("not_found")` for an unknown id and `Problem("form_invalid")` naming file and line for a faulty source.
    """
    if survey_id not in survey_ids(root):
        raise Problem("not_found", f"The library has no survey {survey_id!r}.", hint=_one_of(survey_ids(root)))
    about = _about(survey_id, root)
    questions = _with_blocks(read_rows(root / survey_id / "survey.csv"), root)
    used = {row["type"].split()[1] for row in questions if row["type"].startswith(("select_one ", "select_multiple "))}
    choices = [row for row in read_rows(root / "choices.csv") if row["list_name"] in used]
    return Survey(
        id=survey_id,
        title=about["title"],
        version=about["version"],
        activities=tuple(about["activities"]),
        instance_name=about["instance_name"],
        entity=about.get("entity", {}),
        questions=tuple(questions),
        choices=tuple(choices),
    )


def _about(survey_id: str, root: Path) -> dict[str, Any]:
    return tomllib.loads((root / survey_id / "form.toml").read_text(encoding="utf-8"))


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV file by column name. Raises `Problem("form_invalid")` when a row does not fit the header."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        rows = []
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise Problem(
                    "form_invalid",
                    f"{path.parent.name}/{path.name}, line {reader.line_num}: {len(cells)} cells, but the header has"
                    f" {len(header)}. Write as many commas as the header has, and a text that holds a comma in double quotes.",
                )
            rows.append(dict(zip(header, (cell.strip() for cell in cells), strict=True)))
    return rows


def _with_blocks(rows: list[Row], root: Path) -> list[Row]:
    """Replace each row of type `include` by the rows of `common/<name>.csv`."""
    result = []
    for row in rows:
        if row["type"] != "include":
            result.append(row)
            continue
        block = root / "common" / f"{row['name']}.csv"
        if not block.is_file():
            blocks = sorted(path.stem for path in block.parent.glob("*.csv"))
            raise Problem("form_invalid", f"There is no shared block {row['name']!r}.", hint=_one_of(blocks))
        result.extend(read_rows(block))
    return result


def _one_of(names: list[str]) -> str:
    return f"Use one of: {', '.join(names)}."
