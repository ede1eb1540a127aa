"""The first start of a server (tables, shipped surveys) takes ten seconds: done once for a whole run, then copied."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Connection, Integer, func, insert, select

from records.models import Base
from records.store import Store, open_engine
from server.setup import migrate
from tests.support.servers import Server

DATABASE = "tulliana.sqlite3"


def first_folder(factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server that was started once, by whichever process of pytest-xdist asked first."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = shared / "first", shared / "first.done"
    with (shared / "first.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            Server(folder / "data").start().stop()
            done.touch()
    return folder / "data"


def fill_first(url: str, folder: Path) -> None:
    """Make an empty database like that of the first start: today's tables with the rows of SQLite's."""
    source, target = open_engine(f"sqlite:///{folder / DATABASE}"), Store(open_engine(url))
    migrate(target)
    with source.connect() as kept:
        target.write(lambda connection: _copy(kept, connection))
    source.dispose()
    target.close()


def _copy(kept: Connection, connection: Connection) -> None:
    for table in reversed(Base.metadata.sorted_tables):
        connection.execute(table.delete())
    for table in Base.metadata.sorted_tables:
        if rows := [dict(row) for row in kept.execute(select(table)).mappings()]:
            connection.execute(insert(table), rows)
        key = table.autoincrement_column
        if rows and key is not None and isinstance(key.type, Integer):
            sequence = func.pg_get_serial_sequence(table.name, key.name)
            connection.execute(select(func.setval(sequence, select(func.max(key)).scalar_subquery())))
