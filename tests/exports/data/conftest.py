"""A database on SQLite alone, for what only concerns the files."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from records.models import Base
from records.store import open_engine
from tests.support.tables import publish, xform


@pytest.fixture
def herds(tmp_path: Path) -> Iterator[Engine]:
    """A database with the survey of `tests.support.tables`."""
    made = open_engine(f"sqlite:///{tmp_path / 'herds.db'}")
    Base.metadata.create_all(made)
    publish(made, xform())
    yield made
    made.dispose()
