"""The values in what a flag says, for people: distances, times, days, countries and animals in the reader's language."""

from datetime import date, datetime
from functools import cache

from markupsafe import Markup

from forms.definition import FormDefinition
from forms.library.sources import LIBRARY, read_rows
from forms.library.translations import pick_languages
from server.downloads import visible_name
from server.pages.rendering import duration, language, moment, number, translate
from server.services import services

_LISTS = {name: name for name in ("country", "predator", "livestock", "prey", "currency")} | {"reported": "country"}
"""Names of values that are codes of choices of the shipped surveys, and of which list."""
_LEFT_TO_RIGHT = {"point", "case", "zone", "version", "newer", "text"}
_EXACT_TO = 10
"""Distances below this many km or m are told with a decimal."""


def shown_value(name: str, value: str | float, definition: FormDefinition) -> Markup:
    """A value of a flag; its name tells what it is (see `records.flag_kinds.kind`)."""
    if isinstance(value, str):
        return _word(name, value, definition)
    if name == "offset_seconds":
        words = translate("{time} ahead") if value > 0 else translate("{time} behind")
        return Markup.escape(words.format(time=duration(abs(value))))
    if name.endswith("seconds"):
        return Markup.escape(duration(value))
    if name.endswith(("km", "_m")):
        words = translate("{n} km") if name.endswith("km") else translate("{n} m")
        return Markup.escape(words.format(n=number(round(value, 1) if abs(value) < _EXACT_TO else round(value))))
    return Markup.escape(number(value))


def _word(name: str, value: str, definition: FormDefinition) -> Markup:
    if name.endswith("day") or name == "received":
        return _moment(value)
    if name in _LISTS:
        return Markup("<bdi>{}</bdi>").format(choice(_LISTS[name], value))
    if name.endswith("question"):
        return Markup("<bdi>{}</bdi>").format(
            definition.label(tuple(part.partition("[")[0] for part in value.split("/")), language())
        )
    if name in _LEFT_TO_RIGHT:
        return Markup('<bdi dir="ltr">{}</bdi>').format(visible_name(value))
    return Markup("<bdi>{}</bdi>").format(visible_name(value))


def _moment(value: str) -> Markup:
    try:
        return moment(datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value))
    except ValueError:
        return Markup("<bdi>{}</bdi>").format(visible_name(value))


def choice(list_name: str, code: str) -> str:
    """What a choice of the shipped surveys is called; its code if it is none."""
    label = _choices(list_name).get(code)
    return visible_name(code) if label is None else pick_languages([language()])[0].translate(list_name, label)


@cache
def _choices(list_name: str) -> dict[str, str]:
    return {row["name"]: row["label"] for row in read_rows(LIBRARY / "choices.csv") if row["list_name"] == list_name}


def place(country: str | None, admin1: str | None) -> str:
    """Where a report lies: its first-level unit and its country; empty where that is not known."""
    from records.geography import unit_names

    unit = unit_names(language(), services().config.boundaries).get(admin1, admin1) if admin1 else ""
    return translate(", ").join(filter(None, (unit, choice("country", country) if country else "")))
