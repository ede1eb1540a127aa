"""What is counted of a report of losses, packed into a few bytes: a release reads a million of these and not a million documents.

The checks write it beside the answers once they have looked at them (`submission.counted`), and whatever changes the answers takes
it away. Records are never refused for what they say, so every answer may be missing or of the wrong type.
"""

import hashlib
import math
import re
import struct
from collections.abc import Mapping
from datetime import date
from typing import Any

import h3.api.basic_int as h3

from forms.numbers import official
from forms.spelling import ascii_digits, folded

CONFLICT_FORM = "conflict_livestock"
NO_CODE = ("", "new")
"""What stands in place of a household code that is not known."""
SMALL_STOCK = ("sheep", "goat")
MOST_ANIMALS = 500
"""The form allows no more in one row; a larger number is no count."""
DEAREST = 1e12
"""An animal worth more, in whatever currency, is a slip."""
SURE = ("certain", "probable")
UNDATED = -(1 << 31)
CELLS = 6
"""The resolution of the H3 cell."""

LAYOUT = [
    ("report", "<u8"),  # the first 8 bytes of the SHA-256 of its instance id; 4 of them are its case number
    ("named", "<u8"),  # the digest of what a visit names it by (`bare`)
    ("day", "<i4"),  # from 1970-01-01, or UNDATED
    ("latitude", "<f8"),  # degrees, WGS 84; not-a-number without a place
    ("longitude", "<f8"),
    ("accuracy", "<f8"),  # metres; not-a-number where unknown
    ("cell", "<u8"),  # H3; 0 without a place
    ("household", "<u8"),  # the digest of its code as compared; 0 without one
    ("is_test", "?"),
    ("is_sure", "?"),  # the reporter is, of the predator
    ("is_shared", "?"),  # the household agreed to both: that it counts and where
    ("country", "S2"),  # ISO 3166-1 alpha-2, as chosen
    ("predator", "S24"),  # its code in the form
    ("killed_small", "<i4"),
    ("killed_large", "<i4"),
    ("injured", "<i4"),
    ("missing", "<i4"),
    ("loss", "<f8"),  # value of the killed in `currency`; not-a-number where unknown
    ("currency", "S3"),  # ISO 4217
]
"""The names and types of the fields, as numpy has them; a server, which only writes them, does not load it."""
_PACK = struct.Struct("<QQidddQQ???2s24siiiid3s").pack
_MOST, _MOST_CODE = (1 << 31) - 1, 24
_EPOCH = date(1970, 1, 1).toordinal()
_CASE_NUMBER = re.compile("[0-9a-f]{4}-[0-9a-f]{4}")
_CURRENCY = re.compile("[A-Z]{3}")


def counted(
    instance_id: str,
    answers: Mapping[str, Any],
    latitude: float | None,
    longitude: float | None,
    accuracy: float | None,
    day: date | None,
) -> bytes:
    """Pack what is counted of the answers of a conflict report, its place (degrees, metres) and its day as one `LAYOUT`."""
    is_placed = latitude is not None and longitude is not None
    reporter, cause, losses = (_group(answers.get(name)) for name in ("reporter", "cause", "losses_g"))
    told = folded(text_of(reporter.get("household_code")))
    small, large, injured, missing, value, currency = _losses(losses.get("loss"), losses.get("currency"))
    return _PACK(
        report_number(instance_id),
        digest(bare(instance_id)),
        UNDATED if day is None else day.toordinal() - _EPOCH,
        latitude if is_placed else math.nan,
        longitude if is_placed else math.nan,
        math.nan if accuracy is None else accuracy,
        h3.latlng_to_cell(latitude, longitude, CELLS) if is_placed else 0,
        0 if told in NO_CODE else digest(told),
        answers.get("submission_purpose") == "test",
        cause.get("confidence") in SURE,
        answers.get("consent") == answers.get("consent_share") == "yes",
        _code(text_of(answers.get("country"))[:2]),
        _code(cause.get("predator")),
        *(min(number, _MOST) for number in (small, large, injured, missing)),
        value,
        currency.encode(),
    )


def report_number(instance_id: str) -> int:
    """The number that stands for a report."""
    return int.from_bytes(hashlib.sha256(instance_id.encode()).digest()[:8], "big")


def report_named(name: str) -> int | None:
    """The upper half of the number of the reports with this case number (as `bare` writes it); None for another name."""
    return int(name.replace("-", ""), 16) if _CASE_NUMBER.fullmatch(name) else None


def digest(name: str) -> int:
    """The number that stands for a household code or an instance id, as compared: never 0."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little") or 1


def bare(name: str) -> str:
    """What a visit names its report by, instance id or case number, as compared."""
    return ascii_digits(name).strip().lower().removeprefix("uuid:")


def text_of(value: object) -> str:
    """An answer as text; empty where it is none."""
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _group(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _code(value: object) -> bytes:
    """A code of the form; empty for what can be none."""
    code = value.encode() if isinstance(value, str) and value.isascii() else b""
    return code if len(code) <= _MOST_CODE else b""


def _losses(rows: object, named: object) -> tuple[int, int, int, int, float, str]:
    """Give small and large animals killed, injured and missing ones, the value of the killed and its currency."""
    small = large = injured = missing = 0
    value = math.nan
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        killed = _animals(row.get("n_killed"))
        if row.get("species") in SMALL_STOCK:
            small += killed
        else:
            large += killed
        injured += _animals(row.get("n_injured"))
        missing += _animals(row.get("n_missing"))
        price = row.get("unit_value")
        if isinstance(price, int | float) and 0 < price <= DEAREST:
            value = killed * price + (0 if math.isnan(value) else value)
    currency = text_of(named)
    if not _CURRENCY.fullmatch(currency):
        return small, large, injured, missing, math.nan, ""
    return small, large, injured, missing, *official(value, currency)


def _animals(value: object) -> int:
    return value if type(value) is int and 0 <= value <= MOST_ANIMALS else 0
