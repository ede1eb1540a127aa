"""The table of indicators: one row for each figure, period and area, with the reason where a figure is kept back."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from exports.indicators.catalogue import indicators
from exports.indicators.disclosure import Guard, households, said
from exports.indicators.figures import Figure, Indicator
from exports.indicators.parts import is_told
from exports.indicators.records import LeftOut
from exports.indicators.slices import Data, Slice, Sorted, slices
from exports.package.contents import Column, Table
from exports.privacy import Level, band
from exports.windows import Window
from forms.strategy import strategy

Value: TypeAlias = str | int | float | None
Row: TypeAlias = dict[str, Value]
DIGITS = 6

COLUMNS = (
    Column("indicator", "string", "", "Id of the indicator, such as I-CON-2"),
    Column("figure", "string", "", "Which of its numbers"),
    Column("of", "string", "", "Of what: species, measure, currency, audience; empty for all"),
    Column("predator", "string", "", "leopard, or any; empty where it does not matter"),
    Column("activity", "string", "", "Activities of the strategy that it serves, separated by ;"),
    Column("area", "string", "", "range: all countries with records; country: one of them"),
    Column("country", "string", "ISO 3166-1 alpha-2", "Empty for the range"),
    Column("period", "string", "", "Calendar year (2025) or quarter (2025Q3)"),
    Column("period_start", "date", "", "First day of the period"),
    Column("period_end", "date", "", "Last day of the period"),
    Column("value", "number", "unit", "The figure; empty where reason says why, and for classes"),
    Column("class", "string", "", "The class, of indicators that are one: effective, promising, unproven, harmful"),
    Column("unit", "string", "", "Unit of value, lower and upper; a currency by ISO 4217"),
    Column("lower", "number", "unit", "Lower 95 percent limit; empty where the data give none"),
    Column("upper", "number", "unit", "Upper 95 percent limit; empty where the data give none"),
    Column("n", "integer", "", "Cases it was counted from"),
    Column("n_households", "string", "households", "Different known households behind it; 5-9 or 10+ in public tables"),
    Column("n_excluded", "string", "records", "Records of its surveys, period and area that do not count; 1-4 is not said exactly"),
    Column("coverage", "number", "0 to 1", "On which part of the cases it rests; empty where that cannot be said"),
    Column("method", "string", "", "How value and limits were worked out"),
    Column("flags", "string", "", "What to mind, separated by ;"),
    Column("reason", "string", "", "Why there is no value; empty where there is one"),
)
_ORDER = ("figure", "of", "predator", "area", "country", "period")
TABLE = Table(COLUMNS, key=("indicator", "figure", "of", "predator", "area", "country", "period"))
NAMES = tuple(column.name for column in COLUMNS)


def rows(data: Data, window: Window, level: Level) -> Iterator[Row]:
    """Give the rows, sorted by indicator, period and area."""
    cut = list(slices(data, window))
    left_out = _left_out(data)
    for indicator in indicators().values():
        guard = Guard()
        found = []
        for where in cut:
            number = said(_excluded(indicator, where, left_out))
            for figure in filter(_has_words, indicator.figures(where)):
                reason = guard.reason(figure, where)
                if reason is not None:
                    found.append(_row(indicator, figure, where, reason, level) | {"n_excluded": number})
        yield from sorted(found, key=lambda row: tuple(str(row[name]) for name in _ORDER))


def _has_words(figure: Figure) -> bool:
    return is_told(figure.of)


def _left_out(data: Data) -> Mapping[str, Sorted[LeftOut]]:
    """What does not count, by survey."""
    by_form: dict[str, list[LeftOut]] = {}
    for each in data.holdings.left_out:
        by_form.setdefault(each.form_id, []).append(each)
    return {form_id: Sorted(found, lambda each: (each.country, each.day)) for form_id, found in by_form.items()}


def _excluded(indicator: Indicator, where: Slice, left_out: Mapping[str, Sorted[LeftOut]]) -> int:
    return sum(each.records for form_id in indicator.surveys if form_id in left_out for each in left_out[form_id].of(where))


def _row(indicator: Indicator, figure: Figure, where: Slice, reason: str, level: Level) -> Row:
    row: Row = {
        "indicator": indicator.id,
        "figure": figure.name,
        "of": figure.of,
        "predator": figure.predator,
        "activity": ";".join(strategy().activities_of(indicator.id)),
        "area": "country" if where.country else "range",
        "country": where.country,
        "period": where.period.name,
        "period_start": where.period.start.isoformat(),
        "period_end": where.period.end.isoformat(),
        "unit": figure.unit,
        "reason": reason or figure.refused,
    }
    if reason:
        return row
    known = households(figure) if figure.supports and not figure.restricted else None
    return row | {
        "value": _rounded(figure.value),
        "class": figure.category,
        "lower": _rounded(figure.lower),
        "upper": _rounded(figure.upper),
        "n": figure.n,
        "n_households": None if not known else band(known) if level.bands else str(known),
        "coverage": _rounded(figure.coverage),
        "method": figure.method,
        "flags": ";".join(figure.flags),
    }


def _rounded(value: float | None) -> float | int | None:
    """Six significant digits; whole numbers stay whole."""
    if value is None:
        return None
    short = value if float(value).is_integer() else float(f"{value:.{DIGITS}g}")
    return int(short) if float(short).is_integer() else short
