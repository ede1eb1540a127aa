"""What attackers do with what they get. Each is a function that finds the secret when the data are exact; tests show both.

After the leaks that iNaturalist mended in ten years (text, sorting, same-day neighbours, maps), and those of tables: differences,
unions of two circles, small counts.
"""

import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np

from tests.support.leaks import Attack

NEAR = 0.001
"""Degrees (about 100 m): a coordinate that is told so well is found."""
_NUMBER = re.compile(rb"-?\d{1,3}\.\d+")


def unpacked(content: bytes) -> bytes:
    """Everything inside, of archives and workbooks too."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return b"\n".join(name.encode() + b"\n" + unpacked(archive.read(name)) for name in archive.namelist())


def points_in(content: bytes, truth: Iterable[tuple[float, float]]) -> set[tuple[float, float]]:
    """The true points whose two coordinates stand side by side in a file, as text or as binary numbers."""
    content = unpacked(content)
    found = [np.array([float(number) for number in _NUMBER.findall(content)])]
    for start in range(8):
        part = content[start : start + (len(content) - start) // 8 * 8]
        found += [np.frombuffer(part, order).astype(float) for order in ("<f8", ">f8")]
    pairs = np.concatenate([np.column_stack([one[:-1], one[1:]][::way]) for one in found for way in (1, -1)])
    with np.errstate(invalid="ignore"):
        pairs = pairs[(np.abs(pairs) < 180).all(axis=1) & (np.abs(pairs) > 1).all(axis=1)]
    return {point for point in truth if (np.abs(pairs - np.array(point)) < NEAR).all(axis=1).any()}


def words_in(content: bytes, secrets: Iterable[str]) -> set[str]:
    """The codes, names, ids and days that stand in a file."""
    content = unpacked(content)
    return {secret for secret in secrets if secret.encode() in content}


def place_by_bisection(count: Callable[[float, float, float, float], int | None]) -> tuple[float, float] | None:
    """Narrow a box (west, south, east, north) around the northernmost record by asking how many are in it."""
    west, south, east, north = 51.0, 35.0, 54.0, 38.0
    if not count(west, south, east, north):
        return None
    for _ in range(14):
        middle = (south + north) / 2
        south, north = (middle, north) if count(west, middle, east, north) else (south, middle)
    for _ in range(14):
        middle = (west + east) / 2
        west, east = (west, middle) if count(west, south, middle, north) else (middle, east)
    return (south + north) / 2, (west + east) / 2


def order_kept(told: Sequence[int], truth: Sequence[int]) -> float:
    """How far the order of rows follows a true order: 1 for always, about a half for never."""
    position = {each: number for number, each in enumerate(told)}
    steps = [position[after] > position[before] for before, after in pairwise(truth)]
    return sum(steps) / len(steps)


def small_groups(told: Iterable[tuple[tuple[str, ...], str]]) -> set[tuple[str, ...]]:
    """The (place, time, ...) behind which fewer than five households stand, of rows whose household the attacker guessed right."""
    households: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for group, household in told:
        households[group].add(household)
    return {group for group, known in households.items() if len(known) < 5}


def one_household(rows: Sequence[dict[str, str]], truth: Sequence[Attack], column: str) -> set[str]:
    """The households that a rare answer gives away: rows are told in the order of `truth`, and an answer is shared by few."""
    behind: dict[str, set[str]] = defaultdict(set)
    for row, attack in zip(rows, truth, strict=True):
        if row.get(column):
            behind[row[column]].add(attack.household)
    return {household for known in behind.values() if len(known) < 5 for household in known}


def appeared(before: Sequence[dict[str, str]], after: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The rows that a later file has and an earlier one had not, whatever their numbers."""

    def bare(row: dict[str, str]) -> tuple[tuple[str, str], ...]:
        return tuple((name, value) for name, value in row.items() if name != "record")

    known = [bare(row) for row in before]
    new = []
    for row in after:
        if bare(row) in known:
            known.remove(bare(row))
        else:
            new.append(row)
    return new


def exif_position(picture: bytes) -> dict[int, object]:
    """What a picture says of where it was taken."""
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as opened:
        return dict(opened.getexif().get_ifd(0x8825))
