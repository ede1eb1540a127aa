"""By how much a phone's clock is wrong, as far as one delivery can tell.

Collect's `Date` header has an hour from 01 to 12 and no word for morning or evening (getodk/collect,
`OkHttpOpenRosaServerClientProvider`), so it stands for two moments twelve hours apart. When the record was finished, by the same
clock, chooses between them. What is found is told to the ranger as a hint and corrects nothing.
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

_SHAPE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} (\d{2}):\d{2}:\d{2} GMT", re.ASCII)
_HALF_DAY = timedelta(hours=12)
_NO_MATTER = timedelta(minutes=10)
_LIKELY = timedelta(hours=5, minutes=30)  # less than half of half a day: the other moment is then farther away
_WRONG_DATE = timedelta(days=2)
_SAME_MOMENT = timedelta(seconds=5)

Unit = Literal["minutes", "hours", "days"]


def offset(date_header: str, received_at: datetime, ended: datetime | None) -> timedelta | None:
    """How far the phone's clock is ahead of ours (negative: slow), or None where nothing can be told or nothing matters.

    `ended` is the record's own end, by the phone's clock. An offset of up to 5 h 30 min is told right or not at all, however old
    the record is; a larger one if the record was sent within twelve hours after it was finished. Within 10 minutes it is None.
    """
    moments = _moments(date_header)
    if ended is not None:
        moments = [moment for moment in moments if moment >= ended - _SAME_MOMENT]
    told = _chosen([moment - received_at for moment in moments], is_fresh=_is_fresh(moments, ended))
    return None if told is None or abs(told) <= _NO_MATTER else told


def rounded(offset: timedelta) -> tuple[int, Unit]:
    """The size of an offset as people say it: 25 minutes, 3 hours, 2 days."""
    seconds = abs(offset.total_seconds())
    if seconds < 3600 - 30:
        return round(seconds / 60), "minutes"
    if seconds < 47.5 * 3600:
        return round(seconds / 3600), "hours"
    return round(seconds / 86400), "days"


def _moments(date_header: str) -> list[datetime]:
    """The moments the header may mean, earliest first; none if it is not what Collect writes."""
    found = _SHAPE.fullmatch(date_header.strip())
    if found is None:
        return []
    try:
        moment = parsedate_to_datetime(date_header).astimezone(UTC)
    except ValueError:
        return []
    hour = int(found[2])
    if hour == 0 or hour > 12:  # a client that writes 24 hours
        return [moment]
    morning = moment - _HALF_DAY if hour == 12 else moment
    return [morning, morning + _HALF_DAY]


def _is_fresh(moments: list[datetime], ended: datetime | None) -> bool:
    return ended is not None and bool(moments) and moments[0] - ended < _HALF_DAY - _SAME_MOMENT


def _chosen(offsets: list[timedelta], *, is_fresh: bool) -> timedelta | None:
    """The offset to believe, of one or of two that are twelve hours apart; `is_fresh` speaks for the first of two."""
    if len(offsets) < 2:
        return offsets[0] if offsets else None
    first, second = offsets
    if first >= _WRONG_DATE or second <= -_WRONG_DATE:  # whichever it is, the date is wrong
        return first if is_fresh or first > timedelta() else second
    is_same_direction = (first < timedelta()) == (second < timedelta())
    if is_fresh and abs(second) > _LIKELY and (abs(first) <= _LIKELY or is_same_direction):
        return first
    return None
