"""Files by content: what is kept is whole, what is not whole is not visible."""

import errno
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms.problems import Problem
from records import blobs as module
from records.blobs import BlobStore
from records.sealed_files import HEAD, PIECE
from records.vault import Vault


def kept(blobs: BlobStore) -> list[Path]:
    """Every file that counts as kept."""
    return [path for path in blobs.folder.rglob("*") if path.is_file() and blobs.incoming not in path.parents]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.binary(max_size=2000), max_size=6))
def test_bytes_written_in_any_pieces_are_kept_under_their_digest(blobs: BlobStore, pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    with blobs.writer() as writer:
        for piece in pieces:
            writer.write(piece)
        blob = writer.keep()
    assert blob == blobs.put(data) == blobs.described(blob.sha256)
    assert (blob.sha256, blob.md5, blob.size) == (hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest(), len(data))
    with blobs.open(blob.sha256) as file:
        assert file.read() == data
    assert blobs.path(blob.sha256).read_bytes() == data  # the last to come was not to be sealed
    assert list(blobs.incoming.iterdir()) == []


def test_the_same_bytes_are_kept_once_also_from_many_threads(blobs: BlobStore) -> None:
    data = os.urandom(300_000)
    threads = [threading.Thread(target=blobs.put, args=(data,)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() for path in kept(blobs)] == [data]
    assert list(blobs.incoming.iterdir()) == []


def test_an_unfinished_file_is_nowhere_to_be_found(blobs: BlobStore) -> None:
    with blobs.writer() as writer:
        writer.write(b"half")
        assert kept(blobs) == []
        with pytest.raises(Problem):
            blobs.open(hashlib.sha256(b"half").hexdigest())
    assert kept(blobs) == list(blobs.incoming.iterdir()) == []


def test_an_error_on_the_way_leaves_nothing(blobs: BlobStore) -> None:
    writer = blobs.writer()
    with pytest.raises(TypeError), writer:
        writer.write("no bytes")  # type: ignore[arg-type]
    assert kept(blobs) == list(blobs.incoming.iterdir()) == []


def test_a_file_that_is_not_here_is_told(blobs: BlobStore) -> None:
    with pytest.raises(Problem) as caught:
        blobs.open("0" * 64)
    assert caught.value.kind.code == "not_found"


def test_file_then_name_then_folder_are_synced_before_it_counts_as_kept(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        calls.append("folder" if path.is_dir() else "file")
        real_fsync(handle)

    def replace(self: Path, target: Path) -> Path:
        calls.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    blobs.put(b"x")
    assert calls[0] == "file"
    assert calls[-2:] == ["rename", "folder"]
    assert calls.count("folder") == 1  # its folder was made and synced when the store was opened


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_and_leaves_nothing(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module, "_write_all", full)
    with pytest.raises(Problem) as caught:
        blobs.put(b"x")
    assert caught.value.kind.code == "disk_full"
    assert kept(blobs) == list(blobs.incoming.iterdir()) == []


def test_a_disk_that_fills_up_while_syncing_is_told(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    with blobs.writer() as writer:
        writer.write(b"x")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(Problem) as caught:
            writer.keep()
    assert caught.value.kind.code == "disk_full"
    assert kept(blobs) == list(blobs.incoming.iterdir()) == []


def test_short_writes_of_the_system_lose_nothing(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        def __init__(self) -> None:
            self.got = b""

        def write(self, data: memoryview) -> int:
            self.got += bytes(data[:3])
            return min(3, len(data))

    slow = Slow()
    module._write_all(slow, b"eleven bytes")
    assert slow.got == b"eleven bytes"


def test_what_broken_uploads_left_is_swept_after_a_day_and_not_before(blobs: BlobStore) -> None:
    old, new = blobs.incoming / "old", blobs.incoming / "new"
    for leftover in (old, new):
        leftover.write_bytes(b"x")
    a_day_ago = old.stat().st_mtime - 25 * 3600
    os.utime(old, (a_day_ago, a_day_ago))
    blobs.put(b"kept")
    blobs.sweep()
    assert [path.name for path in blobs.incoming.iterdir()] == ["new"]
    assert len(kept(blobs)) == 1


def test_a_store_opened_again_finds_its_files(blobs: BlobStore) -> None:
    blob = blobs.put("گزارش".encode())
    with BlobStore(blobs.folder, Vault()).open(blob.sha256) as file:
        assert file.read().decode() == "گزارش"


# sealed files

SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 7]


def sealed(blobs: BlobStore, data: bytes, pieces: int = 50_000) -> str:
    with blobs.writer() as writer:
        for start in range(0, len(data), pieces):
            writer.write(data[start : start + pieces])
        return writer.keep().sha256


@pytest.mark.parametrize("size", SIZES)
def test_a_sealed_file_is_read_as_it_was_written_and_from_any_place(blobs: BlobStore, size: int) -> None:
    data = os.urandom(size)
    sha256 = sealed(blobs, data)
    assert (blobs.size(sha256), blobs.described(sha256).size) == (size, size)
    with blobs.open(sha256) as file:
        for start in (0, size // 2, PIECE - 2, size - 1, size, size + 10):
            file.seek(max(0, start))
            assert file.read(5) == data[max(0, start) :][:5]
            assert file.read() == data[max(0, start) + 5 :]
        assert file.seek(-min(3, size), os.SEEK_END) == size - min(3, size)
        assert file.read() == data[-min(3, size) :] if size else True


@pytest.mark.parametrize("size", SIZES[2:])
def test_no_plain_byte_of_a_sealed_file_is_on_the_disk_at_any_time(blobs: BlobStore, size: int) -> None:
    data = (b"a photo of Gholam " * (size // 18 + 1))[:size]
    with blobs.writer() as writer:
        for start in range(0, size, 1000):
            writer.write(data[start : start + 1000])
            assert b"Gholam" not in b"".join(path.read_bytes() for path in blobs.incoming.iterdir())
        writer.keep()
    assert b"Gholam" not in b"".join(path.read_bytes() for path in kept(blobs))


def test_a_sealed_file_in_the_place_of_another_is_not_opened(blobs: BlobStore) -> None:
    mine, other = sealed(blobs, b"mine"), sealed(blobs, b"other")
    blobs.path(mine).replace(blobs.path(other))
    with pytest.raises(Problem) as caught:
        blobs.open(other)
    assert caught.value.kind.code == "seal_broken"


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: -PIECE // 2],
        lambda data: data[: HEAD + PIECE + 16],  # whole pieces left out
        lambda data: data[:HEAD] + data[HEAD + PIECE + 16 :],
        lambda data: (
            data[:HEAD] + data[HEAD + PIECE + 16 :][: PIECE + 16] + data[HEAD:][: PIECE + 16] + data[HEAD + 2 * PIECE + 32 :]
        ),
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data[: HEAD - 1] + bytes([data[HEAD - 1] ^ 1]) + data[HEAD:],
        lambda data: data + bytes(16),
    ],
)
def test_a_sealed_file_that_was_changed_is_noticed(blobs: BlobStore, damage: Callable[[bytes], bytes]) -> None:
    sha256 = sealed(blobs, os.urandom(2 * PIECE + 100))
    path = blobs.path(sha256)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(Problem) as caught, blobs.open(sha256) as file:
        file.read()
    assert caught.value.kind.code == "seal_broken"


def test_without_a_key_nothing_is_taken_and_nothing_left(blobs: BlobStore) -> None:
    sha256 = sealed(blobs, b"before")
    keyless = BlobStore(blobs.folder, Vault(blobs.folder / "no key"))
    for attempt in (keyless.writer, lambda: keyless.open(sha256), lambda: keyless.put(b"x", sealed=True)):
        with pytest.raises(Problem) as caught:
            attempt()
        assert caught.value.kind.code == "personal_key_missing"
    assert len(kept(blobs)) == 1
    assert list(blobs.incoming.iterdir()) == []


def test_what_came_before_files_were_sealed_is_read_and_can_be_sealed(blobs: BlobStore) -> None:
    sha256 = blobs.put(b"old and plain").sha256
    assert not blobs.is_current(sha256)
    blobs.reseal(sha256)
    assert blobs.is_current(sha256)
    assert b"plain" not in blobs.path(sha256).read_bytes()
    with blobs.open(sha256) as file:
        assert file.read() == b"old and plain"


def test_a_file_is_sealed_anew_with_a_new_key_and_needs_the_old_one_no_longer(blobs: BlobStore, vault: Vault) -> None:
    sha256 = sealed(blobs, b"x" * PIECE)
    vault.add_key()
    assert not blobs.is_current(sha256)
    blobs.reseal(sha256)
    newest = next(line for line in vault.path.read_text().splitlines() if not line.startswith("#"))  # type: ignore[union-attr]
    vault.path.write_text(newest)  # type: ignore[union-attr]
    with BlobStore(blobs.folder, Vault(vault.path)).open(sha256) as file:
        assert len(file.read()) == PIECE


@pytest.mark.parametrize("is_sealed", [True, False])
def test_a_file_that_was_removed_is_gone_and_its_key_was_overwritten(blobs: BlobStore, is_sealed: bool) -> None:
    sha256 = blobs.put(b"a photo of Gholam" * 10, sealed=is_sealed).sha256
    copy = blobs.folder / "link"
    os.link(blobs.path(sha256), copy)
    assert blobs.remove(sha256)
    assert not blobs.remove(sha256)
    assert not blobs.path(sha256).exists()
    copy.replace(blobs.path(sha256))  # what a tool that restores deleted files would find
    if is_sealed:
        with blobs.open(sha256) as file:
            assert b"Gholam" not in file.read()
