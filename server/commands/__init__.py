"""The commands, and what they share: the services opened without a server."""

from collections.abc import Iterator
from contextlib import contextmanager

from server.services import Services


@contextmanager
def opened() -> Iterator[Services]:
    """The services for one command; works beside a running server."""
    from server.app import create_app
    from server.config import Config
    from server.setup import migrate

    app = create_app(Config.load())
    with app.app_context():
        services: Services = app.extensions["tulliana"]
        migrate(services.store)
        try:
            yield services
        finally:
            services.store.close()
