"""A record as the checks see it, and what they find."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from records.flags import Flag

Answers = Mapping[str, Any]


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
    country: str | None = None
    """Where the point lies (ISO 3166-1); not what anybody typed."""
    admin1: str | None = None
    study_area: str | None = None
    finished_at: datetime | None = None
    content_sha256: str | None = None
    found: list[Flag] = field(default_factory=list)

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
