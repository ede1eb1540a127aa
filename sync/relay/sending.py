"""What is sent: batches of records made from the log, and pieces of files."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select, tuple_

from forms.problems import Problem
from records.blobs import BlobStore
from records.models import Attachment, FormMedia, FormVersion, RelayRecord, SubmissionVersion
from records.personal import open_xml
from records.store import Store
from sync.relay import log
from sync.relay.batch import Batch, Place, Record, digest
from sync.relay.scribe import SUBMISSION
from sync.relay.upward import body_of

_PAGE, _RECORD_BYTES = 512, 800  # records at most, and about how large the smallest are
_INSTANCE = (SubmissionVersion.form_id, SubmissionVersion.instance_id)
_CONTENT = (*_INSTANCE, SubmissionVersion.sha256, SubmissionVersion.project_id, SubmissionVersion.xml)
_Versions = Mapping[tuple[str, str], Sequence[Any]]


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

    def some(self, ids: Sequence[str], *, of: str, most_bytes: int) -> list[Record]:
        """Those of these records that the node `of` wrote, whole, about so many bytes, but one at least."""
        row, records, size = RelayRecord, list[Record](), 0
        with self.store.snapshot() as connection:
            query = select(*row.__table__.columns).where(row.id.in_(ids), row.origin == of)
            rows = connection.execute(query.order_by(row.seq)).all()
            versions = self._versions(connection, rows)
        for each in rows:
            record = self._record(each, versions)
            size += len(record.header) + len(record.body or b"")
            if records and size > most_bytes:
                break
            records.append(record)
        return records

    def _versions(self, connection: Connection, rows: Sequence[Row[Any]]) -> _Versions:
        """What is here under the ids of submissions among these rows."""
        keys = [(row.form_id, row.instance_id) for row in rows if row.kind == SUBMISSION and row.body is None]
        found: dict[tuple[str, str], list[Any]] = defaultdict(list)
        query = select(*_CONTENT).where(tuple_(*_INSTANCE).in_(keys))
        for row in connection.execute(query.filter_by(project_id=rows[0].project_id)) if keys else ():
            found[row.form_id, row.instance_id].append(row)
        return found

    def _record(self, row: Row[Any], versions: _Versions) -> Record:
        """A record as it was signed; without its body where that is no more what was signed."""
        if row.body is not None:
            bodies = [self.store.vault.open(row.body, "relay", row.id)]
        else:
            here = versions.get((row.form_id, row.instance_id), ())
            bodies = [body_of(open_xml(self.store.vault, each), row.files) for each in here]
        record = Record(row.header, row.signature, None)
        return replace(record, body=next((body for body in bodies if digest(body) == record.about["b"]), None))

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

    def has(self, sha256: str) -> bool:
        """Whether a file is here."""
        try:
            self.piece(sha256, 0, 0)
        except Problem:
            return False
        return True

    def may_have(self, peer: Row[Any], sha256: str) -> bool:
        """Whether a station may have this file: it goes with a form, or the station itself brought a record that names it."""
        row, file = RelayRecord, Attachment
        of_record = and_(*(getattr(row, name) == getattr(file, name) for name in ("project_id", "form_id", "instance_id")))
        named = select(row.files).join(file, of_record).where(file.sha256 == sha256, row.origin == peer.id)
        with self.store.read() as connection:
            for model in (FormVersion, FormMedia):
                found = select(model.form_id).filter_by(project_id=peer.project_id, sha256=sha256).limit(1)
                if connection.execute(found).first() is not None:
                    return True
            return any(sha256 == each for files in connection.execute(named).scalars() for _, each, _ in files)
