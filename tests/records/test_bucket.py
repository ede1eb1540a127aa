"""Files in a bucket: sealed before they leave, whole when they are acknowledged, the same for every machine."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from forms.problems import Problem
from records.bucket import BucketStore
from records.vault import Vault
from tests.support.storage import new_bucket, objects, storage

PICTURE = random.Random(1).randbytes(700_000)
SHA256 = hashlib.sha256(PICTURE).hexdigest()


@pytest.fixture(scope="module")
def there() -> Iterator[dict[str, str]]:
    with storage() as environment:
        yield environment


@pytest.fixture
def address(there: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in there.items():
        monkeypatch.setenv(name, value)
    return new_bucket(there)


def test_a_file_is_read_on_another_machine_at_any_place(address: str, vault: Vault, tmp_path: Path, there: dict[str, str]) -> None:
    here, elsewhere = BucketStore(tmp_path / "a", vault, address), BucketStore(tmp_path / "b", vault, address)
    with pytest.raises(Problem, match=SHA256):
        elsewhere.open(SHA256)
    for sealed in (True, False):
        assert here.put(PICTURE, sealed=sealed).sha256 == SHA256
        assert (PICTURE[:1000] in objects(there, address)[f"{SHA256[:2]}/{SHA256}"]) is not sealed
        assert elsewhere.has(SHA256)
        assert elsewhere.size(SHA256) == len(PICTURE)
        assert elsewhere.is_current(SHA256) is sealed
        with elsewhere.open(SHA256) as file:
            assert file.read() == PICTURE
            file.seek(650_000)
            assert file.read(10) == PICTURE[650_000:650_010]
    assert [path for folder in "ab" for path in (tmp_path / folder).rglob("*") if path.is_file()] == []


def test_what_is_removed_is_gone_for_every_machine(address: str, vault: Vault, tmp_path: Path) -> None:
    here, elsewhere = BucketStore(tmp_path / "a", vault, address), BucketStore(tmp_path / "b", vault, address)
    here.put(PICTURE, sealed=True)
    assert elsewhere.remove(SHA256)
    assert not here.has(SHA256)
    assert not here.remove(SHA256)


def test_nothing_is_acknowledged_that_the_storage_did_not_take(address: str, vault: Vault, tmp_path: Path) -> None:
    lost = BucketStore(tmp_path / "a", vault, "s3://no-such-bucket/leopards")
    with pytest.raises(Problem) as caught:
        lost.put(PICTURE, sealed=True)
    assert caught.value.kind.code == "busy"
    assert list(lost.incoming.iterdir()) == []
