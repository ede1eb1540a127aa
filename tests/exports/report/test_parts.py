"""The pieces of the report: its words, the document, both renderers, the drawings."""

import ast
import re
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

import exports.report
from exports.indicators.catalogue import indicators
from exports.report import html, pdf, svg
from exports.report.document import (
    FIRST_STRONG,
    POP,
    Bullets,
    Document,
    Facts,
    Figure,
    Heading,
    Links,
    PageBreak,
    Paragraph,
    Table,
    isolated,
)
from exports.report.indicators import newest, shown
from exports.report.labels import FLAGS, LABELS
from exports.report.language import Language, _words
from exports.report.numbers import Numbers, Value
from exports.report.projection import Sheet, countries
from forms.strategy.words import words
from tests.support.chromium import chromium

ENGLISH, PERSIAN = Language("en"), Language("fa")
MARKS = {"_", "say", "self", "language"}
PLACEHOLDER = re.compile(r"\{\w*\}")


def texts() -> set[str]:
    """Every text of the report's code that is marked for translation."""
    found = set()
    for path in Path(exports.report.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS and node.args:
                text = node.args[0]
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    found.add(text.value)
    return found


def document(language: str = "en", *blocks: object) -> Document:
    return Document(language, language == "fa", "A <title>", "Sub & title", "Foot", date(2026, 6, 30), blocks)  # type: ignore[arg-type]


EVERY_BLOCK = (
    Heading("A chapter"),
    Paragraph("Lead", "lead"),
    Paragraph("Mind # $ * <b> [this]", "warning"),
    Bullets(("one", "two")),
    Facts((("Rules", isolated("exact-nb-1")),)),
    Links("Others", (("Iran", "other.html"),)),
    Table("A table", ("What", "Number"), (False, True), (3, 1), (("Part",), ("one", "1"), ("two", "2")), "A note"),
    Figure(svg.drawing(100, 50, [svg.text(10, 20, "ایران")]), "A figure", "In words"),
    PageBreak(),
)


def test_every_text_is_there_in_persian_and_no_other() -> None:
    persian = {text: other for text, other in _words("fa").items() if text not in words("fa")}
    assert texts() - set(_words("fa")) == set()
    assert set(persian) - texts() == set()
    for text, other in persian.items():
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(other)), text
        assert not re.search("[يك\u0660-\u0669]", other), text


def test_labels_are_those_of_indicators_that_are_there() -> None:
    assert {indicator for indicator, _figure in LABELS} <= set(indicators())


def test_before_and_after_without_controls_is_said_to_be_no_evidence() -> None:
    assert FLAGS["no_controls_not_evidence"].startswith("no evidence")


def test_a_row_of_the_wrong_size_is_no_table() -> None:
    with pytest.raises(ValueError, match="Rows of"):
        Table("x", ("a", "b", "c"), (False,) * 3, (1, 1, 1), (("1", "2"),))


def test_numbers_days_and_periods_are_written_as_their_readers_do() -> None:
    assert [ENGLISH.number(value) for value in (1234567, 0.01234, 12.34, 3.0)] == ["1,234,567", "0.0123", "12.3", "3"]
    assert PERSIAN.number(1234.5) == "۱٬۲۳۴"
    assert PERSIAN.percent(7.25) == "۷٫۲٪"
    assert ENGLISH.day(date(2026, 3, 21)) == "21 March 2026"
    assert PERSIAN.day(date(2026, 3, 21)) == "۱ فروردین ۱۴۰۵ (۲۱ مارس ۲۰۲۶)"
    assert ENGLISH.period("2025Q3") == "July to September 2025"
    assert PERSIAN.period("2025") == "۲۰۲۵"
    assert ENGLISH.money(5.2e9, "IRR") == "5.2 billion Iranian rial (IRR)"
    assert ENGLISH.choice("no_such_choice") == "no_such_choice"


def test_html_needs_nothing_from_outside_and_runs_nothing() -> None:
    for language in ("en", "fa"):
        page = html.render(document(language, *EVERY_BLOCK)).decode()
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|<script|<link|<iframe|\son\w+=", page)
        assert set(re.findall(r'url\("?([^")]{5})', page)) <= {"data:"}
        assert f'<html lang="{language}" dir="{"rtl" if language == "fa" else "ltr"}">' in page


def test_html_takes_no_text_for_markup() -> None:
    page = html.render(document("en", *EVERY_BLOCK)).decode()
    assert "<h1>A &lt;title&gt;</h1>" in page
    assert "Mind # $ * &lt;b&gt; [this]" in page
    assert "<bdi>exact-nb-1</bdi>" in page
    assert FIRST_STRONG not in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)


def test_pdf_shows_every_block_with_the_font_that_comes_along_and_the_same_bytes_twice() -> None:
    for language in ("en", "fa"):
        made = pdf.render(document(language, *EVERY_BLOCK))
        assert made.startswith(b"%PDF-")
        assert b"Vazirmatn" in made
        assert made == pdf.render(document(language, *EVERY_BLOCK))


def test_drawings_are_well_formed_and_isolate_their_words() -> None:
    drawn = svg.drawing(10, 10, [svg.text(1, 2, "<&>"), svg.line(0, 0, 1, 1, stroke_width=0.5)])
    tree = etree.fromstring(drawn.encode())
    assert tree.xpath("string(//*[local-name()='text'])") == f"{FIRST_STRONG}<&>{POP}"


def test_the_sheet_keeps_areas_and_the_north_above() -> None:
    sheet = Sheet((44.0, 25.0, 64.0, 40.0), 460.0)
    iran = countries(None)["IR"]
    assert sheet.flat(iran).area / sheet.per_km**2 == pytest.approx(1_630_000, rel=0.02)
    (_, north), (_, south) = (sheet.flat(part).centroid.coords[0] for part in (countries(None)["TM"], iran))
    assert north < south


def figure(**given: object) -> Value:
    common = {"indicator": "I-CON-4", "figure": "median", "of": "", "predator": "leopard", "country": "", "period": "2025"}
    rest = {
        "unit": "animals",
        "value": 2.0,
        "category": "",
        "lower": None,
        "upper": None,
        "n": 9,
        "households": "",
        "coverage": None,
    }
    return Value(**{**common, **rest, "flags": (), "reason": "", **given})  # type: ignore[arg-type]


def test_the_newest_year_is_told_before_a_quarter_and_a_told_quarter_before_a_year_kept_back() -> None:
    year, quarter = figure(), figure(period="2026Q2", value=3.0)
    assert newest([quarter, year]) == [year]
    kept = figure(value=None, reason="few_households")
    assert newest([quarter, kept]) == [quarter]
    assert newest([kept]) == [kept]


def test_a_limit_below_nothing_is_shown_only_of_what_can_be_less() -> None:
    assert shown(figure(value=2.0, lower=-1.0, upper=5.0), ENGLISH) == "2 (0 to 5)"
    gain = figure(indicator="I-TRN-2", figure="gain", value=2.0, lower=-1.0, upper=5.0)
    assert shown(gain, ENGLISH) == "2 (-1 to 5)"
    assert shown(figure(unit="%", value=0.0, lower=0.0, upper=4.13), ENGLISH) == "0% (0% to 4.1%)"
    assert shown(figure(category="unproven", value=None), ENGLISH) == "not proven"


def test_persian_pages_run_from_right_to_left_and_fit_a_phone(numbers: Numbers, tmp_path: Path) -> None:
    from exports.report.chapters import written

    path = tmp_path / "report.html"
    path.write_bytes(html.render(written(numbers, PERSIAN)))
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        first, second = (page.locator("thead th").nth(number).bounding_box() for number in (0, 1))
        assert first is not None
        assert second is not None
        assert first["x"] > second["x"]
        page.set_viewport_size({"width": 360, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
