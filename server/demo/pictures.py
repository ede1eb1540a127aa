"""Small pictures of invented mountains, so that records have photos to show: real PNG files of some kilobytes."""

import struct
import zlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 240, 160
_DUSK = ((46, 52, 92), (228, 152, 98), (102, 82, 104), (66, 58, 82), (34, 34, 52))
_PATCHES = 18
_SCENES = 24
_NOON = ((112, 162, 212), (224, 232, 236), (138, 152, 126), (102, 116, 82), (60, 72, 46))


def mountains(seed: int) -> bytes:
    """Give a picture of one of a few places in a light of its own, as a PNG file; the same seed gives the same bytes.

    No two can be taken for each other, as is so with photos.
    """
    light = np.random.default_rng(seed).uniform(0.55, 1.3, (7, 10))
    across, down = np.linspace(0, 9, _WIDTH), np.linspace(0, 6, _HEIGHT)
    wide = np.array([np.interp(across, range(10), row) for row in light])
    full = np.array([np.interp(down, range(7), column) for column in wide.T]).T
    return _png((_scene(seed % _SCENES) * full[..., None]).clip(0, 255).astype(np.uint8) & 0xF0)


@cache
def _scene(seed: int) -> NDArray[np.float64]:
    """Three ridges under clouds, with rocks and bushes."""
    chance = np.random.default_rng(seed)
    top, bottom, *ridges = np.array(_DUSK if chance.random() < 0.5 else _NOON, float)
    rows, columns = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    blend = (rows / _HEIGHT)[..., None]
    picture: NDArray[np.float64] = top * (1 - blend) + bottom * blend
    for number, colour in enumerate(ridges):
        height = _HEIGHT * (0.35 + 0.2 * number) + sum(
            chance.uniform(2, 14) / wave * np.sin(columns / _WIDTH * 6.28 * wave + chance.uniform(0, 6.28))
            for wave in (1, 2, 3, 7, 13)
        )
        picture = np.where((rows > height)[..., None], colour, picture)
    for _ in range(_PATCHES):
        across, down, wide, tall = chance.uniform((0, 0, 10, 6), (_WIDTH, _HEIGHT, 36, 22))
        patch = ((columns - across) / wide) ** 2 + ((rows - down) / tall) ** 2 < 1
        picture = np.where(patch[..., None], picture * chance.uniform(0.6, 1.3), picture).clip(0, 255)
    return picture


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """Write rows of red, green, blue as PNG (ISO/IEC 15948): a header, the packed rows, an end."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
