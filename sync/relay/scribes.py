"""Which scribe a project has: one that writes for its hub, or, where we are the hub, for its stations."""

from forms.problems import Problem
from sync.relay import projects
from sync.relay.answering import Answerer
from sync.relay.downward import Downward
from sync.relay.scribe import Scribe
from sync.relay.upward import Upward


def scribe_of(answerer: Answerer, project_id: int) -> Scribe:
    """Who writes the log of a project. Raises `Problem("relay_refused")` for one that is not exchanged."""
    with answerer.store.read() as connection:
        project = projects.relayed(connection, project_id)
    if project is None:
        raise Problem("relay_refused", "This project is not exchanged.")
    kind = Downward if project.hub is None else Upward
    return kind(answerer.store, answerer.me, project_id, project.key)
