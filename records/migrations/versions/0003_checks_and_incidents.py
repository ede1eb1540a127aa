"""Checks that look at records after they came, study areas, incidents, personal data kept apart."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

MOMENT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
NAME = sa.String(length=249)
DIGEST = sa.String(length=64)
RECORD = ["project_id", "form_id", "instance_id"]

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("project", sa.Column("languages", JSON, nullable=False, server_default=sa.text("'[]'")))
    op.add_column("form", sa.Column("confidential", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE form SET confidential = true WHERE form_id IN ('illegal_trade', 'leopard_mortality')")
    _records()
    _checks()
    _incidents()
    _personal()
    _releases()
    _pulls()


def _records() -> None:
    op.add_column("submission", sa.Column("excluded", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("submission", sa.Column("checked", sa.Integer(), nullable=False, server_default=sa.text("0")))
    for column in (
        sa.Column("country", sa.String(length=2)),
        sa.Column("admin1", sa.String(length=8)),
        sa.Column("study_area", sa.String(length=64)),
        sa.Column("finished_at", MOMENT),
        sa.Column("content_sha256", DIGEST),
    ):
        op.add_column("submission", column)
    _partial("submission_unchecked", ["received_at"], "checked <= 0")
    _partial("submission_content", ["project_id", "content_sha256", "received_at", "instance_id"], "content_sha256 IS NOT NULL")
    _partial("submission_device", ["project_id", "device_id", "finished_at"], "finished_at IS NOT NULL")


def _partial(name: str, columns: list[str], condition: str, table: str = "submission") -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))


def _of_record() -> tuple[sa.Column[int], sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("project_id", ID, primary_key=True),
        sa.Column("form_id", NAME, primary_key=True),
        sa.Column("instance_id", NAME, primary_key=True),
    )


def _to_submission() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(RECORD, [f"submission.{name}" for name in RECORD], ondelete="CASCADE")


def _pair_to_submission(side: str) -> sa.ForeignKeyConstraint:
    columns = ["project_id", f"{side}_form", f"{side}_id"]
    return sa.ForeignKeyConstraint(columns, [f"submission.{name}" for name in RECORD], ondelete="CASCADE")


def _checks() -> None:
    op.create_table(
        "study_area",
        sa.Column("project_id", ID, sa.ForeignKey("project.id"), primary_key=True),
        sa.Column("code", sa.String(length=64), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("metapopulation", sa.Integer()),
        sa.Column("transboundary", sa.Boolean(), nullable=False),
        sa.Column("geometry", JSON, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
    )
    op.create_table(
        "measure",
        *_of_record(),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        _to_submission(),
    )
    op.create_index("measure_subject", "measure", ["project_id", "kind", "subject", "received_at"])
    op.create_table(
        "picture",
        sa.Column("sha256", DIGEST, primary_key=True),
        sa.Column("dhash", sa.BigInteger()),
        sa.Column("latitude", sa.Double()),
        sa.Column("longitude", sa.Double()),
        sa.Column("taken_at", sa.String(), nullable=False),
    )
    op.create_table(
        "picture_band",
        sa.Column("band", sa.Integer(), primary_key=True),
        sa.Column("sha256", DIGEST, sa.ForeignKey("picture.sha256", ondelete="CASCADE"), primary_key=True),
    )
    op.create_index("attachment_content", "attachment", ["sha256"])


def _incidents() -> None:
    op.create_table(
        "conflict_report",
        *_of_record(),
        sa.Column("happened_on", sa.Date()),
        sa.Column("date_precision", sa.String(), nullable=False),
        sa.Column("time_of_day", sa.String(), nullable=False),
        sa.Column("latitude", sa.Double()),
        sa.Column("longitude", sa.Double()),
        sa.Column("accuracy", sa.Double()),
        sa.Column("cell", sa.Integer()),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("predator", sa.String(), nullable=False),
        sa.Column("household", sa.String(), nullable=False),
        sa.Column("reporter", sa.String(), nullable=False),
        sa.Column("reporter_role", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("losses", JSON, nullable=False),
        sa.Column("photos", JSON, nullable=False),
        _to_submission(),
    )
    for column in ("cell", "household", "place"):
        op.create_index(f"conflict_report_{column}", "conflict_report", ["project_id", column, "happened_on"])
    op.create_table(
        "incident_link",
        *_of_record(),
        sa.Column("incident_id", NAME),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.Column("reference", NAME, nullable=False),
        _to_submission(),
    )
    op.create_index("incident_link_incident", "incident_link", ["project_id", "incident_id"])
    op.create_index("incident_link_reference", "incident_link", ["project_id", "reference"])
    op.create_table(
        "incident_pair",
        sa.Column("project_id", ID, primary_key=True),
        sa.Column("first_form", NAME, primary_key=True),
        sa.Column("first_id", NAME, primary_key=True),
        sa.Column("second_form", NAME, primary_key=True),
        sa.Column("second_id", NAME, primary_key=True),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("band", sa.String(length=16), nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("decided_at", MOMENT),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        _pair_to_submission("first"),
        _pair_to_submission("second"),
    )
    op.create_index("incident_pair_second", "incident_pair", ["project_id", "second_form", "second_id"])
    op.create_index("incident_pair_open", "incident_pair", ["project_id", "decision", "score"])


def _personal() -> None:
    op.add_column("submission", sa.Column("contact", sa.LargeBinary()))
    op.add_column("submission_version", sa.Column("contact_paths", JSON))
    op.add_column("submission_version", sa.Column("redacted_at", MOMENT))
    op.add_column("submission_version", sa.Column("erased_at", MOMENT))
    op.add_column("attachment", sa.Column("personal", sa.String(length=16), nullable=False, server_default=sa.text("'picture'")))
    _partial("submission_version_contact", ["project_id", "received_at"], "contact_paths IS NOT NULL", "submission_version")
    op.create_table(
        "personal_key",
        sa.Column("key_id", sa.String(length=8), primary_key=True),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("sealed_at", MOMENT),
    )
    op.create_table(
        "erasure",
        sa.Column("id", ID, primary_key=True),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("digests", JSON, nullable=False),
    )
    op.create_index("erasure_project", "erasure", ["project_id", "at"])


def _releases() -> None:
    op.add_column("export_run", sa.Column("attempt", sa.Integer(), nullable=False, server_default=sa.text("1")))
    op.add_column("export_run", sa.Column("about", JSON, nullable=False, server_default=sa.text("'{}'")))
    op.add_column("export_run", sa.Column("removed_at", MOMENT))


def _pulls() -> None:
    op.create_table(
        "pull_source",
        sa.Column("project_id", ID, sa.ForeignKey("project.id"), primary_key=True),
        sa.Column("address", sa.String(), primary_key=True),
        sa.Column("state", JSON, nullable=False),
        sa.Column("met_at", MOMENT, nullable=False),
    )
