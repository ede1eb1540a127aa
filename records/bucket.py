"""Files in a bucket of S3-compatible storage, for servers on several machines; files are sealed here before they leave.

A file is written to this machine first, as always, and sent whole; only when the bucket has it is it kept. Nothing stays here: what
is read is fetched piece by piece. The library `obstore` (extra `cluster`) takes its access from the usual variables
(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, AWS_REGION, ...).
"""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from forms.problems import Problem
from records.blobs import BlobStore
from records.random_access import RandomAccess
from records.vault import Vault

Result = TypeVar("Result")
_PIECE = 256 * 1024  # bytes fetched at a time
_SECONDS = timedelta(seconds=20)
"""A phone waits while its file is sent on, and then tries again by itself."""


class BucketStore(BlobStore):
    """Files of the bucket (and prefix) at `address`, such as s3://leopards/files."""

    def __init__(self, folder: Path, vault: Vault, address: str) -> None:
        super().__init__(folder, vault)
        self._bucket = S3Store.from_url(
            address,
            client_options={"timeout": _SECONDS, "allow_http": True},  # the address of the storage says whether
            retry_config={"max_retries": 2, "retry_timeout": _SECONDS},
        )

    def settle(self, whole: Path, sha256: str) -> None:
        _asked(lambda: self._bucket.put(_name(sha256), whole))
        whole.unlink()

    def sweep(self) -> None:
        """Also take along what lies in the folder from before there was a bucket."""
        super().sweep()
        for file in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            self.settle(file, file.name)

    def has(self, sha256: str) -> bool:
        return self._size(sha256) is not None

    def remove(self, sha256: str) -> bool:
        was_here = self.has(sha256)
        _asked(lambda: self._bucket.delete(_name(sha256)))
        return was_here

    def found(self, sha256: str) -> io.BufferedReader:
        size = self._size(sha256)
        if size is None:
            raise Problem("not_found", f"The file {sha256} is not here.")
        return io.BufferedReader(_Remote(self._bucket, _name(sha256), size), _PIECE)

    def _size(self, sha256: str) -> int | None:
        def asked() -> int | None:
            try:
                return int(self._bucket.head(_name(sha256))["size"])
            except (NotFoundError, FileNotFoundError):
                return None

        return _asked(asked)


class _Remote(RandomAccess):
    """An object of a bucket, read by ranges."""

    def __init__(self, bucket: S3Store, name: str, size: int) -> None:
        super().__init__(size)
        self._bucket, self._name = bucket, name

    def read_at(self, at: int, most: int) -> memoryview:
        length = max(0, min(most, self.size - at))
        return memoryview(_asked(lambda: self._bucket.get_range(self._name, start=at, length=length)) if length else b"")


def _name(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def _asked(question: Callable[[], Result]) -> Result:
    """What the storage answers; one that does not answer is like a database that is busy: the phone tries again."""
    try:
        return question()
    except (BaseError, FileNotFoundError) as error:
        raise Problem("busy", f"The storage of files does not answer: {str(error)[:200]}") from error
