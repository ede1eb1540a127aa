"""A sentence with places for what is particular, so that it can be said in the reader's language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Phrase:
    """An English sentence with `{names}` for its arguments; the sentence as written here is the key of its translations."""

    text: str
    arguments: Mapping[str, str | int] = field(default_factory=dict)

    def say(self, translate: Translate = str) -> str:
        """The sentence in the language of `translate`."""
        return translate(self.text).format(**self.arguments)

    def __str__(self) -> str:
        return self.say()
