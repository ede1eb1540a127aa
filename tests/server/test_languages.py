"""The languages of receipts and shipped surveys: every one whole, its state told, and chosen for each project."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from forms.library.coverage import coverage
from forms.library.translations import languages
from records import projects
from records.forms import open_forms
from server.i18n import LOCALES, phone_languages, phone_texts, translator
from server.receipts import SENTENCES
from server.setup import choose_languages
from tests.support.pages import Site, page
from tests.support.stores import EVERYTHING, PROJECT

SIXTEEN = {"en", "fa", "prs", "ps", "ar", "ckb", "ur", "ru", "tr", "az", "hy", "ka", "kk", "tg", "tk", "uz"}
OTHERS = sorted(SIXTEEN - {"en"})
PLACEHOLDER = re.compile(r"\{\w*\}")


def test_surveys_and_receipts_speak_the_sixteen_languages() -> None:
    assert {language.code for language in languages()} >= set(phone_languages()) >= SIXTEEN


def test_every_state_is_told() -> None:
    states = {language.code: language.state for language in languages()}
    assert set(states.values()) <= {"draft", "reviewed"}
    assert {code: each.state for code, each in phone_languages().items()} == {code: states[code] for code in phone_languages()}
    assert {each.language.name for each in coverage()} >= {each.name for each in phone_languages().values()}


@pytest.mark.parametrize("code", OTHERS)
def test_no_sentence_on_a_phone_is_missing_and_no_placeholder_is_lost(code: str) -> None:
    translate = translator(code)
    assert [text for text in phone_texts() if translate(text) == text] == []
    for text in phone_texts():
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(translate(text))), text


def test_the_sentences_of_receipts_are_those_that_are_said() -> None:
    source = (LOCALES.parent / "receipts.py").read_text(encoding="utf-8")
    assert len(SENTENCES) == source.count('_("') - source.count("{_(")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with closing(Site(tmp_path)) as opened:
        yield opened


def current(site: Site) -> tuple[str, str]:
    """(version, title) of the conflict report as phones get it."""
    with site.services.store.read() as connection:
        return next((form.version, form.title) for form in open_forms(connection, PROJECT) if form.form_id == "conflict_livestock")


def test_a_project_gets_the_surveys_in_its_languages_and_can_go_back(site: Site) -> None:
    choose_languages(site.services, EVERYTHING, ["fa", "en"])
    persian = current(site)
    assert persian[0].endswith("-fa-en")
    assert persian[1] == "گزارش حمله به دام و خسارت آن"
    choose_languages(site.services, EVERYTHING, ["hy"])
    assert current(site)[0].endswith("-hy")
    choose_languages(site.services, EVERYTHING, ["fa", "en"])
    assert current(site) == persian
    with site.services.store.read() as connection:
        assert projects.languages(connection, PROJECT) == ["fa", "en"]


def test_the_page_says_how_far_each_language_has_come(site: Site) -> None:
    shown = page(site.browser("coordinator").get("/projects/1/languages"))
    rows = [" ".join(row.text.split()) for row in shown.all("tr")]
    assert len(rows) == 1 + len(languages())
    assert any(row.startswith("فارسی fa draft 100 %") for row in rows)
    assert any(row.startswith("English en reviewed 100 %") for row in rows)


def test_a_language_that_does_not_exist_changes_nothing(site: Site) -> None:
    for given in ({"first": "xx"}, {"languages": "xx"}, {}):
        answer = site.browser("coordinator").post("/projects/1/languages", data=given)
        assert answer.status_code == 400
    with site.services.store.read() as connection:
        assert projects.languages(connection, PROJECT) == []
