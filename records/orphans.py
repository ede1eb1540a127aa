"""Files that belong to nothing any more."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from records.blobs import BlobStore
from records.models import Attachment, DraftSubmission, FormDraft, FormMedia, KeptAside, RelayFile
from records.store import Store

ERASED = "erased"
"""The reason with which something kept aside is remembered when it was erased: nothing is kept of it when it comes again."""


def remove_files(store: Store, blobs: BlobStore, digests: Iterable[str]) -> None:
    """Take those of these files off the disk that belong to nothing."""
    for sha256 in set(digests):
        with store.read() as connection:
            needed = is_needed(connection, sha256)
        if not needed:
            blobs.remove(sha256)


def is_needed(connection: Connection, sha256: str) -> bool:
    """Whether a file belongs to anything."""
    for model in (Attachment, FormMedia, RelayFile):
        if connection.execute(select(model.name).filter_by(sha256=sha256).limit(1)).first() is not None:
            return True
    aside = connection.execute(select(KeptAside.sha256, KeptAside.files).where(KeptAside.reason != ERASED))
    if any(sha256 in {row.sha256, *(file[-1] for file in row.files)} for row in aside):
        return True
    files = [*connection.execute(select(FormDraft.media)).scalars(), *connection.execute(select(DraftSubmission.files)).scalars()]
    return any(file["sha256"] == sha256 for each in files for file in each)
