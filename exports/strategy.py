"""What data a project has for each activity of the range-wide strategy: how many records, since when, from where; what is overdue.

Nothing here names a person or a place. Of restricted surveys only the years with data are told, with a total from five records on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, case, extract, func, select

from forms.library.sources import restricted_ids, survey_ids
from forms.strategy import Activity, Due, strategy
from forms.strategy.model import FIRST_YEAR
from records.access import Access, Right
from records.models import Submission

FEWEST = 5
"""A year of a restricted survey with fewer records is not counted out."""
FEWER = f"fewer than {FEWEST}"
REAL = "real"
LEFT_OUT = ("test", "rejected", "excluded", "encrypted", "deleted")
"""Why a record does not count; the last of these that is true of it is the reason."""
_ASKED = (("country",), ("household_g", "country"))
"""Where the surveys ask for the country, for records whose point does not tell it."""


class Status(StrEnum):
    """How an activity stands to its date on a day. Whether it was done is not known here, only whether there are data."""

    OVERDUE = "overdue"
    DUE = "due"  # this year, or the years in which it is due have begun
    LATER = "later"
    RECURRING = "recurring"
    SOON = "asap"
    UNDATED = "undated"


@dataclass(frozen=True, slots=True)
class Holding:
    """What there is of one survey, or of several together. Of a restricted one only `years` are told, None for fewer than five.

    `years` are numbers of real records by the year of the event, by the year of arrival where the event has no date.
    """

    survey_id: str
    restricted: bool
    years: Mapping[int, int | None]
    records: int | None = None
    first: date | None = None
    last: date | None = None
    last_arrival: datetime | None = None
    countries: tuple[str, ...] = ()
    left_out: Mapping[str, int] | None = None

    @property
    def has_data(self) -> bool:
        """Whether there is a real record."""
        return bool(self.years)


@dataclass(frozen=True, slots=True)
class ActivityData:
    """An activity, how it stands to its date, and what there is for it, survey by survey.

    `together` are all its surveys that are not restricted, as one. `period` are the first and last year of the round in which a
    recurring activity is, and `is_supplied` whether they have data.
    """

    activity: Activity
    status: Status
    holdings: tuple[Holding, ...]
    together: Holding
    period: tuple[int, int] | None
    is_supplied: bool

    @property
    def has_restricted(self) -> bool:
        """Whether there are real records of a restricted survey for it."""
        return any(each.restricted and each.has_data for each in self.holdings)


def read_strategy_data(connection: Connection, access: Access, today: date) -> list[ActivityData]:
    """Every activity of the strategy in its order, with the data of the project. For people who may see exports."""
    access.require(Right.EXPORTS)
    rows: dict[str, list[Row[Any]]] = {survey_id: [] for survey_id in survey_ids()}
    for row in connection.execute(_query(access)):
        rows[row.form_id].append(row)
    found = [_of_activity(activity, rows, today) for activity in strategy().activities.values()]
    return found if access.may(Right.SEE) else [_generalised(each) for each in found]


def status_of(due: Due, today: date) -> Status:
    """How a date stands on a day."""
    if due.every:
        return Status.RECURRING
    if due.soon:
        return Status.SOON
    if due.first is None or due.last is None:
        return Status.UNDATED
    if due.last < today.year:
        return Status.OVERDUE
    return Status.DUE if due.first <= today.year else Status.LATER


def as_json(data: ActivityData) -> dict[str, Any]:
    """An activity for programs."""
    activity = data.activity
    due = activity.due
    return {
        "id": activity.id,
        "source_id": activity.source_id,
        "objective": activity.objective,
        "result": activity.result,
        "text": activity.text,
        "priority": activity.priority,
        "due": {"first": due.first, "last": due.last, "every": due.every, "asap": due.soon},
        "status": data.status.value,
        "period": data.period and {"first": data.period[0], "last": data.period[1], "has_data": data.is_supplied},
        "all_surveys": activity.all_surveys,
        "surveys": [_holding_as_json(each, activity.surveys.get(each.survey_id, ())) for each in data.holdings],
        "indicators": list(activity.indicators),
    }


def _query(access: Access) -> Select[Any]:
    """One pass over the records of the shipped surveys."""
    from exports.dataset import NEVER_COUNTED

    purpose = Submission.answers["submission_purpose"].as_string()
    standing = case(
        (Submission.deleted_at.is_not(None), "deleted"),
        (Submission.encrypted, "encrypted"),
        (Submission.excluded, "excluded"),
        (Submission.review_state.in_(NEVER_COUNTED), "rejected"),
        (purpose == "test", "test"),
        else_=REAL,
    ).label("standing")
    year = func.coalesce(extract("year", Submission.event_date), extract("year", Submission.received_at)).label("year")
    found = func.coalesce(Submission.country, *(Submission.answers[path].as_string() for path in _ASKED))
    country = case((found.in_(strategy().countries), found)).label("country")
    undated = case((Submission.event_date.is_(None), Submission.received_at))
    return (
        select(
            *(Submission.form_id, standing, year, country, func.count().label("records")),
            func.min(Submission.event_date).label("first"),
            func.max(Submission.event_date).label("last"),
            func.min(undated).label("first_undated"),
            func.max(undated).label("last_undated"),
            func.max(Submission.received_at).label("last_arrival"),
        )
        .where(
            *replace(access, rights=access.rights | {Right.CONFIDENTIAL}).visible(with_deleted=True),
            Submission.form_id.in_(survey_ids()),
        )
        .group_by(Submission.form_id, standing, year, country)
    )


def _of_activity(activity: Activity, rows: Mapping[str, Sequence[Row[Any]]], today: date) -> ActivityData:
    chosen = [survey_id for survey_id in rows if activity.all_surveys or survey_id in activity.surveys]
    holdings = tuple(_restricted(each, rows[each]) if each in restricted_ids() else _open(each, rows[each]) for each in chosen)
    period = _round(activity.due.every, today)
    return ActivityData(
        activity=activity,
        status=status_of(activity.due, today),
        holdings=holdings,
        together=_open("", [row for each in chosen if each not in restricted_ids() for row in rows[each]]),
        period=period,
        is_supplied=period is not None and any(period[0] <= year <= period[1] for each in holdings for year in each.years),
    )


def _generalised(found: ActivityData) -> ActivityData:
    """The same for who may see no single report: no day of one, and no number of so few that they are one household's."""
    return replace(found, holdings=tuple(map(_coarse, found.holdings)), together=_coarse(found.together))


def _coarse(holding: Holding) -> Holding:
    years = {year: number if number is not None and number >= FEWEST else None for year, number in holding.years.items()}
    first, last = (day and day.replace(month=1, day=1) for day in (holding.first, holding.last))
    return replace(holding, years=years, first=first, last=last and last.replace(month=12, day=31), last_arrival=None)


def _restricted(survey_id: str, rows: Sequence[Row[Any]]) -> Holding:
    return Holding(survey_id, True, {year: n if n >= FEWEST else None for year, n in _years(rows).items()})


def _open(survey_id: str, rows: Sequence[Row[Any]]) -> Holding:
    real = [row for row in rows if row.standing == REAL]
    undated = [moment.date() for row in real for moment in (row.first_undated, row.last_undated) if moment]
    days = [*undated, *(day for row in real for day in (row.first, row.last) if day)]
    return Holding(
        survey_id=survey_id,
        restricted=False,
        years=_years(rows),
        records=sum(row.records for row in real),
        first=min(days, default=None),
        last=max(days, default=None),
        last_arrival=max((row.last_arrival for row in real), default=None),
        countries=tuple(sorted({row.country for row in real if row.country})),
        left_out={reason: sum(row.records for row in rows if row.standing == reason) for reason in LEFT_OUT},
    )


def _years(rows: Sequence[Row[Any]]) -> dict[int, int]:
    years: Counter[int] = Counter()
    for row in rows:
        if row.standing == REAL:
            years[int(row.year)] += row.records
    return dict(sorted(years.items()))


def _round(every: int | None, today: date) -> tuple[int, int] | None:
    """The years of the round that is under way; rounds are counted from the first year of the strategy."""
    if every is None:
        return None
    first = today.year - (today.year - FIRST_YEAR) % every
    return first, first + every - 1


def _holding_as_json(holding: Holding, key_fields: Sequence[str]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": holding.survey_id,
        "key_fields": list(key_fields),
        "restricted": holding.restricted,
        "has_data": holding.has_data,
        "years": {str(year): FEWER if n is None else n for year, n in holding.years.items()},
    }
    if holding.restricted:
        return told
    return told | {
        "records": holding.records,
        "first_day": holding.first,
        "last_day": holding.last,
        "last_arrival": holding.last_arrival,
        "countries": list(holding.countries),
        "left_out": holding.left_out,
    }
