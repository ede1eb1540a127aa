"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

MOMENT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "attachment",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("form_id", sa.String(length=249), nullable=False),
        sa.Column("instance_id", sa.String(length=249), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "form_id", "instance_id", "name", "sha256"),
    )
    op.create_table(
        "audit_event",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "export_run",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("slot", MOMENT, nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("files", JSON, nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", "slot"),
    )
    op.create_table(
        "feed",
        sa.Column("position", ID, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("form_id", sa.String(), nullable=False),
        sa.Column("instance_id", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_table(
        "project",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "app_user",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "name"),
        sa.UniqueConstraint("token_sha256"),
    )
    op.create_table(
        "form",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("form_id", sa.String(length=249), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("current_version", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
        ),
        sa.PrimaryKeyConstraint("project_id", "form_id"),
    )
    op.create_table(
        "session",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("token_sha256"),
    )
    op.create_table(
        "form_version",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("form_id", sa.String(length=249), nullable=False),
        sa.Column("version", sa.String(length=249), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.Column("source_name", sa.String(), nullable=False),
        sa.Column("xform", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "form_id"],
            ["form.project_id", "form.form_id"],
        ),
        sa.PrimaryKeyConstraint("project_id", "form_id", "version"),
    )
    with op.batch_alter_table("form_version", schema=None) as batch_op:
        batch_op.create_index("form_version_md5", ["project_id", "md5"], unique=False)

    op.create_table(
        "submission",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("form_id", sa.String(length=249), nullable=False),
        sa.Column("instance_id", sa.String(length=249), nullable=False),
        sa.Column("current_instance_id", sa.String(length=249), nullable=False),
        sa.Column("current_sha256", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.Column("app_user_id", ID, nullable=True),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("review_state", sa.String(), nullable=False),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("accuracy", sa.Double(), nullable=True),
        sa.Column("event_date", sa.Date(), nullable=True),
        sa.Column("instance_name", sa.String(), nullable=False),
        sa.Column("files", JSON, nullable=False),
        sa.Column("flags", JSON, nullable=False),
        sa.Column("answers", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["app_user_id"],
            ["app_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "form_id"],
            ["form.project_id", "form.form_id"],
        ),
        sa.PrimaryKeyConstraint("project_id", "form_id", "instance_id"),
    )
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.create_index("submission_newest", ["project_id", "received_at"], unique=False)
        batch_op.create_index("submission_of_form", ["project_id", "form_id", "received_at", "instance_id"], unique=False)

    op.create_table(
        "submission_version",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("form_id", sa.String(length=249), nullable=False),
        sa.Column("instance_id", sa.String(length=249), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("root_id", sa.String(length=249), nullable=False),
        sa.Column("deprecated_id", sa.String(length=249), nullable=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("app_user_id", sa.Integer(), nullable=True),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("user_agent", sa.String(), nullable=False),
        sa.Column("xml", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "form_id"],
            ["form.project_id", "form.form_id"],
        ),
        sa.PrimaryKeyConstraint("project_id", "form_id", "instance_id", "sha256"),
    )
    with op.batch_alter_table("submission_version", schema=None) as batch_op:
        batch_op.create_index(
            "submission_version_edits",
            ["project_id", "form_id", "deprecated_id"],
            unique=False,
            sqlite_where=sa.text("deprecated_id IS NOT NULL"),
            postgresql_where=sa.text("deprecated_id IS NOT NULL"),
        )

    op.create_table(
        "form_media",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("form_id", sa.String(length=249), nullable=False),
        sa.Column("version", sa.String(length=249), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "form_id", "version"],
            ["form_version.project_id", "form_version.form_id", "form_version.version"],
        ),
        sa.PrimaryKeyConstraint("project_id", "form_id", "version", "name"),
    )
