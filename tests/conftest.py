"""Servers for the tests that speak HTTP. The first start (tables, shipped surveys) is slow: done once, then copied."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.postgres import Cluster
from tests.support.servers import Server

settings.register_profile("tulliana", deadline=None)  # how long an example takes says more about the machine
settings.load_profile("tulliana")
NewServer = Callable[..., Server]
pytest_plugins = ["tests.support.stores", "tests.support.commands"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """One PostgreSQL for the whole run of this process; every server gets its own database in it."""
    cluster = Cluster()
    try:
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def new_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewServer]:
    """`new_server("sqlite" or "postgres", {settings}, data=folder)` starts a server that nobody else uses."""
    first: dict[str, Server] = {}
    servers: list[Server] = []
    numbers = count(1)

    def cluster() -> Cluster:
        found: Cluster = request.getfixturevalue("postgres")
        return found

    def make(kind: str, settings: dict[str, str] | None = None, *, data: Path | None = None) -> Server:
        if kind not in first:
            folder = tmp_path_factory.mktemp(f"first-{kind}")
            first[kind] = Server(folder / "data", cluster().create("first") if kind == "postgres" else "").start()
            first[kind].stop()
        name = f"{kind}_{next(numbers)}"
        data = data or tmp_path_factory.mktemp(name) / "data"
        shutil.copytree(first[kind].data, data)
        servers.append(Server(data, cluster().create(name, like="first") if kind == "postgres" else "", settings or {}))
        return servers[-1].start()

    yield make
    for server in servers:
        server.kill()  # a graceful stop costs seconds and is tested where it matters


@pytest.fixture(scope="session")
def sqlite_server(new_server: NewServer) -> Server:
    """`tulliana serve` with its default database."""
    return new_server("sqlite")


@pytest.fixture(scope="session")
def postgres_server(new_server: NewServer) -> Server:
    """`tulliana serve` on PostgreSQL."""
    return new_server("postgres")


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two."""
    running: Server = request.getfixturevalue(f"{request.param}_server")
    return running
