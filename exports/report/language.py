"""A reader's language: texts, numbers, days and periods as they are written in it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path

from forms.calendars import to_solar_hijri
from forms.catalogues import translations
from forms.library.sources import read_survey, survey_ids
from forms.numbers import in_digits_of
from forms.strategy import strategy
from forms.strategy.words import words as strategy_words
from records.geography import unit_names

NAMES = {"en": "English", "fa": "فارسی"}
"""The languages of the report by BCP 47, and what they call themselves."""
CODES = tuple(NAMES)
RIGHT_TO_LEFT = frozenset({"fa"})
DIGITS = 3
_SOLAR_MONTHS = {
    "fa": ("فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"),
}
_LISTS = (
    *("prey", "measure", "livestock", "audience", "training_kind", "dog_class", "predator", "reject_reason", "mort_cause"),
    *("trade_item", "patrol_obs", "passage", "verif_status", "scalp", "currency", "reporter_role", "fate3"),
)
"""Lists of choices of the surveys that figures are told by, in the order in which a code is looked up."""


@dataclass(frozen=True)
class Language:
    """A language by its BCP 47 code."""

    code: str

    def __call__(self, text: str, /, **values: str) -> str:
        """A text of ours in the language, English where it is not translated, with values put in."""
        return _words(self.code).get(text, text).format(**values)

    @property
    def right_to_left(self) -> bool:
        """Whether it is written from right to left."""
        return self.code in RIGHT_TO_LEFT

    def number(self, value: float, digits: int = DIGITS) -> str:
        """A number with its digits and separators: whole numbers whole, others with three significant digits."""
        from babel.numbers import format_decimal

        whole = float(value).is_integer() or abs(value) >= 10 ** (digits - 1)
        short = round(value) if whole else float(f"{value:.{digits}g}")
        text = str(format_decimal(short, locale=self.code, numbering_system="default", format="#,##0.######"))
        return in_digits_of(self.code, text)

    def money(self, value: float, currency: str) -> str:
        """A sum with the name of its currency (ISO 4217)."""
        return self("{sum} {currency}", sum=self.amount(value), currency=self.choice(currency))

    def amount(self, value: float) -> str:
        """A sum of money without its currency; from a million on in millions or thousand millions."""
        if abs(value) >= 1e9:
            return self("{n} billion", n=self.number(value / 1e9))
        return self("{n} million", n=self.number(value / 1e6)) if abs(value) >= 1e6 else self.number(value)

    def percent(self, value: float) -> str:
        """A share given in percent; below 10 with one decimal."""
        rounded = round(value, 1) if 0 < abs(value) < 10 else round(value)
        return self("{n}%", n=self.number(rounded))

    def digits(self, text: str) -> str:
        """A text with the digits of the language: a year, a code."""
        return in_digits_of(self.code, text)

    def day(self, day: date) -> str:
        """A day in the calendar of its readers, with the Gregorian one beside it."""
        from babel.dates import format_date

        gregorian = self.digits(str(format_date(day, "d MMMM y", locale=self.code)))
        months = _SOLAR_MONTHS.get(self.code)
        if months is None:
            return gregorian
        year, month, of_month = to_solar_hijri(day)
        return self("{solar} ({gregorian})", solar=self.digits(f"{of_month} {months[month - 1]} {year}"), gregorian=gregorian)

    def span(self, start: date, end: date) -> str:
        """From one day to another."""
        return self("{start} to {end}", start=self.day(start), end=self.day(end))

    def period(self, name: str) -> str:
        """A calendar year (2025) or quarter (2025Q3), the quarter by its months."""
        from babel.dates import format_date

        year, _, quarter = name.partition("Q")
        if not quarter:
            return self.digits(year)
        first = date(int(year), int(quarter) * 3 - 2, 1)
        months = [str(format_date(day, "LLLL", locale=self.code)) for day in (first, first + timedelta(days=62))]
        return self("{first} to {last} {year}", first=months[0], last=months[1], year=self.digits(year))

    @cached_property
    def _surveys(self) -> Callable[[str, str], str]:
        from forms.library.translations import pick_languages

        return pick_languages([self.code])[0].translate

    def country(self, code: str) -> str:
        """The name of a country of the range, as the surveys have it."""
        known = strategy().countries.get(code)
        return self._surveys("country", known.name) if known else code

    def province(self, code: str, boundaries: Path | None = None) -> str:
        """The name of a first-level unit, as the file of boundaries has it (None: the shipped one), without the word province."""
        return unit_names(self.code, boundaries).get(code, code).removeprefix("استان ")

    def choice(self, code: str) -> str:
        """The word for a choice of the surveys; the code itself where there is none."""
        found = _choices().get(code)
        return self._surveys(*found) if found else code


@cache
def _words(language: str) -> dict[str, str]:
    """The texts of the report and of the strategy that are translated, by the English ones."""
    return strategy_words(language) | translations(Path(__file__).parent / f"{language}.po")


@cache
def _choices() -> dict[str, tuple[str, str]]:
    """List and English label of the choices by their code."""
    found: dict[tuple[str, str], str] = {}
    for survey_id in survey_ids():
        for row in read_survey(survey_id).choices:
            found.setdefault((row["list_name"], row["name"]), row["label"])
    chosen: dict[str, tuple[str, str]] = {}
    for name in _LISTS:
        for (list_name, code), label in found.items():
            if list_name == name:
                chosen.setdefault(code, (list_name, label))
    return chosen
