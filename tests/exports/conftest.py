"""Databases for the tests of what goes out."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine

from records.models import Base
from records.store import open_engine
from tests.support.postgres import Cluster

_numbers = count(1)


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'records.db'}"
    else:
        cluster: Cluster = request.getfixturevalue("postgres")
        url = cluster.create(f"exports_{next(_numbers)}")
    made = open_engine(url)
    Base.metadata.create_all(made)
    yield made
    made.dispose()
