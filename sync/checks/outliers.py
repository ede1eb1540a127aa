"""Checks of numbers against those of other records: how many animals, how large a group, what an animal is worth.

A record is compared with those that came before the second in which it came, within three years, the newest 500 at most. So what is
flagged does not depend on what comes later, looking again finds the same, and records that come in a flood share one look at the
others. Numbers lie about log-normally, so ln(1 + x) is compared, by median and median absolute deviation (MAD), which single
slips cannot move: z = (ln(1 + x) - median) / (1.4826 MAD) (Iglewicz and Hoaglin, "How to detect and handle outliers", 1993). Only
numbers that are too large are odd: to lose one animal is never. Values are odd on both sides.
"""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, bindparam, select

from forms.numbers import TOMAN
from records.flags import Flag, flag
from records.models import Measure
from sync.checks.case import Case, Measured
from sync.checks.measures import GROUP, KILLED, VALUE
from sync.checks.values import whole

MEMORY = timedelta(days=3 * 365.25)
MOST_COMPARED = 500
FEWEST = {KILLED: 30, GROUP: 30, VALUE: 10}
"""Below so many others, nothing is said."""
FARTHEST_Z = {KILLED: 5.0, GROUP: 3.09}
"""3.09 is the 99.9th percentile."""
NARROWEST = 0.35
"""The deviation is taken to be at least so much: where most attacks kill one animal the MAD is zero, yet only eleven are odd."""
MOST_TIMES = 8.0
LIKE_TOMAN = (0.7 * TOMAN, 1.4 * TOMAN)
_KEPT = 256
_BEFORE = (
    select(Measure.value)
    .where(
        Measure.project_id == bindparam("project_id"),
        Measure.kind == bindparam("kind"),
        Measure.subject == bindparam("subject"),
        Measure.received_at >= bindparam("since"),
        Measure.received_at < bindparam("until"),
    )
    .order_by(Measure.received_at.desc())
    .limit(MOST_COMPARED)
)


class Usual(NamedTuple):
    """What others say: how many they are, median and deviation of ln(1 + x)."""

    size: int
    middle: float
    deviation: float

    @property
    def number(self) -> float:
        """The usual number itself."""
        return math.expm1(self.middle)


_Key = tuple[int, str, str, datetime]
_USUAL: WeakKeyDictionary[Engine, dict[_Key, Usual]] = WeakKeyDictionary()


def outliers(connection: Connection, case: Case) -> Iterable[Flag]:
    """Numbers far from those of other records."""
    for each in case.measures:
        if each.kind not in FEWEST:
            continue
        usual = _usual(connection, case, each)
        if usual.size >= FEWEST[each.kind]:
            yield from _value(case, each, usual) if each.kind == VALUE else _number(each, usual)


def _number(each: Measured, usual: Usual) -> Iterator[Flag]:
    if math.log1p(each.value) - usual.middle > FARTHEST_Z[each.kind] * usual.deviation:
        number, typical = whole(each.value), round(usual.number)
        if each.kind == KILLED:
            yield flag("count_outlier", each.path, livestock=each.name, number=number, usual=typical)
        else:
            yield flag("count_group", each.path, prey=each.name, number=number, usual=typical)


def _value(case: Case, each: Measured, usual: Usual) -> Iterator[Flag]:
    """A value, told in the currency of the answer."""
    times = each.value / usual.number if usual.number > 0 else 1.0
    if 1 / MOST_TIMES <= times <= MOST_TIMES:
        return
    currency = case.text("losses_g", "currency")
    unit = TOMAN if currency == "IRT" else 1
    is_mistaken = currency in {"IRR", "IRT"} and LIKE_TOMAN[0] <= max(times, 1 / times) <= LIKE_TOMAN[1]
    yield flag(
        "value_toman" if is_mistaken else "value_outlier",
        each.path,
        livestock=each.name,
        currency=currency,
        amount=whole(each.value / unit),
        usual_amount=float(f"{usual.number / unit:.2g}"),
    )


def _usual(connection: Connection, case: Case, each: Measured) -> Usual:
    """What came before; kept in mind, because records that come together are compared with the same others."""
    until = case.received_at.replace(microsecond=0)
    known = _USUAL.setdefault(connection.engine, {})
    key = (case.project_id, each.kind, each.subject, until)
    if key not in known:
        if len(known) >= _KEPT:
            known.clear()
        subject = {"project_id": case.project_id, "kind": each.kind, "subject": each.subject}
        known[key] = summary(connection.scalars(_BEFORE, {**subject, "since": until - MEMORY, "until": until}).all())
    return known[key]


def summary(numbers: Iterable[float]) -> Usual:
    """Median and deviation of these numbers."""
    logs = [math.log1p(number) for number in numbers]
    if not logs:
        return Usual(0, 0.0, NARROWEST)
    middle = median(logs)
    return Usual(len(logs), middle, max(1.4826 * median(abs(each - middle) for each in logs), NARROWEST))
