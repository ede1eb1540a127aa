"""The fixed windows of time that releases cover: two years up to the end of a quarter, so that no two windows differ by days."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from exports.privacy import Level

MONTHS = 24
_YEAR = 12
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Window:
    """Days from `start` to `end`, both counted."""

    start: date
    end: date

    @property
    def days(self) -> tuple[int, int]:
        """First and last day, counted from 1970-01-01."""
        return (self.start - EPOCH).days, (self.end - EPOCH).days

    @property
    def name(self) -> str:
        """The window as part of a file name, such as 2024Q3-2026Q2."""
        return f"{_quarter(self.start)}-{_quarter(self.end)}"

    @property
    def release(self) -> str:
        """What a release is named after: the quarter in which it ends, such as 2026Q2, or its one calendar year, 2025."""
        return str(self.end.year) if self.months == _YEAR else _quarter(self.end)

    @property
    def months(self) -> int:
        """How many months it has."""
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month + 1


def window_for(today: date, level: Level) -> Window:
    """Give the newest window whose last day lies before today, and behind the embargo of the level."""
    newest = min(today - timedelta(days=1), today - timedelta(days=level.embargo_days))
    year, quarter = newest.year, (newest.month - 1) // 3 + 1
    end = _last_day(year, quarter * 3)
    if end > newest:
        year, quarter = (year, quarter - 1) if quarter > 1 else (year - 1, 4)
        end = _last_day(year, quarter * 3)
    start = end + timedelta(days=1)
    return Window(start.replace(year=start.year - MONTHS // 12), end)


def year_for(today: date, level: Level) -> Window:
    """Give the newest calendar year whose last day lies before today, and behind the embargo of the level."""
    newest = min(today - timedelta(days=1), today - timedelta(days=level.embargo_days))
    year = (newest + timedelta(days=1)).year - 1
    return Window(date(year, 1, 1), date(year, 12, 31))


def _last_day(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _quarter(day: date) -> str:
    return f"{day.year}Q{(day.month - 1) // 3 + 1}"
