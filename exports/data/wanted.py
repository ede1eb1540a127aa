"""Which records somebody wants, and how they want them written: read from the words of an address or a command."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, or_, true

from forms.problems import Problem
from records.models import Submission
from records.reviews import STATES

STYLES = ("central", "kobo")
Box = tuple[float, float, float, float]
"""West, south, east, north in degrees. Where west is greater than east, the box crosses the 180th meridian."""
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which records; what is empty narrows nothing. A record is of the day it happened, or came where it does not say."""

    since: date | None = None
    until: date | None = None
    box: Box | None = None
    countries: tuple[str, ...] = ()
    admin1: tuple[str, ...] = ()
    study_areas: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()

    def condition(self) -> ColumnElement[bool]:
        """The same as a condition on `submission`."""
        among = (
            (Submission.country, self.countries),
            (Submission.admin1, self.admin1),
            (Submission.study_area, self.study_areas),
            (Submission.review_state, self.states),
            (Submission.version, self.versions),
        )
        narrowed = [column.in_(values) for column, values in among if values]
        return and_(true(), *narrowed, *self._of_time(), *self._of_place())

    def _of_time(self) -> list[ColumnElement[bool]]:
        happened, came = Submission.event_date, Submission.received_at
        found: list[ColumnElement[bool]] = []
        if self.since is not None:
            found.append(or_(happened >= self.since, and_(happened.is_(None), came >= _midnight(self.since))))
        if self.until is not None:
            end = date.max if self.until == date.max else self.until + timedelta(days=1)
            found.append(or_(happened <= self.until, and_(happened.is_(None), came < _midnight(end))))
        return found

    def _of_place(self) -> list[ColumnElement[bool]]:
        if self.box is None:
            return []
        west, south, east, north = self.box
        across = (Submission.longitude >= west, Submission.longitude <= east)
        return [Submission.latitude.between(south, north), and_(*across) if west <= east else or_(*across)]


@dataclass(frozen=True, slots=True)
class Layout:
    """How columns are made and named.

    `style` is that of ODK Central or of KoBoToolbox. `language` (a name or code of the form's) gives labels in place of names and
    codes. `place` is the question that gives the points of a map; empty for the first that was answered. `checks` adds what the
    checks found of each record.
    """

    style: str = "central"
    groups: bool = True
    split_points: bool = True
    split_selects: bool = False
    language: str = ""
    place: str = ""
    checks: bool = False

    @property
    def is_kobo(self) -> bool:
        """Whether KoBoToolbox's names are wanted."""
        return self.style == "kobo"


FILTERS = ("since", "until", "box", "country", "admin1", "area", "state", "version")
LAYOUTS = ("style", "groups", "points", "selects", "language", "place", "checks")
WORDS = ("format", "level", *FILTERS, *LAYOUTS, "table", "names")
"""All that an address may say."""


def filters_of(words: Mapping[str, str]) -> Filters:
    """Read `FILTERS`: days as YYYY-MM-DD, a box as four numbers, the others apart by commas. Raises `Problem("value_invalid")`."""
    states = _several(words, "state")
    if unknown := set(states) - set(STATES):
        raise Problem("value_invalid", f"state: {', '.join(sorted(unknown))}. Known are {', '.join(STATES)}.")
    return Filters(
        since=_read(words, "since", date.fromisoformat, "a day as YYYY-MM-DD"),
        until=_read(words, "until", date.fromisoformat, "a day as YYYY-MM-DD"),
        box=_read(words, "box", _box, "west,south,east,north in degrees"),
        countries=tuple(code.upper() for code in _several(words, "country")),
        admin1=tuple(code.upper() for code in _several(words, "admin1")),
        study_areas=_several(words, "area"),
        states=states,
        versions=_several(words, "version"),
    )


def layout_of(words: Mapping[str, str]) -> Layout:
    """Read `LAYOUTS`. Raises `Problem("value_invalid")`."""
    style = words.get("style") or STYLES[0]
    if style not in STYLES:
        raise Problem("value_invalid", f"style: one of {', '.join(STYLES)}.")
    return Layout(
        style=style,
        groups=_flag(words, "groups", default=True),
        split_points=_flag(words, "points", default=True),
        split_selects=_flag(words, "selects", default=style == "kobo"),
        language=words.get("language", ""),
        place=words.get("place", ""),
        checks=_flag(words, "checks", default=False),
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _several(words: Mapping[str, str], name: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in words.get(name, "").split(",") if part.strip())
    if any("\0" in part for part in found):
        raise Problem("value_invalid", f"{name}: a text.")
    return found


def _read(words: Mapping[str, str], name: str, reader: Callable[[str], Value], expected: str) -> Value | None:
    text = words.get(name, "").strip()
    try:
        return reader(text) if text else None
    except ValueError:
        raise Problem("value_invalid", f"{name}: {expected}.") from None


def _box(text: str) -> Box:
    west, south, east, north = (float(part) for part in text.split(","))
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise ValueError(text)
    return west, south, east, north


def _flag(words: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = (words.get(name) or str(default)).lower()
    if text not in {"true", "false"}:
        raise Problem("value_invalid", f"{name}: true or false.")
    return text == "true"


def told(filters: Filters) -> dict[str, Any]:
    """What was narrowed, for the log and for a note in the file."""
    return {name: _plain(value) for name in Filters.__slots__ if (value := getattr(filters, name))}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else list(value)
