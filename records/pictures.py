"""What a picture shows of itself: a hash that stays nearly the same when it is sent on, made smaller or lighter; place and time.

The hash is the difference hash of 64 bits: which of two neighbours is lighter, in a picture of 9 by 8 grey points (Krawetz, "Kind
of Like That", 2013). Read with the limits of `MOST_PIXELS`: a small file may hold a large picture.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from forms.problems import Problem
from records.file_kinds import SHOWN

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 40_000_000
MOST_PIXELS_JPEG = 80_000_000  # read at a fraction of its size
FORMATS = tuple(kind.removeprefix("image/").upper() for kind in sorted(SHOWN))
BITS, BANDS = 64, 4
NEAR = BANDS - 1
"""So many bits may differ in two hashes of one picture: then one band at least is the same in both."""
FEWEST_EDGES = 8
"""Hashes with fewer bits of either kind are those of plain surfaces, skies and covered lenses: all alike."""
LEAST_CONTRAST = 16
"""Between the darkest and the lightest of the 72 grey points; below, noise decides."""
_GPS_IFD, _EXIF_IFD, _ORIENTATION, _TAKEN, _CHANGED = 0x8825, 0x8769, 0x0112, 0x9003, 0x0132
_MOST_CHARACTERS = 19


@dataclass(frozen=True, slots=True)
class Seen:
    """A hash as a signed number of 64 bits (None: it would say nothing), place in degrees, and local time in ISO 8601."""

    dhash: int | None = None
    point: tuple[float, float] | None = None
    taken_at: str = ""


@contextmanager
def opened(source: Path | IO[bytes]) -> Iterator["Image"]:
    """A picture, for reading its pixels inside. Raises `Problem("not_found")` for what is none or far too large."""
    from PIL import Image

    try:
        with Image.open(source, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > (MOST_PIXELS_JPEG if picture.format in {"JPEG", "MPO"} else MOST_PIXELS):
                raise Problem("not_found", "The picture is too large to be shown small.")
            yield picture
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Problem("not_found", "The file is no picture that can be read.") from error


def look_at(file: IO[bytes]) -> Seen:
    """What a picture shows of itself. Raises as `opened` does."""
    with opened(file) as picture:
        place, taken_at = _exif(picture)
        return Seen(_dhash(picture), place, taken_at)


def _dhash(picture: "Image") -> int | None:
    from PIL.Image import Resampling
    from PIL.ImageOps import exif_transpose

    picture.draft("L", (72, 64))
    width = BITS // 8
    grey = exif_transpose(picture).convert("L").resize((width + 1, width), Resampling.BOX)
    points = grey.tobytes()
    if max(points) - min(points) < LEAST_CONTRAST:
        return None
    rows = (points[start : start + width + 1] for start in range(0, len(points), width + 1))
    bits = [left < right for row in rows for left, right in pairwise(row)]
    if not FEWEST_EDGES <= sum(bits) <= BITS - FEWEST_EDGES:
        return None
    number = sum(bit << position for position, bit in enumerate(bits))
    return number - (1 << BITS) if number >> (BITS - 1) else number


def bands(dhash: int) -> list[int]:
    """The four quarters of a hash, each a number of its own."""
    return [number * 65536 + (dhash >> (16 * number) & 0xFFFF) for number in range(BANDS)]


def distance(one: int, other: int) -> int:
    """In how many bits two hashes differ."""
    return ((one ^ other) & ((1 << BITS) - 1)).bit_count()


def _exif(picture: "Image") -> tuple[tuple[float, float] | None, str]:
    """Place and time that the camera wrote (EXIF 2.32, tags GPSLatitude and the like, DateTimeOriginal)."""
    exif = picture.getexif()
    gps: Mapping[int, Any] = exif.get_ifd(_GPS_IFD)
    latitude, longitude = _degrees(gps.get(2), gps.get(1), "S"), _degrees(gps.get(4), gps.get(3), "W")
    place = None
    if latitude is not None and longitude is not None and (latitude or longitude):  # 0, 0 is what cameras write without a fix
        place = (latitude, longitude)
    return place, _time(exif.get_ifd(_EXIF_IFD).get(_TAKEN) or exif.get(_CHANGED))


def _degrees(parts: object, side: object, negative: str) -> float | None:
    """Degrees, minutes and seconds as a number."""
    if not isinstance(parts, Iterable):
        return None
    with suppress(TypeError, ValueError, ZeroDivisionError):
        degrees, minutes, seconds = (float(part) for part in parts)
        value = degrees + minutes / 60 + seconds / 3600
        if math.isfinite(value) and 0 <= value <= 180:
            return -value if side == negative else value
    return None


def _time(text: object) -> str:
    """`2026:05:02 07:41:09` as ISO 8601; empty for what is none."""
    with suppress(TypeError, ValueError):
        return datetime.strptime(str(text)[:_MOST_CHARACTERS], "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007 - cameras have no zone
    return ""
