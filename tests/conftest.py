"""Servers for the tests that speak HTTP, each on a copy of one first start; everything temporary in memory where there is room."""

import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.firsts import DATABASE, fill_first, first_folder
from tests.support.postgres import Cluster
from tests.support.servers import Server

settings.register_profile("tulliana", deadline=None)  # how long an example takes says more about the machine
settings.load_profile("tulliana")
MEMORY = Path("/dev/shm")
NewServer = Callable[..., Server]
pytest_plugins = ["tests.support.stores", "tests.support.commands"]


def pytest_configure() -> None:
    """Keep temporary files in memory where 4 GB are free there: thousands of small databases sync themselves to disk."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 * 1024**3:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors, four at most: some wait for servers."""
    return min(4, (os.cpu_count() or 1) + 1)


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
    servers: list[Server] = []
    numbers = count(1)

    @cache
    def database() -> Cluster:
        cluster: Cluster = request.getfixturevalue("postgres")
        fill_first(cluster.create("first"), first_folder(tmp_path_factory))
        return cluster

    def make(kind: str, settings: dict[str, str] | None = None, *, data: Path | None = None) -> Server:
        name = f"{kind}_{next(numbers)}"
        data = data or tmp_path_factory.mktemp(name) / "data"
        unused = shutil.ignore_patterns(f"{DATABASE}*") if kind == "postgres" else None
        shutil.copytree(first_folder(tmp_path_factory), data, ignore=unused)
        servers.append(Server(data, database().create(name, like="first") if kind == "postgres" else "", settings or {}))
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
