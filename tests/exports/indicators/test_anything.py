"""Whatever records say, the indicators are worked out: answers may be missing, absurd or of another type."""

import math
import random
from datetime import date, timedelta
from typing import Any

import pytest

from exports.indicators.parts import is_told
from exports.indicators.records import Record
from exports.indicators.table import rows
from exports.privacy import PARTNER
from exports.report.labels import LABELS
from exports.windows import Window
from forms.library import read_survey, survey_ids
from tests.exports.indicators.making import data, record

JUNK = (None, "", "x", -1, 0, 1, 3, 10**14, 1e300, -0.5, 2.5, True, [], {}, ["a"], [None, {"x": 1}], "2025-13-45", "yes no", "۱۲")
SANE: dict[str, tuple[Any, ...]] = {
    "integer": (0, 1, 2, 5, 12),
    "decimal": (0.0, 0.5, 3.0, 20.0),
    "date": ("2024-05-01", "2025-03-02", "2025-11-30", "2025-03-02"),
    "dateTime": ("2025-03-02T10:00:00.000+03:30", "2025-03-09T10:00:00.000+03:30", "nonsense"),
}


def anything(chance: random.Random, survey_id: str, share_of_junk: float, earlier: list[Record]) -> dict[str, Any]:
    """Answers to a survey, some of them junk."""
    survey = read_survey(survey_id)
    choices: dict[str, list[str]] = {}
    for row in survey.choices:
        choices.setdefault(row["list_name"], []).append(row["name"])
    found: dict[str, Any] = {}
    stack: list[Any] = [found]
    for row in survey.questions:
        kind, name = row["type"], row["name"]
        if kind.startswith("begin"):
            inner: dict[str, Any] = {}
            stack[-1][name] = [inner, dict(inner)] if kind == "begin repeat" else inner
            stack.append(inner)
        elif kind in ("end group", "end repeat"):
            stack.pop()
        elif chance.random() < share_of_junk:
            stack[-1][name] = chance.choice(JUNK)
        elif name in ("incident_ref", "install_ref") and earlier:
            stack[-1][name] = chance.choice(earlier).instance_id
        elif kind.startswith("select"):
            stack[-1][name] = chance.choice(choices.get(kind.split()[1], ["x"]))
        else:
            stack[-1][name] = chance.choice(SANE.get(kind.split()[0], ("c1", "TRY", "A-1")))
    found["submission_purpose"] = "real"
    return found


@pytest.mark.parametrize("seed", [0, 2, 5])
def test_any_answers_make_a_table(seed: int) -> None:
    chance = random.Random(seed)
    records: list[Record] = []
    for survey_id in survey_ids():
        for _ in range(25):
            day = date(2024, 1, 1) + timedelta(days=chance.randrange(730))
            where = {
                "country": chance.choice(["IR", "TR", ""]),
                "day": day,
                "household": chance.choice(["", *(f"h{n}" for n in range(12))]),
            }
            place = chance.choice([None, (36.5, 52.0), (36.6, 52.1)])
            records.append(record(survey_id, anything(chance, survey_id, seed / 6, records[-90:]), place=place, **where))
    made = list(rows(data(*records), Window(date(2024, 1, 1), date(2025, 12, 31)), PARTNER))
    assert len(made) > (600 if seed < 5 else 50)
    for row in made:
        assert (row["indicator"], row["figure"]) in LABELS
        assert is_told(str(row["of"])), row
        for name in ("value", "lower", "upper", "coverage"):
            value = row.get(name)
            assert value is None or math.isfinite(value), row  # type: ignore[arg-type]
        limits = [row.get(name) for name in ("lower", "value", "upper")]
        told = [float(limit) for limit in limits if limit is not None]
        assert told == sorted(told), row
        assert 0 <= (row.get("coverage") or 0) <= 1, row  # type: ignore[operator]
