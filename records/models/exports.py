"""Runs of exports."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from records.models.base import Base, Id


class ExportRun(Base):
    """One run of an export. (project, name, slot) is unique: whoever inserts the row runs the slot. States: running, done, failed.

    `slot` is the moment it was due; `origin` is "schedule" or who asked. `files` are [{name, rows, size, sha256}] in `folder`,
    which several runs share when nothing changed between them; `about` tells of the release; `removed_at`: the files are gone.
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
    attempt: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    about: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    removed_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("project_id", "name", "slot"),)
