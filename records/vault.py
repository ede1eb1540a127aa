"""Sealing what tells who somebody is, with keys that are kept outside the database.

Everybody may seal, and only who has the key file opens: the database knows the public keys, so what phones send is taken in and
sealed also while the file is missing. X25519 (RFC 7748) with HKDF-SHA256 (RFC 5869) gives each process a key for AES-256-GCM (NIST
SP 800-38D), whose share goes with everything it seals. What is sealed is bound to its place, so that nobody can move it to
another's; and it names its key, so that a key can be followed by another. The file has one private key a line, in hex: the first
seals, all of them open.
"""

import hashlib
import os
import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from forms.problems import Problem
from records.durable import write_file

MARK = b"\x01"
"""How everything sealed begins, and no XML does."""
_ID_BYTES, _SHARE_BYTES, _NONCE_BYTES, _TAG_BYTES, _KEY_BYTES = 4, 32, 12, 16, 32
_SHARE_AT = len(MARK) + _ID_BYTES
_NONCE_AT = _SHARE_AT + _SHARE_BYTES
_SEALED_AT = _NONCE_AT + _NONCE_BYTES
OVERHEAD = _SEALED_AT + _TAG_BYTES
_HEADING = "# Keys of the personal data on this server. Without them names, telephone numbers, photos and the\n"
_HEADING += "# records as they came cannot be read by anybody. Keep a copy, and keep it apart from the database.\n"


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of the file, and its public half."""

    private: X25519PrivateKey
    public: bytes


class _Sender:
    """What one process seals with, for whoever has the private half of `public`."""

    def __init__(self, public: bytes) -> None:
        own = X25519PrivateKey.generate()
        self.public, share = public, own.public_key().public_bytes_raw()
        self.cipher = _cipher(own, public, share, public)
        self.beginning = MARK + _id_of(public)
        self.head = self.beginning + share


class Vault:
    """Seals and opens. The file may come later: it is looked for again when a key is missing. Without a path there is none."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._keys: dict[bytes, _Key] = {}
        self._ciphers: dict[bytes, AESGCM] = {}
        self._spare: bytes | None = None
        self._sender: _Sender | None = None
        self._lock = threading.Lock()
        self._load()

    @property
    def key_ids(self) -> list[str]:
        """The ids of the keys at hand, in hex; the first seals."""
        return [key_id.hex() for key_id in self._keys]

    @property
    def beginning(self) -> bytes:
        """How everything begins that is sealed with today's key. Raises `Problem("personal_key_missing")`."""
        return self._sending().beginning

    def public(self, key_id: str) -> bytes:
        """The public half of a key at hand."""
        return self._keys[bytes.fromhex(key_id)].public

    def seal_for(self, public: bytes) -> None:
        """Seal with this public key as long as the file is missing."""
        self._spare = public

    def can_open(self) -> bool:
        """Whether there is a key to open with."""
        if not self._keys:
            self._load()
        return bool(self._keys)

    def require(self) -> None:
        """Raise `Problem("personal_key_missing")` unless there is a key to open with."""
        if not self.can_open():
            raise Problem("personal_key_missing", f"It should be in {self.path}.")

    def seal(self, plain: bytes, *place: str | int) -> bytes:
        """Seal these bytes for this place. Raises `Problem("personal_key_missing")` where there never was a key."""
        sender, nonce = self._sending(), os.urandom(_NONCE_BYTES)
        return sender.head + nonce + sender.cipher.encrypt(nonce, plain, orjson.dumps(place))

    def open(self, sealed: bytes, *place: str | int) -> bytes:
        """The plain bytes. Raises `Problem` personal_key_missing, or seal_broken for what was changed or belongs elsewhere."""
        key_id = sealed[len(MARK) : _SHARE_AT]
        if key_id not in self._keys:
            self._load()
        if key_id not in self._keys or not is_sealed(sealed):
            raise Problem("personal_key_missing", f"It was sealed with the key {key_id.hex()}, which is not in {self.path}.")
        try:
            cipher = self._opener(sealed[len(MARK) : _NONCE_AT])
            return cipher.decrypt(sealed[_NONCE_AT:_SEALED_AT], sealed[_SEALED_AT:], orjson.dumps(place))
        except (InvalidTag, ValueError):  # a share that is none, or cut
            raise Problem("seal_broken", " / ".join(map(str, place))) from None

    def add_key(self) -> str:
        """Make a key that seals from now on, before those that are there; its id in hex. Raises FileExistsError."""
        if self.path is None:
            raise Problem("personal_key_missing", "No file was named for it.")
        fresh = secrets.token_bytes(_KEY_BYTES)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = [line for line in self._lines() if not line.startswith("#")]
        about = f"# made {datetime.now(UTC):%Y-%m-%d}, id {_id_of(_key(fresh).public).hex()}\n"
        text = f"{_HEADING}{about}{fresh.hex()}\n" + "".join(f"{line}\n" for line in lines)
        write_file(self.path, text.encode("ascii"), mode=0o600, replace=bool(lines))
        self._load()
        return self.key_ids[0]

    def _sending(self) -> _Sender:
        """What is sealed with now."""
        self.can_open()
        public = next((key.public for key in self._keys.values()), self._spare)
        if public is None:
            raise Problem("personal_key_missing", f"It should be in {self.path}.")
        sender = self._sender
        if sender is None or sender.public != public:
            self._sender = sender = _Sender(public)
        return sender

    def _opener(self, head: bytes) -> AESGCM:
        """The cipher of a process that sealed; it sealed much, so it is kept."""
        if head not in self._ciphers:
            key, share = self._keys[head[:_ID_BYTES]], head[_ID_BYTES:]
            self._ciphers[head] = _cipher(key.private, share, share, key.public)
        return self._ciphers[head]

    def _lines(self) -> list[str]:
        try:
            return [] if self.path is None else self.path.read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return []

    def _load(self) -> None:
        keys = {}
        for line in self._lines():
            text = line.strip()
            if text and not text.startswith("#"):
                try:
                    key = _key(bytes.fromhex(text))
                except ValueError:
                    raise Problem("settings_invalid", f"TULLIANA_PERSONAL_KEY: {self.path} holds a line that is no key.") from None
                keys[_id_of(key.public)] = key
        with self._lock:
            self._keys, self._ciphers = keys, {}
            self._spare = next((key.public for key in keys.values()), self._spare)


def is_sealed(data: bytes) -> bool:
    """Whether these bytes are sealed, or from the time before anything was."""
    return data.startswith(MARK)


def _key(private: bytes) -> _Key:
    key = X25519PrivateKey.from_private_bytes(private)
    return _Key(key, key.public_key().public_bytes_raw())


def _id_of(public: bytes) -> bytes:
    return hashlib.sha256(b"tulliana key" + public).digest()[:_ID_BYTES]


def _cipher(own: X25519PrivateKey, other: bytes, share: bytes, public: bytes) -> AESGCM:
    """What both sides come to, each from its own private key. Raises ValueError for a share that nobody's key has."""
    secret = own.exchange(X25519PublicKey.from_public_bytes(other))
    return AESGCM(HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"tulliana seal" + share + public).derive(secret))
