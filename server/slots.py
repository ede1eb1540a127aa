"""Cron slots: when a schedule fires, and which slot was the last."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

_LOOK_BACK = (timedelta(hours=1), timedelta(days=1), timedelta(days=8), timedelta(days=32), timedelta(days=366))
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def trigger(schedule: str) -> Any:
    """The cron trigger; days of the week count from Sunday = 0, as cron has it. Raises ValueError."""
    from apscheduler.triggers.cron import CronTrigger

    *fields, weekday = schedule.split()
    names = re.sub(r"(?<![/\w])\d", lambda digit: _WEEKDAYS[int(digit[0])], weekday)
    return CronTrigger.from_crontab(" ".join([*fields, names]))


def newest_slot(cron: Any, now: datetime, after: datetime) -> datetime | None:
    """The newest moment at or before `now` and later than `after` when the trigger fires (UTC), or None."""
    for span in _LOOK_BACK:
        start = max(now - span, after + timedelta(microseconds=1))
        slot, moment = None, cron.get_next_fire_time(None, start)
        while moment is not None and moment <= now:
            slot, moment = moment, cron.get_next_fire_time(moment, moment + timedelta(seconds=1))
        if slot is not None:
            return datetime.fromtimestamp(slot.timestamp(), UTC)
        if start > now - span:
            return None
    return None
