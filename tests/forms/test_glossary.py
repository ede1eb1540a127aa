"""One word for one thing: the glossary of a language holds in every text of its catalogue."""

import pytest

from forms.library.glossary import Term, glossary, strays
from forms.library.translations import Language, Text, languages

TRANSLATIONS = [language for language in languages() if language.code != "en"]


@pytest.mark.parametrize("language", TRANSLATIONS, ids=lambda each: each.code)
def test_every_text_keeps_to_the_glossary(language: Language) -> None:
    assert [(term.english, text.english, translation) for term, text, translation in strays(language)] == []


def test_every_language_explains_the_same_terms() -> None:
    terms = {language.code: [term.english for term in glossary(language.code)] for language in TRANSLATIONS}
    assert {code: found for code, found in terms.items() if found != terms["ru"]} == {}
    assert len(terms["ru"]) >= 25
    for language in TRANSLATIONS:
        for term in glossary(language.code):
            assert term.translation
            assert all(term.stems), (language.code, term.english)


def test_another_word_for_a_term_is_found() -> None:
    stray = Language("ru", "русский", "draft", {Text("q", "Two herds"): "Две отары", Text("q", "Herd of goats"): "Стадо коз"})
    assert [(term.english, text.english) for term, text, _ in strays(stray)] == [("herd", "Two herds")]


def test_a_term_is_a_word_of_its_own() -> None:
    assert Term("herd", "стадо", ("стад",)).is_in("Two herds.")
    assert not Term("herd", "стадо", ("стад",)).is_in("A herder")
