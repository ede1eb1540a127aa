"""What a phone sent before tells of its clock, of positions that it repeats, of distances that nobody travels."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync.checks.devices import NO_MATTER, QUICKEST, RECENT, ahead
from tests.support.cases import RECEIVED, case, sent
from tests.support.desk import Desk

NOW = datetime(2026, 5, 20, 8, tzinfo=UTC)
MINUTES = st.integers(0, 20_000).map(lambda minutes: timedelta(minutes=minutes))


def filled(at: datetime, minutes: int = 20) -> dict[str, Any]:
    """Answers of a record finished at this moment, by a phone in Iran."""
    begun = at - timedelta(minutes=minutes)
    day = {"when": {"event_date": at.date().isoformat()}}
    return {"start": begun.isoformat(timespec="milliseconds"), "end": at.isoformat(timespec="milliseconds"), **day}


def at(point: str) -> dict[str, Any]:
    return {"where": {"loc_method": "here", "event_gps": point}}


def test_a_phone_that_sends_everything_at_once_and_is_ahead_is_found_out_and_corrected(desk: Desk) -> None:
    for number in range(5):
        moment = NOW + timedelta(hours=number)
        desk.send(f"uuid:{number}", filled(moment + timedelta(hours=2)) | at(f"35.7123{number} 51.412345 0 5"), received_at=moment)
    desk.checker.run()
    assert "time_skew" in desk.codes("uuid:4")
    assert desk.row("uuid:4").finished_at == NOW + timedelta(hours=4)
    assert desk.row("uuid:4").answers["end"].startswith("2026-05-20T14:00")  # the original is as it was


def test_the_clock_of_one_phone_says_nothing_of_another(desk: Desk) -> None:
    for number in range(4):
        moment, phone = NOW + timedelta(hours=number), "collect:b" if number == 3 else "collect:a"
        wrong = timedelta() if number == 3 else timedelta(hours=2)
        desk.send(f"uuid:{number}", filled(moment + wrong - timedelta(days=1)), received_at=moment, device_id=phone)
    desk.checker.run()
    assert desk.row("uuid:3").finished_at == NOW + timedelta(hours=3) - timedelta(days=1)


def test_records_of_one_batch_see_each_other_and_those_of_the_batch_before(desk: Desk) -> None:
    here, there = at("35.712345 51.412345 0 5"), at("29.612345 52.512345 0 5")
    desk.send("uuid:1", filled(NOW - timedelta(hours=2)) | here, received_at=NOW)
    desk.send("uuid:2", filled(NOW - timedelta(hours=1)) | there, received_at=NOW + timedelta(seconds=1))
    desk.checker.run()
    desk.send("uuid:3", filled(NOW) | here, received_at=NOW + timedelta(seconds=2))
    desk.checker.run()
    jumps = [[item["values"]["case"] for item in desk.row(f"uuid:{n}").flags if item["code"] == "location_jump"] for n in (1, 2, 3)]
    assert [len(found) for found in jumps] == [0, 1, 1]


def test_looking_again_finds_the_same(desk: Desk) -> None:
    for number in range(6):
        moment = NOW + timedelta(days=number)
        desk.send(f"uuid:{number}", filled(moment) | at("35.712345 51.412345 0 5"), received_at=moment + timedelta(minutes=1))
    desk.checker.run()
    before = [(desk.codes(f"uuid:{number}"), desk.row(f"uuid:{number}").finished_at) for number in range(6)]
    assert [codes.count("location_repeated") for codes, _ in before] == [0, 0, 0, 0, 1, 1]
    desk.checker.forget()
    desk.checker.run()
    assert [(desk.codes(f"uuid:{number}"), desk.row(f"uuid:{number}").finished_at) for number in range(6)] == before


def test_a_correction_is_not_judged_by_the_time_of_correcting(desk: Desk) -> None:
    desk.send("uuid:1", filled(NOW), received_at=NOW + timedelta(minutes=1))
    answers = filled(NOW) | {"end": (NOW + timedelta(days=9)).isoformat()}
    desk.send("uuid:2", answers, deprecated_id="uuid:1")
    desk.change("uuid:1", received_at=NOW)
    desk.checker.run()
    assert "time_duration" not in desk.codes("uuid:1")


@given(delays=st.lists(MINUTES, min_size=QUICKEST, max_size=RECENT), wrong=st.integers(11, 2000))
def test_a_clock_that_is_ahead_is_told_to_the_minute_once_three_records_were_sent_at_once(
    delays: list[timedelta], wrong: int
) -> None:
    delays = [*delays, timedelta(), timedelta(), timedelta()][-RECENT + 1 :]
    error = timedelta(minutes=wrong)
    before = [sent(number + 1, lag=delay - error) for number, delay in enumerate(delays)]
    end = (RECEIVED + error).isoformat(timespec="milliseconds")
    assert ahead(case({"end": end}, earlier=before)) == error


@given(lags=st.lists(MINUTES, max_size=12), offset=st.none() | st.integers(-90_000, 90_000), late=MINUTES)
def test_a_record_is_never_finished_after_it_came_unless_its_phone_says_so(
    lags: list[timedelta], offset: int | None, late: timedelta
) -> None:
    before = [sent(number + 1, lag=lag) for number, lag in enumerate(lags)]
    one = case({"end": (RECEIVED - late).isoformat(timespec="milliseconds")}, earlier=before, clock_offset=offset)
    assert one.finished_at is not None
    if offset is None:
        assert one.finished_at <= RECEIVED + NO_MATTER
        assert ahead(one) == timedelta()  # lags are not negative: nothing speaks against the clock
    else:
        assert one.finished_at == RECEIVED - late - timedelta(seconds=offset)
