"""A file that is read at any place, made of something that gives a few bytes at a time."""

import io
import os
from abc import abstractmethod
from typing import Any


class RandomAccess(io.RawIOBase):
    """A file of `size` bytes for reading; who inherits gives `read_at`."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self._at = 0

    @abstractmethod
    def read_at(self, at: int, most: int) -> bytes | memoryview:
        """From this place on at most so many bytes, at least one unless the file ends here."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        part = self.read_at(self._at, len(buffer))
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)
