"""The checks name questions and forms of the shipped surveys: those must be there."""

from functools import cache

import pytest

from forms.library.sources import read_survey, survey_ids
from sync.checks import pictures, place, time, words


@cache
def questions() -> dict[str, set[str]]:
    """The names of the questions of every survey."""
    return {survey_id: {row["name"] for row in read_survey(survey_id).questions} for survey_id in survey_ids()}


@pytest.mark.parametrize(
    "name",
    sorted(
        time.EVENTS
        | {name for names in time.ORDERS for name in names}
        | {path[-1] for path in (*place.AREA_QUESTIONS, *place.COUNTRY_QUESTIONS)}
        | {"loc_method", "place_name", "consent", "submission_purpose", "start", "end"}
    ),
)
def test_every_question_the_checks_name_is_in_a_survey(name: str) -> None:
    assert any(name in names for names in questions().values())


@pytest.mark.parametrize("form_id", sorted({words.TRAINING_FORM, *time.DAYS_LONG, *pictures.SAME_VIEW}))
def test_every_form_the_checks_name_is_a_survey(form_id: str) -> None:
    assert form_id in survey_ids()


def test_the_countries_of_time_zones_are_those_of_the_surveys() -> None:
    countries = {row["name"] for row in read_survey("conflict_livestock").choices if row["list_name"] == "country"}
    assert set(time.OFFSETS) == countries
