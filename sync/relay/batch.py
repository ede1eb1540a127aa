"""Records as they are signed and sent: a header of JSON that is kept as it came, its signature, and a body that can be taken off.

The id of a record is the SHA-256 of its header, and the header holds that of the body: a record whose body was erased can still be
verified. Nothing in a header tells who somebody is. Keys: `k` kind, `c` channel, `n` the node that wrote it, `t` when by its clock,
`f` form, `i` instance, `b` the body's digest (base64url), others by kind.
"""

import base64
import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson

from forms.problems import Problem
from sync.relay.identity import Identity, is_signed

PREFIX = b"tulliana record 1\0"
SIGNATURE = 64
START = (0, bytes(16))
"""The place before the first record of a feed."""
_FULL, _HOLLOW, _REFERENCE = 0, 1, 2
_MOST_HEADER = 64 * 1024  # bytes
_MOST_TEXT = {"k": 16, "c": 64, "n": 16, "t": 40, "f": 249, "i": 249, "b": 43, "x": 64}
"""Characters that a header may have under each of its keys, as the database keeps them."""
Place = tuple[int, bytes]
"""A place in a feed: the number of its last record and the chain there."""


@dataclass(frozen=True)
class Record:
    """A signed record. `body` is None where it was erased, or for kinds without."""

    header: bytes
    signature: bytes
    body: bytes | None

    @cached_property
    def id(self) -> str:
        """The SHA-256 of the header in hex."""
        return hashlib.sha256(self.header).hexdigest()

    @cached_property
    def about(self) -> dict[str, Any]:
        """What the header says. Raises `Problem("relay_unreadable")`."""
        try:
            said: dict[str, Any] = orjson.loads(self.header[:_MOST_HEADER])
            texts = {name: said.get(name, "") for name in _MOST_TEXT}
        except (ValueError, AttributeError):
            raise Problem("relay_unreadable", "A record has no header.") from None
        if not all(isinstance(text, str) and len(text) <= _MOST_TEXT[name] and "\0" not in text for name, text in texts.items()):
            raise Problem("relay_unreadable", "The header of a record holds what it should not.")
        return said | texts

    def verify(self, verify_key: bytes) -> None:
        """Raise `Problem("relay_unreadable")` unless the node with this key wrote it, body and all."""
        if not is_signed(self.signature, PREFIX + self.header, verify_key):
            raise Problem("relay_unreadable", f"The record {self.id} is not signed by the node {self.about['n']}.")
        if self.body is not None and digest(self.body) != self.about["b"]:
            raise Problem("relay_unreadable", f"The body of the record {self.id} is another.")


def digest(body: bytes) -> str:
    """The digest of a body as headers hold it."""
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()


def written(me: Identity, kind: str, channel: str, at: datetime, body: bytes | None, **more: Any) -> Record:
    """A new record of this node."""
    about = {"k": kind, "c": channel, "n": me.node_id, "t": at.isoformat(timespec="seconds"), **more}
    header = orjson.dumps(about | ({} if body is None else {"b": digest(body)}))
    return Record(header, me.signing.sign(PREFIX + header), body)


@dataclass(frozen=True, slots=True)
class Batch:
    """All records of one channel that a node lists behind `after` up to `upto`: some whole, some (`references`) by their ids only,
    because the receiver should have them. `more`: there are others behind `upto`. Without a place it claims nothing."""

    channel: str
    after: Place | None
    upto: Place | None
    records: Sequence[Record]
    references: Sequence[str]
    more: bool = False

    def said(self) -> dict[str, Any]:
        """What stands in the message that carries it."""
        return {"channel": self.channel, "after": _text(self.after), "upto": _text(self.upto), "more": self.more}

    def data(self) -> bytes:
        """The records as bytes: headers and bodies, then what does not compress."""
        parts = [_listed(record) for record in self.records]
        parts += [struct.pack(">B", _REFERENCE)] * len(self.references)
        parts += [record.signature for record in self.records]
        parts += [bytes.fromhex(reference) for reference in self.references]
        return struct.pack(">I", len(self.records) + len(self.references)) + b"".join(parts)

    @classmethod
    def read(cls, said: dict[str, Any], data: bytes) -> "Batch":
        """The batch in a message. Raises `Problem("relay_unreadable")`."""
        try:
            records, references = _read(data)
            after, upto = place(said["after"]), place(said["upto"])
            return cls(str(said["channel"]), after, upto, records, references, bool(said.get("more")))
        except (struct.error, KeyError, ValueError, TypeError, IndexError):
            raise Problem("relay_unreadable", "The batch is not what it says.") from None


def place(said: Any) -> Place | None:
    """A place as messages hold it. Raises ValueError or TypeError."""
    if said is None:
        return None
    seq, chain = said
    if not isinstance(seq, int) or not 0 <= seq < 2**63 or len(bytes.fromhex(chain)) != len(START[1]):
        raise ValueError("no place in a feed")
    return seq, bytes.fromhex(chain)


def _text(at: Place | None) -> list[Any] | None:
    return None if at is None else [at[0], at[1].hex()]


def texts(places: Iterable[Place]) -> list[list[Any]]:
    """Places as messages hold them."""
    return [[seq, chain.hex()] for seq, chain in places]


def _listed(record: Record) -> bytes:
    if record.body is None:
        return struct.pack(">BI", _HOLLOW, len(record.header)) + record.header
    return struct.pack(">BII", _FULL, len(record.header), len(record.body)) + record.header + record.body


def _read(data: bytes) -> tuple[list[Record], list[str]]:
    (count,) = struct.unpack_from(">I", data)
    at, parts, references = 4, [], 0
    for _ in range(count):
        state = data[at]
        if state == _REFERENCE:
            references, at = references + 1, at + 1
            continue
        head, body = struct.unpack_from(">II", data, at + 1) if state == _FULL else (*struct.unpack_from(">I", data, at + 1), -1)
        if state not in {_FULL, _HOLLOW}:
            raise ValueError("an unknown state")
        at += 9 if state == _FULL else 5
        header = data[at : at + head]
        at += head
        parts.append((header, data[at : at + body] if body >= 0 else None))
        at += max(body, 0)
    if len(data) != at + SIGNATURE * len(parts) + 32 * references:
        raise ValueError("cut, or with something behind it")
    signatures = [data[at + SIGNATURE * each : at + SIGNATURE * (each + 1)] for each in range(len(parts))]
    at += SIGNATURE * len(parts)
    ids = [data[at + 32 * each : at + 32 * (each + 1)].hex() for each in range(references)]
    return [Record(header, signature, body) for (header, body), signature in zip(parts, signatures, strict=True)], ids
