"""Incidents: which reports tell of one event, what was proposed, and who decided."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from records.models.base import Base, Id

_RECORD = ["submission.project_id", "submission.form_id", "submission.instance_id"]


class ConflictReport(Base):
    """The facts of one conflict report that others are compared with, written by the checks. Place in degrees and metres, WGS 84.

    `cell` is the square of a tenth of a degree it lies in. Codes and names are as compared (`forms.spelling`), never as written;
    `losses` are {species: [killed, injured, missing]}, `photos` the difference hashes of its pictures.
    """

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
    cell: Mapped[int | None]
    country: Mapped[str]
    place: Mapped[str]
    predator: Mapped[str]
    household: Mapped[str]
    reporter: Mapped[str]
    reporter_role: Mapped[str]
    device: Mapped[str]
    losses: Mapped[dict[str, Any]]
    photos: Mapped[list[Any]]
    __table_args__ = (
        ForeignKeyConstraint(["project_id", "form_id", "instance_id"], _RECORD, ondelete="CASCADE"),
        Index("conflict_report_cell", "project_id", "cell", "happened_on"),
        Index("conflict_report_household", "project_id", "household", "happened_on"),
        Index("conflict_report_place", "project_id", "place", "happened_on"),
    )


class IncidentLink(Base):
    """That a record tells of an incident, or of the installation of a measure: its id is the instance id of its first report.

    `role` is report, verification, compensation, mortality; installation or followup. `how` it is known: own (it began it),
    reference (it names it) or decision (a person said so). `reference` is the case number of a report or an installation, as
    compared, and of a visit the instance id it names. A visit whose report has not come has no incident: it waits under that.
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
        Index("incident_link_reference", "project_id", "reference"),
    )


class IncidentPair(Base):
    """Two reports that may tell of one event, the lesser key first: score (0 to 1), band, and the evidence {term: {value, weight}}.

    `decision` is same, different or empty (nobody has decided). The band "asked" is of pairs that only a person thought of.
    """

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
        ForeignKeyConstraint(["project_id", "first_form", "first_id"], _RECORD, ondelete="CASCADE"),
        ForeignKeyConstraint(["project_id", "second_form", "second_id"], _RECORD, ondelete="CASCADE"),
        Index("incident_pair_second", "project_id", "second_form", "second_id"),
        Index("incident_pair_open", "project_id", "decision", "score"),
    )
