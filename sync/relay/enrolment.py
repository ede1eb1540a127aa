"""How nodes come to know each other: the hub gives a code, once; the station that has it says who it is, sealed for that hub.

The code is all that must be carried: address and keys of the hub, the project, and a secret. Request and answer are messages as all
others, but small ones: a stranger may not send more.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Row, insert, select, update

from forms.problems import Problem
from records.access import Access, Right
from records.audit import note
from records.models import Project, RelayInvite, RelayNode
from records.store import Store
from sync.relay import log, projects
from sync.relay.identity import Identity, sealing_key
from sync.relay.messages import Message, Peer, key_in, opened, sealed

PREFIX = "TULLIANA-RELAY-1:"
VALID = timedelta(days=60)
_MOST_NAME = 80  # characters


@dataclass(frozen=True, slots=True)
class Code:
    """What a station needs to enrol: address, public keys and project of the hub, and the secret."""

    url: str
    verify_key: bytes
    seal_key: bytes
    project: str
    secret: str
    role: str

    @property
    def hub(self) -> Peer:
        """The node that gave it."""
        return Peer.of(self.verify_key, self.seal_key)

    def __str__(self) -> str:
        parts = [self.url, self.verify_key.hex(), self.seal_key.hex(), self.project, self.secret, self.role]
        return PREFIX + base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Code":
        """The code a person pasted or scanned. Raises `Problem("value_invalid")`."""
        text = "".join(text.split())
        try:
            packed = text.removeprefix(PREFIX)
            url, verify_key, seal_key, project, secret, role = orjson.loads(
                base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
            )
            code = cls(str(url), bytes.fromhex(verify_key), bytes.fromhex(seal_key), str(project), str(secret), str(role))
        except (ValueError, TypeError):
            raise Problem("value_invalid", f"This is no code of a hub: it begins with {PREFIX} and was cut or changed.") from None
        if not text.startswith(PREFIX) or (len(code.verify_key), len(code.seal_key)) != (32, 32):
            raise Problem("value_invalid", f"This is no code of a hub: it begins with {PREFIX}.")
        return code


def invite(
    store: Store, me: Identity, access: Access, name: str, url: str, *, role: str = projects.STATION, grants: tuple[str, ...] = ()
) -> Code:
    """A code with which one node may enrol, within 60 days. Raises `Problem` value_invalid or not_allowed."""
    access.require(Right.PHONES)
    name = _name(name)
    if bool(grants) != (role == projects.COUNTRY) or any(not each.startswith(f"{projects.SHARED}:") for each in grants):
        raise Problem("value_invalid", "A country gives generalised releases in a channel like shared:IR; a station in none.")
    secret, now = secrets.token_urlsafe(16), datetime.now(UTC)

    def work(connection: Connection) -> Code:
        row = projects.relayed(connection, access.project_id)
        if row is not None and row.hub is not None and role == projects.STATION:
            raise Problem("value_invalid", "This project goes to a hub; stations enrol there.")
        key = projects.key_of(connection, access.project_id)
        values = {"project_id": access.project_id, "name": name, "role": role, "grants": list(grants)}
        connection.execute(insert(RelayInvite).values(secret_sha256=_digest(secret), **values, made_at=now, until=now + VALID))
        note(connection, "relay.invite", name, actor=access.actor, project_id=access.project_id)
        return Code(url, me.verify_key, me.seal_key, key, secret, role)

    return store.write(work)


def request(store: Store, me: Identity, access: Access, code: Code, name: str, nonce: str) -> bytes:
    """The packet with which this node enrols. Raises `Problem` value_invalid or not_allowed."""
    access.require(Right.PHONES)
    if code.hub.node_id == me.node_id:
        raise Problem("value_invalid", "This code is of this very node.")
    said = {"type": "enrol", "nonce": nonce, "secret": code.secret, "name": _name(name)}
    said |= {"verify_key": me.verify_key.hex(), "seal_key": me.seal_key.hex()}
    with store.read() as connection:
        if connection.execute(select(Project.id).filter_by(id=access.project_id)).first() is None:
            raise Problem("value_invalid", f"There is no project {access.project_id}.")
    return sealed(me, code.hub, said)


def admit(store: Store, message: Message) -> tuple[Peer, dict[str, Any], bytes]:
    """Let a node in that has a code. The same node may ask again with it. Raises `Problem` relay_refused or relay_unreadable."""
    said, now = message.said, datetime.now(UTC)
    try:
        verify_key, seal_key = key_in(message.peer, said), bytes.fromhex(said["seal_key"])
        secret, called = _digest(said["secret"]), _name(said["name"])
        sealing_key(seal_key)
    except (KeyError, ValueError, TypeError, AttributeError):
        raise Problem("relay_unreadable", "The node does not say what is needed.") from None

    def work(connection: Connection) -> dict[str, Any]:
        found = connection.execute(select(*RelayInvite.__table__.columns).filter_by(secret_sha256=secret).with_for_update()).first()
        if found is None or found.used_by not in {None, message.peer} or (found.used_by is None and found.until < now):
            raise Problem("relay_refused", "The code is unknown, was used by another node, or is older than 60 days.")
        project = projects.relayed(connection, found.project_id)
        known = connection.execute(select(RelayNode.revoked_at, RelayNode.project_id).filter_by(id=message.peer)).first()
        if known is not None and known.revoked_at is not None:
            raise Problem("relay_refused", "This node was revoked here.")
        if known is not None and known.project_id != found.project_id:
            raise Problem("relay_refused", "This node brings another project here; a second one needs a machine of its own.")
        if known is None:
            about = {"id": message.peer, "project_id": found.project_id, "name": found.name, "role": found.role, "url": ""}
            keys = {"verify_key": verify_key, "seal_key": seal_key, "grants": found.grants}
            connection.execute(insert(RelayNode).values(**about, **keys, enrolled_at=now, state={"name": called}))
            connection.execute(update(RelayInvite).filter_by(secret_sha256=found.secret_sha256).values(used_by=message.peer))
            note(connection, "relay.enrol", found.name, actor=f"node:{message.peer}", project_id=found.project_id)
        name = connection.execute(select(Project.name).filter_by(id=found.project_id)).scalar_one()
        return {
            "project": name,
            "key": project.key if project else "",
            "name": found.name,
            "role": found.role,
            "grants": found.grants,
        }

    return Peer(message.peer, verify_key, seal_key), store.write(work), b""


def accept(store: Store, me: Identity, access: Access, code: Code, packet: bytes, nonce: str) -> str:
    """Take the hub's answer; how the hub calls this node. Raises `Problem` relay_unreadable, relay_refused or value_invalid."""
    access.require(Right.PHONES)
    answer = opened(me, packet, lambda _: code.verify_key)
    if answer.peer != code.hub.node_id or answer.nonce != nonce:
        raise Problem("relay_unreadable", "It is the answer to something else.")
    said, now = answer.said, datetime.now(UTC)
    role = projects.HUB if said["role"] == projects.STATION else projects.RANGE

    def work(connection: Connection) -> None:
        known = connection.execute(select(RelayNode.project_id).filter_by(id=code.hub.node_id)).scalar()
        if known not in {None, access.project_id}:
            raise Problem("value_invalid", "Another project of this server goes to that hub; each needs a machine of its own.")
        if role == projects.HUB:
            projects.join(connection, access.project_id, str(said["key"]), code.hub.node_id)
            log.begin_anew(connection, access.project_id, {me.node_id, code.hub.node_id})
        else:
            projects.key_of(connection, access.project_id)
        values = {"project_id": access.project_id, "name": str(said["project"]), "role": role, "url": code.url}
        keys = {"verify_key": code.verify_key, "seal_key": code.seal_key, "grants": said["grants"], "revoked_at": None}
        changed = connection.execute(update(RelayNode).filter_by(id=code.hub.node_id).values(**values, **keys))
        if not changed.rowcount:
            state = {"called": said["name"]}
            connection.execute(insert(RelayNode).values(id=code.hub.node_id, **values, **keys, enrolled_at=now, state=state))
        note(connection, "relay.join", str(said["project"]), actor=access.actor, project_id=access.project_id)

    store.write(work)
    return str(said["name"])


def revoke(store: Store, access: Access, node_id: str) -> str:
    """No longer speak with a node, from now on; its name. Raises `Problem` not_found or not_allowed."""
    access.require(Right.PHONES)

    def work(connection: Connection) -> str:
        row: Row[Any] | None = connection.execute(
            select(RelayNode.name).filter_by(id=node_id, project_id=access.project_id, revoked_at=None)
        ).first()
        if row is None:
            raise Problem("not_found", f"There is no node {node_id} that could be revoked.")
        connection.execute(update(RelayNode).filter_by(id=node_id).values(revoked_at=datetime.now(UTC)))
        note(connection, "relay.revoke", row.name, actor=access.actor, project_id=access.project_id)
        return str(row.name)

    return store.write(work)


def _name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _MOST_NAME or not name.isprintable():
        raise Problem("value_invalid", f"A node has a name of at most {_MOST_NAME} characters.")
    return name


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
