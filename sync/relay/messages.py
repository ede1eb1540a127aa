"""What goes between two nodes: messages that only the receiver can read and only the sender can have written.

A packet is a heading (who to whom, how many bytes follow, and their SHA-256, signed by the sender) and, sealed by HPKE (RFC 9180:
X25519, HKDF-SHA256, AES-128-GCM), what is said in JSON and bytes, compressed. So whoever gets the heading knows whether to read on,
and whoever carries a packet whether it is whole. The same packet is the body of a request and a file on a stick; whoever carries
it can neither read nor change it, so neither certificates nor clocks matter. An answer repeats the nonce of what it answers.
"""

import hashlib
import lzma
import secrets
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from forms.problems import Problem
from sync.relay.identity import Identity, id_of, is_signed, sealing_key

MAGIC = b"tulliana relay 1\n"
_BETWEEN = len(MAGIC) + 16  # bytes of who to whom
_SIGNED = _BETWEEN + 4 + 32
_SIGNATURE = 64
HEADING = _SIGNED + _SIGNATURE
MOST_PACKET = 16 * 1024 * 1024
MOST_PLAIN = 64 * 1024 * 1024
MOST_OF_STRANGERS = 4096
"""Limits in bytes of a packet, of what it may unpack to, and of a packet of an unknown node, which can only ask to enrol."""
_MOST_SAID = 8 * 1024 * 1024  # of JSON, which takes many times its size in memory
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)
_PLAIN, _ZLIB, _XZ = b"\0", b"\1", b"\2"
_WORTH = 128  # bytes; less is not worth compressing
_XZ_FILTER = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1024 * 1024}]
_XZ_MEMORY = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """What a peer says: `said` is JSON, `data` bytes that belong to it."""

    peer: str
    said: dict[str, Any]
    data: bytes = b""

    @property
    def nonce(self) -> str:
        """By which question and answer know each other."""
        return str(self.said.get("nonce", ""))


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom a message is for, and with what they verify and open."""

    node_id: str
    verify_key: bytes
    seal_key: bytes

    @classmethod
    def of(cls, verify_key: bytes, seal_key: bytes) -> "Peer":
        """The peer with these keys."""
        return cls(id_of(verify_key), verify_key, seal_key)


def new_nonce() -> str:
    """For a question."""
    return secrets.token_hex(8)


def sealed(me: Identity, peer: Peer, said: dict[str, Any], data: bytes = b"", *, small: bool = False) -> bytes:
    """A packet for a peer. `small`: rather few bytes than little work (xz), for slow links and sticks."""
    text = orjson.dumps(said)
    if len(text) > _MOST_SAID:
        raise Problem("relay_unreadable", "It is too large to be sent.")
    return _closed(me, peer, _packed(struct.pack(">I", len(text)) + text + data, small=small))


def _closed(me: Identity, peer: Peer, packed: bytes) -> bytes:
    between = MAGIC + bytes.fromhex(me.node_id) + bytes.fromhex(peer.node_id)
    content = _SUITE.encrypt(packed, sealing_key(peer.seal_key), info=between)
    signed = between + struct.pack(">I", len(content)) + hashlib.sha256(content).digest()
    return signed + me.signing.sign(signed) + content


def addressed(packet: bytes) -> tuple[str, str]:
    """(node it is from, node it is for), as the heading says. Raises `Problem("relay_unreadable")`."""
    if len(packet) < HEADING or not packet.startswith(MAGIC):
        raise Problem("relay_unreadable", "It is no message of a node.")
    return packet[len(MAGIC) : _BETWEEN - 8].hex(), packet[_BETWEEN - 8 : _BETWEEN].hex()


def is_whole(packet: bytes) -> bool:
    """Whether what follows the heading of a packet is what it says; anybody can see that."""
    if len(packet) < HEADING:
        return False
    return packet[_BETWEEN:_SIGNED] == struct.pack(">I", len(packet) - HEADING) + hashlib.sha256(packet[HEADING:]).digest()


def is_heading_of(heading: bytes, key: bytes) -> bool:
    """Whether the node with this key signed a heading, or that of a packet."""
    return is_signed(heading[_SIGNED:HEADING], heading[:_SIGNED], key)


def expected(heading: bytes, size: int, me: Identity, key_of: Callable[[str], bytes | None]) -> str:
    """Who sends a packet of so many bytes with this heading: looked at before any more of it is read or worked on.

    `key_of` gives the key of the sender, None for one that is not known, or raises a `Problem`. Raises `Problem` relay_unreadable
    for what is for another node or not signed by whom it says, relay_refused for what is larger than an unknown node may send.
    """
    sender, receiver = addressed(heading)
    if receiver != me.node_id:
        raise Problem("relay_unreadable", f"It is for the node {receiver}; this one is {me.node_id}.")
    key = key_of(sender)
    if key is None and size > MOST_OF_STRANGERS:
        raise Problem("relay_refused", f"The node {sender} is not enrolled here.")
    if key is not None and not is_heading_of(heading, key):
        raise Problem("relay_unreadable", f"The node {sender} did not sign it.")
    (follow,) = struct.unpack_from(">I", heading, _BETWEEN)
    if size != HEADING + follow:
        raise Problem("relay_unreadable", "It was cut or changed on its way: it is not as long as it says.")
    return sender


def opened(me: Identity, packet: bytes, key_of: Callable[[str], bytes | None]) -> Message:
    """The message in a packet; `key_of` as for `expected`.

    Who is not known can only ask to enrol, with the key in the message. Nothing of who is known is opened before its signature is
    verified, and little of a stranger. Raises `Problem` relay_refused, or relay_unreadable for what is for another, cut, changed,
    too large, or not from whom it says.
    """
    sender = expected(packet, len(packet), me, key_of)
    key = key_of(sender)
    if not is_whole(packet):
        raise Problem("relay_unreadable", "It was cut or changed on its way.")
    try:
        packed = _SUITE.decrypt(packet[HEADING:], me.opening, info=packet[:_BETWEEN])
        said, data = _parts(_unpacked(packed, MOST_OF_STRANGERS if key is None else MOST_PLAIN))
    except (InvalidTag, ValueError, TypeError, struct.error, zlib.error, lzma.LZMAError, EOFError) as error:
        raise Problem("relay_unreadable", f"It was cut or changed on its way ({type(error).__name__}).") from None
    if key is None and said.get("type") != "enrol":
        raise Problem("relay_refused", f"The node {sender} is not enrolled here.")
    if key is None and not is_heading_of(packet, key_in(sender, said)):
        raise Problem("relay_unreadable", f"The node {sender} did not sign it.")
    return Message(sender, said, data)


def key_in(node_id: str, said: dict[str, Any]) -> bytes:
    """The key that a node says is its own. Raises `Problem("relay_unreadable")` if its id is another's."""
    try:
        key = bytes.fromhex(str(said["verify_key"]))
    except (KeyError, ValueError):
        key = b""
    if id_of(key) != node_id:
        raise Problem("relay_unreadable", "The node does not say who it is.")
    return key


def _parts(content: bytes) -> tuple[dict[str, Any], bytes]:
    """What is said, and the bytes that belong to it. Raises ValueError or struct.error."""
    (length,) = struct.unpack_from(">I", content)
    said = orjson.loads(content[4 : 4 + length]) if length <= _MOST_SAID else None
    if not isinstance(said, dict):
        raise ValueError("nothing is said")
    return said, content[4 + length :]


def _packed(content: bytes, *, small: bool) -> bytes:
    if len(content) > MOST_PLAIN:
        raise Problem("relay_unreadable", "It is too large to be sent.")
    if len(content) < _WORTH:
        return _PLAIN + content
    less = _XZ + lzma.compress(content, lzma.FORMAT_XZ, filters=_XZ_FILTER) if small else _ZLIB + zlib.compress(content, 1)
    return less if len(less) < len(content) else _PLAIN + content


def _unpacked(packed: bytes, most: int) -> bytes:
    """Raises ValueError, zlib.error or lzma.LZMAError; never gives more than `most` bytes."""
    kind, content = packed[:1], packed[1:]
    if kind == _PLAIN:
        return content
    if kind == _ZLIB:
        deflated = zlib.decompressobj()
        plain = deflated.decompress(content, most)
        whole = deflated.eof and not deflated.unused_data
    elif kind == _XZ:
        unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        plain = unpacker.decompress(content, most)
        whole = unpacker.eof and not unpacker.unused_data
    else:
        raise ValueError("an unknown way of packing")
    if not whole:
        raise ValueError("more than it may be, or less than it says")
    return plain
