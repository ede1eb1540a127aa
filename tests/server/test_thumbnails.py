"""Thumbnails: upright pixels and nothing else, made once, of pictures only, whatever a file pretends to be."""

import io
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from forms.problems import Problem
from server import thumbnails
from server.config import Config
from server.services import Services, standalone
from server.thumbnails import SIDE, thumbnail

GPS_IFD, ORIENTATION, MAKE = 0x8825, 0x0112, 0x010F


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Services]:
    with standalone(Config.load({"DATA": tmp_path / "data"}, environ={})) as services:
        services.store.vault.add_key()
        yield services


def small(opened: Services, data: bytes) -> Image.Image:
    """The thumbnail of this file, read anew."""
    return Image.open(io.BytesIO(thumbnail(opened, opened.blobs.put(data, sealed=True).sha256)))


def drawn(picture: Image.Image, form: str, **how: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **how)
    return out.getvalue()


def half_red(width: int, height: int) -> Image.Image:
    """The upper half is red, the lower blue."""
    picture = Image.new("RGB", (width, height), "blue")
    picture.paste("red", (0, 0, width, height // 2))
    return picture


def colour(picture: Image.Image, x: float, y: float) -> str:
    """Which of the two colours is at this share of width and height."""
    red, _, blue = picture.convert("RGB").getpixel((int(picture.width * x), int(picture.height * y)))
    return "red" if red > blue else "blue"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
def test_every_picture_that_is_shown_has_one(opened: Services, form: str) -> None:
    found = small(opened, drawn(half_red(1000, 500), form))
    assert (found.format, found.size) == ("JPEG", (SIDE, SIDE // 2))
    assert (colour(found, 0.5, 0.1), colour(found, 0.5, 0.9)) == ("red", "blue")


def test_nothing_but_pixels_is_in_it(opened: Services) -> None:
    exif = Image.Exif()
    exif[MAKE] = "a phone of Gholam"
    exif[GPS_IFD] = {1: "N", 2: (IFDRational(35), IFDRational(42), IFDRational(3))}
    xmp = b"<x:xmpmeta>35.7001 51.4002</x:xmpmeta>"
    data = drawn(half_red(800, 600), "JPEG", exif=exif, comment=b"51.4002", icc_profile=b"profile", xmp=xmp)
    assert all(trace in data for trace in (b"Gholam", b"51.4002", b"profile", b"xmpmeta"))  # or the test proves nothing
    found = small(opened, data)
    assert set(found.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    kept = thumbnail(opened, opened.blobs.put(data).sha256)
    assert not any(trace in kept for trace in (b"Gholam", b"51.4002", b"profile", b"xmpmeta", b"Exif", b"GPS"))


def test_a_picture_taken_sideways_is_upright(opened: Services) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # turn a quarter clockwise to see it upright
    found = small(opened, drawn(half_red(600, 400), "JPEG", exif=exif))
    assert found.width < found.height
    assert (colour(found, 0.9, 0.5), colour(found, 0.1, 0.5)) == ("red", "blue")


def test_what_is_transparent_is_white(opened: Services) -> None:
    found = small(opened, drawn(Image.new("RGBA", (40, 40), (0, 0, 0, 0)), "PNG"))
    assert found.convert("RGB").getpixel((20, 20)) == (255, 255, 255)


def png_of(width: int, height: int) -> bytes:
    """A few bytes that claim to be a picture of this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        drawn(Image.new("1", (7000, 7000)), "PNG"),
        png_of(12_000, 12_000),
        png_of(60_000, 60_000),
        png_of(2**31 - 1, 1),
        drawn(half_red(900, 900), "JPEG")[:2000],
        b"\xff\xd8\xff\xe0 no picture",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        drawn(half_red(9, 9), "TIFF"),
        b"",
    ],
    ids=["49 MP", "144 MP", "3600 MP", "a line", "cut off", "bytes", "svg", "postscript", "tiff", "empty"],
)
def test_what_cannot_or_must_not_be_read_has_none(opened: Services, data: bytes) -> None:
    with pytest.raises(Problem) as refused:
        small(opened, data)
    assert refused.value.kind.code == "not_found"
    assert list((opened.config.data / "thumbnails").rglob("*.*")) == []


def test_a_file_that_is_not_here_has_none(opened: Services) -> None:
    with pytest.raises(Problem):
        thumbnail(opened, "0" * 64)


def test_it_is_made_once_and_again_when_somebody_cleared_the_folder(opened: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    draw = thumbnails._drawn
    monkeypatch.setattr(thumbnails, "_drawn", lambda source: made.append(source) or draw(source))
    sha256 = opened.blobs.put(drawn(half_red(50, 50), "PNG")).sha256
    first = thumbnail(opened, sha256)
    assert thumbnail(opened, sha256) == first
    assert len(made) == 1
    thumbnails.path_of(opened, sha256).unlink()
    assert thumbnail(opened, sha256) == first
    assert len(made) == 2


def test_what_is_kept_of_it_is_sealed_for_its_picture(opened: Services) -> None:
    first, second = (opened.blobs.put(drawn(half_red(side, 50), "PNG")).sha256 for side in (50, 60))
    assert thumbnail(opened, first).startswith(b"\xff\xd8")
    thumbnail(opened, second)
    assert b"JFIF" not in thumbnails.path_of(opened, first).read_bytes()
    thumbnails.path_of(opened, first).replace(thumbnails.path_of(opened, second))
    with pytest.raises(Problem) as caught:
        thumbnail(opened, second)
    assert caught.value.kind.code == "seal_broken"


def test_the_oldest_make_room(opened: Services) -> None:
    folder = opened.config.data / "thumbnails" / "ab"
    for number in range(thumbnails.KEPT_PER_FOLDER):
        thumbnails._keep(folder / f"{number}.jpg", b"x")
        os.utime(folder / f"{number}.jpg", (number, number))
    thumbnails._keep(folder / "new.jpg", b"x")
    names = {file.name for file in folder.iterdir()}
    assert len(names) == thumbnails.KEPT_PER_FOLDER
    assert "new.jpg" in names
    assert "0.jpg" not in names
