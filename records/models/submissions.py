"""Records: what arrived, what people made of it, and the order in which everything came."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from records.models.base import Base, Id


class Submission(Base):
    """One record in its current state, under the instance id of its first version.

    `answers` nests groups and repeats; the place is in degrees and metres, WGS 84. `flags` are [{code, path, message}], one that a
    person settled has {settled: {at, by, remedy, comment}} too; `attention` says whether one that waits for a person is left,
    `excluded` whether one of them is an error, which keeps the record out of aggregates. `checked` is the version of the checks
    that looked at this content (0: not yet, -1: looking); they fill in country (ISO 3166-1), first-level unit (ISO 3166-2), study
    area, the moment the phone finished it, a digest of the answers, and of reports of losses what is counted (`records.counted`).
    `contact` are the answers that tell who somebody is, sealed; among the others stands a word in their place.
    `first_received_at` is when another server got it, a station say, where it came from one.
    Review states: received, edited, hasIssues, approved, rejected.
    """

    __tablename__ = "submission"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    instance_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    current_instance_id: Mapped[str] = mapped_column(String(249))
    current_sha256: Mapped[str] = mapped_column(String(64))
    version: Mapped[str]
    received_at: Mapped[datetime]
    first_received_at: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]
    app_user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    device_id: Mapped[str]
    review_state: Mapped[str] = mapped_column(default="received")
    edits: Mapped[int] = mapped_column(default=0)
    attention: Mapped[bool] = mapped_column(default=False, server_default=false())
    excluded: Mapped[bool] = mapped_column(default=False, server_default=false())
    encrypted: Mapped[bool] = mapped_column(default=False, server_default=false())
    checked: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    deleted_at: Mapped[datetime | None]
    country: Mapped[str | None] = mapped_column(String(2))
    admin1: Mapped[str | None] = mapped_column(String(8))
    study_area: Mapped[str | None] = mapped_column(String(64))
    finished_at: Mapped[datetime | None]
    content_sha256: Mapped[str | None] = mapped_column(String(64))
    counted: Mapped[bytes | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    accuracy: Mapped[float | None]
    event_date: Mapped[date | None]
    instance_name: Mapped[str]
    files: Mapped[list[Any]]
    flags: Mapped[list[dict[str, Any]]]
    answers: Mapped[dict[str, Any]]
    contact: Mapped[bytes | None]
    __table_args__ = (
        ForeignKeyConstraint(["project_id", "form_id"], ["form.project_id", "form.form_id"]),
        Index(  # hotspots are counted from it alone
            "submission_counted",
            *("project_id", "form_id", "event_date", "review_state", "deleted_at", "excluded", "encrypted", "received_at"),
            *("instance_id", "counted"),
        ),
        Index("submission_newest", "project_id", "received_at"),
        Index("submission_of_form", "project_id", "form_id", "received_at", "instance_id"),  # tables are written without sorting
        Index(
            "submission_attention",
            "project_id",
            "received_at",
            sqlite_where=text("attention = 1"),
            postgresql_where=text("attention"),
        ),
        Index("submission_unchecked", "received_at", sqlite_where=text("checked <= 0"), postgresql_where=text("checked <= 0")),
        Index(
            "submission_content",
            "project_id",
            "content_sha256",
            "received_at",
            "instance_id",
            sqlite_where=text("content_sha256 IS NOT NULL"),
            postgresql_where=text("content_sha256 IS NOT NULL"),
        ),
        Index(
            "submission_device",
            "project_id",
            "device_id",
            "finished_at",
            sqlite_where=text("finished_at IS NOT NULL"),
            postgresql_where=text("finished_at IS NOT NULL"),
        ),
    )


class SubmissionVersion(Base):
    """The exact bytes of one version as they arrived, sealed. The digest is in the key: the same id with other bytes is kept too.

    `clock_offset` is by how many seconds the phone's clock was ahead of ours, where it could be told. `contact_paths` are the
    questions whose answers in it tell who somebody is. Where those were deleted, `redacted_at` says when, and `erased_at` where
    everything about the person was: the digest is still that of the bytes as they arrived.
    """

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
    clock_offset: Mapped[int | None]
    contact_paths: Mapped[list[Any] | None]
    redacted_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    xml: Mapped[bytes]
    __table_args__ = (
        ForeignKeyConstraint(["project_id", "form_id"], ["form.project_id", "form.form_id"]),
        Index(
            "submission_version_contact",
            "project_id",
            "received_at",
            sqlite_where=text("contact_paths IS NOT NULL"),
            postgresql_where=text("contact_paths IS NOT NULL"),
        ),
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
    """A file of one version. The same name with other bytes is a second row: both are kept. `personal` as in `forms.personal`."""

    __tablename__ = "attachment"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    instance_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    md5: Mapped[str] = mapped_column(String(32))
    size: Mapped[int] = mapped_column(BigInteger)
    content_type: Mapped[str]
    personal: Mapped[str] = mapped_column(String(16), default="picture", server_default=text("'picture'"))
    received_at: Mapped[datetime]
    __table_args__ = (Index("attachment_content", "sha256"),)


class ReviewEvent(Base):
    """What a person did with a record: a review state, a comment, a remedy. Never changed.

    Actions: state, comment, settle, switch, split, delete, restore. `state` is the review state it led to.
    """

    __tablename__ = "review_event"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    project_id: Mapped[int]
    form_id: Mapped[str] = mapped_column(String(249))
    instance_id: Mapped[str] = mapped_column(String(249))
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    state: Mapped[str | None]
    comment: Mapped[str]
    detail: Mapped[dict[str, Any]]
    __table_args__ = (Index("review_event_record", "project_id", "form_id", "instance_id"),)


class KeptAside(Base):
    """Bytes that were refused because nobody could say what they are: of a form never known here, or unreadable. `files` are
    [[names ..., sha256]]. The XML is in the blob store.
    """

    __tablename__ = "kept_aside"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str]
    detail: Mapped[str]
    form_id: Mapped[str]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    times: Mapped[int]
    app_user_id: Mapped[int | None]
    device_id: Mapped[str]
    user_agent: Mapped[str]
    files: Mapped[list[Any]]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str] = mapped_column(default="", server_default=text("''"))


class Feed(Base):
    """Everything in the order it arrived here. Readers remember a position, never a time. `event_id` is that of a review event."""

    __tablename__ = "feed"
    position: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str]
    project_id: Mapped[int]
    form_id: Mapped[str]
    instance_id: Mapped[str]
    sha256: Mapped[str]
    event_id: Mapped[int | None] = mapped_column(BigInteger)
