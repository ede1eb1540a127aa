"""A report as PDF, set by Typst with the font that comes with it. The same document gives the same bytes, on any machine."""

from datetime import UTC, datetime, time

import orjson
import typst

from exports.report.document import Document
from exports.report.html import FONTS, HERE


def render(document: Document) -> bytes:
    """The document as a file, dated by its own day. Raises `typst.TypstError` where the template cannot show it."""
    day = document.day
    content = document.as_json() | {"year": day.year, "month": day.month, "of_month": day.day}
    made = typst.compile(
        (HERE / "report.typ").read_bytes(),
        font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS]),
        sys_inputs={"document": orjson.dumps(content).decode()},
        format="pdf",
        timestamp=datetime.combine(day, time(), UTC),
    )
    if not isinstance(made, bytes):
        raise TypeError("Typst gave no single PDF.")
    return made
