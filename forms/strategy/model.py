"""The nouns of the strategy: objectives, results, activities, indicators, the countries of the range."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

FIRST_YEAR, LAST_YEAR = 2023, 2032


@dataclass(frozen=True, slots=True)
class Due:
    """When something should be done: by `last`, or between the years `first` and `last`, or every `every` years, or `soon`.

    Everything empty: the strategy does not say.
    """

    first: int | None = None
    last: int | None = None
    every: int | None = None
    soon: bool = False


@dataclass(frozen=True, slots=True)
class Objective:
    """An objective, with our heading for the activities listed below it."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """A result below an objective, with our heading."""

    id: str
    text: str
    due: Due

    @property
    def objective(self) -> str:
        """The id of its objective."""
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity in our own words. `source_id` is its number in the strategy, which two activities share.

    `surveys` are those that give its data, each with the paths of the questions that matter most ("losses_g/loss/n_killed");
    with `all_surveys` the others serve it too. `priority` is 1 to 3, None where the strategy gives none.
    """

    id: str
    source_id: str
    text: str
    due: Due
    priority: float | None
    all_surveys: bool
    surveys: Mapping[str, tuple[str, ...]]
    indicators: tuple[str, ...]

    @property
    def result(self) -> str:
        """The id of its result."""
        return self.source_id.rpartition(".")[0]

    @property
    def objective(self) -> str:
        """The id of its objective."""
        return self.source_id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Indicator:
    """A number that is worked out from the data, what it says in short, and its unit."""

    id: str
    text: str
    unit: str


@dataclass(frozen=True, slots=True)
class Country:
    """A country of the range by its ISO 3166-1 code. `cami`: takes part in the Central Asian Mammals Initiative of CMS."""

    code: str
    name: str
    range_state: bool
    cami: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """An activity names another by its number. Some of these do not exist, so nothing follows a reference."""

    activity: str
    refers_to: str


@dataclass(frozen=True, slots=True)
class Note:
    """What is odd in the text of the strategy, and which ids it concerns."""

    concerns: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Strategy:
    """Everything, each by its id in the order of the files."""

    objectives: Mapping[str, Objective]
    results: Mapping[str, Result]
    activities: Mapping[str, Activity]
    indicators: Mapping[str, Indicator]
    countries: Mapping[str, Country]
    references: tuple[Reference, ...]
    notes: tuple[Note, ...]

    def texts(self) -> Iterator[str]:
        """Every text that people read and that needs a translation; names of countries are those of the surveys."""
        for group in (self.objectives, self.results, self.activities):
            yield from (each.text for each in group.values())
        for indicator in self.indicators.values():
            yield from (indicator.text, indicator.unit)
        yield from (note.text for note in self.notes)

    def activities_of(self, indicator_id: str) -> list[str]:
        """The ids of the activities that an indicator serves."""
        return [each.id for each in self.activities.values() if indicator_id in each.indicators]
