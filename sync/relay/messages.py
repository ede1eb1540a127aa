"""What goes between two nodes: messages that only the receiver can read and only the sender can have written.

A packet is a heading (who to whom) and, sealed by HPKE (RFC 9180: X25519, HKDF-SHA256, AES-128-GCM), what is said in JSON and
bytes, compressed, with the sender's signature. The same packet is the body of a request and a file on a stick; whoever carries it
can neither read nor change it, so neither certificates nor clocks matter. An answer repeats the nonce of what it answers.
"""

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
HEADING = len(MAGIC) + 16
MOST_PACKET = 16 * 1024 * 1024
MOST_PLAIN = 64 * 1024 * 1024
"""Limits in bytes of a packet, and of what it may unpack to."""
_SIGNATURE = 64
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
    heading = MAGIC + bytes.fromhex(me.node_id) + bytes.fromhex(peer.node_id)
    text = orjson.dumps(said)
    packed = _packed(struct.pack(">I", len(text)) + text + data, small=small)
    signature = me.signing.sign(heading + packed)
    return heading + _SUITE.encrypt(packed + signature, sealing_key(peer.seal_key), info=heading)


def addressed(packet: bytes) -> tuple[str, str]:
    """(node it is from, node it is for), as the heading says. Raises `Problem("relay_unreadable")`."""
    if len(packet) < HEADING or not packet.startswith(MAGIC):
        raise Problem("relay_unreadable", "It is no message of a node.")
    return packet[len(MAGIC) : HEADING - 8].hex(), packet[HEADING - 8 : HEADING].hex()


def opened(me: Identity, packet: bytes, key_of: Callable[[str, dict[str, Any]], bytes]) -> Message:
    """The message in a packet. `key_of` gives the key of its sender, or raises a `Problem`.

    Raises `Problem` relay_unreadable for what is for another, cut, changed, too large, or not from whom it says.
    """
    sender, receiver = addressed(packet)
    if receiver != me.node_id:
        raise Problem("relay_unreadable", f"It is for the node {receiver}; this one is {me.node_id}.")
    heading = packet[:HEADING]
    try:
        plain = _SUITE.decrypt(packet[HEADING:], me.opening, info=heading)
        signed, signature = plain[:-_SIGNATURE], plain[-_SIGNATURE:]
        content = _unpacked(signed)
        (length,) = struct.unpack_from(">I", content)
        said = orjson.loads(content[4 : 4 + length])
    except (InvalidTag, ValueError, TypeError, struct.error, zlib.error, lzma.LZMAError, EOFError) as error:
        raise Problem("relay_unreadable", f"It was cut or changed on its way ({type(error).__name__}).") from None
    if not isinstance(said, dict) or not is_signed(signature, heading + signed, key_of(sender, said)):
        raise Problem("relay_unreadable", f"The node {sender} did not sign it.")
    return Message(sender, said, content[4 + length :])


def _packed(content: bytes, *, small: bool) -> bytes:
    if len(content) > MOST_PLAIN:
        raise Problem("relay_unreadable", "It is too large to be sent.")
    if len(content) < _WORTH:
        return _PLAIN + content
    less = _XZ + lzma.compress(content, lzma.FORMAT_XZ, filters=_XZ_FILTER) if small else _ZLIB + zlib.compress(content, 1)
    return less if len(less) < len(content) else _PLAIN + content


def _unpacked(packed: bytes) -> bytes:
    """Raises ValueError, zlib.error or lzma.LZMAError; never gives more than `MOST_PLAIN` bytes."""
    kind, content = packed[:1], packed[1:]
    if kind == _PLAIN:
        return content
    if kind == _ZLIB:
        deflated = zlib.decompressobj()
        plain = deflated.decompress(content, MOST_PLAIN)
        whole = deflated.eof and not deflated.unused_data
    elif kind == _XZ:
        unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        plain = unpacker.decompress(content, MOST_PLAIN)
        whole = unpacker.eof and not unpacker.unused_data
    else:
        raise ValueError("an unknown way of packing")
    if not whole:
        raise ValueError("more than it may be, or less than it says")
    return plain
