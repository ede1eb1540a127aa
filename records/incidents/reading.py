"""Reading an incident: its reports, the visits that hang on it, and what is decided or open about its reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, or_, select

from forms.problems import Problem
from records.access import Access, Right
from records.incidents.pairs import Pair, Record, pairs_among
from records.incidents.references import REPORT
from records.models import IncidentLink, Submission
from records.submissions import Record as Kept
from records.submissions import found


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident: its reports in the order they came, the visits to it with their roles, and the pairs its reports are in."""

    id: str
    reports: Sequence[Kept]
    visits: Sequence[tuple[str, Kept]]
    pairs: Sequence[Pair]


@dataclass(frozen=True, slots=True)
class Brief:
    """An incident in a list: day and place of its first report, how many reports and visits."""

    id: str
    form_id: str
    event_date: date | None
    reports: int
    visits: int


def incident_of(connection: Connection, access: Access, form_id: str, instance_id: str) -> Incident:
    """The incident that a report or a visit belongs to. Raises `Problem("submission_unknown")` for one that belongs to none."""
    access.require(Right.SEE)
    link = select(IncidentLink.incident_id).where(IncidentLink.project_id == access.project_id)
    incident_id = connection.scalar(link.where(IncidentLink.form_id == form_id, IncidentLink.instance_id == instance_id))
    mine = (
        select(IncidentLink.form_id, IncidentLink.instance_id, IncidentLink.role)
        .join(
            Submission,
            (Submission.project_id == IncidentLink.project_id)
            & (Submission.form_id == IncidentLink.form_id)
            & (Submission.instance_id == IncidentLink.instance_id),
        )
        .where(IncidentLink.project_id == access.project_id, IncidentLink.incident_id == incident_id, *access.visible())
        .order_by(Submission.received_at, Submission.instance_id)
    )
    rows = connection.execute(mine).all()
    kept = [(row.role, found(connection, access, row.instance_id, row.form_id)) for row in rows]
    reports = [record for role, record in kept if role == REPORT]
    if incident_id is None or not reports:
        raise Problem("submission_unknown", instance_id)
    records: list[Record] = [(each.form_id, each.instance_id) for each in reports]
    visits = [each for each in kept if each[0] != REPORT]
    return Incident(incident_id, reports, visits, pairs_among(connection, access, records))


def joined_incidents(connection: Connection, access: Access, *, limit: int, skip: int = 0) -> list[Brief]:
    """The incidents that several reports or a visit tell of, those with the newest events first."""
    access.require(Right.SEE)
    several = (
        select(IncidentLink.incident_id)
        .where(IncidentLink.project_id == access.project_id, or_(IncidentLink.how == "decision", IncidentLink.how == "reference"))
        .where(IncidentLink.incident_id.is_not(None))
        .distinct()
    )
    is_report = IncidentLink.role == REPORT
    query = (
        select(
            IncidentLink.incident_id,
            func.min(IncidentLink.form_id).filter(is_report).label("form_id"),
            func.min(Submission.event_date).filter(is_report).label("event_date"),
            func.count().filter(is_report).label("reports"),
            func.count().filter(~is_report).label("visits"),
        )
        .join(
            Submission,
            (Submission.project_id == IncidentLink.project_id)
            & (Submission.form_id == IncidentLink.form_id)
            & (Submission.instance_id == IncidentLink.instance_id),
        )
        .where(IncidentLink.project_id == access.project_id, IncidentLink.incident_id.in_(several), *access.visible())
        .group_by(IncidentLink.incident_id)
        .having(func.count().filter(is_report) > 0)
    )
    newest = query.order_by(func.min(Submission.event_date).filter(is_report).desc(), IncidentLink.incident_id)
    return [
        Brief(row.incident_id, row.form_id, row.event_date, row.reports, row.visits)
        for row in connection.execute(newest.limit(limit).offset(skip))
    ]


def joined_reports(connection: Connection, access: Access) -> dict[str, int]:
    """A number per incident of the reports of which a person decided that they tell of the same event as another one."""
    access.require(Right.SEE)
    rows = connection.execute(
        select(IncidentLink.instance_id, IncidentLink.incident_id).where(
            IncidentLink.project_id == access.project_id, IncidentLink.role == REPORT, IncidentLink.how == "decision"
        )
    )
    numbers: dict[str, int] = {}
    return {row.instance_id: numbers.setdefault(row.incident_id, len(numbers)) for row in rows}
