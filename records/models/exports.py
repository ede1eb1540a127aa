"""Runs of exports."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from records.models.base import Base, Id


class ExportRun(Base):
    """One run of an export. (project, name, slot) is unique: whoever inserts the row runs the slot. States: running, done, failed.

    `slot` is the moment it was due; `origin` is "schedule" or who asked. `files` are [{name, rows, size, sha256}] in `folder`.
    """

    __tablename__ = "export_run"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    name: Mapped[str]
    slot: Mapped[datetime]
    origin: Mapped[str]
    state: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    folder: Mapped[str]
    files: Mapped[list[dict[str, Any]]]
    error: Mapped[str]
    __table_args__ = (UniqueConstraint("project_id", "name", "slot"),)
