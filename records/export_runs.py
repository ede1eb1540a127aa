"""Runs of exports: who runs a slot, what came of it, and which one is the latest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from forms.problems import Problem
from records.audit import note
from records.models import ExportRun
from records.store import insert_new

SCHEDULE = "schedule"
_COLUMNS = ExportRun.__table__.columns


@dataclass(frozen=True, slots=True)
class ReleasedFile:
    """A file of a release; `rows` are data rows, `size` bytes."""

    name: str
    rows: int
    size: int
    sha256: str


def claim(connection: Connection, project_id: int, name: str, slot: datetime, *, origin: str, now: datetime) -> int | None:
    """The id of the run if this slot is ours to run, None when somebody has it or had it."""
    row = {
        "project_id": project_id,
        "name": name,
        "slot": slot,
        "origin": origin,
        "folder": "",
        "state": "running",
        "started_at": now,
        "files": [],
        "error": "",
    }
    if connection.execute(insert_new(connection, ExportRun), row).rowcount == 0:
        return None
    if origin != SCHEDULE:
        note(connection, "export.run", name, actor=origin, project_id=project_id)
    return connection.execute(select(ExportRun.id).filter_by(project_id=project_id, name=name, slot=slot)).scalar_one()


def finish(connection: Connection, run_id: int, folder: str, files: Sequence[ReleasedFile], *, now: datetime) -> None:
    """The run is done, its files are in `folder`."""
    listed = [{"name": file.name, "rows": file.rows, "size": file.size, "sha256": file.sha256} for file in files]
    connection.execute(update(ExportRun).filter_by(id=run_id).values(state="done", folder=folder, files=listed, finished_at=now))


def fail(connection: Connection, run_id: int, error: str, *, now: datetime) -> None:
    """The run failed, and why."""
    connection.execute(update(ExportRun).filter_by(id=run_id).values(state="failed", error=error, finished_at=now))


def forget_interrupted(connection: Connection) -> int:
    """Free the slots of scheduled runs that a stopped server left unfinished; how many. Only the leader may call this."""
    return connection.execute(delete(ExportRun).filter_by(origin=SCHEDULE, state="running")).rowcount


def last_slot(connection: Connection, project_id: int, name: str) -> datetime | None:
    """The newest scheduled slot that was run."""
    return connection.execute(
        select(ExportRun.slot).filter_by(project_id=project_id, name=name, origin=SCHEDULE).order_by(ExportRun.slot.desc()).limit(1)
    ).scalar()


def listed(connection: Connection, project_id: int, *, limit: int = 100) -> Sequence[Row[Any]]:
    """The newest runs, newest first."""
    return connection.execute(
        select(*_COLUMNS).filter_by(project_id=project_id).order_by(ExportRun.slot.desc(), ExportRun.id.desc()).limit(limit)
    ).all()


def latest(connection: Connection, project_id: int, name: str) -> Row[Any]:
    """The newest finished run of this export. Raises `Problem("not_found")`."""
    finished = select(*_COLUMNS).filter_by(project_id=project_id, name=name, state="done").order_by(ExportRun.slot.desc()).limit(1)
    run = connection.execute(finished).first()
    if run is None:
        raise Problem("not_found", f"{name} was never run.", hint="Run it, or wait for the schedule.")
    return run
