"""Databases for the tests of what goes out."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from records.store import open_engine


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database of each kind."""
    made = open_engine(database_url)
    yield made
    made.dispose()
