"""A desk at which the tests of this folder send records."""

import pytest

from records.blobs import BlobStore
from records.store import Store
from tests.support.desk import Desk


@pytest.fixture
def desk(store: Store, blobs: BlobStore) -> Desk:
    """Takes records in and looks at them, on SQLite and on PostgreSQL."""
    return Desk(store, blobs)
