"""What the protection of personal data needs to remember: keys that were in use, and data that were erased."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from records.models.base import Base, Id


class PersonalKey(Base):
    """A key that was in use, by its id in hex, with its public half, which only seals; the half that opens is not in the database.

    `sealed_at`: since then all is sealed with it.
    """

    __tablename__ = "personal_key"
    key_id: Mapped[str] = mapped_column(String(8), primary_key=True)
    public: Mapped[bytes]
    since: Mapped[datetime]
    sealed_at: Mapped[datetime | None]


class Erasure(Base):
    """That the data of a person were erased: who did it, when and why, and how much of what; nothing about the person.

    `counts` are numbers by kind of thing; `digests` are those of the records' bytes as they arrived.
    """

    __tablename__ = "erasure"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    project_id: Mapped[int]
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str]
    counts: Mapped[dict[str, Any]]
    digests: Mapped[list[Any]]
    __table_args__ = (Index("erasure_project", "project_id", "at"),)
