"""Exchange of records between nodes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

MOMENT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
NAME = sa.String(length=249)
DIGEST = sa.String(length=64)
NODE = sa.String(length=16)

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feed", sa.Column("event_id", sa.BigInteger()))
    op.add_column("submission", sa.Column("first_received_at", MOMENT))
    _nodes()
    _records()


def _nodes() -> None:
    op.create_table(
        "relay_project",
        sa.Column("project_id", ID, sa.ForeignKey("project.id"), primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(length=32), nullable=False, unique=True),
        sa.Column("hub", NODE),
        sa.Column("authored_to", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )
    op.create_table(
        "relay_node",
        sa.Column("id", NODE, primary_key=True),
        sa.Column("project_id", ID, sa.ForeignKey("project.id"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", NODE, nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("verify_key", sa.LargeBinary(), nullable=False),
        sa.Column("seal_key", sa.LargeBinary(), nullable=False),
        sa.Column("grants", JSON, nullable=False),
        sa.Column("enrolled_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT),
        sa.Column("met_at", MOMENT),
        sa.Column("state", JSON, nullable=False),
    )
    op.create_table(
        "relay_invite",
        sa.Column("secret_sha256", DIGEST, primary_key=True),
        sa.Column("project_id", ID, sa.ForeignKey("project.id"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", NODE, nullable=False),
        sa.Column("grants", JSON, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("used_by", NODE),
    )


def _records() -> None:
    op.create_table(
        "relay_record",
        sa.Column("id", DIGEST, primary_key=True),
        sa.Column("seq", sa.BigInteger(), nullable=False, unique=True),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("channel", DIGEST, nullable=False),
        sa.Column("kind", NODE, nullable=False),
        sa.Column("origin", NODE, nullable=False),
        sa.Column("via", NODE),
        sa.Column("project_id", ID, sa.ForeignKey("project.id"), nullable=False),
        sa.Column("form_id", NAME, nullable=False),
        sa.Column("instance_id", NAME, nullable=False),
        sa.Column("sha256", DIGEST, nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("files", JSON, nullable=False),
        sa.Column("waiting", sa.String()),
    )
    op.create_index("relay_record_channel", "relay_record", ["channel", "seq"])
    op.create_index("relay_record_subject", "relay_record", ["project_id", "form_id", "instance_id"])
    waiting = sa.text("waiting IS NOT NULL")
    op.create_index("relay_record_waiting", "relay_record", ["seq"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "relay_position",
        sa.Column("id", ID, primary_key=True),
        sa.Column("peer", NODE, nullable=False),
        sa.Column("channel", DIGEST, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("after", sa.BigInteger()),
        sa.Column("after_chain", sa.LargeBinary()),
    )
    op.create_index("relay_position_peer", "relay_position", ["peer", "channel", "id"])
    op.create_table(
        "relay_file",
        sa.Column("id", ID, primary_key=True),
        sa.Column("record_id", DIGEST, sa.ForeignKey("relay_record.id"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", DIGEST, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("peer", NODE, nullable=False),
        sa.UniqueConstraint("record_id", "name", "sha256"),
    )
    op.create_index("relay_file_content", "relay_file", ["sha256"])
