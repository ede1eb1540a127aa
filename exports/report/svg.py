"""Small pieces of SVG, the same for browsers and for print: plain shapes, no styles from outside, no scripts, no references."""

from collections.abc import Iterable
from html import escape

from exports.report.document import isolated

INK, FAINT, GROUND = "#1f2421", "#6b726e", "#ffffff"
FONT = "Vazirmatn, 'Segoe UI', Roboto, sans-serif"


def drawing(width: float, height: float, parts: Iterable[str]) -> str:
    """A drawing on its own light ground, so that it is the same in the dark and on paper."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" '
        f'width="{number(width)}" height="{number(height)}" direction="ltr" font-family="{FONT}" fill="{INK}">'
        f'<rect width="100%" height="100%" fill="{GROUND}"/>{"".join(parts)}</svg>'
    )


def number(value: float) -> str:
    """A length with one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")


def path(lines: Iterable[Iterable[tuple[float, float]]], **style: str | float) -> str:
    """Closed outlines; points that fall together at this size are drawn once."""
    drawn = []
    for line in lines:
        points = list(dict.fromkeys((number(x), number(y)) for x, y in line))
        if len(points) > 2:
            drawn.append("M" + "L".join(f"{x} {y}" for x, y in points) + "Z")
    return f'<path d="{"".join(drawn)}"{_attributes(style)}/>' if drawn else ""


def line(x1: float, y1: float, x2: float, y2: float, **style: str | float) -> str:
    """A straight line."""
    return f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"{_attributes(style)}/>'


def rect(x: float, y: float, width: float, height: float, **style: str | float) -> str:
    """A rectangle."""
    return f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"{_attributes(style)}/>'


def circle(x: float, y: float, radius: float, **style: str | float) -> str:
    """A circle."""
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}"{_attributes(style)}/>'


def text(x: float, y: float, words: str, *, size: float = 13, anchor: str = "start", **style: str | float) -> str:
    """Words that begin, have their middle or end at x, whatever their direction."""
    place = f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" text-anchor="{anchor}"{_attributes(style)}>'
    return f"{place}{escape(isolated(words))}</text>"


def halo(x: float, y: float, words: str, *, size: float = 13, **style: str | float) -> str:
    """Words on a map with a light rim, their middle at x."""
    rim = text(x, y, words, size=size, anchor="middle", fill=GROUND, stroke=GROUND, stroke_width=3, stroke_linejoin="round")
    return rim + text(x, y, words, size=size, anchor="middle", **style)


def _attributes(style: dict[str, str | float]) -> str:
    return "".join(
        f' {name.replace("_", "-")}="{number(value) if isinstance(value, float | int) else value}"' for name, value in style.items()
    )
