"""The tables. What arrived is immutable (`submission_version`, `attachment`, `form_version`); `submission` is the current state
folded from it and can be rebuilt; every arrival appends one row to `feed`.

Every row that belongs to a project carries its id. Keys hold the instance id, by which the data could be spread over machines.
"""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import JSON, TypeDecorator

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Id = BigInteger().with_variant(Integer, "sqlite")


class Moment(TypeDecorator[datetime]):
    """An instant in UTC. SQLite keeps no offset, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables of Tulliana."""

    type_annotation_map = {datetime: Moment, dict[str, Any]: Json, list[Any]: Json, list[dict[str, Any]]: Json, bytes: LargeBinary}  # noqa: RUF012


class Project(Base):
    """A programme, say of one country: the tenant to which forms, phones and data belong."""

    __tablename__ = "project"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str]
    created_at: Mapped[datetime]


class Form(Base):
    """A form by its id; `current_version` is the one new phones get. States: open, closed."""

    __tablename__ = "form"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    state: Mapped[str] = mapped_column(default="open")
    current_version: Mapped[str]
    created_at: Mapped[datetime]


class FormVersion(Base):
    """The published bytes of one (form id, version): never changed. `md5` is what phones compare."""

    __tablename__ = "form_version"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    version: Mapped[str] = mapped_column(String(249), primary_key=True)
    title: Mapped[str]
    md5: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime]
    source_name: Mapped[str]
    xform: Mapped[bytes]
    __table_args__ = (
        ForeignKeyConstraint(["project_id", "form_id"], ["form.project_id", "form.form_id"]),
        Index("form_version_md5", "project_id", "md5"),
    )


class FormMedia(Base):
    """A file that goes with a form version; its bytes are in the blob store."""

    __tablename__ = "form_media"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    version: Mapped[str] = mapped_column(String(249), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    md5: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (
        ForeignKeyConstraint(
            ["project_id", "form_id", "version"], ["form_version.project_id", "form_version.form_id", "form_version.version"]
        ),
    )


class AppUser(Base):
    """A phone, or the ranger who carries it. Only the digest of its token is kept."""

    __tablename__ = "app_user"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    name: Mapped[str]
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    language: Mapped[str] = mapped_column(default="en")
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("project_id", "name"),)


class Submission(Base):
    """One record in its current state, under the instance id of its first version.

    `answers` nests groups and repeats; `flags` are [{code, path, message}]; the place is in degrees and metres, WGS 84.
    """

    __tablename__ = "submission"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    instance_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    current_instance_id: Mapped[str] = mapped_column(String(249))
    current_sha256: Mapped[str] = mapped_column(String(64))
    version: Mapped[str]
    received_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]
    app_user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    device_id: Mapped[str]
    review_state: Mapped[str] = mapped_column(default="received")
    edits: Mapped[int] = mapped_column(default=0)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    accuracy: Mapped[float | None]
    event_date: Mapped[date | None]
    instance_name: Mapped[str]
    files: Mapped[list[Any]]
    flags: Mapped[list[dict[str, Any]]]
    answers: Mapped[dict[str, Any]]
    __table_args__ = (
        ForeignKeyConstraint(["project_id", "form_id"], ["form.project_id", "form.form_id"]),
        Index("submission_newest", "project_id", "received_at"),
        Index("submission_of_form", "project_id", "form_id", "received_at", "instance_id"),  # tables are written without sorting
    )


class SubmissionVersion(Base):
    """The exact bytes of one version as they arrived. The digest is in the key: the same id with other bytes is kept too."""

    __tablename__ = "submission_version"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    instance_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    root_id: Mapped[str] = mapped_column(String(249))
    deprecated_id: Mapped[str | None] = mapped_column(String(249))
    version: Mapped[str]
    received_at: Mapped[datetime]
    app_user_id: Mapped[int | None]
    device_id: Mapped[str]
    user_agent: Mapped[str]
    xml: Mapped[bytes]
    __table_args__ = (
        ForeignKeyConstraint(["project_id", "form_id"], ["form.project_id", "form.form_id"]),
        Index(
            "submission_version_edits",
            "project_id",
            "form_id",
            "deprecated_id",
            sqlite_where=text("deprecated_id IS NOT NULL"),
            postgresql_where=text("deprecated_id IS NOT NULL"),
        ),
    )


class Attachment(Base):
    """A file of one version. The same name with other bytes is a second row: both are kept."""

    __tablename__ = "attachment"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    instance_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    md5: Mapped[str] = mapped_column(String(32))
    size: Mapped[int] = mapped_column(BigInteger)
    content_type: Mapped[str]
    received_at: Mapped[datetime]


class Feed(Base):
    """Everything in the order it arrived here. Readers remember a position, never a time."""

    __tablename__ = "feed"
    position: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str]
    project_id: Mapped[int]
    form_id: Mapped[str]
    instance_id: Mapped[str]
    sha256: Mapped[str]


class Account(Base):
    """A person who signs in. Roles: administrator, coordinator, analyst."""

    __tablename__ = "account"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    created_at: Mapped[datetime]


class Session(Base):
    """A signed-in browser. Only the digest of its cookie is kept."""

    __tablename__ = "session"
    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    expires_at: Mapped[datetime]


class AuditEvent(Base):
    """Who did what, when."""

    __tablename__ = "audit_event"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    detail: Mapped[dict[str, Any]]


class ExportRun(Base):
    """One run of an export. (name, slot) is unique: whoever inserts the row runs the slot. States: running, done, failed.

    `slot` is the moment it was due; `origin` is "schedule" or who asked. `files` are [{name, rows, size, sha256}] in `folder`.
    """

    __tablename__ = "export_run"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str]
    slot: Mapped[datetime]
    origin: Mapped[str]
    state: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    folder: Mapped[str]
    files: Mapped[list[dict[str, Any]]]
    error: Mapped[str]
    __table_args__ = (UniqueConstraint("name", "slot"),)
