"""What a node keeps to exchange records with others: who they are, signed records in the order they came, how far each was read."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from records.models.base import Base, Id

_WAITING = text("waiting IS NOT NULL")


class RelayProject(Base):
    """A project that is exchanged. `key` is its name on all nodes; `hub` the node it goes to (None: we are its hub).

    Everything of the arrival feed up to `authored_to` stands in the log.
    """

    __tablename__ = "relay_project"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    hub: Mapped[str | None] = mapped_column(String(16))
    authored_to: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))


class RelayNode(Base):
    """A peer. Its id is how the digest of its key begins; `seal_key` is what is meant for it is sealed with.

    Roles: hub (we bring it ours), station (it brings us its own), range (we give it generalised records), country (the other way).
    `grants` are channels it may read beyond those of its role. `state` is what the last meeting showed; see `sync.relay.meeting`.
    """

    __tablename__ = "relay_node"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    name: Mapped[str]
    role: Mapped[str] = mapped_column(String(16))
    url: Mapped[str]
    verify_key: Mapped[bytes]
    seal_key: Mapped[bytes]
    grants: Mapped[list[Any]]
    enrolled_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]
    state: Mapped[dict[str, Any]]


class RelayInvite(Base):
    """A code with which a node may enrol, once. Only its digest is kept."""

    __tablename__ = "relay_invite"
    secret_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    name: Mapped[str]
    role: Mapped[str] = mapped_column(String(16))
    grants: Mapped[list[Any]]
    made_at: Mapped[datetime]
    until: Mapped[datetime]
    used_by: Mapped[str | None] = mapped_column(String(16))


class RelayRecord(Base):
    """One signed record, in the order they came here (`seq`); `chain` is the digest of all up to it. `via`: the peer it is from.

    `body` is there, sealed, as long as it is nowhere else; `files` are the [name, SHA-256, size] that came with a submission.
    `waiting` says why a record is not yet part of what people see; None: it is.
    """

    __tablename__ = "relay_record"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, unique=True)
    chain: Mapped[bytes]
    channel: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    origin: Mapped[str] = mapped_column(String(16))
    via: Mapped[str | None] = mapped_column(String(16))
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    form_id: Mapped[str] = mapped_column(String(249))
    instance_id: Mapped[str] = mapped_column(String(249))
    sha256: Mapped[str] = mapped_column(String(64))
    header: Mapped[bytes]
    signature: Mapped[bytes]
    body: Mapped[bytes | None]
    files: Mapped[list[Any]]
    waiting: Mapped[str | None]
    __table_args__ = (
        Index("relay_record_channel", "channel", "seq"),
        Index("relay_record_subject", "project_id", "form_id", "instance_id"),
        Index("relay_record_waiting", "seq", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )


class RelayPosition(Base):
    """How far a channel of a peer was read: all it listed up to `seq`, where its chain is `chain`, is here. The newest comes last.

    With `after`, only what it listed behind that: a stick came before the one it follows.
    """

    __tablename__ = "relay_position"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    peer: Mapped[str] = mapped_column(String(16))
    channel: Mapped[str] = mapped_column(String(64))
    seq: Mapped[int] = mapped_column(BigInteger)
    chain: Mapped[bytes]
    after: Mapped[int | None] = mapped_column(BigInteger)
    after_chain: Mapped[bytes | None]
    __table_args__ = (Index("relay_position_peer", "peer", "channel", "id"),)


class RelayFile(Base):
    """A file that a record names and that is not here yet, or not yet part of what people see."""

    __tablename__ = "relay_file"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    record_id: Mapped[str] = mapped_column(ForeignKey("relay_record.id"))
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    peer: Mapped[str] = mapped_column(String(16))
    __table_args__ = (UniqueConstraint("record_id", "name", "sha256"), Index("relay_file_content", "sha256"))
