"""The words of the strategy in other languages: `fa.po` here, beside the files whose texts it translates."""

from functools import cache

from forms.strategy.reading import FOLDER


@cache
def words(language: str) -> dict[str, str]:
    """The texts of `Strategy.texts` that are translated, by the English ones; none for a language without a file."""
    from babel.messages.pofile import read_po

    path = FOLDER / f"{language}.po"
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id and message.string}
