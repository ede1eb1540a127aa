"""Runs of exports: who runs a slot, what came of it, which release is the latest, and which are no longer kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, select, update

from forms.problems import Problem
from records.audit import note
from records.models import ExportRun
from records.store import insert_new

SCHEDULE, DEMO = "schedule", "demo"
_COLUMNS = ExportRun.__table__.columns


@dataclass(frozen=True, slots=True)
class ReleasedFile:
    """A file of a release; `rows` are data rows, `size` bytes."""

    name: str
    rows: int
    size: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {"name": self.name, "rows": self.rows, "size": self.size, "sha256": self.sha256}


class Telling(NamedTuple):
    """That a release told of the days from `start` to `end`, as they were known at a moment."""

    start: date
    end: date
    at: datetime


def claim(
    connection: Connection, project_id: int, name: str, slot: datetime, *, origin: str, now: datetime, reason: str = ""
) -> int | None:
    """The id of the run if this slot is ours to run, None when somebody has it or had it. A run that failed may be tried again.

    What a person runs is in the log, with the `reason`.
    """
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
    key = {"project_id": project_id, "name": name, "slot": slot}
    if connection.execute(insert_new(connection, ExportRun), row).rowcount == 0:
        again = {"state": "running", "attempt": ExportRun.attempt + 1, "started_at": now, "finished_at": None, "error": ""}
        if connection.execute(update(ExportRun).filter_by(**key, state="failed").values(again)).rowcount == 0:
            return None
    if origin != SCHEDULE:
        note(connection, "export.run", name, actor=origin, project_id=project_id, **({"reason": reason} if reason else {}))
    return connection.execute(select(ExportRun.id).filter_by(**key)).scalar_one()


def finish(
    connection: Connection,
    run_id: int,
    folder: str,
    files: Sequence[ReleasedFile],
    *,
    now: datetime,
    about: Mapping[str, Any] | None = None,
) -> None:
    """The run is done, its files are in `folder`; `about` tells of the release."""
    listed = [file.as_json() for file in files]
    values = {"state": "done", "folder": folder, "files": listed, "finished_at": now, "about": dict(about or {})}
    connection.execute(update(ExportRun).filter_by(id=run_id).values(values))


def fail(connection: Connection, run_id: int, error: str, *, now: datetime) -> None:
    """The run failed, and why."""
    connection.execute(update(ExportRun).filter_by(id=run_id).values(state="failed", error=error, finished_at=now))


def fail_stopped(connection: Connection, project_id: int, name: str, slot: datetime, error: str, *, now: datetime) -> int:
    """A run whose process ended without a word failed too; how many that were."""
    stopped = update(ExportRun).filter_by(project_id=project_id, name=name, slot=slot, state="running")
    return connection.execute(stopped.values(state="failed", error=error, finished_at=now)).rowcount


def remark(connection: Connection, run_id: int, remark: str) -> None:
    """Keep with a run what went wrong after it, such as a message that could not be delivered."""
    about = connection.execute(select(ExportRun.about).filter_by(id=run_id)).scalar_one()
    connection.execute(update(ExportRun).filter_by(id=run_id).values(about={**about, "remark": remark}))


def forget_interrupted(connection: Connection) -> int:
    """Free the slots of scheduled runs that a stopped server left unfinished; how many. Only the leader may call this."""
    return connection.execute(delete(ExportRun).filter_by(origin=SCHEDULE, state="running")).rowcount


def last_scheduled(connection: Connection, project_id: int, name: str) -> Row[Any] | None:
    """The run of the newest slot of the schedule."""
    scheduled = select(*_COLUMNS).filter_by(project_id=project_id, name=name, origin=SCHEDULE)
    return connection.execute(scheduled.order_by(ExportRun.slot.desc()).limit(1)).first()


def listed(connection: Connection, project_id: int, *, name: str | None = None, limit: int = 100) -> Sequence[Row[Any]]:
    """The newest runs of all exports or one, newest first."""
    query = select(*_COLUMNS).filter_by(project_id=project_id)
    if name is not None:
        query = query.filter_by(name=name)
    return connection.execute(query.order_by(ExportRun.slot.desc(), ExportRun.id.desc()).limit(limit)).all()


def finished(connection: Connection, project_id: int, name: str) -> Sequence[Row[Any]]:
    """All finished runs of this export, newest first."""
    query = select(*_COLUMNS).filter_by(project_id=project_id, name=name, state="done")
    return connection.execute(query.order_by(ExportRun.slot.desc(), ExportRun.id.desc())).all()


def latest(connection: Connection, project_id: int, name: str) -> Row[Any]:
    """The newest finished run of this export. Raises `Problem("not_found")`."""
    done = select(*_COLUMNS).filter_by(project_id=project_id, name=name, state="done")
    run = connection.execute(done.order_by(ExportRun.slot.desc(), ExportRun.id.desc()).limit(1)).first()
    if run is None:
        raise Problem("not_found", f"{name} was never run.", hint="Run it, or wait for the schedule.")
    return run


def tellings(connection: Connection, project_id: int) -> list[Telling]:
    """Which days releases told of, whatever their name, in the order in which they were made."""
    query = select(ExportRun.about, ExportRun.started_at).filter_by(project_id=project_id, state="done")
    return [
        Telling(date.fromisoformat(about["period_start"]), date.fromisoformat(about["period_end"]), at)
        for about, at in connection.execute(query.order_by(ExportRun.started_at))
        if about.get("outcome") == "new"
    ]


def is_made_up(connection: Connection, project_id: int) -> bool:
    """Whether a demonstration makes the releases of a project: then all its records are invented."""
    return connection.execute(select(ExportRun.id).filter_by(project_id=project_id, origin=DEMO).limit(1)).first() is not None


def outlived(runs: Sequence[Row[Any]], keep: int) -> list[str]:
    """The folders of releases older than the newest `keep` (0: none are), of runs newest first. The rows of the runs stay."""
    folders = list(dict.fromkeys(run.folder for run in runs))
    gone = {run.folder for run in runs if run.removed_at is not None}
    return [folder for folder in folders[keep:] if folder not in gone] if keep else []


def removed(connection: Connection, folder: str, *, now: datetime) -> None:
    """The files of a release were deleted."""
    connection.execute(update(ExportRun).filter_by(folder=folder).values(removed_at=now))
