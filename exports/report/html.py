"""A report as one HTML file that needs nothing else: no script, no network; for phones, screens in the dark, and paper."""

import base64
from collections.abc import Callable, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from exports.report.document import (
    FIRST_STRONG,
    POP,
    Block,
    Bullets,
    Document,
    Facts,
    Figure,
    Heading,
    Links,
    PageBreak,
    Paragraph,
    Table,
)

HERE = Path(__file__).parent
FONTS = HERE / "fonts"
_WEIGHTS = {"Regular": 400, "Bold": 700}


def render(document: Document) -> bytes:
    """The document as a file."""
    direction = "rtl" if document.right_to_left else "ltr"
    style = _fonts() + _style() if document.right_to_left else _style()
    title, subtitle = _text(document.title), _text(document.subtitle)
    name = escape(f"{document.title} – {document.subtitle}".replace(FIRST_STRONG, "").replace(POP, ""))
    body = "\n".join(_RENDERERS[type(block)](block) for block in document.blocks)
    page = (
        f'<!DOCTYPE html>\n<html lang="{document.language}" dir="{direction}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{name}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n"
        f'<p class="subtitle">{subtitle}</p>\n</header>\n<main>\n{body}\n</main>\n'
        f"<footer>{_text(document.footer)}</footer>\n</body>\n</html>\n"
    )
    return page.encode()


def _text(text: str) -> str:
    """Text for a page; what is isolated in it becomes an element of its own, which is not broken over two lines."""
    return escape(text).replace(FIRST_STRONG, "<bdi>").replace(POP, "</bdi>")


def _heading(block: Heading) -> str:
    return f"<h{block.level}>{_text(block.text)}</h{block.level}>"


def _paragraph(block: Paragraph) -> str:
    tone = f' class="{block.tone}"' if block.tone else ""
    return f"<p{tone}>{_text(block.text)}</p>"


def _bullets(block: Bullets) -> str:
    return "<ul>" + "".join(f"<li>{_text(item)}</li>" for item in block.items) + "</ul>"


def _facts(block: Facts) -> str:
    return '<dl class="facts">' + "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in block.rows) + "</dl>"


def _links(block: Links) -> str:
    items = "".join(f'<li><a href="{escape(to)}">{_text(words)}</a></li>' for words, to in block.rows)
    return f'<nav class="links"><h3>{_text(block.title)}</h3><ul>{items}</ul></nav>'


def _table(block: Table) -> str:
    head = "".join(
        f"<th{_numeric(is_number)}>{_text(name)}</th>" for name, is_number in zip(block.columns, block.numeric, strict=True)
    )
    rows = "\n".join(_row(block, row) for row in block.rows)
    note = f'<p class="note">{_text(block.note)}</p>' if block.note else ""
    caption = f"<caption>{_text(block.caption)}</caption>"
    return f'<div class="wide"><table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>{note}'


def _row(table: Table, row: tuple[str, ...]) -> str:
    if len(row) == 1 < len(table.columns):
        return f'<tr><th colspan="{len(table.columns)}">{_text(row[0])}</th></tr>'
    cells = zip(table.columns, table.numeric, row, strict=True)
    return (
        "<tr>"
        + "".join(f'<td{_numeric(number)} data-label="{escape(name)}">{_text(cell)}</td>' for name, number, cell in cells)
        + "</tr>"
    )


def _numeric(is_number: bool) -> str:
    return ' class="numeric"' if is_number else ""


def _figure(block: Figure) -> str:
    drawn = block.svg.replace("<svg ", f'<svg role="img" aria-label="{escape(block.alt)}" ', 1)
    return f"<figure>{drawn}<figcaption>{_text(block.caption)}</figcaption></figure>"


def _page_break(_block: PageBreak) -> str:
    return '<div class="page-break"></div>'


_RENDERERS: Mapping[type[Block], Callable[[Any], str]] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Bullets: _bullets,
    Facts: _facts,
    Links: _links,
    Table: _table,
    Figure: _figure,
    PageBreak: _page_break,
}


@cache
def _style() -> str:
    return (HERE / "report.css").read_text(encoding="utf-8")


@cache
def _fonts() -> str:
    """The letters themselves, for machines that have no good ones for Persian."""
    faces = []
    for name, weight in _WEIGHTS.items():
        letters = base64.b64encode((FONTS / f"Vazirmatn-{name}.woff2").read_bytes()).decode()
        source = f'url("data:font/woff2;base64,{letters}") format("woff2")'
        faces.append(f"@font-face {{ font-family: Vazirmatn; font-weight: {weight}; font-display: swap; src: {source}; }}\n")
    return "".join(faces)
