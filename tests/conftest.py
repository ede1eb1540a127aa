"""Servers shared by the tests that speak HTTP: one on SQLite and one on PostgreSQL per test process."""

from collections.abc import Iterator

import pytest

from tests.support.postgres import Cluster
from tests.support.servers import Server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """One PostgreSQL for the whole run of this process; every server gets its own database in it."""
    cluster = Cluster()
    try:
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`tulliana serve` with its default database."""
    server = Server(tmp_path_factory.mktemp("sqlite") / "data").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory, postgres: Cluster) -> Iterator[Server]:
    """`tulliana serve` on PostgreSQL."""
    server = Server(tmp_path_factory.mktemp("postgres") / "data", postgres.create("shared")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two."""
    running: Server = request.getfixturevalue(f"{request.param}_server")
    return running
