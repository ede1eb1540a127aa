"""A station leaves its hub: because the hub lost its key, or is another now. All that is here stays, and can go to a hub again."""

from datetime import UTC, datetime

from sqlalchemy import Connection, select, update

from records.access import Access, Right
from records.audit import note
from records.models import RelayNode
from records.store import Store
from sync.relay import log, projects


def leave(store: Store, access: Access) -> str | None:
    """Go to no hub from now on; the name of the one that was left, None where there was none. Raises `Problem("not_allowed")`.

    The log is forgotten, since a record is signed for one hub: the scribe writes it again for the next. What was taken over from
    the hub and what it decided stays. What came from it and waits is lost here; the hub has it.
    """
    access.require(Right.PHONES)

    def work(connection: Connection) -> str | None:
        log.lock(connection)
        project = projects.relayed(connection, access.project_id)
        if project is None or project.hub is None:
            return None
        name = connection.execute(select(RelayNode.name).filter_by(id=project.hub)).scalar_one()
        log.forget(connection, access.project_id)
        projects.end(connection, access.project_id)
        left = update(RelayNode).filter_by(id=project.hub)
        connection.execute(left.values(revoked_at=datetime.now(UTC), met_at=None, state={}))
        note(connection, "relay.leave", name, actor=access.actor, project_id=access.project_id)
        return str(name)

    return store.write(work)
