"""Migrations: a fresh database has exactly the tables of the models; one from the future is left alone."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text

from forms.problems import Problem
from records import migrations
from records.models import Base, Project
from records.store import Store, open_engine
from server.setup import migrate


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
