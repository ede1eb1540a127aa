"""Incidents: which reports tell of one event, what was proposed, and who decided."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from records.models.base import Base, Id

_RECORD = ["submission.project_id", "submission.form_id", "submission.instance_id"]


class ConflictReport(Base):
    """The facts of one conflict report in columns, written by the checks. Place in degrees and metres; `household` as compared."""

    __tablename__ = "conflict_report"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    instance_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    happened_on: Mapped[date | None]
    date_precision: Mapped[str]
    time_of_day: Mapped[str]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    accuracy: Mapped[float | None]
    country: Mapped[str]
    place: Mapped[str]
    predator: Mapped[str]
    household: Mapped[str]
    reporter: Mapped[str]
    reporter_role: Mapped[str]
    losses: Mapped[dict[str, Any]]
    __table_args__ = (
        ForeignKeyConstraint(["project_id", "form_id", "instance_id"], _RECORD, ondelete="CASCADE"),
        Index("conflict_report_day", "project_id", "happened_on"),
    )


class IncidentLink(Base):
    """That a record tells of an incident. The incident's id is the instance id of one of its reports.

    `role` is report, verification, compensation or another visit; `how` is own, reference or decision. A visit whose report has not
    come yet has no incident, and waits under its `reference`.
    """

    __tablename__ = "incident_link"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    instance_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    incident_id: Mapped[str | None] = mapped_column(String(249))
    role: Mapped[str] = mapped_column(String(32))
    how: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str] = mapped_column(String(249))
    __table_args__ = (
        ForeignKeyConstraint(["project_id", "form_id", "instance_id"], _RECORD, ondelete="CASCADE"),
        Index("incident_link_incident", "project_id", "incident_id"),
        Index(
            "incident_link_waiting",
            "project_id",
            "reference",
            sqlite_where=text("incident_id IS NULL"),
            postgresql_where=text("incident_id IS NULL"),
        ),
    )


class IncidentPair(Base):
    """Two reports that may tell of one event: score (0 to 1), band, the evidence, and what a person decided (empty: nobody yet)."""

    __tablename__ = "incident_pair"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    first_form: Mapped[str] = mapped_column(String(249), primary_key=True)
    first_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    second_form: Mapped[str] = mapped_column(String(249), primary_key=True)
    second_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    score: Mapped[float]
    band: Mapped[str] = mapped_column(String(16))
    evidence: Mapped[dict[str, Any]]
    rule: Mapped[str] = mapped_column(String(32))
    proposed_at: Mapped[datetime]
    decision: Mapped[str] = mapped_column(String(16), default="")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(default="")
    comment: Mapped[str] = mapped_column(default="")
    __table_args__ = (
        Index("incident_pair_second", "project_id", "second_id"),
        Index("incident_pair_open", "project_id", "decision", "score"),
    )
