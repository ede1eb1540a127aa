"""Days of the Solar and the Lunar Hijri calendar in the Gregorian one.

The Solar one by the cycle of 33 years (right for 1178 to 1633, as in ICU's `PersianCalendar`), the Lunar one by the tabular
calendar, which may be a day or two off the one that is seen.
"""

from datetime import date

_ORDINAL_OF_JULIAN_DAY = 1_721_425
_SOLAR_EPOCH, _LUNAR_EPOCH = 1_948_319, 1_948_055
_LONG_MONTHS = 6  # of 31 days; then 30


def from_solar_hijri(year: int, month: int, day: int) -> date | None:
    """The Gregorian day; None for a day that does not exist."""
    if not (1178 <= year <= 1633 and 1 <= month <= 12 and 1 <= day <= (31 if month <= _LONG_MONTHS else 30)):
        return None
    if (month, day) == (12, 30) and year % 33 not in {1, 5, 9, 13, 17, 22, 26, 30}:
        return None
    before = 31 * (month - 1) - max(0, month - 1 - _LONG_MONTHS)
    julian = _SOLAR_EPOCH + 365 * (year - 1) + (8 * year + 21) // 33 + before + day
    return date.fromordinal(julian - _ORDINAL_OF_JULIAN_DAY)


def to_solar_hijri(day: date) -> tuple[int, int, int]:
    """Year, month and day of a Gregorian day from 1800 to 2250."""
    year = day.year - 621
    start = from_solar_hijri(year, 1, 1)
    if start is None or day < start:
        year -= 1
        start = from_solar_hijri(year, 1, 1)
    if start is None:
        raise ValueError(f"The Solar Hijri calendar is not known for {day}.")
    passed = (day - start).days
    long = 31 * _LONG_MONTHS
    month, rest = divmod(passed, 31) if passed < long else divmod(passed - long, 30)
    return year, month + 1 + (0 if passed < long else _LONG_MONTHS), rest + 1


def from_lunar_hijri(year: int, month: int, day: int) -> date | None:
    """The Gregorian day, give or take two; None for a day that does not exist."""
    if not (1 <= year <= 1633 and 1 <= month <= 12 and 1 <= day <= 30):
        return None
    julian = _LUNAR_EPOCH + (11 * year + 3) // 30 + 354 * year + 30 * month - (month - 1) // 2 + day
    return date.fromordinal(julian - _ORDINAL_OF_JULIAN_DAY)
