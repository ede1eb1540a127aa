"""Files sealed piece by piece while they are written, and opened at any place.

A file begins with `BEGINNING` and its own random key, sealed for its digest: without the key of the server, or once these bytes
are overwritten, nobody can read it. Then come pieces of 64 KiB by AES-256-GCM, each bound to its number and the last one marked, so
that none can be left out, repeated or moved (Rogaway et al., "Online Authenticated-Encryption", the STREAM construction).
"""

import io
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from forms.problems import Problem
from records.random_access import RandomAccess
from records.vault import OVERHEAD, Vault

BEGINNING = b"tulliana sealed 1\n"
PIECE = 64 * 1024
_TAG, _KEY_BYTES = 16, 32
HEAD = len(BEGINNING) + OVERHEAD + _KEY_BYTES


class Sealer:
    """Turns the bytes of one file into sealed ones. `head` goes to the beginning of the file once its digest is known."""

    def __init__(self) -> None:
        self._key = os.urandom(_KEY_BYTES)
        self._cipher = AESGCM(self._key)
        self._waiting = bytearray()
        self._number = 0

    def update(self, data: bytes) -> bytes:
        """What can be written now. The last piece is held back, because it is marked."""
        self._waiting += data
        made = []
        start, end = 0, len(self._waiting)
        view = memoryview(self._waiting)
        while end - start > PIECE:
            made.append(self._piece(view[start : start + PIECE], is_last=False))
            start += PIECE
        view.release()
        del self._waiting[:start]
        return b"".join(made)

    def finish(self) -> bytes:
        """The last piece."""
        return self._piece(self._waiting, is_last=True)

    def head(self, vault: Vault, sha256: str) -> bytes:
        """The first `HEAD` bytes of the file. Raises `Problem("personal_key_missing")`."""
        return BEGINNING + vault.seal(self._key, "file", sha256)

    def _piece(self, data: bytes | bytearray | memoryview, *, is_last: bool) -> bytes:
        self._number += 1
        return self._cipher.encrypt(_nonce(self._number, is_last=is_last), data, None)


class SealedFile(RandomAccess):
    """A sealed file for reading. Raises `Problem` personal_key_missing or seal_broken, also while it is read."""

    def __init__(self, file: io.BufferedReader, vault: Vault, sha256: str) -> None:
        cipher = AESGCM(vault.open(file.read(HEAD)[len(BEGINNING) :], "file", sha256))
        super().__init__(plain_size(file.seek(0, os.SEEK_END)))
        self._file, self._sha256, self._cipher = file, sha256, cipher
        self._held: tuple[int, bytes] = (-1, b"")

    def read_at(self, at: int, most: int) -> bytes:
        number, skip = divmod(at, PIECE)
        if at >= self.size and self.size:
            return b""
        return self._piece(number)[skip : skip + most]

    def close(self) -> None:
        self._file.close()
        super().close()

    def _piece(self, number: int) -> bytes:
        if self._held[0] != number:
            self._file.seek(HEAD + number * (PIECE + _TAG))
            sealed = self._file.read(PIECE + _TAG)
            is_last = (number + 1) * PIECE >= self.size
            try:
                self._held = number, self._cipher.decrypt(_nonce(number + 1, is_last=is_last), sealed, None)
            except InvalidTag:
                raise Problem("seal_broken", f"The file {self._sha256} is cut or was changed.") from None
        return self._held[1]


def plain_size(sealed: int) -> int:
    """How many bytes are in a sealed file of this size; below zero for one that is cut."""
    pieces = max(1, -(-(sealed - HEAD) // (PIECE + _TAG)))
    return sealed - HEAD - pieces * _TAG


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11) + (b"\1" if is_last else b"\0")
