"""Reading the records of the shipped surveys for the indicators: what never counts is left out here, and counted.

Records are never refused for what they say, so every answer may be missing or of the wrong type.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Text, case, cast, func, select

from exports.dataset import NEVER_COUNTED
from exports.late import on_time
from forms.library.sources import survey_ids
from forms.spelling import folded
from forms.strategy import strategy
from records.access import Access, Right
from records.counted import NO_CODE
from records.models import Submission

REAL = "real"
BATCH = 2000
_HOUSEHOLD = ("household_code", "reporter/household_code", "household_g/household_code", "unit/household_code")
_COUNTRY = (("country",), ("household_g", "country"))


class Answers:
    """The answers of a record, or of one row of a repeat, by path ("losses_g/loss")."""

    __slots__ = ("_told",)

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._told = told

    def _at(self, path: str) -> Any:
        found: Any = self._told
        for name in path.split("/"):
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def text(self, path: str) -> str:
        """The answer as text; empty where there is none."""
        found = self._at(path)
        return found.strip() if isinstance(found, str) else str(found) if type(found) in (int, float) else ""

    def code(self, path: str) -> str:
        """A code that people typed, as compared."""
        return folded(self.text(path))

    def number(self, path: str) -> float | None:
        """The answer as a number from zero on; None where there is none."""
        found = self._at(path)
        return float(found) if type(found) in (int, float) and 0 <= found < 1e15 else None

    def count(self, path: str) -> int:
        """The answer as a whole number; 0 where there is none."""
        return int(self.number(path) or 0)

    def day(self, path: str) -> date | None:
        """The day of a date or a moment."""
        try:
            return date.fromisoformat(self.text(path)[:10])
        except ValueError:
            return None

    def moment(self, path: str) -> datetime | None:
        """The moment of a dateTime, by the clock of the place."""
        try:
            return datetime.fromisoformat(self.text(path)).replace(tzinfo=None)
        except ValueError:
            return None

    def chosen(self, path: str) -> Sequence[str]:
        """The choices of a question for several."""
        found = self._at(path)
        return [str(each) for each in found] if isinstance(found, list) else self.text(path).split()

    def rows(self, path: str) -> Iterator["Answers"]:
        """The rows of a repeat."""
        found = self._at(path)
        yield from (Answers(row) for row in (found if isinstance(found, list) else ()) if isinstance(row, dict))


@dataclass(frozen=True, slots=True)
class Record:
    """A record that counts. `country` is that of its point, else the answer; `household` the code as compared, empty if unknown.

    `sender` is the number of the phone that sent it.
    """

    form_id: str
    instance_id: str
    country: str
    day: date
    received: datetime
    household: str
    place: tuple[float, float] | None
    study_area: str
    sender: int | None
    answers: Answers


class LeftOut(NamedTuple):
    """How many records of a survey, country and day do not count, and why."""

    form_id: str
    country: str
    day: date
    reason: str
    records: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """The records of each survey by the order of arrival, and what was left out."""

    records: Mapping[str, Sequence[Record]]
    left_out: Sequence[LeftOut]


def read_records(connection: Connection, access: Access, until: date, surveys: Iterable[str] = ()) -> Holdings:
    """Read every record of the shipped surveys (or of some) whose day, or arrival where it has none, is not after `until`."""
    access.require(Right.SEE)
    day = day_of()
    wanted = Submission.form_id.in_(list(surveys) or survey_ids())
    mine = (*access.visible(with_deleted=True), *on_time(connection, access), wanted, day <= until.isoformat())
    standing = _standing()
    found: dict[str, list[Record]] = defaultdict(list)
    first = func.coalesce(Submission.first_received_at, Submission.received_at)
    columns = (Submission.form_id, Submission.instance_id, country_of(), day, first, Submission.study_area)
    place = (Submission.latitude, Submission.longitude, Submission.app_user_id, cast(Submission.answers, Text))
    query = select(*columns, *place).where(*mine, standing == REAL).order_by(Submission.received_at, Submission.instance_id)
    for row in connection.execute(query, execution_options={"yield_per": BATCH}):
        found[row[0]].append(_record(*row))
    keys = (Submission.form_id, country_of(), day, standing)
    without = select(*keys, func.count()).where(*mine, standing != REAL).group_by(*keys)
    left_out = [
        LeftOut(form_id, country or "", date.fromisoformat(when), reason, number)
        for form_id, country, when, reason, number in connection.execute(without)
    ]
    return Holdings(found, left_out)


def _standing() -> Any:
    return case(
        (Submission.deleted_at.is_not(None), "deleted"),
        (Submission.encrypted, "encrypted"),
        (Submission.excluded, "excluded"),
        (Submission.review_state.in_(NEVER_COUNTED), "rejected"),
        (Submission.answers["submission_purpose"].as_string() == "test", "test"),
        else_=REAL,
    ).label("standing")


def day_of() -> Any:
    """The day of a record as text, of one without a day that of its arrival."""
    return func.coalesce(cast(Submission.event_date, Text), func.substr(cast(Submission.received_at, Text), 1, 10)).label("day")


def country_of() -> Any:
    """The country of a record: where its point lies, else the answer, if it is one of the range."""
    found = func.coalesce(Submission.country, *(Submission.answers[path].as_string() for path in _COUNTRY))
    return case((found.in_(strategy().countries), found), else_="").label("country")


def _record(
    form_id: str,
    instance_id: str,
    country: str,
    day: str,
    received: datetime,
    study_area: str | None,
    latitude: float | None,
    longitude: float | None,
    sender: int | None,
    document: str,
) -> Record:
    told = orjson.loads(document)
    answers = Answers(told if isinstance(told, dict) else {})
    household = next(filter(None, map(answers.code, _HOUSEHOLD)), "")
    return Record(
        form_id=form_id,
        instance_id=instance_id,
        country=country,
        day=date.fromisoformat(day),
        received=received,
        household="" if household in NO_CODE else household,
        place=None if latitude is None or longitude is None else (latitude, longitude),
        study_area=study_area or "",
        sender=sender,
        answers=answers,
    )


def households_of(records: Iterable[Record]) -> set[str]:
    """The known households of some records."""
    return {record.household for record in records} - {""}
