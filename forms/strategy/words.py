"""The words of the strategy in other languages: `fa.po` here, beside the files whose texts it translates."""

from functools import cache

from forms.catalogues import translations
from forms.strategy.reading import FOLDER


@cache
def words(language: str) -> dict[str, str]:
    """The texts of `Strategy.texts` that are translated, by the English ones; none for a language without a file."""
    return translations(FOLDER / f"{language}.po")
