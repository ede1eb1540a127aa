"""What came late is counted in groups of five households, the same ones whenever it is asked again."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, and_, not_, select, true

from exports.late import on_time
from exports.windows import Window
from records import export_runs
from records.models import Submission
from tests.support.conflict import answers, insert_record
from tests.support.stores import EVERYTHING

TOLD = datetime(2026, 5, 1, tzinfo=UTC)
DAY = date(2026, 2, 1)


@pytest.fixture
def records(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        for number in range(5):
            insert_record(connection, f"uuid:{number}", answers(f"H{number}"), day=DAY)
        yield connection


def tell(records: Connection, at: datetime = TOLD, *, outcome: str = "new", start: str = "2026-01-01") -> None:
    run_id = export_runs.claim(records, 1, "indicators-public", at, origin=export_runs.SCHEDULE, now=at)
    assert run_id is not None
    about = {"outcome": outcome, "period_start": start, "period_end": "2026-03-31"}
    export_runs.finish(records, run_id, "x", [], now=at, about=about)


def waiting(records: Connection, window: Window | None = None) -> set[str]:
    """The reports that do not count."""
    conditions = and_(true(), *on_time(records, EVERYTHING, window))
    return set(records.execute(select(Submission.instance_id).where(not_(conditions))).scalars())


def late(records: Connection, *households: str, days: int = 1, form_id: str = "conflict_livestock", day: date = DAY) -> set[str]:
    """Reports of these households that come some days after the release."""
    keys = {f"uuid:{form_id}-{household}-{days}": household for household in households}
    for key, household in keys.items():
        came = TOLD + timedelta(days=days)
        insert_record(records, key, answers(household), day=day, form_id=form_id, received_at=came)
    return set(keys)


def test_nothing_is_late_before_anything_was_told(records: Connection) -> None:
    late(records, "A")
    assert waiting(records) == set()
    tell(records, outcome="same")
    assert waiting(records) == set()


def test_four_households_wait_for_the_fifth(records: Connection) -> None:
    tell(records)
    four = late(records, "A", "B", "C", "D")
    four |= late(records, "a", "new", days=2)  # the same household, and one that nobody knows
    assert waiting(records) == four
    late(records, "E", days=3)
    assert waiting(records) == set()


def test_what_was_counted_once_stays_counted_and_the_next_ones_wait_anew(records: Connection) -> None:
    tell(records)
    late(records, *"ABCDE")
    tell(records, TOLD + timedelta(days=9))
    sixth = late(records, "F", days=20)
    assert waiting(records) == sixth


def test_those_that_waited_at_a_release_are_not_counted_with_it(records: Connection) -> None:
    tell(records)
    four = late(records, *"ABCD")
    tell(records, TOLD + timedelta(days=9))
    assert waiting(records) == four
    late(records, "E", days=20)
    assert waiting(records) == set()


def test_quarters_and_surveys_wait_apart_and_surveys_of_nobody_never(records: Connection) -> None:
    tell(records)
    two = late(records, "A", "B") | late(records, "C", form_id="grazing_survey")
    late(records, "D", day=date(2026, 4, 1))  # nobody told of this quarter
    late(records, "E", form_id="patrol_effort")
    assert waiting(records) == two


def test_surveys_that_ask_for_no_household_count_reports(records: Connection) -> None:
    tell(records)
    four = late(records, *"ABCD", form_id="leopard_mortality")
    assert waiting(records) == four
    late(records, "A", days=2, form_id="leopard_mortality")
    assert waiting(records) == set()


def test_a_table_of_places_holds_what_its_first_release_held(records: Connection) -> None:
    window = Window(date(2026, 1, 1), date(2026, 3, 31))
    assert waiting(records, window) == set()
    tell(records)
    ten = late(records, *"ABCDEFGHIJ")
    assert waiting(records) == set()
    assert waiting(records, window) == ten
    tell(records, TOLD + timedelta(days=30))
    assert waiting(records, window) == ten


def test_quarters_are_told_of_all_through_the_years_that_a_release_covers(records: Connection) -> None:
    tell(records, start="2024-02-01")
    told = [date(2024, 1, 31), date(2024, 12, 31), date(2025, 7, 1), date(2026, 3, 31)]
    found = set()
    for number, day in enumerate(told):  # a quarter is told of as a whole, also where the release begins within it
        found |= late(records, "A", days=number + 1, day=day)
    late(records, "A", days=8, day=date(2023, 12, 31))
    late(records, "A", days=9, day=date(2026, 4, 1))
    assert waiting(records) == found


def test_a_release_of_nothing_told_nothing(records: Connection) -> None:
    tell(records, datetime(2026, 1, 2, tzinfo=UTC))  # before the five of February came
    late(records, "A", days=-100)
    assert waiting(records) == set()
