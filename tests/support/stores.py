"""Databases for tests of the inner rooms: every test that asks for `store` runs on SQLite and on PostgreSQL.

Import the fixtures into the conftest of a folder.
"""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from records.blobs import BlobStore
from records.forms import publish
from records.store import Store, open_engine
from server.setup import migrate
from tests.support.postgres import Cluster

PROJECT = 1


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with today's tables and the first project."""
    file = tmp_path_factory.mktemp("template") / "template.sqlite3"
    _prepare(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres: Cluster) -> str:
    """The name of such a database."""
    name = f"template_{secrets.token_hex(4)}"
    _prepare(postgres.create(name))
    return name


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of one test's own, with today's tables."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_template'), tmp_path / 'own.sqlite3')}"
    cluster: Cluster = request.getfixturevalue("postgres")
    return cluster.create(f"own_{secrets.token_hex(4)}", like=request.getfixturevalue("postgres_template"))


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    cluster: Cluster = request.getfixturevalue("postgres")
    return cluster.create(f"empty_{secrets.token_hex(4)}")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A store on a database of one test's own."""
    opened = Store(open_engine(database_url))
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    """A store on SQLite, for what only SQLite has."""
    opened = Store(open_engine(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'only.sqlite3')}"))
    yield opened
    opened.close()


@pytest.fixture
def postgres_store(postgres: Cluster, postgres_template: str) -> Iterator[Store]:
    """A store on PostgreSQL, for what only PostgreSQL has."""
    opened = Store(open_engine(postgres.create(f"only_{secrets.token_hex(4)}", like=postgres_template)))
    yield opened
    opened.close()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    """An empty blob store."""
    return BlobStore(tmp_path / "blobs")


def publish_form(store: Store, blobs: BlobStore, xform: bytes, **more: object) -> str:
    """Publish a form and return its id."""
    return publish(store, blobs, PROJECT, xform=xform, source_name="test", **more).form_id  # type: ignore[arg-type]


def _prepare(url: str) -> None:
    opened = Store(open_engine(url))
    migrate(opened)
    opened.close()
