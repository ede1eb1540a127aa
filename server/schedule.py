"""The schedule: exports run at their slots, each slot once, in one process only, and a slot slept through is caught up.

One process at a time leads: it holds a lock (a file on SQLite, an advisory lock on PostgreSQL) that the system frees when it dies.
The leader looks every minute, and at the slot itself, for the newest slot that is due and not run. The run itself is a child
process, so that a large export costs the phones little.
"""

import fcntl
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from sqlalchemy import Row, select, text

from exports.recipes import RECIPES
from records import export_runs, projects
from records.models import Project
from server import pulling
from server.heap import give_back
from server.personal import look_after
from server.relaying import keep_up
from server.services import Services
from server.slots import newest_slot, trigger
from sync.entities import settle_waiting
from sync.incidents.visits import look_for_missing
from sync.pull.servers import forget_interrupted

LOCK_KEY = 0x7471_6C6C  # "tull", in PostgreSQL's space of advisory locks
_RETRY_SECONDS = 5
BACK_OFF = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
"""How long after a failure a run of the schedule is tried again."""
_LOOK_SECONDS = 1
_REST = 3
"""So many times as long as a step took, the checks rest while phones send: those come first and get three quarters of the time."""
_IDLE_SECONDS = 0.002
"""Who has to wait longer to compute, has company."""
_log = logging.getLogger(__name__)


def due(services: Services, project_id: int, name: str, now: datetime) -> datetime | None:
    """The slot of this export that waits to be run: the newest, since an older one would tell less, or one to be tried again."""
    with services.store.read() as connection:
        last = export_runs.last_scheduled(connection, project_id, name)
        since = last.slot if last else connection.execute(select(Project.created_at).filter_by(id=project_id)).scalar_one()
    slot = newest_slot(trigger(services.config.export_schedule), now, since)
    again = again_at(last) if slot is None and last else None
    return last.slot if last and again and again <= now else slot


def again_at(run: Row[Any]) -> datetime | None:
    """When a run of the schedule that failed is tried again: each time later, a few times only."""
    if run.state != "failed" or run.origin != export_runs.SCHEDULE or run.attempt > len(BACK_OFF):
        return None
    return run.finished_at + BACK_OFF[run.attempt - 1]  # type: ignore[no-any-return]


def next_slot(services: Services, now: datetime) -> datetime | None:
    """When the exports run next; None when they never do by themselves."""
    if not services.config.export_schedule:
        return None
    moment = trigger(services.config.export_schedule).get_next_fire_time(None, now)
    return moment.astimezone(UTC) if moment else None


def run_due(services: Services) -> None:
    """Run what is due, one after the other."""
    with services.store.read() as connection:
        known = [project.id for project in projects.listed(connection)]
    for project_id, name in product(known, RECIPES):
        slot = due(services, project_id, name, datetime.now(UTC))
        if slot is not None:
            run_slot(services, project_id, name, slot, origin=export_runs.SCHEDULE)


def run_slot(services: Services, project_id: int, name: str, slot: datetime, *, origin: str, note: str = "") -> bool:
    """Run one slot in a child process; whether it went well. A slot that was run already is not run again."""
    command = [
        sys.executable,
        "-m",
        "server.cli",
        "--project",
        str(project_id),
        "export",
        "slot",
        name,
        slot.isoformat(),
        "--origin",
        origin,
        "--note",
        note,
    ]
    done = subprocess.run(command, env={**os.environ, **services.config.environment()}, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip()[-2000:]
        _log.error("The export %s failed: %s", name, said)
        error = f"It stopped without a word ({done.returncode}); the memory of this machine may be too small. {said}".strip()
        services.store.write(
            lambda connection: export_runs.fail_stopped(connection, project_id, name, slot, error, now=datetime.now(UTC))
        )
    return done.returncode == 0


def run_now(services: Services, project_id: int, name: str, *, origin: str, note: str = "") -> bool:
    """Run an export now, because a person asks for it; whether it went well."""
    return run_slot(services, project_id, name, datetime.now(UTC), origin=origin, note=note)


def start(services: Services) -> None:
    """Try to lead, for as long as this process lives."""
    threading.Thread(target=_lead, args=(services,), name="schedule", daemon=True).start()


def _lead(services: Services) -> None:
    from apscheduler.schedulers.background import BackgroundScheduler

    while True:
        try:
            with _leadership(services) as still_leads:
                services.store.write(export_runs.forget_interrupted)
                services.store.write(forget_interrupted)
                threading.Thread(target=_check, args=(services, still_leads), name="checks", daemon=True).start()
                threading.Thread(target=keep_up, args=(services, still_leads), name="relay", daemon=True).start()
                scheduler = BackgroundScheduler(job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})
                if services.config.export_schedule:
                    scheduler.add_job(run_due, trigger(services.config.export_schedule), args=(services,), id="slot")
                    scheduler.add_job(
                        run_due, "interval", minutes=1, args=(services,), id="after sleep", next_run_time=datetime.now(UTC)
                    )
                soon = datetime.now(UTC)
                scheduler.add_job(
                    look_after, "interval", days=1, args=(services, still_leads), id="personal data", next_run_time=soon
                )
                scheduler.add_job(pulling.run_due, "interval", minutes=5, args=(services,), id="other servers")
                scheduler.add_job(settle_waiting, "interval", hours=1, args=(services.store,), id="entities that wait")
                scheduler.add_job(look_for_missing, "interval", days=1, args=(services.store,), id="visits that wait")
                scheduler.add_job(give_back, "interval", minutes=1, id="freed memory")
                scheduler.start()
                still_leads.wait()
                scheduler.shutdown(wait=False)
        except Exception:
            _log.exception("The schedule stopped; it is tried again")
        threading.Event().wait(_RETRY_SECONDS)


def _check(services: Services, lost: threading.Event) -> None:
    """Check what arrives, a few records at a time and with rests, until the lead is lost. A step waits its turn behind requests."""
    checker = services.checker()
    is_new = True
    while not lost.is_set():
        try:
            if is_new:
                checker.forget(only_older=True)
                is_new = False
            asked = time.monotonic()
            with services.turnstile.inside():
                begun = time.monotonic()
                done = checker.step()
            rest = _REST * (time.monotonic() - begun) if begun - asked > _IDLE_SECONDS else 0
        except Exception:
            _log.exception("The checks stopped; they are tried again")
            done, rest = 0, 0.0
        lost.wait(rest if done else _LOOK_SECONDS)


@contextmanager
def _leadership(services: Services) -> Iterator[threading.Event]:
    """Wait for the lock and hold it. The event is set when the lock is lost."""
    lost = threading.Event()
    if services.store.is_sqlite:
        with (services.config.data / "leader.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield lost
        return
    with services.store.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
        connection.commit()
        watch = threading.Thread(target=_watch, args=(connection, lost), daemon=True)
        watch.start()
        yield lost
        watch.join()


def _watch(connection: Any, lost: threading.Event) -> None:
    """Notice when the database took our lock away, for instance by a restart."""
    try:
        while not lost.wait(_RETRY_SECONDS):
            connection.execute(text("SELECT 1"))
            connection.commit()
    except Exception:
        _log.warning("The connection that holds the schedule's lock broke")
    lost.set()
