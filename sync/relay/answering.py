"""What a node answers when a peer speaks to it.

Every answer but to strangers is a message too, bound to the question by its nonce.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from forms.problems import Problem
from records.blobs import BlobStore
from records.models import RelayNode
from records.store import Store
from sync.relay import comparing, enrolment, log, projects
from sync.relay.batch import START, Batch, place, texts
from sync.relay.identity import Identity
from sync.relay.messages import Message, Peer, expected, opened, sealed
from sync.relay.receiving import Parts
from sync.relay.sending import Sender
from sync.relay.settling import missing
from sync.relay.taking import take_in

MOST_WANTED = 32
"""So many files are asked for at once."""
NEWEST = 3
"""So many places are told of a channel at first."""
MOST_WANTS = 1000
"""So many are said on a stick to be lacking."""
_MOST_CHANNELS = 1000
MOST_LACKS, BEGINNING = 4000, 8
"""So many files that are not here are told of, each by so many bytes of its digest."""
MOST_GROUPS, MOST_AGAIN = 500, 500
"""So many forms and days are compared, and records asked for by their ids, at once."""
MOST_PIECE = 4 * 1024 * 1024
MOST_BATCH = 4 * 1024 * 1024
"""Limits in bytes of a piece of a file, and of a batch before it is packed."""
Answer = tuple[dict[str, Any], bytes]


class Answerer:
    """Answers peers. `folder` is for unfinished files and for what is carried. May be called from many threads."""

    def __init__(self, store: Store, blobs: BlobStore, me: Identity, folder: Path) -> None:
        self.store, self.blobs, self.me, self.folder = store, blobs, me, folder
        self.parts = Parts(folder / "parts", blobs)
        self.sender, self.sums = Sender(store, blobs), comparing.Sums()
        self._ways: dict[str, Callable[[Row[Any], str, Message], Answer]] = {
            "hello": self._hello,
            "positions": self._positions,
            "push": self._push,
            "pull": self._pull,
            "lacks": self._lacks,
            "put": self._put,
            "get": self._get,
            "compare": self._compare,
            "again": self._again,
            "have": self._have,
            "refused": self._refused,
        }

    def expect(self, heading: bytes, size: int) -> str:
        """Who sends a packet of this size, before it is read. Raises `Problem` relay_unreadable or relay_refused."""
        return expected(heading, size, self.me, self._key)

    def answer(self, packet: bytes) -> bytes:
        """The answer to a packet. Raises `Problem` relay_unreadable or relay_refused for whom we cannot answer."""
        message = opened(self.me, packet, self._key)
        if message.said.get("type") == "enrol":
            peer, said, data = enrolment.admit(self.store, message)
        else:
            row, (said, data) = self._answered(message)
            peer = Peer.of(row.verify_key, row.seal_key)
        return sealed(self.me, peer, said | {"nonce": message.nonce}, data, small=bool(message.said.get("small")))

    def hear(self, packet: bytes) -> dict[str, Any]:
        """Take a packet to which nobody waits for an answer, from a stick say; what the answer would be.

        Raises `Problem` relay_unreadable or relay_refused.
        """
        message = opened(self.me, packet, self._key)
        if message.said.get("type") == "enrol":
            return enrolment.heard(self.store, self.me, message)
        return self._answered(message)[1][0]

    def _answered(self, message: Message) -> tuple[Row[Any], Answer]:
        with self.store.read() as connection:
            row = projects.node(connection, message.peer)
            project = projects.relayed(connection, row.project_id)
        try:
            way = self._ways.get(str(message.said.get("type")))
            if way is None or project is None:
                raise Problem("relay_unreadable", "This node does not know what is asked; it may be older than the other.")
            return row, way(row, project.key, message)
        except Problem as problem:
            return row, ({"error": problem.kind.code, "detail": problem.detail}, b"")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return row, ({"error": "relay_unreadable", "detail": type(error).__name__}, b"")

    def _key(self, node_id: str) -> bytes | None:
        """The key of a peer; None for a node that is not known. Raises `Problem("relay_refused")` for one that was revoked."""
        with self.store.read() as connection:
            if connection.execute(select(RelayNode.id).filter_by(id=node_id)).first() is None:
                return None
            key: bytes = projects.node(connection, node_id).verify_key
            return key

    def _hello(self, peer: Row[Any], key: str, message: Message) -> Answer:
        """How far we have read the peer, what there is to read here, whether we hold the same of its records, which files we lack
        (some of them: SHA-256, size, how much is here), and what time it is."""
        said, now = message.said, datetime.now(UTC)
        channel = projects.channel(projects.DATA, key)
        with self.store.snapshot() as connection:
            theirs = [str(name) for name in said["channels"]][:_MOST_CHANNELS]
            have = {name: texts(log.positions(connection, peer.id, name, most=NEWEST)) for name in theirs}
            ours = log.channels(connection, peer.project_id)
            heads = {name: texts([ours[name]])[0] for name in sorted(projects.readable(peer, key) & ours.keys())}
            wanted = missing(connection, self.blobs, peer.id)
            lacking = missing(connection, self.blobs, peer.id, own=True)  # a form of ours may be lost without a report being so
            same = None
            if said["digest"] is not None:
                same = list(self.sums.whole(connection, channel, of=peer.id)) == said["digest"]
        about = said["about"]
        state = {"clock": float(about["clock"]), "rate": max(float(about["rate"]), 0.0), "have": _places(about["have"])}
        state |= {"same": same, "safe": bool(same) and not lacking}
        if same:
            state["back"] = {}
        if about.get("regressed"):
            state["regressed_at"] = now.isoformat()
        self.store.write(lambda connection: projects.remember(connection, peer.id, state, met_at=now))
        gone = set(said.get("gone", ()))  # what the peer has no more must not keep others back
        wants = [[sha256, wanted[sha256], self.parts.offset(sha256)] for sha256 in wanted if sha256 not in gone][:MOST_WANTED]
        files = [len(lacking), sum(lacking.values())]
        return {"have": have, "heads": heads, "now": now.isoformat(), "same": same, "files": files, "wants": wants}, b""

    def _positions(self, peer: Row[Any], key: str, message: Message) -> Answer:
        """Every place of a channel of the peer that we know: the newest were of another history."""
        with self.store.read() as connection:
            return {"have": texts(log.positions(connection, peer.id, str(message.said["channel"])))}, b""

    def _push(self, peer: Row[Any], key: str, message: Message) -> Answer:
        taken = take_in(self.store, self.me, peer, key, Batch.read(message.said, message.data))
        upto = None if taken.upto is None else texts([taken.upto])[0]
        return {"new": taken.new, "upto": upto, "lacking": list(taken.lacking)}, b""

    def _pull(self, peer: Row[Any], key: str, message: Message) -> Answer:
        """The next records of a channel behind the furthest place of the peer that our log passed through."""
        said = message.said
        channel = str(said["channel"])
        if channel not in projects.readable(peer, key):
            raise Problem("relay_refused", f"The channel {channel} is not for {peer.name}.")
        offered = [each for each in map(place, said["have"][: log.MOST_POSITIONS]) if each is not None]
        with self.store.read() as connection:
            start = log.common(connection, offered)
        if start is None and offered and not said["all"]:
            return {"unknown": True}, b""
        most = min(max(int(said["most"]), 1024), MOST_BATCH)
        whole = None if said.get("whole") else ()
        batch = self.sender.batch(peer.id, channel, start or START, most, whole=whole)
        return ({"empty": True}, b"") if batch is None else (batch.said(), batch.data())

    def _lacks(self, peer: Row[Any], key: str, message: Message) -> Answer:
        """How the digests begin of all files of the peer that are not here, for a stick that it may bring; not told of too many."""
        with self.store.read() as connection:
            wanted = list(missing(connection, self.blobs, peer.id))
        if len(wanted) > MOST_LACKS:
            return {"most": True}, b""
        return {"most": False}, b"".join(bytes.fromhex(sha256)[:BEGINNING] for sha256 in wanted)

    def _put(self, peer: Row[Any], key: str, message: Message) -> Answer:
        """Take a piece of a file that we asked for."""
        sha256, offset, size = str(message.said["sha256"]), int(message.said["offset"]), int(message.said["size"])
        with self.store.read() as connection:
            expected = missing(connection, self.blobs, peer.id).get(sha256)
        if expected is None:
            return {"offset": size, "later": not self.sender.has(sha256)}, b""
        if expected != size or len(message.data) > MOST_PIECE:
            raise Problem("relay_unreadable", f"The file {sha256} is not as it was announced.")
        return {"offset": self.parts.add(sha256, offset, message.data, size)}, b""

    def _get(self, peer: Row[Any], key: str, message: Message) -> Answer:
        """Give a piece of a file that goes with a form, or that the peer once brought."""
        sha256, offset = str(message.said["sha256"]), int(message.said["offset"])
        if peer.role != projects.STATION or not self.sender.may_have(peer, sha256):
            raise Problem("relay_refused", f"The file {sha256} is not for {peer.name}.")
        data, size = self.sender.piece(sha256, offset, min(max(int(message.said["most"]), 1024), MOST_PIECE))
        return {"size": size}, data

    def _compare(self, peer: Row[Any], key: str, message: Message) -> Answer:
        """What we hold of a channel that the peer writes, or may read: of each form and day, or one by one of some of these."""
        channel, among = str(message.said["channel"]), message.said.get("among")
        if channel not in projects.readable(peer, key) | {projects.channel(projects.DATA, key)}:
            raise Problem("relay_refused", f"The channel {channel} is not for {peer.name}.")
        with self.store.snapshot() as connection:
            if among is not None:
                names = [str(name) for name in among[:MOST_GROUPS]]
                return {"ids": comparing.ids(connection, channel, names, of=peer.id)}, b""
            return {"groups": comparing.groups(connection, channel, of=peer.id)}, b""

    def _again(self, peer: Row[Any], key: str, message: Message) -> Answer:
        """Give the peer records back that it wrote itself, some of those it names: its database was put back."""
        ids = [str(each) for each in message.said["ids"][:MOST_AGAIN]]
        records = self.sender.some(ids, of=peer.id, most_bytes=min(max(int(message.said["most"]), 1024), MOST_BATCH))
        batch = Batch(projects.channel(projects.DATA, key), None, None, records, ())
        return batch.said(), batch.data()

    def _have(self, peer: Row[Any], key: str, message: Message) -> Answer:
        """Remember what a peer said it has and lacks: the stick that goes to it brings what is missing."""
        said, now = message.said, datetime.now(UTC)
        wants = [[str(sha256), int(size)] for sha256, size in said["wants"][:MOST_WANTS]]
        lacks = [str(sha256)[: 2 * BEGINNING] for sha256, _ in wants] if len(wants) < MOST_WANTS else None
        state: dict[str, Any] = {"have": _places(said["have"]), "wants": wants, "lacks": lacks}
        before, at = str(peer.state.get("have_at", "")), str(said["at"])[:40]
        state |= {"have_at": max(before, at), "given": []}
        channel = projects.channel(projects.DATA, key)
        theirs = {name: (int(count), str(digest)) for name, (count, digest) in said["groups"].items()}
        with self.store.snapshot() as connection:
            ours = comparing.groups(connection, channel, of=self.me.node_id if peer.role == projects.HUB else peer.id)
        if peer.role == projects.STATION:  # what of its own it has not, as far as can be told
            state["back"] = {name: theirs.get(name, (0, "")) for name in comparing.differing(ours, theirs) if name in ours}
        elif at >= before:  # what an old stick says proves nothing of today
            differing = [
                comparing.Difference(name, theirs.get(name, (0, ""))[0], [], []) for name in comparing.differing(ours, theirs)
            ]
            state |= {"same": not differing, "safe": not differing and not said["files"]}
            state |= {"differing": [asdict(each) for each in differing]}

        def work(connection: Connection) -> None:
            projects.remember(connection, peer.id, state, met_at=now)
            if peer.role == projects.HUB:
                enrolment.answered(connection, peer, said)

        self.store.write(work)
        return {}, b""

    def _refused(self, peer: Row[Any], key: str, message: Message) -> Answer:
        """Take note that a hub did not let this node in."""
        self.store.write(lambda connection: enrolment.refused(connection, peer, message.said))
        return {}, b""


def _places(said: dict[str, Any]) -> dict[str, list[list[Any]]]:
    """Places that a peer tells of channels, as they are kept. Raises ValueError, TypeError or AttributeError."""
    some = list(said.items())[:_MOST_CHANNELS]
    return {name: texts(each for each in map(place, places[: log.MOST_POSITIONS]) if each is not None) for name, places in some}
