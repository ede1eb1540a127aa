"""Each check of a record alone: what provokes it, and what nearly does. A good record provokes none."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from shapely.geometry import Point, box, mapping

from records.flag_kinds.place import PLACE
from records.flag_kinds.text_and_files import TEXT_AND_FILES
from records.flag_kinds.time import TIME
from records.flags import Flag
from records.study_areas import StudyAreas
from sync.checks import devices, pictures, place, time, words
from sync.checks.case import Case, Shown, Training
from tests.support.cases import RECEIVED, case, codes, sent

CHECKS = (*place.CHECKS, *time.CHECKS, *words.CHECKS, *devices.CHECKS, *pictures.CHECKS, words.test)
AREAS = StudyAreas({"KH-1": mapping(box(51.0, 35.0, 51.4, 35.9)), "office": mapping(Point(51.40, 35.70))})
NEEDS_OTHER_RECORDS = {"picture_reused"}


def found(one: Case) -> list[Flag]:
    return [item for check in CHECKS for item in check(one)]


def here(text: str, **more: Any) -> dict[str, Any]:
    return {"where": {"loc_method": "here", "event_gps": text}, **more}


def on(day: str, **more: Any) -> dict[str, Any]:
    return {"when": {"event_date": day, **more}}


def said(text: str) -> dict[str, Any]:
    return {"remarks": text}


def times(start: str, end: str) -> dict[str, Any]:
    return {"start": f"2026-05-0{start}.000+03:30", "end": f"2026-05-0{end}.000+03:30"}


def late(days: int) -> dict[str, Any]:
    return {"received_at": RECEIVED + timedelta(days=days)}


def ahead_by(minutes: float, count: int = 3) -> list[Any]:
    return [sent(number, lag=timedelta(minutes=-minutes)) for number in range(1, count)]


HOUR_AGO = RECEIVED - timedelta(hours=1)
NOW = {"start": "2026-05-03T11:00:00+03:30", "end": "2026-05-03T11:20:00+03:30"}  # finished ten minutes before it was received
MASHHAD = {"point": (36.3, 59.6), "finished_at": HOUR_AGO, "began_at": HOUR_AGO - timedelta(minutes=20)}
SHIRAZ_AFTER = {"point": (29.6, 52.5), "finished_at": RECEIVED + timedelta(hours=2), "began_at": RECEIVED + timedelta(hours=1)}
REPLACED = ("2", datetime(2026, 4, 20, tzinfo=UTC))

AREA = {"areas": AREAS}
NO_FIX = {"earlier": [sent(1, **MASHHAD | {"accuracy": None})]}
SLOWLY = {"earlier": [sent(1, **MASHHAD | {"began_at": RECEIVED - timedelta(hours=6)})]}


def seen_at(time_of_day: str, day: int = 3) -> dict[str, Any]:
    return {"when": None, "obs_time": f"2026-05-0{day}T{time_of_day}:00+03:30"}


def taught(days_before: int) -> dict[str, Any]:
    """A training of two days that began so many days before the event, a kilometre or so from it."""
    first = date(2026, 5, 1) - timedelta(days=days_before)
    return {"trainings": [Training((35.72, 51.412345), first, first + timedelta(days=1))]}


def ended(zone: str) -> dict[str, Any]:
    return {"start": None, "end": f"2026-05-02T10:20:00+{zone}"}


def taken_at(latitude: float) -> dict[str, Any]:
    return {"pictures": [Shown("a.jpg", "0", None, (latitude, 51.41))]}


CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    # code, answers and circumstances that provoke it, answers and circumstances that nearly do
    ("location_null_island", here("0.0 0.0 0 5"), {}, here("35.7123 51.4 0 5"), {}),
    ("location_range", here("95.1 51.4 0 5"), {}, here("35.71234 51.412345 0 5"), {}),
    ("location_range", here("35.7 181.0 0 5"), {}, here("unreadable"), {}),
    ("location_range", here("۹۵٫۱ ۵۱٫۴ ۰ ۵"), {}, here("۳۵٫۷ ۵۱٫۴ ۰ ۵"), {}),
    ("location_range", here("nan nan 0 5"), {}, here(""), {}),
    ("location_swapped", here("51.412345 35.712345 1100 5"), {}, here("44.512345 40.182345 990 5", country="IR"), {}),
    ("location_swapped", here("44.512345 40.182345 990 5", country="AM"), {}, here("44.512345 40.182345 990 5", country=None), {}),
    ("location_water", here("39.512345 50.912345 -28 5"), {}, here("36.692345 51.412345 0 5"), {}),
    ("location_outside", here("46.012345 8.912345 400 5"), {}, here("37.561234 55.712345 400 5", country="IR"), {}),
    ("location_country", here("40.182345 44.512345 990 5"), {}, here("38.846234 46.212345 990 5", country="AM"), {}),
    ("location_coarse", here("35.712345 51.412345 1100 501"), {}, here("35.712345 51.412345 1100 500"), {}),
    ("location_accuracy_missing", here("35.712345 51.412345"), {}, here("35.712345 51.412345 0 1"), {}),
    ("location_map", here("35.712345 51.412345 0.0 0.0"), {}, here("35.712345 51.412345 0.0 0.1"), {}),
    ("location_map", {"where": {"loc_method": "map", "event_gps": None, "event_map": "35.712345 51.412345"}}, {}, {}, {}),
    ("location_named", {"where": {"loc_method": "named", "event_gps": None, "place_name": "پلور"}}, {}, {}, {}),
    ("location_rounded", here("35.71 51.40 1100 5"), {}, here("35.71 51.401 1100 5"), {}),
    ("location_elevation", here("35.712345 51.412345 6501 5"), {}, here("35.712345 51.412345 6500 5"), {}),
    ("location_elevation", here("35.712345 51.412345 -101 5"), {}, here("36.712345 51.412345 -90 5"), {}),
    ("location_area", here("35.712345 51.712345 0 5", area_code="kh۱"), AREA, {"area_code": "KH-1"}, AREA),
    ("location_area", here("35.5 51.76 0 5", area_code="KH1"), AREA, here("35.5 51.76 0 5", area_code="KH2"), AREA),
    (
        "location_repeated",
        {},
        {"earlier": [sent(number, point=(35.712345, 51.412345)) for number in range(1, 5)]},
        {},
        {"earlier": [sent(number, point=(35.712345, 51.412345)) for number in range(1, 4)]},
    ),
    (
        "location_repeated",
        on("2026-04-01"),
        {"earlier": [sent(number, point=(35.7123452, 51.4123449)) for number in range(1, 5)]},
        on("2026-05-01"),
        {"earlier": [sent(n, point=(35.712345, 51.412345), event_date=RECEIVED.date() - timedelta(2)) for n in range(1, 5)]},
    ),
    ("location_jump", NOW, {"earlier": [sent(1, **MASHHAD)]}, NOW, NO_FIX),
    ("location_jump", NOW, {"earlier": [sent(1, **SHIRAZ_AFTER)]}, NOW, SLOWLY),
    ("time_future", on("2026-05-06"), {}, on("2026-05-04"), {}),
    ("time_future", seen_at("12:00", day=4), {}, seen_at("11:00", day=4), {}),
    ("time_ahead", on("2026-05-04"), {}, on("2026-05-03"), {}),
    ("time_ahead", seen_at("11:41"), {}, seen_at("11:39"), {}),
    ("time_ahead", seen_at("13:00"), {}, seen_at("13:00"), {"clock_offset": 7200}),
    ("time_calendar", on("1405-02-11"), {}, on("2026-05-01"), {}),
    ("time_calendar", on("۱۴۰۵/۲/۳۱"), {}, on("1299-12-29"), {}),
    ("time_old", on("2025-04-30"), {}, on("2025-05-01"), {}),
    ("time_lag", {}, late(30), {}, late(28)),
    ("time_late", {}, late(180), {}, late(178)),
    ("time_order", on("2026-05-01", found_date="2026-04-30"), {}, on("2026-05-01", found_date="2026-05-01"), {}),
    ("time_order", times("2T10:20:00", "2T10:00:00"), {}, times("2T10:00:00", "2T10:20:00"), {}),
    ("time_duration", times("2T10:00:00", "2T10:00:10"), {}, times("2T10:00:00", "2T10:00:20"), {}),
    ("time_duration", times("1T10:00:00", "2T10:00:01"), {}, times("1T10:00:00", "2T10:00:00"), {}),
    ("time_duration", times("1T10:00:00", "2T10:00:01"), {}, times("1T10:00:00", "2T10:00:01"), {"current_instance_id": "uuid:2"}),
    ("time_zone", ended("05:00"), {}, ended("04:30"), {}),
    ("time_zone", ended("09:00"), {}, here("39.982345 44.152345 990 5") | ended("04:00"), {}),
    ("time_skew", {}, {"clock_offset": 3600}, {}, {"clock_offset": 600}),
    ("time_skew", {"end": "2026-05-03T11:41:00+03:30"}, {}, {"end": "2026-05-03T11:39:00+03:30"}, {}),
    ("time_skew", {}, {"earlier": ahead_by(60, 5)}, {}, {"earlier": ahead_by(60, 2)}),
    ("test", {"submission_purpose": "test"}, {}, {}, {}),
    ("test_like", said("TEST!"), {}, said("the DNA test failed"), {}),
    ("test_like", said("تست ۲"), {}, said("تستر"), {}),
    ("test_like", here("35.7012 51.4012 1100 5"), AREA, here("35.7112 51.4012 1100 5"), AREA),
    ("test_like", {}, taught(1), {}, taught(3)),
    ("text_personal", said("زنگ بزنید ۰۹۱۲ ۳۴۵ ۶۷۸۹"), {}, said("1200 sheep, 350 goats"), {}),
    ("text_personal", said("call +98 912 345 6789 please"), {}, said("at 35.712345, 51.412345"), {}),
    ("text_personal", said("melli 0012345679"), {}, said("tag 0012345678"), {}),
    ("text_personal", {"seen": [{"animal": "of 35202-1234567-1"}]}, {}, {"reporter": {"claim_ref": "09123456789"}}, {}),
    ("text_personal", said("tel 0532 123 45 67"), {}, {"code": "09123456789", "reporter": {"owner_contact": "09123456789"}}, {}),
    ("version_superseded", {}, {"replaced": REPLACED}, {}, {"replaced": ("2", datetime(2026, 4, 26, tzinfo=UTC))}),
    ("picture_missing", {}, {"missing": ["a.jpg"]}, {}, {"files": ["a.jpg"]}),
    ("picture_elsewhere", {}, taken_at(35.76), {}, taken_at(35.75)),
]  # fmt: skip


def test_a_good_record_provokes_nothing() -> None:
    assert found(case()) == []


@pytest.mark.parametrize(("code", "answers", "around", "near", "near_around"), CASES)
def test_each_check_is_provoked_and_nearly_provoked(
    code: str, answers: dict[str, Any], around: dict[str, Any], near: dict[str, Any], near_around: dict[str, Any]
) -> None:
    assert codes(found(case(answers, **around))).count(code) == 1
    assert code not in codes(found(case(near, **near_around)))


def test_every_kind_of_these_files_is_provoked() -> None:
    assert {code for code, *_ in CASES} | NEEDS_OTHER_RECORDS == {*PLACE, *TIME, *TEXT_AND_FILES}


def test_of_a_position_outside_one_reason_is_told() -> None:
    outside = {"location_null_island", "location_swapped", "location_water", "location_outside", "location_range"}
    for code, answers, around, *_ in CASES:
        if code in outside:
            assert [each for each in codes(found(case(answers, **around))) if each in outside] == [code]


def test_a_swapped_point_comes_with_the_right_one_and_its_country() -> None:
    item = next(item for item in found(case(here("51.412345 35.712345 1100 5"))) if item["code"] == "location_swapped")
    assert item["values"] == {"point": "35.712345, 51.412345", "country": "IR"}
    assert item["path"] == "where/event_gps"


def test_a_date_of_the_solar_calendar_comes_with_the_gregorian_one() -> None:
    (item,) = (item for item in found(case(on("۱۴۰۵-۰۲-۱۱"))) if item["code"] == "time_calendar")
    assert item["values"]["day"] == "2026-05-01"


def test_what_the_form_itself_complained_of_is_not_told_twice() -> None:
    complained: list[Flag] = [{"code": "constraint", "path": "when/found_date", "message": "Not before the attack."}]
    assert "time_order" not in codes(found(case(on("2026-05-01", found_date="2026-04-30"), flags=complained)))
