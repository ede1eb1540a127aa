"""How nodes come to know each other: the hub gives a code, once; the station that has it says who it is, sealed for that hub.

The code is all that must be carried: address and keys of the hub, the project, and a secret, signed by the hub. Request and answer
are messages as all others, but small ones: a stranger may not send more. Where the hub is out of reach the station is its station
all the same, and asks by the next stick, or when it can be reached; what it writes meanwhile is sealed for the hub.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
from sqlalchemy import Connection, Row, insert, select, update

from forms.problems import Problem
from records.access import Access, Right
from records.audit import note
from records.models import Project, RelayInvite, RelayNode
from records.store import Store
from sync.relay import log, projects
from sync.relay.identity import Identity, is_signed, sealing_key
from sync.relay.messages import Message, Peer, key_in, new_nonce, opened, sealed

PREFIX = "TULLIANA-RELAY-1:"
VALID = timedelta(days=60)
REFUSALS = {
    "unknown": "The code is unknown here: the hub's data may have been put back since. Ask for a new one.",
    "used": "The code was used by another node: ask for a new one, and have the hub revoke the other if nobody knows it.",
    "old": "The code is older than 60 days: ask for a new one.",
    "elsewhere": "This node brings another project here; a second one needs a machine of its own.",
}
"""Why a hub lets no node in, and what to do."""
_MOST_NAME = 80  # characters
_SIGNED = b"tulliana code 1\n"
_KEY, _SIGNATURE = 32, 64  # bytes
_ANSWERED = {"asked": None, "refused": None}


@dataclass(frozen=True, slots=True)
class Code:
    """What a station needs to enrol: address, public keys and project of the hub, and the secret. The hub signs it."""

    url: str
    verify_key: bytes
    seal_key: bytes
    project: str
    secret: str
    role: str
    signature: bytes = b""

    @property
    def hub(self) -> Peer:
        """The node that gave it."""
        return Peer.of(self.verify_key, self.seal_key)

    def signed(self, me: Identity) -> "Code":
        """The code as this hub gives it."""
        return replace(self, signature=me.signing.sign(_SIGNED + self._content))

    @property
    def _content(self) -> bytes:
        return self.verify_key + self.seal_key + orjson.dumps([self.url, self.project, self.secret, self.role])

    def __str__(self) -> str:
        return PREFIX + base64.urlsafe_b64encode(self.signature + self._content).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Code":
        """The code a person pasted or scanned. Raises `Problem("value_invalid")`."""
        text = "".join(text.split())
        packed = text.removeprefix(PREFIX)
        try:
            content = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
            signature, keys, rest = content[:_SIGNATURE], content[_SIGNATURE:][: 2 * _KEY], content[_SIGNATURE + 2 * _KEY :]
            url, project, secret, role = map(str, orjson.loads(rest))
        except (ValueError, TypeError):
            raise Problem("value_invalid", f"This is no code of a hub: it begins with {PREFIX} and was cut or changed.") from None
        code = cls(url, keys[:_KEY], keys[_KEY:], project, secret, role, signature)
        if not text.startswith(PREFIX) or not is_signed(signature, _SIGNED + content[_SIGNATURE:], code.verify_key):
            raise Problem("value_invalid", f"This is no code of a hub: it begins with {PREFIX} and was cut or changed.")
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
        known = {me.node_id, *(each.id for each in projects.nodes(connection, access.project_id))}
        log.begin_anew(connection, access.project_id, known)  # where the key of this hub was lost
        values = {"project_id": access.project_id, "name": name, "role": role, "grants": list(grants)}
        connection.execute(insert(RelayInvite).values(secret_sha256=_digest(secret), **values, made_at=now, until=now + VALID))
        note(connection, "relay.invite", name, actor=access.actor, project_id=access.project_id)
        return Code(url, me.verify_key, me.seal_key, key, secret, role).signed(me)

    return store.write(work)


def join(store: Store, me: Identity, access: Access, code: Code, name: str, call: Callable[[bytes], bytes]) -> str | None:
    """Ask the hub of a code to let this node in; how the hub calls it. None: it is out of reach, and asked by the next stick or
    meeting. Raises `Problem` relay_refused, relay_unreadable, value_invalid or not_allowed.
    """
    access.require(Right.PHONES)
    nonce = new_nonce()
    packet = _request(store, me, access, code, name, nonce)
    try:
        answer = call(packet)
    except Problem as problem:
        if problem.kind.code != "relay_unreachable" or code.role != projects.STATION:
            raise
        _wait(store, me, access, code, packet, nonce)
        return None
    return _accept(store, me, access, code, answer, nonce)


def _request(store: Store, me: Identity, access: Access, code: Code, name: str, nonce: str) -> bytes:
    """The packet with which this node enrols. Raises `Problem("value_invalid")`."""
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
    peer, said = _let_in(store, message)
    if why := said.get("why"):
        raise Problem("relay_refused", REFUSALS[why])
    return peer, said, b""


def heard(store: Store, me: Identity, message: Message) -> dict[str, Any]:
    """Let a node in that asks by stick: its name as `joined`, or why not, and as `back` the packet that tells it so."""
    peer, said = _let_in(store, message)
    if why := said.get("why"):
        back = sealed(me, peer, {"type": "refused", "nonce": message.nonce, "why": why})
        return {"error": "relay_refused", "detail": REFUSALS[why], "back": back}
    return {"joined": said["name"]}


def _let_in(store: Store, message: Message) -> tuple[Peer, dict[str, Any]]:
    """Who asks, and what it is told: where it belongs now, or only `why` it does not. Raises `Problem("relay_unreadable")`."""
    said, now = message.said, datetime.now(UTC)
    try:
        verify_key, seal_key = key_in(message.peer, said), bytes.fromhex(said["seal_key"])
        secret, called = _digest(said["secret"]), _name(said["name"])
        sealing_key(seal_key)
    except (KeyError, ValueError, TypeError, AttributeError):
        raise Problem("relay_unreadable", "The node does not say what is needed.") from None

    def work(connection: Connection) -> dict[str, Any]:
        found = connection.execute(select(*RelayInvite.__table__.columns).filter_by(secret_sha256=secret).with_for_update()).first()
        if found is None:
            return {"why": "unknown"}
        if found.used_by not in {None, message.peer}:
            return {"why": "used"}
        if found.used_by is None and found.until < now:
            return {"why": "old"}
        project = projects.relayed(connection, found.project_id)
        known = connection.execute(select(RelayNode.revoked_at, RelayNode.project_id).filter_by(id=message.peer)).first()
        if known is not None and known.revoked_at is not None:
            raise Problem("relay_refused", "This node was revoked here.")
        if known is not None and known.project_id != found.project_id:
            return {"why": "elsewhere"}
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

    return Peer(message.peer, verify_key, seal_key), store.write(work)


def _accept(store: Store, me: Identity, access: Access, code: Code, packet: bytes, nonce: str) -> str:
    """Take the hub's answer; how the hub calls this node. Raises `Problem` relay_unreadable, relay_refused or value_invalid."""
    said = _answer(me, code.hub, packet, nonce)
    store.write(lambda connection: _belong(connection, me, access, code, said, {"called": said["name"], **_ANSWERED}))
    return str(said["name"])


def asked(peer: Row[Any]) -> dict[str, str] | None:
    """The packet with which this node asks a hub to let it in, in base64, and its nonce; None where that was answered."""
    found: dict[str, str] | None = peer.state.get("asked")
    return found


def ask_again(store: Store, me: Identity, peer: Row[Any], call: Callable[[bytes], bytes]) -> None:
    """Ask a hub that was out of reach, now that it is met. Raises `Problem` relay_unreachable, _refused or _unreadable."""
    if waits := asked(peer):
        answer = call(base64.b64decode(waits["packet"]))
        said = _answer(me, Peer.of(peer.verify_key, peer.seal_key), answer, waits["nonce"])
        store.write(lambda connection: answered(connection, peer, {"called": said["name"], "project": said["project"]}))


def belongs(connection: Connection, peer: Row[Any]) -> dict[str, Any]:
    """What a hub tells a station by stick: that it belongs here, how it is called, and the name of the project."""
    name = connection.execute(select(Project.name).filter_by(id=peer.project_id)).scalar_one()
    return {"called": peer.name, "project": name}


def answered(connection: Connection, peer: Row[Any], said: dict[str, Any]) -> None:
    """Take note that a hub said that this node belongs to it."""
    if asked(peer):
        connection.execute(update(RelayNode).filter_by(id=peer.id).values(name=str(said["project"])[:_MOST_NAME]))
        projects.remember(connection, peer.id, {"called": str(said["called"])[:_MOST_NAME], **_ANSWERED})


def refused(connection: Connection, peer: Row[Any], said: dict[str, Any]) -> None:
    """Take note that a hub did not let this node in, if that is what was asked last."""
    if (waits := asked(peer)) and waits["nonce"] == said["nonce"]:
        projects.remember(connection, peer.id, {"asked": None, "refused": str(said["why"])})


def _wait(store: Store, me: Identity, access: Access, code: Code, packet: bytes, nonce: str) -> None:
    """Belong to a hub that does not know it yet."""
    waits = {"packet": base64.b64encode(packet).decode(), "nonce": nonce}
    said = {"project": urlsplit(code.url).hostname or code.url, "key": code.project, "role": code.role, "grants": []}
    store.write(lambda connection: _belong(connection, me, access, code, said, {"asked": waits, "refused": None}))


def _answer(me: Identity, hub: Peer, packet: bytes, nonce: str) -> dict[str, Any]:
    """What a hub says to the question with this nonce."""
    answer = opened(me, packet, lambda _: hub.verify_key)
    if answer.peer != hub.node_id or answer.nonce != nonce:
        raise Problem("relay_unreadable", "It is the answer to something else.")
    return answer.said


def _belong(connection: Connection, me: Identity, access: Access, code: Code, said: dict[str, Any], state: dict[str, Any]) -> None:
    """Have a project go to the hub of a code. Raises `Problem("value_invalid")` where it goes elsewhere."""
    role = projects.HUB if said["role"] == projects.STATION else projects.RANGE
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
    if known is None:
        now = datetime.now(UTC)
        connection.execute(insert(RelayNode).values(id=code.hub.node_id, **values, **keys, enrolled_at=now, state={}))
    else:
        connection.execute(update(RelayNode).filter_by(id=code.hub.node_id).values(**values, **keys))
    projects.remember(connection, code.hub.node_id, state)
    note(connection, "relay.join", str(said["project"]), actor=access.actor, project_id=access.project_id)


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
