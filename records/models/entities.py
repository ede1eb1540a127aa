"""Entities: lists of households, incidents and the like that submissions make and phones pick from (ODK Entities)."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from records.models.base import Base, Id


class EntityList(Base):
    """A list by its name. `properties` are the names of its columns in the order they came; `revision` grows with every change.

    With `approval`, phones do not make entities of their own before the server says so.
    """

    __tablename__ = "entity_list"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(249), primary_key=True)
    created_at: Mapped[datetime]
    approval: Mapped[bool]
    revision: Mapped[int]
    properties: Mapped[list[Any]]


class Entity(Base):
    """One entity in its current state. `conflict`: soft or hard, until a person resolves it."""

    __tablename__ = "entity"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    list_name: Mapped[str] = mapped_column(String(249), primary_key=True)
    uuid: Mapped[str] = mapped_column(String(249), primary_key=True)
    label: Mapped[str]
    data: Mapped[dict[str, Any]]
    version: Mapped[int]
    conflict: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    __table_args__ = (ForeignKeyConstraint(["project_id", "list_name"], ["entity_list.project_id", "entity_list.name"]),)


class EntityAction(Base):
    """What a version of a submission (or a person) asked of an entity: work to do, log and history in one.

    Kinds: create, update, upsert, delete, resolve. States: waiting (for an earlier action), applied (to `version`), failed
    (`detail` says why). `ordinal` counts the actions of one submission version.
    """

    __tablename__ = "entity_action"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    project_id: Mapped[int]
    list_name: Mapped[str] = mapped_column(String(249))
    uuid: Mapped[str] = mapped_column(String(249))
    kind: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    form_id: Mapped[str | None] = mapped_column(String(249))
    instance_id: Mapped[str | None] = mapped_column(String(249))
    sha256: Mapped[str | None] = mapped_column(String(64))
    ordinal: Mapped[int]
    base_version: Mapped[int | None]
    trunk_version: Mapped[int | None]
    branch_id: Mapped[str | None]
    label: Mapped[str | None]
    data: Mapped[dict[str, Any]]
    state: Mapped[str]
    detail: Mapped[str]
    version: Mapped[int | None]
    __table_args__ = (
        UniqueConstraint("project_id", "form_id", "instance_id", "sha256", "ordinal"),
        Index("entity_action_entity", "project_id", "list_name", "uuid"),
        Index("entity_action_state", "project_id", "list_name", "state"),
    )
