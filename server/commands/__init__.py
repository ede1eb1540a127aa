"""The commands, and what they share: the services opened without a server, and the project they work in."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from records.access import Access
from server.services import Services

ACTOR = "command line"


@contextmanager
def opened() -> Iterator[Services]:
    """The services for one command; works beside a running server. Raises `Problem("not_found")` for an unknown project."""
    from records import projects
    from server.config import Config
    from server.services import standalone
    from server.setup import migrate

    with standalone(Config.load()) as services:
        migrate(services.store)
        with services.store.read() as connection:
            projects.named(connection, project_id())
        yield services


def project_id() -> int:
    """The project this command works in: `tulliana --project N`."""
    chosen: int = click.get_current_context().find_root().params["project"]
    return chosen


def access() -> Access:
    """Whoever may run commands on this machine may see everything."""
    return Access.everything(project_id(), ACTOR)
