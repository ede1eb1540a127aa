"""The XForm data types: from the text a phone writes to the value we keep (ODK XForms specification, "Data types").

Every type is one marshmallow field. A value that cannot be read raises `ValidationError`; the caller keeps the text as it came
and flags it, because a record is never refused for a value.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, ClassVar

from marshmallow import ValidationError, fields

from forms.numbers import plain_number

_OFFSET = re.compile(r"([+-]\d{2})(?::?(\d{2}))?$")
_DAY = re.compile(r"\d{4}-\d\d-\d\d(?=T|$)", re.ASCII)


class Answer(fields.Field[Any]):
    """One question. `""` stands for a question that was shown and left empty."""

    message: ClassVar[str] = "is not readable"

    def __init__(self, *, mandatory: bool = False, choices: frozenset[str] | None = None) -> None:
        super().__init__(allow_none=True)
        self.mandatory = mandatory
        self.choices = choices

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError("value_invalid: more than one answer where one was expected")
        if value == "":
            if self.mandatory:
                raise ValidationError("required: must be answered")
            return None
        try:
            return self.read(value)
        except (ValueError, OverflowError):
            raise ValidationError(f"value_invalid: {self.message}") from None

    def _validate(self, value: Any) -> None:
        """Nothing is left to validate, and finding that out takes a tenth of the reading of a record."""

    def read(self, text: str) -> Any:
        """The value of a non-empty text. Raises ValueError."""
        return text


class Integer(Answer):
    """xsd:int."""

    message = "is not a whole number"

    def read(self, text: str) -> int:
        return int(plain_number(text)) if len(text) < 20 and "_" not in text else _refuse()


class Decimal(Answer):
    """xsd:decimal, as a finite float."""

    message = "is not a number"

    def read(self, text: str) -> float:
        value = float(plain_number(text))
        return value if math.isfinite(value) and "_" not in text else _refuse()


class Date(Answer):
    """A calendar day, Gregorian, kept as text."""

    message = "is not a date (YYYY-MM-DD)"

    def read(self, text: str) -> str:
        return text if calendar_day(text) else _refuse()


class Time(Answer):
    """A time of day, kept as text."""

    message = "is not a time (HH:MM:SS)"

    def read(self, text: str) -> str:
        time.fromisoformat(normal_offset(text))
        return text


class DateTime(Answer):
    """An instant with its offset, kept as text: the offset tells where the phone thought it was."""

    message = "is not a date and time"

    def read(self, text: str) -> str:
        return text if calendar_day(text) else _refuse()


class Boolean(Answer):
    """true/false or 1/0."""

    message = "is not true or false"

    def read(self, text: str) -> bool:
        return {"true": True, "1": True, "false": False, "0": False}[text] if text in _BOOLEANS else _refuse()


class GeoPoint(Answer):
    """`lat lon [altitude [accuracy]]` in degrees and metres, kept as text."""

    message = "is not a position (latitude longitude altitude accuracy)"

    def read(self, text: str) -> str:
        read_point(text)
        return text


class GeoShape(Answer):
    """Points joined by `;` (geotrace and geoshape), kept as text."""

    message = "is not a line of positions"

    def read(self, text: str) -> str:
        for point in text.strip().rstrip(";").split(";"):
            read_point(point)
        return text


class SelectOne(Answer):
    """The name of one choice."""

    message = "is not one of the choices"

    def read(self, text: str) -> str:
        return text if self.choices is None or text in self.choices else _refuse()


class SelectMultiple(SelectOne):
    """Names of choices joined by blanks (also a ranking)."""

    def read(self, text: str) -> str:
        return text if self.choices is None or self.choices.issuperset(text.split()) else _refuse()


_BOOLEANS = frozenset({"true", "1", "false", "0"})

BY_TYPE: dict[str, type[Answer]] = {
    "int": Integer,
    "integer": Integer,
    "decimal": Decimal,
    "date": Date,
    "time": Time,
    "dateTime": DateTime,
    "boolean": Boolean,
    "geopoint": GeoPoint,
    "geotrace": GeoShape,
    "geoshape": GeoShape,
}


def _refuse() -> Any:
    raise ValueError


def normal_offset(text: str) -> str:
    """Repair offsets that phones write short (`+0330`, `+03`), which ISO readers refuse."""
    return _OFFSET.sub(lambda found: f"{found[1]}:{found[2] or '00'}", text) if "T" in text or ":" in text else text


def read_point(text: str) -> tuple[float, float, float | None, float | None]:
    """(latitude °, longitude °, altitude m, accuracy m) of a geopoint. Raises ValueError when out of range or unreadable."""
    numbers = [float(part) for part in plain_number(text).split()]
    if not 2 <= len(numbers) <= 4 or not all(map(math.isfinite, numbers)):
        raise ValueError(text)
    latitude, longitude = numbers[:2]
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError(text)
    altitude = numbers[2] if len(numbers) > 2 else None
    accuracy = numbers[3] if len(numbers) > 3 else None
    return latitude, longitude, altitude, accuracy


def calendar_day(text: str) -> str | None:
    """The day (YYYY-MM-DD) of a date or dateTime text, where the phone was; None when the text cannot be read."""
    return text[:10] if _DAY.match(text) and instant(text) else None


def instant(text: str) -> datetime | None:
    """The moment of a dateTime text, or None when it cannot be read."""
    try:
        return datetime.fromisoformat(normal_offset(text))
    except ValueError:
        return None
