"""Migrations: a fresh database has the tables of the models; an old one loses nothing; one from the future is left alone."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect, select, text

from forms.problems import Problem
from records import migrations
from records.access import Access
from records.models import AuditEvent, Base, ExportRun, FormMedia, KeptAside, Project, Session
from records.store import Store, open_engine
from records.submissions import found, newest, version_xml
from server import accounts, app_users
from server.setup import migrate
from server.tokens import digest
from tests.support.stores import EVERYTHING

AT = datetime(2026, 3, 2, 9, 30, 15, 123000, tzinfo=UTC)
OF_1 = {"project_id": 1, "created_at": AT}
FORM = {"project_id": 1, "form_id": "رم/۱"}
UNKNOWN = "This server has never had a form with this id. lost form Check the server address in the phone's settings."


def refused(code: str, sha256: str, problem: str, *files: list[str]) -> dict[str, Any]:
    detail = {"project_id": 1, "device_id": "collect:1", "files": list(files), "problem": problem}
    return {"at": AT, "actor": "app-user:1", "action": f"submission.{code}", "target": sha256, "detail": detail}


def submission(instance_id: str, *codes: str, **more: Any) -> dict[str, Any]:
    flags = [{"code": code, "path": "", "message": "m"} for code in codes]
    row = {
        **FORM, "instance_id": instance_id, "current_instance_id": instance_id, "current_sha256": "1" * 64, "version": "1",
        "received_at": AT, "app_user_id": 1, "device_id": "collect:1", "review_state": "received", "edits": 0,
        "latitude": 35.7, "longitude": 51.4, "accuracy": 4.5, "event_date": date(2026, 3, 1), "instance_name": "n",
        "files": ["a.jpg"], "flags": flags, "answers": {"q": {"سگ": 1}},
    }  # fmt: skip
    return row | more


# at least one row in every table of revision 0001, as its program wrote them
BEFORE: dict[str, list[dict[str, Any]]] = {
    "project": [{"id": 1, "name": "Tulliana", "created_at": AT}],
    "account": [
        {"id": number, "name": role, "role": role, "password_hash": f"hash of {role}", "created_at": AT}
        for number, role in enumerate(("administrator", "coordinator", "analyst"), 1)
    ],
    "session": [{"token_sha256": digest("cookie"), "account_id": 2, "expires_at": datetime(2100, 1, 1, tzinfo=UTC)}],
    "app_user": [
        {"id": 1, "name": "ranger", "token_sha256": digest("key"), "language": "fa", **OF_1},
        {"id": 2, "name": "lost", "token_sha256": digest("old"), "language": "en", "revoked_at": AT, **OF_1},
    ],
    "form": [{**FORM, "state": "closed", "current_version": "1", "created_at": AT}],
    "form_version": [
        {**FORM, "version": "1", "title": "t", "md5": "0", "sha256": "0", "published_at": AT, "source_name": "s", "xform": b"<h/>"}
    ],
    "form_media": [{**FORM, "version": "1", "name": "a.csv", "md5": "2", "sha256": "3", "size": 4}],
    "submission": [
        submission("plain"),
        submission("odd", "constraint", review_state="approved"),
        submission("sealed", "encrypted"),
        submission("sealed and odd", "encrypted", "file_unexpected"),
        submission("long", "more", "unjudged"),
    ],
    "submission_version": [
        {
            **FORM, "instance_id": "plain", "sha256": "1" * 64, "root_id": "plain", "version": "1", "received_at": AT,
            "app_user_id": 1, "device_id": "collect:1", "user_agent": "Collect", "xml": b"<data>\xd8\xb3</data>",
        }
    ],
    "attachment": [
        {
            **FORM, "instance_id": "plain", "name": "a.jpg", "sha256": "5", "md5": "6", "size": 2**40, "content_type": "image/jpeg",
            "received_at": AT,
        }
    ],
    "feed": [{**FORM, "position": 9, "kind": "submission", "instance_id": "plain", "sha256": "1" * 64}],
    "export_run": [
        {
            "name": "hotspots-public", "slot": AT, "origin": "schedule", "state": "done", "started_at": AT, "finished_at": AT,
            "folder": "hotspots-public/1", "files": [{"name": "a.csv"}], "error": "",
        }
    ],
    "audit_event": [
        {"at": AT, "actor": "admin", "action": "account.add", "target": "analyst", "detail": {"role": "analyst"}},
        {"at": AT, "actor": "admin", "action": "app_user.add", "target": "ranger", "detail": {}},
        refused("form_unknown", "7" * 64, UNKNOWN, ["a.jpg", "8"]),
        refused("form_unknown", "7" * 64, UNKNOWN, ["a.jpg", "8"], ["b.jpg", "9"]),
        refused("xml_unreadable", "a" * 64, "The XML cannot be read."),
    ],
}  # fmt: skip


def at_revision_1(connection: Connection) -> None:
    """The database as the first program made it, with its rows."""
    config = migrations._config()
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")
    tables = MetaData()
    tables.reflect(connection)
    assert set(tables.tables) - {"alembic_version"} == set(BEFORE)
    for table in tables.sorted_tables:
        for row in BEFORE.get(table.name, []):
            connection.execute(table.insert(), row)


@pytest.fixture
def empty(empty_url: str) -> Store:
    return Store(open_engine(empty_url))


def test_a_fresh_database_has_the_tables_of_the_models(empty: Store) -> None:
    with empty.read() as connection:
        assert migrations.current_revision(connection) is None
    empty.rebuild(migrations.upgrade)
    with empty.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        assert migrations.current_revision(connection) == migrations.newest_revision()
    empty.close()


def test_the_keys_and_indexes_are_those_of_the_models(empty: Store) -> None:
    empty.rebuild(migrations.upgrade)
    found = inspect(empty.engine)
    for table in Base.metadata.sorted_tables:
        assert found.get_pk_constraint(table.name)["constrained_columns"] == [column.name for column in table.primary_key], (
            table.name
        )
        indexes = {index["name"] for index in found.get_indexes(table.name) if not index.get("duplicates_constraint")}
        assert indexes == {index.name for index in table.indexes}, table.name
        keys = {tuple(key["constrained_columns"]) for key in found.get_foreign_keys(table.name)}
        assert keys == {tuple(key.column_keys) for key in table.foreign_key_constraints}, table.name
    empty.close()


def test_setting_up_twice_changes_nothing_and_keeps_what_is_there(empty: Store) -> None:
    migrate(empty)
    with empty.read() as connection:
        before = connection.execute(select(Project.id, Project.name, Project.created_at)).all()
    migrate(empty)
    empty.rebuild(migrations.upgrade)
    with empty.read() as connection:
        assert connection.execute(select(Project.id, Project.name, Project.created_at)).all() == before
    assert [row.id for row in before] == [1]
    empty.close()


@pytest.fixture
def old(empty: Store) -> Store:
    empty.rebuild(at_revision_1)
    migrate(empty)
    return empty


def test_an_old_database_loses_no_row_and_no_value(old: Store) -> None:
    gone = {"account": {"role"}}
    with old.read() as connection:
        for name, rows in BEFORE.items():
            table = Base.metadata.tables[name]
            kept = [dict(row) for row in connection.execute(table.select()).mappings()]
            assert len(kept) == len(rows), name
            for row in rows:
                wanted = {key: value for key, value in row.items() if key not in gone.get(name, set())}
                assert [one for one in kept if wanted.items() <= one.items()], (name, wanted, kept)
    old.close()


def test_people_of_an_old_database_keep_password_session_and_role_and_phones_their_key(old: Store) -> None:
    with old.read() as connection:
        people = {one.name: (one.is_administrator, one.roles) for one in accounts.listed(connection)}
        signed_in = accounts.signed_in(connection, "cookie")
        phone = app_users.identified(connection, "key", 1)
        with pytest.raises(Problem):
            app_users.identified(connection, "old", 1)
        assert connection.execute(select(Session.account_id)).scalars().all() == [2]
    assert people == {
        "administrator": (True, {}),
        "coordinator": (False, {1: "coordinator"}),
        "analyst": (False, {1: "analyst"}),
    }
    assert signed_in is not None
    assert signed_in.access(1).rights == Access.of_role(1, "", "coordinator", 2).rights
    assert (phone.id, phone.language, phone.form_ids, phone.is_old) == (1, "fa", None, 0)
    assert app_users.add(old, "lost", project_id=1).name == "lost"  # the name of a withdrawn key is free
    old.close()


def test_records_of_an_old_database_are_read_as_before_and_say_what_waits(old: Store) -> None:
    with old.read() as connection:
        records = {record.instance_id: record for record in newest(connection, EVERYTHING, limit=9)}
        assert {name for name, record in records.items() if record.attention} == {"odd", "sealed and odd"}
        assert {name for name, record in records.items() if record.encrypted} == {"sealed", "sealed and odd"}
        assert records["odd"].review_state == "approved"
        plain = found(connection, EVERYTHING, "plain")
        assert (plain.answers, plain.app_user, plain.deleted_at) == ({"q": {"سگ": 1}}, "ranger", None)
        assert [(file.name, file.size) for file in plain.attachments] == [("a.jpg", 2**40)]
        assert version_xml(connection, EVERYTHING, FORM["form_id"], "plain", "1" * 64) == b"<data>\xd8\xb3</data>"
        media = connection.execute(select(FormMedia.name, FormMedia.added_at, FormMedia.replaced_at)).one()
        assert tuple(media) == ("a.csv", AT, None)
        assert connection.execute(select(ExportRun.project_id)).scalars().all() == [1]
    old.close()


def test_what_an_old_database_had_refused_waits_where_a_person_sees_it(old: Store) -> None:
    with old.read() as connection:
        rows = connection.execute(select(KeptAside.__table__).order_by(KeptAside.sha256)).all()
        projects = connection.execute(select(AuditEvent.project_id).order_by(AuditEvent.id)).scalars().all()
    assert [(row.reason, row.form_id, row.times, row.app_user_id, row.device_id, row.settled_at) for row in rows] == [
        ("form_unknown", "lost form", 2, 1, "collect:1", None),
        ("xml_unreadable", "", 1, 1, "collect:1", None),
    ]
    assert rows[0].files == [["a.jpg", "8"], ["b.jpg", "9"]]
    assert (rows[0].first_at, rows[0].last_at) == (AT, AT)
    assert projects == [None, 1, 1, 1, 1]
    old.close()


def test_a_database_of_a_newer_program_is_left_alone(store: Store) -> None:
    store.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(Problem) as caught:
        migrate(store)
    assert caught.value.kind.code == "database_newer"
    with store.read() as connection:
        assert migrations.current_revision(connection) == "9999"


def test_a_migration_that_fails_leaves_no_table_behind(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import op

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(op, "batch_alter_table", broken)  # the first of them comes after several tables
    with pytest.raises(RuntimeError, match="power cut"):
        empty.rebuild(migrations.upgrade)
    assert inspect(empty.engine).get_table_names() == []
    monkeypatch.undo()
    migrate(empty)
    empty.close()
