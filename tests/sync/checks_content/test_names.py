"""The names that the checks read answers by are those of the surveys, and the species those of the choice lists."""

import csv

import pytest

from forms.library.sources import LIBRARY, read_survey, survey_ids
from sync.checks import amounts, species
from sync.checks.effort import EFFORTS
from sync.checks.species import QUESTIONS


def test_every_animal_with_a_list_of_countries_is_a_choice_of_the_surveys_and_every_country_too() -> None:
    with (LIBRARY / "choices.csv").open(newline="", encoding="utf-8") as file:
        choices = {(row["list_name"], row["name"]) for row in csv.DictReader(file)}
    with species.COUNTRIES.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["list_name"], row["name"]) for row in rows} <= choices
    assert len(species.home_countries()) == len(rows)
    assert {("country", country) for row in rows for country in row["countries"].split()} <= choices
    assert all(row["countries"] and row["source"] for row in rows)
    assert {("livestock", name) for name in amounts.SMALL_STOCK | amounts.LARGE_STOCK | amounts.NOT_A_HERD} <= choices


@pytest.mark.parametrize("form_id", survey_ids())
def test_what_the_checks_ask_for_is_asked_by_the_surveys(form_id: str) -> None:
    """A renamed question must not silence a check."""
    asked = {row["name"] for row in read_survey(form_id).questions}
    paths = [path for part in amounts.PARTS.get(form_id, ()) for path in (*part.some, *part.whole, part.repeat)]
    paths += [path for total in amounts.TOTALS.get(form_id, ()) for path in (total.path, total.repeat)]
    paths += [path for question in QUESTIONS.get(form_id, ()) for path in (question.path, question.repeat)]
    paths += [*EFFORTS.get(form_id, ()), amounts.CURRENCY_QUESTIONS.get(form_id, ())]
    assert {name for path in paths for name in path} <= asked
