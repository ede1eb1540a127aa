"""What a picture shows of itself, and which hashes are near."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from forms.problems import Problem
from records import pictures
from records.pictures import BITS, NEAR, bands, distance, look_at

HASHES = st.integers(-(1 << 63), (1 << 63) - 1)
GPS, EXIF, TAKEN = 0x8825, 0x8769, 0x9003


def drawn(exif: Image.Exif | None = None) -> io.BytesIO:
    out = io.BytesIO()
    Image.linear_gradient("L").rotate(30).save(out, "JPEG", exif=exif or Image.Exif())
    return out


@given(one=HASHES, flipped=st.sets(st.integers(0, BITS - 1), max_size=NEAR))
def test_hashes_that_differ_in_three_bits_have_a_band_in_common(one: int, flipped: set[int]) -> None:
    other = one
    for bit in flipped:
        other ^= (1 << bit) if bit < BITS - 1 else -(1 << bit)
    assert distance(one, other) == len(flipped)
    assert set(bands(one)) & set(bands(other))


@given(one=HASHES)
def test_bands_are_numbers_of_their_own(one: int) -> None:
    assert [band // 65536 for band in bands(one)] == [0, 1, 2, 3]


def test_place_and_time_are_those_of_the_camera() -> None:
    exif = Image.Exif()
    exif[GPS] = {1: "S", 2: (35.0, 42.0, 36.0), 3: "W", 4: (51.0, 30.0, 0.0)}
    exif[EXIF] = {TAKEN: "2026:05:02 07:41:09"}
    seen = look_at(drawn(exif))
    assert (seen.point, seen.taken_at) == ((-35.71, -51.5), "2026-05-02T07:41:09")


@pytest.mark.parametrize(
    "gps",
    [{}, {2: (35.0, 42.0)}, {2: 35.0, 4: 51.0}, {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}, {2: (999.0, 0.0, 0.0)}],
)
def test_a_place_that_is_none_is_none(gps: dict[int, object]) -> None:
    exif = Image.Exif()
    exif[GPS] = gps
    exif[EXIF] = {TAKEN: "yesterday"}
    seen = look_at(drawn(exif))
    assert (seen.point, seen.taken_at) == (None, "")


def test_a_picture_far_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_PIXELS_JPEG", 100)
    with pytest.raises(Problem, match="too large"):
        look_at(drawn())
