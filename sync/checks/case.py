"""A record as the checks see it, and what they find."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from forms.datatypes import instant
from forms.definition import Field, FormDefinition
from records.counted import CONFLICT_FORM, counted
from records.flags import Flag
from records.geography import Boundaries
from records.study_areas import NO_AREAS, StudyAreas

Answers = Mapping[str, Any]


class Asked(NamedTuple):
    """An answer to a question of the form; `path` is "group/question", with "[2]" after the second row of a repeat."""

    question: Field
    path: str
    value: Any


class Sent(NamedTuple):
    """What a device sent before. Times are corrected for its clock; `lag` is from the end by its clock to the receipt by ours."""

    key: tuple[str, str]
    """Form id and instance id."""
    received_at: datetime
    began_at: datetime
    finished_at: datetime
    lag: timedelta
    point: tuple[float, float] | None
    accuracy: float | None
    event_date: date | None


class Training(NamedTuple):
    """Where and when people were taught, who then practise with their phones."""

    point: tuple[float, float]
    first: date
    last: date


class Shown(NamedTuple):
    """A picture of a record and what it shows of itself: its hash, and where it was taken."""

    name: str
    sha256: str
    dhash: int | None
    point: tuple[float, float] | None


class Measured(NamedTuple):
    """A number that other records are compared with: what was measured (`kind`), of what and where (`subject`), of which answer
    (`path`), and the code of the animal.
    """

    kind: str
    subject: str
    value: float
    path: str
    name: str


@dataclass(slots=True)
class Case:
    """One record under examination: its row, and what the checks fill in. Place in degrees and metres, WGS 84.

    Answers are never refused, so every one may be missing or of the wrong type: read them by `text`, `number`, `day` and `rows`.
    """

    project_id: int
    form_id: str
    instance_id: str
    current_instance_id: str
    current_sha256: str
    version: str
    received_at: datetime
    app_user_id: int | None
    device_id: str
    clock_offset: int | None
    latitude: float | None
    longitude: float | None
    accuracy: float | None
    event_date: date | None
    files: list[str]
    flags: list[Flag]
    encrypted: bool
    answers: Answers
    edits: int = 0
    land: Boundaries | None = None
    """The region; None where nobody asks."""
    areas: StudyAreas = NO_AREAS
    definition: FormDefinition | None = None
    """Of the form version it was filled in with, else of the current one."""
    replaced: tuple[str, datetime] | None = None
    """The current version of the form, if it is another one, and since when it is."""
    earlier: Sequence[Sent] = ()
    """What the same device sent before."""
    trainings: Sequence[Training] = ()
    missing: Sequence[str] = ()
    pictures: Sequence[Shown] = ()
    content_before: str | None = None
    """What `content_sha256` was when it was looked at last; None if it never was, or did not count."""
    is_withdrawn: bool = False
    """Deleted, or rejected by a reviewer."""
    measures: Sequence[Measured] = ()
    country: str | None = None
    """Where the point lies (ISO 3166-1); not what anybody typed."""
    admin1: str | None = None
    study_area: str | None = None
    finished_at: datetime | None = None
    content_sha256: str | None = None
    found: list[Flag] = field(default_factory=list)
    _asked: list[Asked] | None = None
    _moments: dict[str, datetime | None] | None = None

    @property
    def counted(self) -> bytes | None:
        """What releases count of it, if it tells of losses."""
        if self.form_id != CONFLICT_FORM:
            return None
        return counted(self.instance_id, self.answers, self.latitude, self.longitude, self.accuracy, self.event_date)

    @property
    def key(self) -> dict[str, Any]:
        """The key of its record."""
        return {"project_id": self.project_id, "form_id": self.form_id, "instance_id": self.instance_id}

    @property
    def point(self) -> tuple[float, float] | None:
        """(latitude, longitude), if there are both."""
        if self.latitude is None or self.longitude is None:
            return None
        return self.latitude, self.longitude

    @property
    def is_test(self) -> bool:
        """Whether whoever filled it in said that it is a test."""
        return self.text("submission_purpose") == "test"

    @property
    def asked(self) -> list[Asked]:
        """The answers to questions of the form, in the order they came; none that is empty."""
        if self._asked is None:
            known = self.definition.by_path if self.definition is not None else {}
            self._asked = list(_asked(known, self.answers, (), ""))
        return self._asked

    def moment(self, preload: str) -> datetime | None:
        """When the phone noted the `start` or the `end` of filling in, by its own clock; None where it did not say its zone."""
        if self._moments is None:
            noted = [each for each in self.asked if each.question.preload in {"start", "end"} and not each.question.control]
            self._moments = {each.question.preload: as_moment(each.value) for each in reversed(noted)}
        return self._moments.get(preload)

    def value(self, *path: str) -> Any:
        """The answer at this path of groups; None without one."""
        found: Any = self.answers
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def text(self, *path: str) -> str:
        """A text or the code of a choice, without blanks around it; empty without one."""
        return as_text(self.value(*path))

    def number(self, *path: str) -> float | None:
        """A number; None without one."""
        return as_number(self.value(*path))

    def day(self, *path: str) -> date | None:
        """A date; None without one."""
        return as_day(self.value(*path))

    def rows(self, *path: str) -> Iterator[Answers]:
        """The rows of a repeat."""
        found = self.value(*path)
        yield from (row for row in (found if isinstance(found, list) else ()) if isinstance(row, dict))


def _asked(known: Mapping[tuple[str, ...], Field], answers: Answers, parent: tuple[str, ...], prefix: str) -> Iterator[Asked]:
    for name, value in answers.items():
        item = known.get((*parent, name))
        if item is None or value is None:
            continue
        if item.kind == "question":
            yield Asked(item, prefix + name, value)
        elif isinstance(value, dict):
            yield from _asked(known, value, item.path, f"{prefix}{name}/")
        elif isinstance(value, list):
            for number, row in enumerate(value, 1):
                if isinstance(row, dict):
                    yield from _asked(known, row, item.path, f"{prefix}{name}[{number}]/")


def as_text(value: object) -> str:
    """The text of an answer; empty when it is none."""
    return value.strip() if isinstance(value, str) else str(value) if type(value) in (int, float) else ""


def as_number(value: object) -> float | None:
    """The number of an answer; None when it is none."""
    return float(value) if type(value) in (int, float) else None  # type: ignore[arg-type]


def as_day(value: object) -> date | None:
    """The date of an answer in ISO 8601; None when it is none."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def as_moment(value: object) -> datetime | None:
    """The instant of a dateTime; None when it is none, or says no time zone."""
    found = instant(value) if isinstance(value, str) else None
    return found if found is not None and found.tzinfo is not None else None
