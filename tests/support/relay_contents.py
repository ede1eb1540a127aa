"""What a node of the relay holds, for tests that compare nodes."""

from sqlalchemy import select

from records.models import Attachment, RelayRecord, Submission, SubmissionVersion
from records.personal import open_xml
from sync.relay.scribe import ERASURE
from tests.support.relay import Node

Key = tuple[str, str]
"""An instance id, and the digest of a version or the name of a file."""


def of_channel(node: Node, kind: str, *, of: str | None = None, of_reader: str | None = None) -> set[str]:
    """The records of a channel in the log of a node; those that `of` wrote, or those for `of_reader`."""
    with node.store.read() as connection:
        rows = connection.execute(select(RelayRecord.id, RelayRecord.channel, RelayRecord.origin)).all()
    named = [row for row in rows if row.channel.split(":")[0] == kind and (of is None or row.origin == of)]
    return {row.id for row in named if of_reader is None or row.channel.endswith(of_reader)}


def erased(node: Node) -> set[str]:
    """The versions that were erased, here or as others told."""
    with node.store.read() as connection:
        told = connection.execute(select(RelayRecord.instance_id).filter_by(kind=ERASURE)).scalars()
        here = select(SubmissionVersion.instance_id).where(SubmissionVersion.erased_at.is_not(None))
        return {*told, *connection.execute(here).scalars()}


def without(keys: set[Key], gone: set[str]) -> set[Key]:
    """Those that are of other instances."""
    return {key for key in keys if key[0] not in gone}


def kept(node: Node) -> dict[str, bytes]:
    """All that is kept here of reports, by where: versions, answers, what was signed, files."""
    with node.store.read() as connection:
        versions = connection.execute(select(*SubmissionVersion.__table__.columns)).all()
        signed = connection.execute(select(RelayRecord.id, RelayRecord.kind, RelayRecord.body).where(RelayRecord.body.is_not(None)))
        found = {f"{row.kind} {row.id}": node.vault.open(row.body, "relay", row.id) for row in signed}
        answers = connection.execute(select(Submission.instance_id, Submission.answers))
        found |= {f"record {row.instance_id}": str(row.answers).encode() for row in answers}
    found |= {f"version {row.instance_id} {row.sha256}": open_xml(node.vault, row) for row in versions}
    names = {path.name for path in (node.folder / "blobs").rglob("*") if len(path.name) == 64 and path.is_file()}
    return found | {f"file {name}": node.blobs.open(name).read() for name in names if node.blobs.has(name)}


def files(node: Node) -> set[Key]:
    """(instance id, name) of files that are part of records and on the disk."""
    with node.store.read() as connection:
        rows = connection.execute(select(Attachment.instance_id, Attachment.name, Attachment.sha256)).all()
    return {(row.instance_id, row.name) for row in rows if node.blobs.has(row.sha256)}
