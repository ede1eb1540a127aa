"""The commands, and what they share: the services opened without a server."""

from collections.abc import Iterator
from contextlib import contextmanager

from server.services import Services


@contextmanager
def opened() -> Iterator[Services]:
    """The services for one command; works beside a running server."""
    from server.config import Config
    from server.services import standalone
    from server.setup import migrate

    with standalone(Config.load()) as services:
        migrate(services.store)
        yield services
