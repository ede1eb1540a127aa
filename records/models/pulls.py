"""Other servers that are pulled from, and how far that has come."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from records.models.base import Base, Id


class PullSource(Base):
    """One form of another server. `state` says where to go on, without any name or password; `met_at`: when a page came last."""

    __tablename__ = "pull_source"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[dict[str, Any]]
    met_at: Mapped[datetime]


class PullServer(Base):
    """A server that is pulled from again and again. `kind`: central or kobo; `source_project`: the number of the project there.

    `secret` is the password or key, sealed for this address and name. `every_hours`: 0 for never by itself. `begun_at`: since
    when it is being pulled from. `outcome`: counts, what was told, and the failure, of the last time, `tried_at`; `met_at`: the
    last time that it went well.
    """

    __tablename__ = "pull_server"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    kind: Mapped[str] = mapped_column(String(16))
    address: Mapped[str]
    user: Mapped[str]
    secret: Mapped[bytes]
    source_project: Mapped[int]
    forms: Mapped[list[Any]]
    every_hours: Mapped[int]
    added_at: Mapped[datetime]
    begun_at: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]
    outcome: Mapped[dict[str, Any]]
