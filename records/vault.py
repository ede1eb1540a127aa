"""Sealing what tells who somebody is, with keys that are kept outside the database.

AES-256-GCM (NIST SP 800-38D). What is sealed is bound to its place, so that nobody can put it in another's; and it names its key,
so that a key can be followed by another. The key file has one key a line, in hex: the first seals, all of them open.
"""

import hashlib
import os
import secrets
import threading
from datetime import UTC, datetime
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from forms.problems import Problem

MARK = b"\x01"
"""How everything sealed begins, and no XML does."""
_ID_BYTES, _NONCE_BYTES, _TAG_BYTES, _KEY_BYTES = 4, 12, 16, 32
OVERHEAD = len(MARK) + _ID_BYTES + _NONCE_BYTES + _TAG_BYTES
_HEADING = "# Keys of the personal data on this server. Without them names, telephone numbers, photos and the\n"
_HEADING += "# records as they came cannot be read by anybody. Keep a copy, and keep it apart from the database.\n"


class Vault:
    """Seals and opens. The file may come later: it is looked for again when a key is missing. Without a path there is none."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._keys: dict[bytes, AESGCM] = {}
        self._lock = threading.Lock()
        self._load()

    @property
    def key_ids(self) -> list[str]:
        """The ids of the keys at hand, in hex; the first seals."""
        return [key_id.hex() for key_id in self._keys]

    @property
    def beginning(self) -> bytes:
        """How everything begins that is sealed with today's key. Raises `Problem("personal_key_missing")`."""
        if not self._keys:
            self._load()
        for key_id in self._keys:
            return MARK + key_id
        raise Problem("personal_key_missing", f"It should be in {self.path}.")

    def require(self) -> None:
        """Raise `Problem("personal_key_missing")` unless there is a key to seal with."""
        _ = self.beginning

    def seal(self, plain: bytes, *place: str | int) -> bytes:
        """Seal these bytes for this place. Raises `Problem("personal_key_missing")`."""
        beginning = self.beginning
        nonce = os.urandom(_NONCE_BYTES)
        return beginning + nonce + self._keys[beginning[len(MARK) :]].encrypt(nonce, plain, orjson.dumps(place))

    def open(self, sealed: bytes, *place: str | int) -> bytes:
        """The plain bytes. Raises `Problem` personal_key_missing, or seal_broken for what was changed or belongs elsewhere."""
        key_id, rest = sealed[len(MARK) : len(MARK) + _ID_BYTES], sealed[len(MARK) + _ID_BYTES :]
        if key_id not in self._keys:
            self._load()
        key = self._keys.get(key_id)
        if key is None or not is_sealed(sealed):
            raise Problem("personal_key_missing", f"It was sealed with the key {key_id.hex()}, which is not in {self.path}.")
        try:
            return key.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], orjson.dumps(place))
        except InvalidTag:
            raise Problem("seal_broken", " / ".join(map(str, place))) from None

    def add_key(self) -> str:
        """Make a key that seals from now on, before those that are there; its id in hex. Raises FileExistsError."""
        if self.path is None:
            raise Problem("personal_key_missing", "No file was named for it.")
        fresh = secrets.token_bytes(_KEY_BYTES)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = [line for line in self._lines() if not line.startswith("#")]
        about = f"# made {datetime.now(UTC):%Y-%m-%d}, id {_id_of(fresh).hex()}\n"
        _write(self.path, f"{_HEADING}{about}{fresh.hex()}\n" + "".join(f"{line}\n" for line in lines), replace=bool(lines))
        self._load()
        return self.key_ids[0]

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
                    key = bytes.fromhex(text)
                except ValueError:
                    key = b""
                if len(key) != _KEY_BYTES:
                    raise Problem("settings_invalid", f"TULLIANA_PERSONAL_KEY: {self.path} holds a line that is no key.")
                keys[_id_of(key)] = AESGCM(key)
        with self._lock:
            self._keys = keys


def is_sealed(data: bytes) -> bool:
    """Whether these bytes are sealed, or from the time before anything was."""
    return data.startswith(MARK)


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(b"tulliana key" + key).digest()[:_ID_BYTES]


def _write(path: Path, text: str, *, replace: bool) -> None:
    """Write a file that only we can read, whole or not at all. Raises FileExistsError where it is there and not to be replaced."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with open(fresh, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text.encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
    try:
        if replace:
            fresh.replace(path)
        else:
            os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
