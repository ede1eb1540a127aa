"""How far pulling from other servers has come."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from records.models.base import Base


class PullSource(Base):
    """One form of another server. `state` says where to go on, without any name or password; `met_at`: when a page came last."""

    __tablename__ = "pull_source"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[dict[str, Any]]
    met_at: Mapped[datetime]
