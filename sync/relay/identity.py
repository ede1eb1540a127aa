"""Who a node is: a key that signs, and one with which it opens what is meant for it. Both are in a file, never in the database."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from forms.problems import Problem
from records.durable import write_file

_HEADING = "# The identity of this node towards its peers: who has it can speak for this machine. Keep no copy on another one.\n"


@dataclass(frozen=True, slots=True)
class Identity:
    """This node: `signing` (Ed25519, RFC 8032) and `opening` (X25519, RFC 7748) are its private keys."""

    signing: Ed25519PrivateKey
    opening: X25519PrivateKey

    @property
    def verify_key(self) -> bytes:
        """With what others verify its signatures: 32 bytes."""
        return self.signing.public_key().public_bytes_raw()

    @property
    def seal_key(self) -> bytes:
        """With what others seal for it: 32 bytes."""
        return self.opening.public_key().public_bytes_raw()

    @property
    def node_id(self) -> str:
        """Its id; see `id_of`."""
        return id_of(self.verify_key)

    @classmethod
    def new(cls) -> "Identity":
        """A node that nobody knows yet."""
        return cls(Ed25519PrivateKey.generate(), X25519PrivateKey.generate())


def id_of(verify_key: bytes) -> str:
    """The id of the node with this key: 16 hexadecimal digits."""
    return hashlib.sha256(verify_key).hexdigest()[:16]


def is_signed(signature: bytes, data: bytes, verify_key: bytes) -> bool:
    """Whether the node with this key signed these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(verify_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def sealing_key(seal_key: bytes) -> X25519PublicKey:
    """The key as `hpke` wants it. Raises ValueError for one that is none."""
    return X25519PublicKey.from_public_bytes(seal_key)


def kept_identity(path: Path) -> Identity:
    """The identity in this file, made if there is none. Raises `Problem("settings_invalid")` for a file that is none."""
    try:
        return _read(path)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = Identity.new()
    text = _HEADING + f"{fresh.signing.private_bytes_raw().hex()}\n{fresh.opening.private_bytes_raw().hex()}\n"
    try:
        write_file(path, text.encode("ascii"), mode=0o600, replace=False)
    except FileExistsError:  # another process was quicker
        return _read(path)
    return fresh


def _read(path: Path) -> Identity:
    lines = [line for line in path.read_text(encoding="ascii").splitlines() if line and not line.startswith("#")]
    try:
        signing, opening = map(bytes.fromhex, lines)
        return Identity(Ed25519PrivateKey.from_private_bytes(signing), X25519PrivateKey.from_private_bytes(opening))
    except ValueError:
        raise Problem("settings_invalid", f"{path} is not the identity of a node: put back a copy of it, or enrol anew.") from None
