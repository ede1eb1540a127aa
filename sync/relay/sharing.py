"""A hub above hubs: a country gives it the releases it chose to give, which are generalised and audited, and nothing else.

What is shared is the package as everybody of its circle gets it, named in a signed record of the channel `shared:<country>`. By
default nothing is.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Row, delete, select

from forms.problems import Problem
from records import export_runs
from records.access import Access, Right
from records.audit import note
from records.blobs import BlobStore
from records.models import RelayFile, RelayNode, RelayRecord
from records.store import Store
from sync.relay import log, projects
from sync.relay.batch import written
from sync.relay.identity import Identity
from sync.relay.log import Entry
from sync.relay.scribe import sealed_body
from sync.relay.waits import Waits

RELEASE = "gen"
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Shared:
    """A release that a country gave: from whom, its name, the package and how large it is; `is_here`: the file has come."""

    node: str
    name: str
    at: str
    package: str
    sha256: str
    size: int
    is_here: bool


def choose(store: Store, access: Access, node_id: str, names: Sequence[str], known: Iterable[str]) -> None:
    """Say which releases a hub above gets from now on. Raises `Problem` value_invalid, not_found or not_allowed."""
    access.require(Right.RUN_EXPORTS)
    if unknown := sorted(set(names) - set(known)):
        raise Problem("value_invalid", f"{', '.join(unknown)}: releases are {', '.join(sorted(known))}.")

    def work(connection: Connection) -> None:
        query = select(RelayNode.name).filter_by(id=node_id, project_id=access.project_id, role=projects.RANGE)
        row = connection.execute(query).first()
        if row is None:
            raise Problem("not_found", f"The node {node_id} is no hub above this one.")
        projects.remember(connection, node_id, {"shares": sorted(set(names))})
        note(connection, "relay.share", row.name, actor=access.actor, project_id=access.project_id, releases=sorted(set(names)))

    store.write(work)


def share(store: Store, blobs: BlobStore, me: Identity, project_id: int, releases: Path) -> int:
    """Write down, for each hub above, the latest of the releases it gets, if it was not told of it; how many."""
    with store.read() as connection:
        above = [row for row in projects.nodes(connection, project_id) if row.role == projects.RANGE and row.revoked_at is None]
        runs = [
            (row, run) for row in above for name in row.state.get("shares", ()) for run in _latest(connection, project_id, name)
        ]
        channels = {channel for row in above for channel in row.grants}
        query = select(RelayRecord.instance_id, RelayRecord.channel).where(RelayRecord.channel.in_(channels))
        told = {tuple(row) for row in connection.execute(query)} if runs else set()
    count = 0
    for row, run in runs:
        package = releases / f"{run.folder}.zip"
        for channel in row.grants:
            if (run.folder, channel) not in told and package.is_file():
                _tell(store, blobs, me, project_id, channel, run, package)
                told.add((run.folder, channel))
                count += 1
    return count


def settle(store: Store, blobs: BlobStore, row: Row[Any], body: bytes) -> None:
    """A release that came: it counts when its file is here. Raises `Waits`."""
    if not all(blobs.has(sha256) for _, sha256, _ in orjson.loads(body)["files"]):
        raise Waits("files")
    store.write(lambda connection: connection.execute(delete(RelayFile).filter_by(record_id=row.id)))


def shared(store: Store, blobs: BlobStore, access: Access) -> list[Shared]:
    """What countries gave, the newest first. Raises `Problem("not_allowed")`."""
    access.require(Right.EXPORTS)
    with store.read() as connection:
        rows = connection.execute(
            select(RelayRecord.id, RelayRecord.body, RelayNode.name)
            .join(RelayNode, RelayNode.id == RelayRecord.origin)
            .where(RelayRecord.project_id == access.project_id, RelayRecord.kind == RELEASE, RelayRecord.body.is_not(None))
            .order_by(RelayRecord.seq.desc())
        ).all()
    found = []
    for row in rows:
        said = orjson.loads(store.vault.open(row.body, "relay", row.id))
        ((package, sha256, size),) = said["files"]
        found.append(Shared(row.name, said["release"], said["at"], package, sha256, size, blobs.has(sha256)))
    return found


def _latest(connection: Connection, project_id: int, name: str) -> Sequence[Row[Any]]:
    try:
        return [export_runs.latest(connection, project_id, name)]
    except Problem:
        return []


def _tell(store: Store, blobs: BlobStore, me: Identity, project_id: int, channel: str, run: Row[Any], package: Path) -> None:
    with package.open("rb") as file, blobs.writer(sealed=False) as writer:
        while chunk := file.read(_CHUNK):
            writer.write(chunk)
        blob = writer.keep()
    at = run.finished_at or datetime.now(UTC)
    said = {"release": run.name, "at": at.isoformat(timespec="seconds"), "files": [[package.name, blob.sha256, blob.size]]}
    body = orjson.dumps(said)
    record = written(me, RELEASE, channel, at, body, f=run.name, i=run.folder)
    entry = Entry(record, project_id, sha256=hashlib.sha256(body).hexdigest(), body=sealed_body(store, record))
    store.write(lambda connection: log.append(connection, [entry]))
