"""Projects, forms and their versions, files that go with them, drafts that are being tried."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from records.models.base import Base, Id


class Project(Base):
    """A programme, say of one country: the tenant to which forms, phones and data belong.

    `account` stands in addresses of KoBo's kind (`/<account>/formList`). `forms_revision` grows whenever the list of open forms
    changes. `languages` are those of the shipped surveys, the first the one forms open in; empty for all.
    """

    __tablename__ = "project"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str]
    account: Mapped[str] = mapped_column(server_default=text("''"))
    forms_revision: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    languages: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    created_at: Mapped[datetime]
    __table_args__ = (Index("project_account", "account", unique=True),)


class Form(Base):
    """A form by its id; `current_version` is the one new phones get.

    States: open, closed (no phone gets it any more, its records are welcome), retired (its records wait for a person). Records of a
    confidential form are seen by few.
    """

    __tablename__ = "form"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    state: Mapped[str] = mapped_column(default="open")
    confidential: Mapped[bool] = mapped_column(default=False, server_default=false())
    current_version: Mapped[str]
    created_at: Mapped[datetime]


class FormVersion(Base):
    """The published bytes of one (form id, version): never changed. `md5` is what phones compare; `note` says what is new.

    `picks_from` are the names of the files its lists of choices come from.
    """

    __tablename__ = "form_version"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    version: Mapped[str] = mapped_column(String(249), primary_key=True)
    title: Mapped[str]
    md5: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime]
    source_name: Mapped[str]
    note: Mapped[str] = mapped_column(default="", server_default=text("''"))
    picks_from: Mapped[list[Any] | None]
    xform: Mapped[bytes]
    __table_args__ = (
        ForeignKeyConstraint(["project_id", "form_id"], ["form.project_id", "form.form_id"]),
        Index("form_version_md5", "project_id", "md5"),
    )


class FormMedia(Base):
    """A file that goes with a form version; its bytes are in the blob store. One that was replaced can still be fetched."""

    __tablename__ = "form_media"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    version: Mapped[str] = mapped_column(String(249), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    md5: Mapped[str] = mapped_column(String(32))
    size: Mapped[int] = mapped_column(BigInteger)
    added_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]
    __table_args__ = (
        ForeignKeyConstraint(
            ["project_id", "form_id", "version"], ["form_version.project_id", "form_version.form_id", "form_version.version"]
        ),
    )


class FormDraft(Base):
    """The next version of a form while it is tried on phones of its own. Its bytes may change until it is published.

    `media` are [{name, md5, sha256, size}]. Only the digest of the testers' key is kept.
    """

    __tablename__ = "form_draft"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    version: Mapped[str]
    title: Mapped[str]
    md5: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))
    source_name: Mapped[str]
    note: Mapped[str]
    media: Mapped[list[dict[str, Any]]]
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    xform: Mapped[bytes]


class DraftSubmission(Base):
    """A record sent while trying a draft. It never counts, and goes with the draft. `files` are [{name, sha256, size}]."""

    __tablename__ = "draft_submission"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    instance_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str]
    received_at: Mapped[datetime]
    device_id: Mapped[str]
    files: Mapped[list[dict[str, Any]]]
    flags: Mapped[list[dict[str, Any]]]
    answers: Mapped[dict[str, Any]]
    xml: Mapped[bytes]
    __table_args__ = (
        ForeignKeyConstraint(["project_id", "form_id"], ["form_draft.project_id", "form_draft.form_id"], ondelete="CASCADE"),
    )
