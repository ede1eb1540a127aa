"""How far each language has come: which texts of which survey still fall back to English."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from forms.library.sources import LIBRARY, read_survey, survey_ids
from forms.library.translations import Language, Text, languages, texts


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one language has of all texts; `missing` are the texts without a translation, by survey."""

    language: Language
    total: int
    missing: dict[str, Sequence[Text]]

    @property
    def lacking(self) -> Sequence[Text]:
        """The texts without a translation, none twice."""
        return list(dict.fromkeys(text for texts in self.missing.values() for text in texts))

    @property
    def percent(self) -> int:
        """Of the texts, rounded down: 100 means all."""
        return 100 * (self.total - len(self.lacking)) // self.total


def coverage(root: Path = LIBRARY) -> list[Coverage]:
    """The coverage of every language, English first."""
    asked = {survey_id: list(dict.fromkeys(texts(read_survey(survey_id, root)))) for survey_id in survey_ids(root)}
    total = len({text for of_survey in asked.values() for text in of_survey})
    return [_of(language, asked, total) for language in languages(root)]


def _of(language: Language, asked: dict[str, list[Text]], total: int) -> Coverage:
    if language.code == "en":
        return Coverage(language, total, {})
    missing = {survey_id: [text for text in of_survey if text not in language.texts] for survey_id, of_survey in asked.items()}
    return Coverage(language, total, {survey_id: texts for survey_id, texts in missing.items() if texts})
