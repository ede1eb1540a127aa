"""Where a pull goes on. A page is noted only after all its records are on disk: what breaks off between is asked for again, and
taking a record in again changes nothing."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from records.models import PullSource
from records.store import Store, insert_new


def load(store: Store, project_id: int, address: str) -> dict[str, Any]:
    """What was noted for this form of another server; empty for one that was never asked."""
    with store.read() as connection:
        state = connection.execute(select(PullSource.state).filter_by(project_id=project_id, address=address)).scalar()
    return dict(state or {})


def save(store: Store, project_id: int, address: str, state: dict[str, Any]) -> None:
    """Note how far it has come."""
    key, now = {"project_id": project_id, "address": address}, datetime.now(UTC)

    def work(connection: Connection) -> None:
        if not connection.execute(insert_new(connection, PullSource), {**key, "state": state, "met_at": now}).rowcount:
            connection.execute(update(PullSource).filter_by(**key).values(state=state, met_at=now))

    store.write(work)
