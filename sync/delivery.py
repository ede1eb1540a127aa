"""One delivery from a phone, and the receipt it gets. A submission with many photos takes several deliveries."""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from records.blobs import Blob

MAX_NAME_BYTES = 255
_MAX_TEXT = 255


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that is on disk already. `names`: what the part was called, then what its file was called (in Collect the same)."""

    names: tuple[str, ...]
    blob: Blob
    content_type: str

    def name(self, expected: Collection[str]) -> str:
        """The one of its names that a question refers to, else the first."""
        return next((name for name in self.names if same_name(name) in expected), self.names[0])


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one POST brought, and from whom. `form_ids` are the forms this phone should have (None: all).

    `date_header` is what the phone wrote as the time of sending. `first_received_at` is when another server got it before us.
    `sha256` is the digest under which the submission is here already, where no more of it is kept than this.
    """

    project_id: int
    xml: bytes
    files: tuple[ReceivedFile, ...] = ()
    app_user_id: int | None = None
    device_id: str = ""
    user_agent: str = ""
    form_ids: frozenset[str] | None = None
    date_header: str = ""
    first_received_at: datetime | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a delivery. Outcomes: created, duplicate, attached, edited, held, conflict.

    `clock_offset`: how far the phone's clock is ahead of ours, where that can be told and matters.
    """

    outcome: str
    form_id: str
    instance_id: str
    files_expected: int
    files_present: int
    flags: tuple[str, ...] = field(default=())
    clock_offset: timedelta | None = None


def file_name(raw: str) -> str:
    """A name that is safe to keep: the last part of a path, without control characters, at most 255 bytes."""
    name = PurePosixPath(raw.replace("\\", "/")).name
    name = "".join(character for character in name if unicodedata.category(character) not in {"Cc", "Cs"})
    while len(name.encode()) > MAX_NAME_BYTES:
        stem, dot, suffix = name.rpartition(".")
        name = f"{stem[:-1]}{dot}{suffix}" if dot and stem else name[:-1]
    return name if name.strip(". ") else "unnamed"


def short_text(text: str) -> str:
    """A text a client chose, fit to be kept."""
    return "".join(character for character in text if character.isprintable())[:_MAX_TEXT]


def same_name(name: str) -> str:
    """The form in which file names are compared: phones differ in how they compose letters."""
    return unicodedata.normalize("NFC", name)
