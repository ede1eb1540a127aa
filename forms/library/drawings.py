"""Our own drawings beside the choices, for people who read poorly: `media/<name>.svg`, and the PNG that phones show.

The PNGs are kept beside their sources, so that a server needs nothing to draw with; `python -m forms.library draw` makes them.
"""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from forms.library.sources import LIBRARY, Survey
from forms.problems import Problem

SIZE = 240  # pixels: half a phone's width, and about 3 kB a drawing
_COLOURS = 16


def drawings(names: Iterable[str], root: Path = LIBRARY) -> dict[str, bytes]:
    """The PNG files of the library among these names."""
    known = {path.name: path for path in (root / "media").glob("*.png")}
    return {name: known[name].read_bytes() for name in sorted(set(names)) if name in known}


def drawings_of(survey: Survey, root: Path = LIBRARY) -> dict[str, bytes]:
    """The PNG files that a survey's choices show. Raises `Problem("form_invalid")` for one that is not there."""
    names = {row["image"] for row in survey.choices if row.get("image")}
    found = drawings(names, root)
    if lacking := sorted(names - set(found)):
        hint = "Draw it as an SVG in media/, then run: python -m forms.library draw"
        raise Problem("form_invalid", f"choices.csv names drawings that are not there: {', '.join(lacking)}.", hint=hint)
    return found


def draw(root: Path = LIBRARY) -> None:
    """Make the PNG of every SVG in media/."""
    for source in sorted((root / "media").glob("*.svg")):
        source.with_suffix(".png").write_bytes(to_png(source.read_text(encoding="utf-8")))


def to_png(svg: str) -> bytes:
    """A drawing as phones get it: `SIZE` pixels a side, few colours, on white also where the phone is dark."""
    from PIL import Image
    from resvg_py import svg_to_bytes

    with Image.open(BytesIO(svg_to_bytes(svg_string=svg, width=SIZE, height=SIZE, background="#ffffff"))) as rendered:
        small = rendered.convert("RGB").quantize(_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette = (small.getpalette() or [])[: 3 * _COLOURS]
    small.putpalette(palette + [0] * (3 * (_COLOURS + 1) - len(palette)))  # a 17th colour: one byte a pixel packs tighter than half
    file = BytesIO()
    small.save(file, "PNG", optimize=True)
    return file.getvalue()
