"""Whether a record can have happened, and been filled in, when it says. What needs other records of the phone is in `devices`."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone

from forms.calendars import from_lunar_hijri, from_solar_hijri
from forms.datatypes import calendar_day, instant
from forms.spelling import ascii_digits
from records.flags import Flag, flag
from sync.checks.case import Asked, Case, as_day
from sync.checks.devices import NO_MATTER, ahead

FUTURE = timedelta(hours=24)
"""A day more is no matter of time zones or clocks: the date is wrong."""
OLD = timedelta(days=366)
"""Losses are reported within a year; an older date is mostly last year's habit, or another calendar."""
LAG, LATE = timedelta(days=30), timedelta(days=180)
"""A month without a signal is common in summer pastures; after half a year nothing on the spot can be verified."""
SECONDS_PER_ANSWER, LEAST_SECONDS = 2, 60
"""Nobody reads a question and answers it in two seconds. Sixty are asked of a long form, less of a short one."""
LONGEST = timedelta(hours=24)
"""An interview is over on its day."""
BORDER_KM = 20.0
"""Phones there take their time from the other side."""
EVENTS = {"event_date", "event_time", "obs_time", "visit_time", "check_date", "date_from", "start_date", "start_time"}
"""Questions for the day of an event. Others ask for the day of a claim or of birth, or where a period began: may be long ago."""
ORDERS = (
    ("event_date", "found_date"), ("claim_date", "decision_date"), ("decision_date", "paid_date"), ("claim_date", "paid_date"),
    ("arrive", "leave"), ("date_from", "date_to"), ("period_from", "period_to"), ("start_time", "end_time"),
)  # fmt: skip
"""Questions of which the first comes first."""
DAYS_LONG = {"patrol_effort"}
"""Forms that are kept open while what they are about goes on."""
OFFSETS = {
    "AF": {270}, "AM": {240}, "AZ": {240}, "GE": {240}, "IR": {210, 270}, "IQ": {180}, "KZ": {300, 360}, "PK": {300}, "RU": {180},
    "TJ": {300}, "TM": {300}, "TR": {180}, "UZ": {300},
}  # fmt: skip
"""Minutes east of UTC (IANA time zone database, since 2021; Russia: the Caucasus). Iran had summer time until 2022, Kazakhstan two
zones until 2024.
"""
HIJRI = range(1300, 1501)
_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?=\D|$)")
_EAST = timezone(timedelta(hours=14))


def asked_times(case: Case) -> list[Asked]:
    """The answers to questions for a date or a time that people gave."""
    return [each for each in case.asked if each.question.type in {"date", "dateTime"} and each.question.control]


def asked_day(case: Case) -> Asked | None:
    """The question that gave the record its day; None when it was the phone."""
    return next((each for each in asked_times(case) if isinstance(each.value, str) and calendar_day(each.value)), None)


def earliest(case: Case, asked: Asked) -> datetime:
    """The first moment that an answer may mean: of a day its beginning where the phone was."""
    moment = instant(asked.value)
    if moment is not None and moment.tzinfo is not None:
        return moment - ahead(case)
    zones = (noted.tzinfo for noted in (case.moment("start"), case.moment("end")) if noted is not None)
    return datetime.combine(as_day(asked.value) or date.max, time(), next(zones, _EAST))


def in_future(case: Case) -> Iterator[Flag]:
    """The day of the event lies after the arrival of the record."""
    if case.event_date is None:
        return
    asked = asked_day(case)
    begins = datetime.combine(case.event_date, time(), _EAST) if asked is None else earliest(case, asked)
    path, lead = asked.path if asked is not None else "", begins - case.received_at
    if lead > FUTURE:
        received = case.received_at.astimezone(UTC).isoformat(timespec="seconds")
        yield flag("time_future", path, day=case.event_date.isoformat(), received=received)
    elif lead > NO_MATTER and asked is not None:
        yield flag("time_ahead", path, seconds=round(lead.total_seconds()))


def other_calendar(case: Case) -> Iterator[Flag]:
    """A year that is one of the Solar or Lunar Hijri calendar, in whatever digits."""
    for asked in asked_times(case):
        found = _DAY.match(ascii_digits(asked.value).strip()) if isinstance(asked.value, str) else None
        if found is None or int(found[1]) not in HIJRI:
            continue
        parts = (int(found[1]), int(found[2]), int(found[3]))
        candidates = [day for day in (from_solar_hijri(*parts), from_lunar_hijri(*parts)) if day is not None]
        latest = case.received_at.date() + FUTURE
        likely = max((day for day in candidates if day <= latest), default=None)
        yield flag("time_calendar", asked.path, text=asked.value[:40], day=likely.isoformat() if likely else "?")


def long_ago(case: Case) -> Iterator[Flag]:
    """The event was long before the form was filled in, or came late."""
    asked = asked_day(case)
    if asked is None or case.event_date is None or asked.question.name not in EVENTS or case.event_date.year in HIJRI:
        return
    filled_in = (case.finished_at or case.received_at).date()
    if filled_in - case.event_date > OLD:
        yield flag("time_old", asked.path, day=case.event_date.isoformat())
        return
    lag = case.received_at.date() - case.event_date
    if lag > LAG:
        yield flag("time_late" if lag > LATE else "time_lag", asked.path, seconds=round(lag.total_seconds()))


def order(case: Case) -> Iterator[Flag]:
    """An end before its beginning, unless the form itself complained."""
    known = {each.question.name: each for each in asked_times(case) if "[" not in each.path}
    complained = {item["path"] for item in case.flags if item["code"] == "constraint"}
    for names in ORDERS:
        first, second = (known.get(name) for name in names)
        if first is None or second is None or complained & {first.path, second.path} or not _is_before(second.value, first.value):
            continue
        days = {"first_day": str(first.value)[:40], "second_day": str(second.value)[:40]}
        yield flag("time_order", second.path, first_question=first.path, second_question=second.path, **days)
        return
    began, ended = case.moment("start"), case.moment("end")
    if began is not None and ended is not None and ended < began:
        yield flag(
            "time_order",
            first_question="start",
            second_question="end",
            first_day=began.isoformat(timespec="seconds"),
            second_day=ended.isoformat(timespec="seconds"),
        )


def _is_before(one: object, other: object) -> bool:
    """Whether the first of two answers comes first: by the moment where both have one, else by the day."""
    first, second = (instant(value) if isinstance(value, str) else None for value in (one, other))
    if first is None or second is None:
        return False
    if first.tzinfo is None or second.tzinfo is None:  # a day has no zone
        return first.date() < second.date()
    return first < second


def duration(case: Case) -> Iterator[Flag]:
    """Filled in quicker than one can read, or over more than a day. A correction's end is that of the correction."""
    began, ended = case.moment("start"), case.moment("end")
    if began is None or ended is None or ended < began or case.edits or case.current_instance_id != case.instance_id:
        return
    answered = sum(1 for each in case.asked if each.question.control)
    spent = ended - began
    too_long = spent > LONGEST and case.form_id not in DAYS_LONG
    if too_long or spent.total_seconds() < min(LEAST_SECONDS, SECONDS_PER_ANSWER * answered):
        yield flag("time_duration", seconds=round(spent.total_seconds()))


def zone(case: Case) -> Iterator[Flag]:
    """The phone's time zone is none of the country, nor of a neighbour at the border."""
    noted = case.moment("end") or case.moment("start")
    offset = noted.utcoffset() if noted is not None else None
    if offset is None or case.country not in OFFSETS or case.point is None or case.land is None:
        return
    minutes = int(offset.total_seconds() // 60)
    if minutes in OFFSETS[case.country]:
        return
    near = case.land.countries_within(*case.point, BORDER_KM)
    if not any(minutes in OFFSETS.get(country, ()) for country in near):
        sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
        yield flag("time_zone", zone=f"UTC{sign}{hours:02}:{rest:02}", country=case.country)


CHECKS = (in_future, other_calendar, long_ago, order, duration, zone)
