"""The conflict report in every language in ODK Web Forms: the words are there, and they run the right way."""

import re
from collections.abc import Iterator

import pytest

from forms.library import read_survey
from forms.library.translations import Language, languages
from tests.screens.__main__ import SCREENS, SURVEY
from tests.screens.phone import Phone, phone
from tests.support.chromium import chromium

_ARABIC = re.compile(r"[\u0620-\u06FF]")


@pytest.fixture(scope="module")
def shown() -> Iterator[Phone]:
    """The report in all languages; what the engine reports fails a test."""
    with chromium() as browser, phone(browser, SURVEY) as opened:
        yield opened
        assert opened.troubles == []


@pytest.mark.parametrize("language", languages(), ids=lambda language: language.code)
def test_the_first_question_is_asked_in_the_language_and_from_its_side(shown: Phone, language: Language) -> None:
    first = next(row for row in read_survey(SURVEY).questions if row["label"])
    wanted = language.translate(first["name"], first["label"])
    shown.speak(language.code)
    label = shown.questions.first.locator("label").first
    assert label.inner_text().strip() == wanted
    direction = "rtl" if _ARABIC.search(language.name) else "ltr"
    assert label.evaluate("element => getComputedStyle(element).direction") == direction
    box, width = shown.questions.first.locator("input").first.bounding_box(), shown.page.viewport_size
    assert box
    assert width
    assert (box["x"] > width["width"] / 2) == (direction == "rtl")  # the button stands where reading begins
    assert shown.page.evaluate("document.documentElement.scrollWidth") == width["width"]


def test_choices_are_shown_with_their_drawings(shown: Phone) -> None:
    shown.speak("ur")
    shown.choose("yes")
    picture = shown.question("sheep").locator("label", has=shown.page.locator("input[value='sheep']")).locator("img")
    assert picture.get_attribute("alt") == next(each for each in languages() if each.code == "ur").translate("livestock", "Sheep")
    assert picture.evaluate("async element => { await element.decode(); return element.naturalWidth; }") == 240


def test_the_pictures_of_the_handbook_are_small() -> None:
    sizes = [path.stat().st_size for path in SCREENS.glob("*.png")]
    assert len(sizes) == 16
    assert sum(sizes) < 1_200_000
