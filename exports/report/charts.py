"""Trends: attacks per month by quarter and by year, with their limits, for the area and small for each country.

Time runs to the right in every language.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from exports.indicators.slices import Period
from exports.report import svg
from exports.report.document import Figure
from exports.report.language import Language
from exports.report.numbers import Numbers, Value

WIDTH = 460.0
DOT, LIMITS, GRID = "#8c1414", "#c98b6b", "#dcdfdd"
FEWEST_YEARS = 2
_BOX = (46.0, 32.0, WIDTH - 60, 158.0)
"""Left, top, width and height of a chart of its own."""
_COLUMNS, _GAP = 2, 22.0


def trend(numbers: Numbers, _: Language) -> Figure | None:
    """Attacks per month by quarter; nothing where no quarter is told."""
    rates = numbers.rates(numbers.area)
    if not rates:
        return None
    height = 236.0
    parts = [_axis(_), *_panel(numbers.quarters, rates, _, _BOX, size=13)]
    return Figure(svg.drawing(WIDTH, height, parts), _caption(_), _in_words(rates, _))


def over_years(numbers: Numbers, _: Language) -> Figure | None:
    """Attacks per month by whole calendar year; nothing where fewer than two years are told."""
    names = numbers.years
    rates = {name: value for name, value in numbers.told("I-CON-1", "attacks_per_month", numbers.area).items() if name in names}
    if len(rates) < FEWEST_YEARS:
        return None
    years = [Period(name, date(int(name), 1, 1), date(int(name), 12, 31)) for name in names]
    parts = [_axis(_), *_panel(years, rates, _, _BOX, size=13)]
    caption = _(
        "Attacks by leopards per month in each whole year. Only months with a report, or a report of nothing, are counted. The bar "
        "shows between which numbers the true one is likely to be (95 of 100)."
    )
    return Figure(svg.drawing(WIDTH, 236.0, parts), caption, _in_words(rates, _))


def _axis(_: Language) -> str:
    """What the numbers beside a chart count."""
    return svg.text(6, 16, _("Attacks a month"), size=13, fill=svg.FAINT)


def small_multiples(numbers: Numbers, _: Language) -> Figure | None:
    """The same for every country that has a told quarter."""
    found = {country: numbers.rates(country) for country in numbers.countries}
    told = {country: rates for country, rates in found.items() if rates}
    if len(told) < 2:
        return None
    wide, high = (WIDTH - _GAP) / _COLUMNS, 140.0
    parts: list[str] = []
    names = sorted(told, key=lambda code: (-sum(value.n for value in told[code].values()), code))
    for number, country in enumerate(names):
        column = number % _COLUMNS
        x = (_COLUMNS - 1 - column if _.right_to_left else column) * (wide + _GAP)
        y = number // _COLUMNS * high
        parts.append(svg.text(x + wide / 2, y + 15, _.country(country), size=13, anchor="middle", font_weight="bold"))
        box = (x + 34, y + 24, wide - 40, high - 66)
        parts.extend(_panel(numbers.quarters, told[country], _, box, size=11))
    caption = _("Attacks per month by country, each on a scale of its own. Countries of which nothing may be told are not drawn.")
    words = "; ".join(f"{_.country(country)}: {_in_words(told[country], _)}" for country in names)
    return Figure(svg.drawing(WIDTH, math.ceil(len(names) / _COLUMNS) * high, parts), caption, words)


def _panel(
    quarters: Sequence[Period],
    rates: Mapping[str, Value],
    _: Language,
    box: tuple[float, float, float, float],
    *,
    size: float,
) -> Iterator[str]:
    """One chart into a box (left, top, width, height)."""
    left, upper, width, height = box
    top = _top(rates.values())
    step, ground = width / len(quarters), upper + height
    for part in (0, 0.5, 1):
        y = ground - part * height
        yield svg.line(left, y, left + width, y, stroke=GRID, stroke_width=1.0)
        yield svg.text(left - 6, y + 4, _.number(top * part), size=size, anchor="end", fill=svg.FAINT)
    for number, quarter in enumerate(quarters):
        x = left + step * (number + 0.5)
        is_first = number == 0 and (len(quarters) < 2 or quarters[1].name[-1] != "1" or step > 3 * size)
        yield from _below(quarter, x, ground, size, _, is_first=is_first)
        value = rates.get(quarter.name)
        if value is None or value.value is None:
            yield svg.text(x, ground - 5, "–", size=size, anchor="middle", fill=svg.FAINT)
            continue
        low, middle, high = (
            ground - min(each if each is not None else value.value, top) / top * height
            for each in (value.lower, value.value, value.upper)
        )
        yield svg.line(x, low, x, high, stroke=LIMITS, stroke_width=min(7.0, step / 3), stroke_linecap="round")
        yield svg.circle(x, middle, min(4.5, step / 4), fill=DOT)


def _below(period: Period, x: float, ground: float, size: float, _: Language, *, is_first: bool) -> Iterator[str]:
    """The number of a quarter below the axis, and the year below its first one; of a year only that."""
    number = "" if period.is_year else period.name[-1]
    if number:
        yield svg.text(x, ground + size + 5, _.digits(number), size=size, anchor="middle", fill=svg.FAINT)
    if number in ("", "1") or is_first:
        y = ground + size + 5 + (size + 4 if number else 0)
        yield svg.text(x, y, _.digits(str(period.start.year)), size=size, anchor="middle", font_weight="bold")


def _top(values: Iterable[Value]) -> float:
    """A round number that nearly all limits are below: no limit may squeeze the values to nothing."""
    found = list(values)
    most = max(min(each.upper or each.value or 0.0, 2.5 * max(one.value or 0.0 for one in found)) for each in found)
    size = 10 ** math.floor(math.log10(most)) if most > 0 else 1.0
    return next(size * each for each in (1, 2, 4, 6, 10) if size * each >= most) if most > 0 else 1.0


def _caption(_: Language) -> str:
    return _(
        "Attacks by leopards per month in each quarter of a year (1: January to March). Only months with a report, or a report of "
        "nothing, are counted. The bar shows between which numbers the true one is likely to be (95 of 100). A dash: "
        "nothing was told, or it would tell of fewer than 5 households."
    )


def _in_words(rates: Mapping[str, Value], _: Language) -> str:
    told = (
        _("{period}: {value}", period=_.period(name), value=_.number(each.value or 0.0)) for name, each in sorted(rates.items())
    )
    return _(", ").join(told)
