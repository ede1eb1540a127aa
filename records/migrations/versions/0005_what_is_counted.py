"""What is counted of a report, beside it; other servers that are pulled from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

MOMENT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("submission", sa.Column("counted", sa.LargeBinary()))
    op.create_index(
        "submission_counted",
        "submission",
        [
            *("project_id", "form_id", "event_date", "review_state", "deleted_at", "excluded", "encrypted", "received_at"),
            *("instance_id", "counted"),
        ],
    )
    _pulls()


def _pulls() -> None:
    op.create_table(
        "pull_server",
        sa.Column("id", ID, primary_key=True),
        sa.Column("project_id", ID, sa.ForeignKey("project.id"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("source_project", sa.Integer(), nullable=False),
        sa.Column("forms", JSON, nullable=False),
        sa.Column("every_hours", sa.Integer(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("begun_at", MOMENT),
        sa.Column("tried_at", MOMENT),
        sa.Column("met_at", MOMENT),
        sa.Column("outcome", JSON, nullable=False),
    )
