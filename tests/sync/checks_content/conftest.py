"""Records in a database, without the forms they were filled in with."""

import pytest

from records.blobs import BlobStore
from records.store import Store
from sync.checks import Checker, checker, content
from sync.checks.surroundings import Surroundings
from sync.incidents.comparison import link_incidents
from tests.support.answers import Send, put


@pytest.fixture
def send(store: Store) -> Send:
    """`send(instance_id, answers, form_id=..., after=minutes)` puts a record there, received so long after the first."""
    return lambda *record, **more: store.write(lambda connection: put(connection, *record, **more))


@pytest.fixture
def checks(store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> Checker:
    monkeypatch.setattr(checker, "CHECKS", content.CHECKS)
    monkeypatch.setattr(checker, "COMPARISONS", content.COMPARISONS)
    monkeypatch.setattr(Surroundings, "_definition", lambda *_: None)  # these records have no published form
    return Checker(store, blobs)


@pytest.fixture
def linked(checks: Checker, monkeypatch: pytest.MonkeyPatch) -> Checker:
    """The same, which also finds the report that a visit names."""
    monkeypatch.setattr(checker, "COMPARISONS", (link_incidents, *content.COMPARISONS))
    return checks
