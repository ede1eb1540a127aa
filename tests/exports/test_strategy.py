"""What data there are for each activity of the strategy: real records only, one pass, and little said about restricted surveys."""

import json
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, event, update

from exports.strategy import FEWER, LEFT_OUT, ActivityData, Holding, Status, as_json, read_strategy_data, status_of
from forms.library import read_survey, survey_ids
from forms.library.sources import restricted_ids
from forms.problems import Problem
from forms.strategy import Due, strategy
from records.access import ROLES, Access
from records.models import Submission
from tests.support.conflict import insert_record
from tests.support.stores import EVERYTHING, PROJECT

TODAY = date(2026, 11, 22)


def read(engine: Engine, *, access: Access = EVERYTHING, today: date = TODAY) -> dict[str, ActivityData]:
    with engine.connect() as connection:
        return {each.activity.id: each for each in read_strategy_data(connection, access, today)}


def holding(engine: Engine, activity: str, survey: str) -> Holding:
    return next(each for each in read(engine)[activity].holdings if each.survey_id == survey)


def store(engine: Engine, *records: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
    """Records as (survey, answers, anything else of `insert_record`)."""
    with engine.begin() as connection:
        for number, (survey, content, more) in enumerate(records):
            insert_record(connection, f"uuid:{survey}-{number}", content, form_id=survey, **more)


def change(engine: Engine, number: int, **values: Any) -> None:
    with engine.begin() as connection:
        changed = connection.execute(update(Submission).where(Submission.instance_id.endswith(f"-{number}")).values(**values))
    assert changed.rowcount == 1


# counting


def test_records_days_countries_and_the_last_arrival_are_told(engine: Engine) -> None:
    store(
        engine,
        ("grazing_survey", {"country": "IR"}, {"day": date(2025, 6, 1), "received_at": datetime(2025, 9, 1, 8, tzinfo=UTC)}),
        ("grazing_survey", {"country": "TM"}, {"day": date(2026, 5, 4), "received_at": datetime(2026, 5, 5, 8, tzinfo=UTC)}),
        ("grazing_survey", {"country": "IR"}, {"day": None, "received_at": datetime(2026, 7, 7, 23, tzinfo=UTC)}),
    )
    found = holding(engine, "7.1.4", "grazing_survey")
    assert (found.records, dict(found.years)) == (3, {2025: 1, 2026: 2})
    assert (found.first, found.last) == (date(2025, 6, 1), date(2026, 7, 7))
    assert found.last_arrival == datetime(2026, 7, 7, 23, tzinfo=UTC)
    assert found.countries == ("IR", "TM")
    assert read(engine)["7.1.4"].together == Holding(
        *("", False, found.years, found.records, found.first, found.last, found.last_arrival, found.countries, found.left_out)
    )


def test_what_never_counts_is_told_apart(engine: Engine) -> None:
    store(engine, *(("dog_impact", {"country": "IR", "submission_purpose": "real"}, {}) for _ in range(7)))
    store(engine, ("prey_block", {"submission_purpose": "test"}, {}))
    change(engine, 1, review_state="rejected")
    change(engine, 2, review_state="duplicate")
    change(engine, 3, encrypted=True, answers={}, event_date=None)
    change(engine, 4, deleted_at=datetime(2026, 3, 3, tzinfo=UTC), review_state="rejected")
    change(engine, 5, excluded=True)
    change(engine, 6, answers={"submission_purpose": "test", "country": "AM"}, event_date=date(2020, 1, 1))
    found = holding(engine, "7.2.1", "dog_impact")
    assert found.left_out is not None
    assert (found.records, found.countries, found.first) == (1, ("IR",), date(2026, 3, 1))
    assert found.left_out == {"test": 1, "rejected": 2, "excluded": 1, "encrypted": 1, "deleted": 1}
    assert tuple(found.left_out) == LEFT_OUT
    untouched = holding(engine, "1.3.2", "prey_block")
    assert (untouched.records, untouched.has_data, untouched.first, untouched.last_arrival) == (0, False, None, None)


def test_other_projects_other_forms_and_other_peoples_phones_do_not_count(engine: Engine) -> None:
    store(engine, ("dog_impact", {}, {}), ("dog_impact", {}, {"project_id": 2}), ("livestock_loss", {}, {}))
    assert holding(engine, "7.2.1", "dog_impact").records == 1
    own = Access(PROJECT, "collector", EVERYTHING.rights, only_account=5)
    assert [each.together.records for each in read(engine, access=own).values() if each.together.records] == []


def test_the_country_is_that_of_the_point_before_that_of_the_answer(engine: Engine) -> None:
    store(
        engine,
        ("grazing_survey", {"country": "IR"}, {}),
        ("household_register", {"household_g": {"country": "AF"}}, {}),
        ("grazing_survey", {"country": "<script>"}, {}),
        ("grazing_survey", {"country": {"group": "IQ"}}, {}),
    )
    assert holding(engine, "7.1.4", "grazing_survey").countries == ("IR",)
    assert holding(engine, "7.1.1", "household_register").countries == ("AF",)
    change(engine, 0, country="TM")
    assert holding(engine, "7.1.4", "grazing_survey").countries == ("TM",)


def test_countries_are_looked_for_wherever_a_survey_asks_for_them() -> None:
    asked = set()
    for survey_id in survey_ids():
        above: list[str] = []
        for row in read_survey(survey_id).questions:
            if row["type"].startswith("begin "):
                above.append(row["name"])
            elif row["type"].startswith("end "):
                above.pop()
            elif row["name"] == "country" and row["type"] == "select_one country":
                asked.add((*above, "country"))
    assert asked == {("country",), ("household_g", "country")}


def test_all_activities_are_counted_in_one_question_to_the_database(engine: Engine) -> None:
    store(engine, ("dog_impact", {}, {}))
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    read(engine)
    assert len([statement for statement in asked if "submission" in statement]) == 1


def test_an_activity_of_all_surveys_counts_each_record_once(engine: Engine) -> None:
    store(engine, ("dog_impact", {}, {}), ("grazing_survey", {}, {}))
    found = read(engine)
    assert [each.survey_id for each in found["3.5.1"].holdings] == survey_ids()
    assert found["3.5.1"].together.records == 2
    assert found["3.4.1"].holdings == ()


# restricted surveys


def test_of_a_restricted_survey_only_years_are_told_and_counted_from_five_on(engine: Engine) -> None:
    store(engine, *(("illegal_trade", {"country": "IR"}, {"day": date(2025, 2, day)}) for day in range(1, 6)))
    store(engine, *(("leopard_mortality", {"country": "IR"}, {"day": date(2026, 2, day)}) for day in range(1, 5)))
    found = read(engine)["11.2.2"]
    trade, mortality = found.holdings
    assert trade == Holding("illegal_trade", True, {2025: 5})
    assert mortality == Holding("leopard_mortality", True, {2026: None})
    assert (found.together.records, found.together.countries, found.has_restricted) == (0, (), True)
    told = as_json(found)["surveys"][1]
    assert told == {
        "id": "leopard_mortality",
        "key_fields": ["event_date", "country", "cause"],
        "restricted": True,
        "has_data": True,
        "years": {"2026": FEWER},
    }


def test_no_sum_lets_anybody_work_out_a_restricted_number(engine: Engine) -> None:
    store(engine, *((survey_id, {}, {}) for survey_id in restricted_ids()), ("dog_impact", {}, {}))
    found = read(engine)
    assert {each.together.records for each in found.values() if each.activity.all_surveys} == {1}
    for each in found.values():
        for survey in as_json(each)["surveys"]:
            assert survey["restricted"] == (survey["id"] in restricted_ids())
            assert not survey["restricted"] or survey.keys() == {"id", "key_fields", "restricted", "has_data", "years"}


# dates


@pytest.mark.parametrize(
    ("due", "status"),
    [
        (Due(2025, 2025), Status.OVERDUE),
        (Due(2026, 2026), Status.DUE),
        (Due(2027, 2027), Status.LATER),
        (Due(2025, 2031), Status.DUE),
        (Due(2023, 2025), Status.OVERDUE),
        (Due(2027, 2031), Status.LATER),
        (Due(every=1), Status.RECURRING),
        (Due(soon=True), Status.SOON),
        (Due(), Status.UNDATED),
    ],
)
def test_a_date_is_overdue_only_when_its_year_has_passed(due: Due, status: Status) -> None:
    assert status_of(due, TODAY) == status


def test_what_is_overdue_is_shown_also_when_there_are_data(engine: Engine) -> None:
    store(engine, ("dog_impact", {}, {}))
    found = read(engine)
    assert list(found) == list(strategy().activities)
    assert found["7.2.1"].status == Status.OVERDUE
    assert {id_ for id_, each in found.items() if each.status == Status.OVERDUE and id_.startswith("7.")} == {
        *("7.1.1", "7.1.2", "7.1.3", "7.2.1", "7.2.2")
    }


def test_a_recurring_activity_tells_its_round_and_whether_it_has_data(engine: Engine) -> None:
    store(engine, ("prey_block", {}, {"day": date(2025, 12, 31)}))
    yearly, four_yearly = (read(engine)[id_] for id_ in ("11.1.4", "3.5.1"))
    assert (yearly.period, yearly.is_supplied) == ((2026, 2026), False)
    assert (four_yearly.period, four_yearly.is_supplied) == ((2023, 2026), True)
    assert read(engine, today=date(2025, 1, 1))["11.1.4"].is_supplied
    assert read(engine, today=date(2027, 1, 1))["3.5.1"].period == (2027, 2030)
    assert read(engine)["7.2.1"].period is None


# people and programs


def test_analysts_may_see_it_and_data_collectors_may_not(engine: Engine) -> None:
    assert read(engine, access=Access(PROJECT, "analyst", ROLES["analyst"]))
    with pytest.raises(Problem) as caught:
        read(engine, access=Access(PROJECT, "collector", ROLES["data_collector"], only_account=1))
    assert caught.value.kind.code == "not_allowed"


def test_it_can_be_written_as_json(engine: Engine) -> None:
    store(engine, ("prey_block", {"country": "IR"}, {}))
    told = json.loads(orjson.dumps([as_json(each) for each in read(engine).values()]))
    yearly = next(each for each in told if each["id"] == "11.1.4")
    assert yearly["due"] == {"first": None, "last": None, "every": 1, "asap": False}
    assert yearly["period"] == {"first": 2026, "last": 2026, "has_data": True}
    assert (yearly["status"], yearly["priority"], yearly["objective"], yearly["result"]) == ("recurring", 2.29, "11", "11.1")
    block = next(each for each in yearly["surveys"] if each["id"] == "prey_block")
    assert (block["records"], block["first_day"], block["countries"]) == (1, "2026-03-01", ["IR"])
    assert block["key_fields"] == ["grp/species", "grp/n_total", "grp/seen_by"]
