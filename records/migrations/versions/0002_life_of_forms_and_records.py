"""Drafts, media that change, roles in projects, review, entities, what is kept aside."""

import re
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

MOMENT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
NAME = sa.String(length=249)
DIGEST = sa.String(length=64)
_UNKNOWN_FORM = re.compile(r"form with this id\. (.*) Check the server address")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _projects_and_people()
    _forms()
    _records()
    _entities()
    _exports()


def _projects_and_people() -> None:
    op.add_column("project", sa.Column("account", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("project", sa.Column("forms_revision", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.execute("UPDATE project SET account = 'project' || id")
    op.create_index("project_account", "project", ["account"], unique=True)
    op.add_column("account", sa.Column("is_administrator", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("account", sa.Column("closed_at", MOMENT))
    op.create_table(
        "membership",
        sa.Column("project_id", ID, sa.ForeignKey("project.id"), primary_key=True),
        sa.Column("account_id", ID, sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("role", sa.String(), nullable=False),
    )
    op.execute("UPDATE account SET is_administrator = true WHERE role = 'administrator'")
    op.execute(
        "INSERT INTO membership (project_id, account_id, role) SELECT project.id, account.id, account.role FROM account, project "
        "WHERE account.role <> 'administrator'"
    )
    with op.batch_alter_table("account") as table:
        table.drop_column("role")
    op.add_column("audit_event", sa.Column("project_id", sa.Integer()))
    op.execute("UPDATE audit_event SET project_id = 1 WHERE action NOT LIKE 'account.%'")  # there was only one project
    with op.batch_alter_table("app_user") as table:
        table.add_column(sa.Column("old_token_sha256", DIGEST))
        table.add_column(sa.Column("old_token_until", MOMENT))
        table.add_column(sa.Column("username", sa.String()))
        table.add_column(sa.Column("ha1", DIGEST))
        table.add_column(sa.Column("form_ids", JSON))
        table.add_column(sa.Column("account_id", ID))
        table.add_column(sa.Column("notice", JSON))
        table.create_foreign_key("app_user_account", "account", ["account_id"], ["id"])
    _one_name_among_active_phones()
    op.create_index("app_user_old_token", "app_user", ["old_token_sha256"], unique=True)
    op.create_index("app_user_username", "app_user", ["username"], unique=True)


def _one_name_among_active_phones() -> None:
    """The old rule had no name on SQLite; the naming convention gives it one to be dropped by."""
    convention = {"uq": "%(table_name)s_%(column_0_name)s_%(column_1_name)s_key"}
    with op.batch_alter_table("app_user", naming_convention=convention) as table:
        table.drop_constraint("app_user_project_id_name_key", type_="unique")
    active = sa.text("revoked_at IS NULL")
    op.create_index("app_user_name", "app_user", ["project_id", "name"], unique=True, sqlite_where=active, postgresql_where=active)


def _forms() -> None:
    op.add_column("form_version", sa.Column("note", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("form_version", sa.Column("picks_from", JSON))
    op.rename_table("form_media", "form_media_before")
    op.create_table(
        "form_media",
        sa.Column("project_id", ID, primary_key=True),
        sa.Column("form_id", NAME, primary_key=True),
        sa.Column("version", NAME, primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("sha256", DIGEST, primary_key=True),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("replaced_at", MOMENT),
        sa.ForeignKeyConstraint(
            ["project_id", "form_id", "version"], ["form_version.project_id", "form_version.form_id", "form_version.version"]
        ),
    )
    op.execute(
        "INSERT INTO form_media (project_id, form_id, version, name, sha256, md5, size, added_at) "
        "SELECT m.project_id, m.form_id, m.version, m.name, m.sha256, m.md5, m.size, v.published_at FROM form_media_before m "
        "JOIN form_version v ON v.project_id = m.project_id AND v.form_id = m.form_id AND v.version = m.version"
    )
    op.drop_table("form_media_before")
    op.create_table(
        "form_draft",
        sa.Column("project_id", ID, sa.ForeignKey("project.id"), primary_key=True),
        sa.Column("form_id", NAME, primary_key=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("sha256", DIGEST, nullable=False),
        sa.Column("source_name", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("media", JSON, nullable=False),
        sa.Column("token_sha256", DIGEST, nullable=False, unique=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("xform", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "draft_submission",
        sa.Column("project_id", ID, primary_key=True),
        sa.Column("form_id", NAME, primary_key=True),
        sa.Column("instance_id", NAME, primary_key=True),
        sa.Column("sha256", DIGEST, primary_key=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("files", JSON, nullable=False),
        sa.Column("flags", JSON, nullable=False),
        sa.Column("answers", JSON, nullable=False),
        sa.Column("xml", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["project_id", "form_id"], ["form_draft.project_id", "form_draft.form_id"], ondelete="CASCADE"),
    )


def _records() -> None:
    op.add_column("submission", sa.Column("attention", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("submission", sa.Column("encrypted", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("submission", sa.Column("deleted_at", MOMENT))
    op.execute("UPDATE submission SET encrypted = true WHERE CAST(flags AS TEXT) LIKE '%\"encrypted\"%'")
    _say_what_waits_for_a_person()
    waits, is_one = sa.text("attention"), sa.text("attention = 1")  # SQLite compares what a query says word by word
    op.create_index(
        "submission_attention", "submission", ["project_id", "received_at"], sqlite_where=is_one, postgresql_where=waits
    )
    op.add_column("submission_version", sa.Column("clock_offset", sa.Integer()))
    op.create_table(
        "review_event",
        sa.Column("id", ID, primary_key=True),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("form_id", NAME, nullable=False),
        sa.Column("instance_id", NAME, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("state", sa.String()),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("detail", JSON, nullable=False),
    )
    op.create_index("review_event_record", "review_event", ["project_id", "form_id", "instance_id"])
    op.create_table(
        "kept_aside",
        sa.Column("project_id", ID, sa.ForeignKey("project.id"), primary_key=True),
        sa.Column("sha256", DIGEST, primary_key=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("form_id", sa.String(), nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("app_user_id", sa.Integer()),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("user_agent", sa.String(), nullable=False),
        sa.Column("files", JSON, nullable=False),
        sa.Column("settled_at", MOMENT),
        sa.Column("settled_by", sa.String(), nullable=False, server_default=sa.text("''")),
    )
    _keep_aside_what_was_refused()


def _table(name: str) -> sa.Table:
    """A table as it is at this point."""
    return sa.Table(name, sa.MetaData(), autoload_with=op.get_bind(), resolve_fks=False)


def _say_what_waits_for_a_person() -> None:
    table, connection = _table("submission"), op.get_bind()
    key = (table.c.project_id, table.c.form_id, table.c.instance_id)
    for *values, flags in connection.execute(sa.select(*key, table.c.flags)).all():
        if {item["code"] for item in flags} - {"encrypted", "more", "unjudged"}:
            same = sa.and_(*(column == value for column, value in zip(key, values, strict=True)))
            connection.execute(table.update().where(same).values(attention=True))


def _keep_aside_what_was_refused() -> None:
    """Refused bytes were told in the audit trail only. That stays, and what they are waits for a person now."""
    events, connection = _table("audit_event"), op.get_bind()
    aside: dict[tuple[int, str], dict[str, Any]] = {}
    for event in connection.execute(events.select().where(events.c.action.like("submission.%")).order_by(events.c.id)):
        phone = event.actor.removeprefix("app-user:")
        form = _UNKNOWN_FORM.search(event.detail["problem"])
        first = {
            "project_id": event.project_id,
            "sha256": event.target,
            "reason": event.action.removeprefix("submission."),
            "detail": form[1] if form else "",
            "form_id": form[1] if form else "",
            "first_at": event.at,
            "times": 0,
            "app_user_id": int(phone) if phone.isdecimal() else None,
            "device_id": event.detail["device_id"],
            "user_agent": "",
            "files": [],
        }
        row = aside.setdefault((event.project_id, event.target), first)
        row |= {"last_at": event.at, "times": row["times"] + 1}
        row["files"] += [file for file in event.detail["files"] if file not in row["files"]]
    if aside:
        connection.execute(_table("kept_aside").insert(), list(aside.values()))


def _entities() -> None:
    op.create_table(
        "entity_list",
        sa.Column("project_id", ID, sa.ForeignKey("project.id"), primary_key=True),
        sa.Column("name", NAME, primary_key=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("approval", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("properties", JSON, nullable=False),
    )
    op.create_table(
        "entity",
        sa.Column("project_id", ID, primary_key=True),
        sa.Column("list_name", NAME, primary_key=True),
        sa.Column("uuid", NAME, primary_key=True),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("conflict", sa.String()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT),
        sa.Column("deleted_at", MOMENT),
        sa.ForeignKeyConstraint(["project_id", "list_name"], ["entity_list.project_id", "entity_list.name"]),
    )
    op.create_table(
        "entity_action",
        sa.Column("id", ID, primary_key=True),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("list_name", NAME, nullable=False),
        sa.Column("uuid", NAME, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("form_id", NAME),
        sa.Column("instance_id", NAME),
        sa.Column("sha256", DIGEST),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("base_version", sa.Integer()),
        sa.Column("trunk_version", sa.Integer()),
        sa.Column("branch_id", sa.String()),
        sa.Column("label", sa.String()),
        sa.Column("data", JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("version", sa.Integer()),
        sa.UniqueConstraint("project_id", "form_id", "instance_id", "sha256", "ordinal"),
    )
    op.create_index("entity_action_entity", "entity_action", ["project_id", "list_name", "uuid"])
    op.create_index("entity_action_state", "entity_action", ["project_id", "list_name", "state"])


def _exports() -> None:
    """Every run so far was of the first project."""
    with op.batch_alter_table("export_run") as table:
        table.add_column(sa.Column("project_id", ID, nullable=False, server_default="1"))
    convention = {"uq": "%(table_name)s_%(column_0_name)s_%(column_1_name)s_key"}
    with op.batch_alter_table("export_run", naming_convention=convention) as table:
        table.drop_constraint("export_run_name_slot_key", type_="unique")
        table.alter_column("project_id", server_default=None)
        table.create_foreign_key("export_run_project", "project", ["project_id"], ["id"])
        table.create_unique_constraint("export_run_project_id_name_slot_key", ["project_id", "name", "slot"])
