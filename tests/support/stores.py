"""Databases for tests of the inner rooms: every test that asks for `store` runs on SQLite and on PostgreSQL.

Import the fixtures into the conftest of a folder.
"""

import secrets
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psycopg
import pytest

from records.access import Access
from records.blobs import BlobStore
from records.migrations import newest_revision
from records.models import Base, Project
from records.publishing import publish
from records.store import Store, open_engine
from records.vault import Vault
from server.setup import migrate
from tests.support.postgres import Cluster

PROJECT = 1
EVERYTHING = Access.everything(PROJECT, "test")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with today's tables and the first project."""
    file = tmp_path_factory.mktemp("template") / "template.sqlite3"
    _prepare(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_tables(postgres: Cluster) -> str:
    """The address of a database with today's tables, which `_emptied` hands to one test after the other."""
    url = postgres.create(f"tables_{secrets.token_hex(4)}")
    _prepare(url)
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of one test's own, with today's tables."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_template'), tmp_path / 'own.sqlite3')}"
    return _emptied(request.getfixturevalue("postgres_tables"))


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    cluster: Cluster = request.getfixturevalue("postgres")
    return cluster.create(f"empty_{secrets.token_hex(4)}")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def kept_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store on a database that all tests of a module share, which only look at it."""
    folder = tmp_path_factory.mktemp("kept")
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_template'), folder / 'kept.sqlite3')}"
    else:
        cluster: Cluster = request.getfixturevalue("postgres")
        _prepare(url := cluster.create(f"kept_{secrets.token_hex(4)}"))
    own = Vault(folder / "personal.key")
    own.add_key()
    opened = Store(open_engine(url), vault=own)
    yield opened
    opened.close()


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A vault with a key, where commands of the test's own data folder look for it."""
    made = Vault(tmp_path / "data" / "keys" / "personal.key")
    made.add_key()
    return made


@pytest.fixture
def store(database_url: str, vault: Vault) -> Iterator[Store]:
    """A store on a database of one test's own."""
    opened = Store(open_engine(database_url), vault=vault)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_template: Path, tmp_path: Path, vault: Vault) -> Iterator[Store]:
    """A store on SQLite, for what only SQLite has."""
    opened = Store(open_engine(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'only.sqlite3')}"), vault=vault)
    yield opened
    opened.close()


@pytest.fixture
def postgres_store(postgres_tables: str, vault: Vault) -> Iterator[Store]:
    """A store on PostgreSQL, for what only PostgreSQL has."""
    opened = Store(open_engine(_emptied(postgres_tables)), vault=vault)
    yield opened
    opened.close()


@pytest.fixture
def blobs(tmp_path: Path, vault: Vault) -> BlobStore:
    """An empty blob store."""
    return BlobStore(tmp_path / "blobs", vault)


def publish_form(store: Store, blobs: BlobStore, xform: bytes, **more: object) -> str:
    """Publish a form and return its id."""
    return publish(store, blobs, PROJECT, xform=xform, source_name="test", **more).form_id  # type: ignore[arg-type]


@cache
def _emptying() -> str:
    """The statements of `_emptied`, to be sent at once."""
    others = {Project.__tablename__: f" WHERE id <> {PROJECT}"}
    deletions = [f"DELETE FROM {table.name}{others.get(table.name, '')}" for table in reversed(Base.metadata.sorted_tables)]
    version = f"UPDATE alembic_version SET version_num = '{newest_revision()}'"
    return "; ".join(["SET LOCAL lock_timeout = '10s'", *deletions, version])


def _emptied(url: str) -> str:
    """Make this database as it was after its first set-up: much quicker than making one."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(_emptying())
    return url


def _prepare(url: str) -> None:
    opened = Store(open_engine(url))
    migrate(opened)
    opened.close()
