"""A running server with a form, and a phone of it, for attacks where the transport matters."""

import uuid

import pytest

from tests.conformance.conftest import Site, make_site
from tests.support.records import FLOCK, LOSS
from tests.support.servers import Server


@pytest.fixture(scope="session")
def site(server: Server) -> Site:
    """On each database."""
    return _opened(server)


@pytest.fixture(scope="session")
def lone(sqlite_server: Server) -> Site:
    """On one database, for what never gets as far as that."""
    return _opened(sqlite_server)


def _opened(server: Server) -> Site:
    for form in (FLOCK, LOSS):
        server.publish(form)
    return make_site(server, f"phone {uuid.uuid4()}")
