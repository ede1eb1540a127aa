"""Who may come in: phones, people, what they may do in a project, and what they did."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from records.models.base import Base, Id


class AppUser(Base):
    """A phone, or the ranger who carries it. Only digests of its secrets are kept.

    `form_ids` names the forms it gets (None: all). The token before the last still delivers until `old_token_until`. `username` and
    `ha1` are for doors with a password (RFC 7616). `account_id` is the person who sees what this phone sent. `notice` is told on
    the phone with its receipts: {record, text}.
    """

    __tablename__ = "app_user"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    name: Mapped[str]
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    old_token_sha256: Mapped[str | None] = mapped_column(String(64))
    old_token_until: Mapped[datetime | None]
    username: Mapped[str | None]
    ha1: Mapped[str | None] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(default="en")
    form_ids: Mapped[list[Any] | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    notice: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (
        Index(
            "app_user_name",
            "project_id",
            "name",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index("app_user_old_token", "old_token_sha256", unique=True),
        Index("app_user_username", "username", unique=True),
    )


class Account(Base):
    """A person who signs in. An administrator may do everything; others what their memberships say."""

    __tablename__ = "account"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    is_administrator: Mapped[bool] = mapped_column(default=False, server_default=false())
    password_hash: Mapped[str]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Membership(Base):
    """The role of a person in a project; see `records.access`."""

    __tablename__ = "membership"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    role: Mapped[str]


class Session(Base):
    """A signed-in browser. Only the digest of its cookie is kept."""

    __tablename__ = "session"
    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    expires_at: Mapped[datetime]


class AuditEvent(Base):
    """Who did what, when; in a project, or for the server as a whole (None)."""

    __tablename__ = "audit_event"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    project_id: Mapped[int | None]
    actor: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    detail: Mapped[dict[str, Any]]
