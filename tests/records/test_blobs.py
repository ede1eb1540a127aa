"""Files by content: what is kept is whole, what is not whole is not visible."""

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms.problems import Problem
from records import blobs as module
from records.blobs import BlobStore


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
    assert blob == blobs.put(data)
    assert (blob.sha256, blob.md5, blob.size) == (hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest(), len(data))
    with blobs.open(blob.sha256) as file:
        assert file.read() == data
    assert blobs.path(blob.sha256).read_bytes() == data
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
    with BlobStore(blobs.folder).open(blob.sha256) as file:
        assert file.read().decode() == "گزارش"
