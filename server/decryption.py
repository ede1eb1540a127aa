"""Opening encrypted records with a key that somebody brings: it is read, used, and kept nowhere."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert

from forms.encryption import Decrypted, Envelope, Writer, decrypt
from forms.problems import Problem
from forms.schema import Answers
from forms.submission import identify
from forms.xml import parse_xml
from records.access import Access
from records.arrivals import pulled
from records.models import AuditEvent
from server.services import Services
from sync.delivery import same_name
from sync.intake import read_answers

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """A record made readable. `answers` are None where the encrypted answers have not come or are damaged."""

    decrypted: Decrypted
    answers: Answers | None
    version: str


def open_record(
    opened: Services,
    connection: Connection,
    access: Access,
    form_id: str,
    instance_id: str,
    private_key: "RSAPrivateKey",
    write: Writer,
) -> OpenedRecord:
    """Decrypt the current version of a record; `write` gets its media files, see `forms.encryption.decrypt`.

    Raises `Problem` "submission_unknown", "key_wrong", "envelope_broken" or "too_large".
    """
    record = pulled(connection, access, form_id, instance_id)
    envelope = Envelope.read(parse_xml(record.xml, lenient=True))
    kept = {same_name(file.name): file.sha256 for file, _ in reversed(record.files)}
    here = {name: same_name(name) for name in envelope.files if same_name(name) in kept}
    files = {name: partial(opened.blobs.open, kept[found]) for name, found in here.items()}
    decrypted = decrypt(envelope, private_key, files, write)
    with suppress(Problem):
        incoming = identify(decrypted.xml)
        schema, _ = opened.intake.schemas.get(access.project_id, form_id, incoming.version)
        return OpenedRecord(decrypted, read_answers(schema, incoming).answers, incoming.version)
    return OpenedRecord(decrypted, None, envelope.version or "")


def note_opened(opened: Services, access: Access, form_id: str, instance_ids: Iterable[str]) -> None:
    """Leave in the log who opened which records."""
    event = {"at": datetime.now(UTC), "project_id": access.project_id, "actor": access.actor, "action": "submission.decrypt"}
    rows = [{**event, "target": instance_id, "detail": {"form_id": form_id}} for instance_id in instance_ids]
    if rows:
        opened.store.write(lambda connection: connection.execute(insert(AuditEvent), rows))
