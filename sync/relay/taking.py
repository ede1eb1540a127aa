"""Taking in a batch: all of it or nothing, in one transaction with how far it goes. What is here already is passed over.

A batch names every record of its stretch, those the receiver should have by their ids only. If one of these is not here, because a
database was put back, the place is not moved and the sender is told which: so nothing is ever believed to be here that is not.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, insert, update

from forms.problems import Problem
from records.models import RelayFile, RelayRecord
from records.store import Store
from sync.relay import log, projects
from sync.relay.batch import Batch, Place, Record
from sync.relay.downward import ENTITY, FORM, FORM_STATE, NODE
from sync.relay.identity import Identity
from sync.relay.log import HOLLOW, Entry
from sync.relay.scribe import ERASURE, FILES, REVIEW, SUBMISSION, sealed_body
from sync.relay.sharing import RELEASE
from sync.relay.upward import parts_of

NEW = "new"
"""Why a record waits that nobody has looked at."""
_MOST_FILES, _MOST_NAME, _MOST_SIZE = 1000, 1000, 2**32  # of a record, characters of a name, bytes of a file
_CHANNELS = {
    SUBMISSION: {projects.DATA},
    FILES: {projects.DATA},
    REVIEW: {projects.DATA, projects.DECISIONS},
    ERASURE: {projects.DATA, projects.DECISIONS},
    FORM: {projects.FORMS},
    FORM_STATE: {projects.FORMS},
    ENTITY: {projects.FORMS},
    NODE: {projects.NODES},
    RELEASE: {projects.SHARED},
}
"""Where each kind may stand: a station that is stolen must not publish forms at its hub. Kinds of newer versions wait anywhere."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch: how many records were new, how far it is known without a gap, which references are not here."""

    new: int
    upto: Place | None
    lacking: Sequence[str]


def take_in(store: Store, me: Identity, peer: Row[Any], key: str, batch: Batch) -> Taken:
    """Take a batch from a peer of the project with this key.

    Raises `Problem` relay_unreadable or relay_refused, and took nothing of it.
    """
    if batch.upto is not None and batch.channel.split(":")[1:2] != [key] and batch.channel not in peer.grants:
        raise Problem("relay_refused", f"It tells of the channel {batch.channel}.")
    with store.read() as connection:
        whole = log.held(connection, [record.id for record in batch.records], whole=True)
    records = list({record.id: record for record in batch.records if record.id not in whole}.values())
    for record in records:
        kind, channel = record.about["k"], record.about["c"]
        is_in_place = channel.split(":")[0] in _CHANNELS.get(kind, {channel.split(":")[0]})
        if not is_in_place or not projects.is_welcome(peer, key, me.node_id, record.about):
            raise Problem("relay_refused", f"A {kind} of the node {record.about['n']} in the channel {channel}.")
        record.verify(me.verify_key if record.about["n"] == me.node_id else peer.verify_key)
    entries = [_entry(store, record, peer) for record in records]

    def work(connection: Connection) -> Taken:
        fresh = log.append(connection, entries)
        new = {entry.record.id for entry in fresh}
        filled = [entry for entry in entries if entry.record.id not in new and _fill(connection, entry)]
        _expect_files(connection, [*fresh, *filled], peer.id)
        lacking = sorted(set(batch.references) - log.held(connection, batch.references, whole=True))
        upto = None
        if not lacking and batch.after is not None and batch.upto is not None:
            upto = log.read_up_to(connection, peer.id, batch.channel, batch.after, batch.upto)
        return Taken(len(fresh), upto, lacking)

    return store.write(work)


def _entry(store: Store, record: Record, peer: Row[Any]) -> Entry:
    about = record.about
    files = files_of(record)
    return Entry(
        record,
        peer.project_id,
        via=peer.id,
        sha256=about["x"] or _sha256_of(record),
        body=sealed_body(store, record),
        files=files,
        waiting=HOLLOW if record.body is None else NEW,
    )


def _sha256_of(record: Record) -> str:
    """The digest of the submission in a record, as far as it is here."""
    is_here = record.about["k"] == SUBMISSION and record.body is not None
    return hashlib.sha256(parts_of(record.body)[0]).hexdigest() if is_here and record.body else ""


def files_of(record: Record) -> list[list[Any]]:
    """The [name, SHA-256, size] that a record names. Raises `Problem("relay_unreadable")`."""
    if record.body is None or record.about["k"] not in {SUBMISSION, FILES, FORM, RELEASE}:
        return []
    try:
        kind = record.about["k"]
        said: Any = parts_of(record.body)[1] if kind == SUBMISSION else orjson.loads(record.body)
        listed = said["files"] if kind in {FORM, RELEASE} else said
        files = [[name, sha256, size] for name, sha256, size in listed]
    except (ValueError, TypeError, KeyError):
        raise Problem("relay_unreadable", f"The files of the record {record.id} cannot be read.") from None
    if len(files) > _MOST_FILES or not all(map(_is_file, files)):
        raise Problem("relay_unreadable", f"The files of the record {record.id} are not as they should be.")
    return files


def _is_file(file: Sequence[Any]) -> bool:
    name, sha256, size = file
    is_digest = isinstance(sha256, str) and len(sha256) == 64 and set(sha256) <= set("0123456789abcdef")
    is_name = isinstance(name, str) and len(name) <= _MOST_NAME and "\0" not in name
    return is_name and is_digest and isinstance(size, int) and 0 <= size < _MOST_SIZE


def _expect_files(connection: Connection, entries: Sequence[Entry], peer: str) -> None:
    rows = [
        {"record_id": entry.record.id, "name": name, "sha256": sha256, "size": size, "peer": peer}
        for entry in entries
        for name, sha256, size in entry.files
    ]
    if rows:
        connection.execute(insert(RelayFile), list({(row["record_id"], row["name"], row["sha256"]): row for row in rows}.values()))


def _fill(connection: Connection, entry: Entry) -> bool:
    """Give a record the body that was missing when it came."""
    if entry.body is None:
        return False
    hollow = update(RelayRecord).filter_by(id=entry.record.id, waiting=HOLLOW)
    values = {"body": entry.body, "files": list(entry.files), "sha256": entry.sha256, "waiting": NEW}
    return bool(connection.execute(hollow.values(values)).rowcount)
