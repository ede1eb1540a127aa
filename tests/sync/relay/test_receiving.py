"""Pieces of files from peers: several processes may take them in, and what became unreadable begins anew."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from forms.problems import Problem
from records.blobs import BlobStore
from records.vault import Vault
from sync.relay.receiving import Parts

DATA = bytes(range(256)) * 8
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    vault = Vault(tmp_path / "personal.key")
    vault.add_key()
    return Parts(tmp_path / "parts", BlobStore(tmp_path / "blobs", vault))


def test_pieces_make_a_file_in_any_order_and_by_two_processes(parts: Parts) -> None:
    other = Parts(parts.folder, parts.blobs)
    assert parts.add(SHA256, 1024, DATA[1024:], len(DATA)) == 0
    assert other.add(SHA256, 0, DATA[:1024], len(DATA)) == len(DATA)
    assert parts.add(SHA256, 0, DATA[:1024], len(DATA)) == len(DATA)
    with parts.blobs.open(SHA256) as file:
        assert file.read() == DATA
    assert not list(parts.folder.iterdir())


def test_a_piece_that_was_cut_is_fetched_anew(parts: Parts) -> None:
    parts.add(SHA256, 0, DATA[:1024], len(DATA))
    (piece,) = (parts.folder / SHA256).iterdir()
    piece.write_bytes(piece.read_bytes()[:-1])
    with pytest.raises(Problem, match="fetched anew"):
        parts.add(SHA256, 1024, DATA[1024:], len(DATA))
    assert parts.add(SHA256, 0, DATA, len(DATA)) == len(DATA)
    assert parts.blobs.has(SHA256)


def test_what_nobody_goes_on_with_goes_after_a_long_time(parts: Parts) -> None:
    parts.add(SHA256, 0, DATA[:1024], len(DATA))
    parts.sweep()
    assert parts.offset(SHA256) == 1024
    old = time.time() - 100 * 24 * 3600
    os.utime(parts.folder / SHA256, (old, old))
    parts.sweep()
    assert parts.offset(SHA256) == 0
