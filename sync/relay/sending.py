"""What is sent: batches of records made from the log, and pieces of files."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, tuple_

from forms.problems import Problem
from records.blobs import BlobStore
from records.models import FormMedia, FormVersion, RelayRecord, SubmissionVersion
from records.personal import open_xml
from records.store import Store
from sync.relay import log
from sync.relay.batch import Batch, Place, Record, digest
from sync.relay.scribe import SUBMISSION
from sync.relay.upward import body_of

_PAGE, _RECORD_BYTES = 512, 800  # records at most, and about how large the smallest are
_VERSION = (SubmissionVersion.form_id, SubmissionVersion.instance_id, SubmissionVersion.sha256)
_CONTENT = (*_VERSION, SubmissionVersion.project_id, SubmissionVersion.xml)


@dataclass(frozen=True, slots=True)
class Sender:
    """Makes what a peer gets of the log."""

    store: Store
    blobs: BlobStore

    def batch(
        self,
        peer: str,
        channel: str,
        behind: Place,
        most_bytes: int,
        *,
        whole: Collection[str] | None = (),
        upto: int | None = None,
    ) -> Batch | None:
        """The next records of a channel behind a place, about so many bytes; None when there are none.

        What came from this peer goes as a reference, unless its id is in `whole` (None: everything goes whole). `upto`: no
        further.
        """
        with self.store.snapshot() as connection:
            if log.common(connection, [behind]) is None:  # the database was put back since this place was agreed on
                return None
            rows = log.listed(connection, channel, behind, most=min(_PAGE, most_bytes // _RECORD_BYTES + 1))
            rows = [row for row in rows if upto is None or row.seq <= upto]
            if not rows:
                return None
            records, references, size, last = [], [], 0, rows[0]
            versions = self._versions(connection, rows)
            for row in rows:
                if row.via == peer and whole is not None and row.id not in whole:
                    references.append(row.id)
                else:
                    record = self._record(row, versions)
                    records.append(record)
                    size += len(record.header) + len(record.body or b"")
                last = row
                if size >= most_bytes:
                    break
            furthest = connection.execute(select(func.max(RelayRecord.seq)).filter_by(channel=channel)).scalar_one()
        return Batch(channel, behind, (last.seq, last.chain), records, references, more=last.seq < furthest)

    def some(self, ids: Sequence[str]) -> list[Record]:
        """These records, whole."""
        with self.store.snapshot() as connection:
            rows = connection.execute(select(*RelayRecord.__table__.columns).where(RelayRecord.id.in_(ids))).all()
            versions = self._versions(connection, rows)
        return [self._record(row, versions) for row in rows]

    def _versions(self, connection: Connection, rows: Sequence[Row[Any]]) -> dict[tuple[Any, ...], Any]:
        """The versions that submissions among these rows stand for."""
        keys = [(row.form_id, row.instance_id, row.sha256) for row in rows if row.kind == SUBMISSION and row.body is None]
        if not keys:
            return {}
        query = select(*_CONTENT).where(SubmissionVersion.project_id == rows[0].project_id)
        return {tuple(row[:3]): row for row in connection.execute(query.where(tuple_(*_VERSION).in_(keys)))}

    def _record(self, row: Row[Any], versions: dict[tuple[Any, ...], Any]) -> Record:
        """A record as it was signed; without its body where that is no more what was signed."""
        body = None
        if row.body is not None:
            body = self.store.vault.open(row.body, "relay", row.id)
        elif (version := versions.get((row.form_id, row.instance_id, row.sha256))) is not None:
            body = body_of(open_xml(self.store.vault, version), row.files)
        record = Record(row.header, row.signature, body)
        return record if body is None or digest(body) == record.about["b"] else Record(row.header, row.signature, None)

    def piece(self, sha256: str, offset: int, most: int) -> tuple[bytes, int]:
        """A piece of a file, and the size of the whole. Raises `Problem("not_found")`."""
        if not self.blobs.has(sha256):
            with self.store.read() as connection:
                xform = connection.execute(select(FormVersion.xform).filter_by(sha256=sha256).limit(1)).scalar()
            if xform is None:
                raise Problem("not_found", f"The file {sha256} is not here.")
            return xform[offset : offset + most], len(xform)
        with self.blobs.open(sha256) as file:
            file.seek(offset)
            return file.read(most), self.blobs.size(sha256)

    def may_have(self, project_id: int, sha256: str) -> bool:
        """Whether every station of a project may have this file: it goes with a form."""
        with self.store.read() as connection:
            for model in (FormVersion, FormMedia):
                found = select(model.form_id).filter_by(project_id=project_id, sha256=sha256).limit(1)
                if connection.execute(found).first() is not None:
                    return True
        return False
