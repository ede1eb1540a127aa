"""The strategy as data: activities and surveys name each other, every link leads to something real, oddities stay."""

import re
import shutil
from pathlib import Path

import pytest

from forms.library import read_survey, survey_ids
from forms.library.sources import LIBRARY, read_rows
from forms.problems import Problem
from forms.strategy import Due, read_strategy, strategy
from forms.strategy.model import FIRST_YEAR, LAST_YEAR
from forms.strategy.reading import FOLDER, due
from forms.strategy.words import words

STRATEGY = strategy()
ACTIVITIES = list(STRATEGY.activities.values())
SURVEYS = survey_ids()


def questions(survey_id: str) -> set[str]:
    """The paths of everything a survey asks or works out, as in "losses_g/loss/n_killed"."""
    above: list[str] = []
    found = set()
    for row in read_survey(survey_id).questions:
        if row["type"].startswith("begin "):
            above.append(row["name"])
        elif row["type"].startswith("end "):
            above.pop()
        else:
            found.add("/".join([*above, row["name"]]))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the files to break."""
    return Path(shutil.copytree(FOLDER, tmp_path / "strategy", ignore=shutil.ignore_patterns("*.py*")))


def broken(folder: Path, file: str, before: str, after: str) -> str:
    """What is said about the files after this change."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(Problem) as caught:
        read_strategy(folder)
    assert caught.value.kind.code == "form_invalid"
    return caught.value.detail


# links


@pytest.mark.parametrize("survey_id", SURVEYS)
def test_a_survey_and_its_activities_name_each_other(survey_id: str) -> None:
    named_by = [each.id for each in ACTIVITIES if survey_id in each.surveys]
    assert list(read_survey(survey_id).activities) == named_by
    assert named_by


def test_no_activity_names_a_survey_that_is_not_there() -> None:
    assert {name for each in ACTIVITIES for name in each.surveys} <= set(SURVEYS)


@pytest.mark.parametrize("survey_id", SURVEYS)
def test_every_key_field_is_a_question_of_its_survey(survey_id: str) -> None:
    asked = questions(survey_id)
    named = [(each.id, path) for each in ACTIVITIES for path in each.surveys.get(survey_id, ())]
    assert [(activity, path) for activity, path in named if path not in asked] == []
    assert all(each.surveys[survey_id] for each in ACTIVITIES if survey_id in each.surveys)


def test_every_indicator_serves_an_activity_that_has_surveys_and_no_other_is_named() -> None:
    served = {name for each in ACTIVITIES if each.surveys for name in each.indicators}
    assert served == set(STRATEGY.indicators)
    assert [each.id for each in ACTIVITIES if each.indicators and not each.surveys] == []
    assert [each.id for each in ACTIVITIES if len(set(each.indicators)) < len(each.indicators)] == []
    assert STRATEGY.activities_of("I-PREY-4") == ["1.3.2", "1.3.3"]


def test_every_activity_has_a_result_and_an_objective_and_none_of_these_is_empty() -> None:
    assert {each.result for each in ACTIVITIES} == set(STRATEGY.results)
    assert {each.objective for each in STRATEGY.results.values()} == set(STRATEGY.objectives)
    assert {each.objective for each in ACTIVITIES} == set(STRATEGY.objectives)


# facts


def test_ids_dates_and_priorities_are_such_as_the_strategy_has() -> None:
    for each in ACTIVITIES:
        assert re.fullmatch(r"\d{1,2}\.\d\.\d[ab]?", each.id)
        assert each.priority is None or 1 <= each.priority <= 3, each.id
        for year in (each.due.first, each.due.last):
            assert year is None or FIRST_YEAR <= year <= LAST_YEAR, each.id
    assert [each.id for each in ACTIVITIES] == sorted(
        STRATEGY.activities, key=lambda id_: [*map(int, id_[:-1].split(".")[:2]), id_]
    )


def test_what_was_due_before_2026_is_still_there() -> None:
    passed = {each.id: each.due.last for each in ACTIVITIES if each.due.last and each.due.last < 2026}
    of_objective_7 = {id_: year for id_, year in passed.items() if id_.startswith("7.")}
    assert of_objective_7 == {"7.1.1": 2025, "7.1.2": 2025, "7.1.3": 2025, "7.2.1": 2024, "7.2.2": 2025}
    assert {"3.1.1", "3.3.1", "3.4.1", "11.3.2"} | of_objective_7.keys() == passed.keys()
    assert {each.id: each.due.last for each in STRATEGY.results.values() if each.due != Due()} == {"7.2": 2025}


def test_what_comes_back_and_what_is_wanted_soon_is_no_year() -> None:
    kinds = {each.id: each.due for each in ACTIVITIES}
    assert (kinds["11.1.4"], kinds["3.5.1"]) == (Due(every=1), Due(every=4))
    assert [id_ for id_, kind in kinds.items() if kind.soon] == ["11.2.2", "11.2.3"]
    assert kinds["1.2.3a"] == Due()


# oddities


def test_two_activities_share_the_number_1_2_3() -> None:
    twins = [each for each in ACTIVITIES if each.source_id == "1.2.3"]
    assert [(each.id, each.priority, each.result) for each in twins] == [("1.2.3a", 2.58, "1.2"), ("1.2.3b", 2.25, "1.2")]
    assert all(each.source_id == each.id for each in ACTIVITIES if each not in twins)


def test_only_8_1_2_has_no_priority() -> None:
    assert [each.id for each in ACTIVITIES if each.priority is None] == ["8.1.2"]


def test_references_to_activities_that_do_not_exist_are_kept_and_lead_nowhere() -> None:
    assert [(each.activity, each.refers_to) for each in STRATEGY.references] == [("5.2.2", "2.1.3"), ("5.2.2", "5.1.3")]
    assert not {each.refers_to for each in STRATEGY.references} & set(STRATEGY.activities)


def test_tajikistan_is_in_the_range_but_no_range_state() -> None:
    countries = STRATEGY.countries
    assert [code for code, each in countries.items() if not each.range_state] == ["TJ"]
    assert [code for code, each in countries.items() if not each.cami] == ["AM", "AZ", "GE", "IQ", "TR"]
    asked = {row["name"]: row["label"] for row in read_rows(LIBRARY / "choices.csv") if row["list_name"] == "country"}
    assert {code: each.name for code, each in countries.items()} == asked


def test_what_is_odd_is_said() -> None:
    concerned = {id_ for note in STRATEGY.notes for id_ in note.concerns}
    assert {"1.2.3a", "1.2.3b", "8.1.2", "5.2.2", "TJ"} <= concerned


# reading


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (2025, Due(2025, 2025)),
        ("2025-2031", Due(2025, 2031)),
        ("yearly", Due(every=1)),
        ("four-yearly", Due(every=4)),
        ("asap", Due(soon=True)),
        ("", Due()),
    ],
)
def test_a_due_date_is_read(written: int | str, meant: Due) -> None:
    assert due(written, "here") == meant


@pytest.mark.parametrize("written", ["soon", "2031-2025", "2025-", "-2025", "2025-2026-2027", -1])
def test_another_due_date_is_told(written: int | str) -> None:
    with pytest.raises(Problem, match=r"activities\.toml, 1\.2\.1: due is"):
        due(written, "activities.toml, 1.2.1")


def test_a_slip_in_the_files_is_told_with_its_place(folder: Path) -> None:
    assert read_strategy(folder) == STRATEGY
    assert "activities.toml, 1.2.1: the id is there twice" in broken(folder, "activities.toml", 'id = "1.2.2"', 'id = "1.2.1"')


def test_an_unknown_or_missing_key_is_told(folder: Path) -> None:
    said = broken(folder, "activities.toml", "priority = 2.63", "prioritty = 2.63")
    assert "activities.toml, 1.2.1: prioritty is unknown" in said


def test_an_indicator_that_is_there_twice_is_told(folder: Path) -> None:
    assert "indicators.csv, I-CON-1: the id is there twice" in broken(folder, "indicators.csv", "I-CON-2,", "I-CON-1,")


def test_every_text_is_there_in_persian_and_no_other() -> None:
    texts = {text for text in STRATEGY.texts() if text}
    assert set(words("fa")) == texts
    assert not any(re.search("[يك\u0660-\u0669]", persian) for persian in words("fa").values())
    assert words("xx") == {}
