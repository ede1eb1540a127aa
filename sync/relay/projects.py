"""Which project is exchanged with whom, and under which names its channels go."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from forms.problems import Problem
from records.models import RelayNode, RelayProject

DATA, FORMS, DECISIONS, NODES, SHARED = "data", "forms", "rev", "nodes", "shared"
"""Channels: what stations bring, what their hub gives all of them, what it decided about one's records, who else there is; and
generalised records."""
HUB, STATION, RANGE, COUNTRY = "hub", "station", "range", "country"
_NODE = RelayNode.__table__.columns


def relayed(connection: Connection, project_id: int) -> Row[Any] | None:
    """How a project is exchanged; None if it is not."""
    return connection.execute(select(*RelayProject.__table__.columns).filter_by(project_id=project_id)).first()


def key_of(connection: Connection, project_id: int) -> str:
    """The name of a project on all nodes, made if it has none."""
    row = relayed(connection, project_id)
    if row is not None:
        return str(row.key)
    key = secrets.token_hex(8)
    connection.execute(insert(RelayProject).values(project_id=project_id, key=key))
    return key


def join(connection: Connection, project_id: int, key: str, hub: str) -> None:
    """Have a project go to a hub, under its name there. Raises `Problem("value_invalid")` if it goes elsewhere."""
    row = relayed(connection, project_id)
    if row is None:
        connection.execute(insert(RelayProject).values(project_id=project_id, key=key, hub=hub))
        return
    below = [each for each in nodes(connection, project_id) if each.role in {STATION, COUNTRY}]
    if row.hub is None and row.key != key and below:
        raise Problem("value_invalid", "This project is a hub itself: other nodes bring it their records.")
    if row.hub not in {None, hub} or (row.hub and row.key != key):
        raise Problem(
            "value_invalid",
            "This project goes to another hub; leave that one first: tulliana relay leave, or on the page Exchange.",
        )
    connection.execute(update(RelayProject).filter_by(project_id=project_id).values(key=key, hub=hub))


def end(connection: Connection, project_id: int) -> None:
    """Have a project go nowhere."""
    connection.execute(delete(RelayProject).filter_by(project_id=project_id))


def nodes(connection: Connection, project_id: int) -> list[Row[Any]]:
    """The peers of a project, by name."""
    query = select(*_NODE).filter_by(project_id=project_id)
    return list(connection.execute(query.order_by(RelayNode.name, RelayNode.id)))


def node(connection: Connection, node_id: str) -> Row[Any]:
    """A peer that may speak. Raises `Problem("relay_refused")` for one that is unknown or revoked."""
    row = connection.execute(select(*_NODE).filter_by(id=node_id)).first()
    if row is None:
        raise Problem("relay_refused", f"The node {node_id} is not enrolled here.")
    if row.revoked_at is not None and row.role == HUB:
        left = f"This station left the hub {row.name} on {row.revoked_at:%Y-%m-%d} and takes nothing of it."
        raise Problem("relay_refused", f"{left} To go there again, join with a new code: tulliana relay enrol CODE.")
    if row.revoked_at is not None:
        raise Problem("relay_refused", f"The node {row.name} was revoked here on {row.revoked_at:%Y-%m-%d}.")
    return row


def remember(connection: Connection, node_id: str, state: Mapping[str, Any], *, met_at: datetime | None = None) -> None:
    """Add to what is known of a peer, and when it was met; what others wrote down meanwhile stays."""
    before = connection.execute(select(RelayNode.state).filter_by(id=node_id).with_for_update()).scalar_one()
    met = {} if met_at is None else {"met_at": met_at}
    connection.execute(update(RelayNode).filter_by(id=node_id).values(state={**before, **state}, **met))


def channel(name: str, key: str, *more: str) -> str:
    """The name of a channel of the project with this key."""
    return ":".join((name, key, *more))


def readable(peer: Row[Any], key: str) -> set[str]:
    """The channels a peer may read here: by default none but those of its role."""
    of_station = {channel(FORMS, key), channel(DECISIONS, key, peer.id), channel(NODES, key)}
    return set(peer.grants) | (of_station if peer.role == STATION else set())


def is_welcome(peer: Row[Any], key: str, me: str, about: dict[str, Any]) -> bool:
    """Whether a record with this header may come from a peer: written by it, or by us before our database was put back."""
    name = str(about["c"])
    if about["n"] == me:
        return name in peer.grants or name.split(":")[1:2] == [key]
    if about["n"] != peer.id:
        return False
    if peer.role == STATION:
        return name == channel(DATA, key)
    if peer.role == HUB:
        return name in {channel(FORMS, key), channel(DECISIONS, key, me), channel(NODES, key)}
    return peer.role == COUNTRY and name in peer.grants
