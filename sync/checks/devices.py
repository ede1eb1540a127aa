"""What one phone sent, one record after the other: its clock, positions that it repeats, distances that nobody travels."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select

from forms.submission import case_number
from records.flags import Flag, flag
from records.geography import km_between
from records.models import Submission
from sync.checks.case import Case, Sent, as_moment

REMEMBERED = 50
"""Records of a phone that are looked back on: some weeks of a busy ranger."""
RECENT = 9
"""Records from which a clock is judged. One that was put right is believed again after as many."""
QUICKEST = 3
"""Of these, so many that arrived soonest after they were finished: they were sent at once, so what is left is the clock's error."""
NO_MATTER = timedelta(minutes=10)
"""Phones and networks are that slow."""
WRONG_CLOCK = timedelta(days=1)
"""How much later than this record one may have been finished, by the phone's clock, and be looked back on."""
SAME_POINT = 5
"""Records with one position, to a tenth of a metre, on several days: even a phone that lies still measures a new one."""
FASTEST_KMH = 200.0
"""Faster than any car on these roads. Who flies is asked once."""
SHORTEST_KM = 5.0
"""Positions of phones jump about by less, between masts for instance."""
SHORTEST = timedelta(minutes=1)


_NAMES = ("form_id", "instance_id", "received_at", "finished_at", "event_date", "latitude", "longitude", "accuracy")
_BEFORE = (
    select(
        *(getattr(Submission, name) for name in _NAMES),
        *(Submission.answers[name].as_string().label(name) for name in ("start", "end")),
    )
    .where(Submission.project_id == bindparam("project_id"), Submission.device_id == bindparam("device_id"), Submission.edits == 0)
    .where(Submission.finished_at.is_not(None), Submission.finished_at <= bindparam("until"), Submission.deleted_at.is_(None))
    .order_by(Submission.finished_at.desc())
    .limit(REMEMBERED)
)


def follow(connection: Connection, cases: Iterable[Case]) -> None:
    """Tell each case what its device sent before it, and when it was really finished. The cases are in the order they arrived.

    Corrections are left out: their end is that of the correction.
    """
    waiting: dict[tuple[int, str], list[Case]] = {}
    for case in cases:
        if case.device_id and case.edits == 0 and case.moment("end") is not None:
            waiting.setdefault((case.project_id, case.device_id), []).append(case)
        else:
            case.finished_at = case.moment("end")
    for own in waiting.values():
        keys = {_key(case) for case in own}
        sent = deque((each for each in _history(connection, own) if each.key not in keys), maxlen=REMEMBERED + len(own))
        for case in own:
            case.earlier = [each for each in sent if each.received_at <= case.received_at]
            this = _sent(case)
            case.finished_at = this.finished_at
            sent.append(this)


def _history(connection: Connection, cases: Sequence[Case]) -> list[Sent]:
    """What the device of these cases had sent, in the order it was finished."""
    until = max(end for case in cases if (end := case.moment("end")) is not None) + WRONG_CLOCK
    of_device = {"project_id": cases[0].project_id, "device_id": cases[0].device_id, "until": until}
    return [_sent_before(row) for row in reversed(connection.execute(_BEFORE, of_device).all())]


def _sent_before(row: Any) -> Sent:
    began, ended = as_moment(row.start), as_moment(row.end)
    length = ended - began if began is not None and ended is not None else timedelta()
    lag = row.received_at - (ended or row.finished_at)
    point = (row.latitude, row.longitude) if row.latitude is not None and row.longitude is not None else None
    began_at = row.finished_at - max(length, timedelta())
    return Sent(
        (row.form_id, row.instance_id), row.received_at, began_at, row.finished_at, lag, point, row.accuracy, row.event_date
    )


def _sent(case: Case) -> Sent:
    """This case as a later one looks back on it."""
    began, ended = case.moment("start"), case.moment("end") or case.received_at
    finished_at = ended - ahead(case)
    length = max(ended - began, timedelta()) if began is not None else timedelta()
    times = (case.received_at, finished_at - length, finished_at, case.received_at - ended)
    return Sent(_key(case), *times, case.point, case.accuracy, case.event_date)


def _key(case: Case) -> tuple[str, str]:
    return case.form_id, case.instance_id


def ahead(case: Case) -> timedelta:
    """By how much the phone's clock was ahead of ours (negative: behind) when the record was finished; zero where nobody knows.

    What the phone said of its clock when it sent the record, else the running median of the smallest lags, and never so little that
    the record would have been finished after it came.
    """
    ended = case.moment("end")
    if case.clock_offset is not None:
        return timedelta(seconds=case.clock_offset)
    if ended is None:
        return timedelta()
    own = case.received_at - ended
    recent = sorted(case.earlier, key=lambda each: each.received_at)[1 - RECENT :]
    quickest = sorted([own, *(each.lag for each in recent)])[:QUICKEST]
    usual = -quickest[QUICKEST // 2] if len(quickest) == QUICKEST else -own
    told = max(usual, -own)
    return told if told > NO_MATTER else timedelta()


def wrong_clock(case: Case) -> Iterator[Flag]:
    """The phone's clock was wrong."""
    error = ahead(case)
    if abs(error) > NO_MATTER:
        yield flag("time_skew", offset_seconds=round(error.total_seconds()))


def repeated(case: Case) -> Iterator[Flag]:
    """The same device sent exactly this position on several days."""
    if case.point is None:
        return
    same = [each for each in case.earlier if each.point is not None and _exact(each.point) == _exact(case.point)]
    days = {each.event_date for each in same} | {case.event_date}
    if len(same) + 1 >= SAME_POINT and len(days) > 1:
        yield flag("location_repeated", number=len(same) + 1, case=case_number(same[-1].key[1]))


def _exact(point: tuple[float, float]) -> tuple[float, float]:
    return round(point[0], 6), round(point[1], 6)


def jumped(case: Case) -> Iterator[Flag]:
    """To the record finished before or after it lies a distance that nobody travels. Measured positions only."""
    if case.point is None or case.accuracy is None or case.finished_at is None:
        return
    began = case.moment("start") or case.finished_at
    own = (case.finished_at - max((case.moment("end") or began) - began, timedelta()), case.finished_at)
    fixes = [each for each in case.earlier if each.point is not None and each.accuracy is not None]
    before = max((each for each in fixes if each.finished_at <= own[1]), key=lambda each: each.finished_at, default=None)
    after = min((each for each in fixes if each.finished_at > own[1]), key=lambda each: each.finished_at, default=None)
    for other, longest in ((before, before and own[1] - before.began_at), (after, after and after.finished_at - own[0])):
        if other is None or other.point is None or longest is None:
            continue
        km = km_between(case.point, other.point) - (case.accuracy + (other.accuracy or 0)) / 1000
        hours = max(longest, SHORTEST) / timedelta(hours=1)
        if km > SHORTEST_KM and km / hours > FASTEST_KMH:
            seconds = round(hours * 3600)
            yield flag("location_jump", km=round(km, 1), seconds=seconds, case=case_number(other.key[1]))
            return


CHECKS = (wrong_clock, repeated, jumped)
