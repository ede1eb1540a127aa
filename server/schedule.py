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
from datetime import UTC, datetime
from itertools import product
from typing import Any

from sqlalchemy import select, text

from exports.recipes import RECIPES
from records import export_runs, projects
from records.models import Project
from server.personal import look_after
from server.services import Services
from server.slots import newest_slot, trigger
from sync.entities import settle_waiting
from sync.incidents.visits import look_for_missing

LOCK_KEY = 0x7471_6C6C  # "tull", in PostgreSQL's space of advisory locks
_RETRY_SECONDS = 5
_LOOK_SECONDS = 1
_REST = 3
"""So many times as long as a step took, the checks rest while phones send: those come first and get three quarters of the time."""
_IDLE_SECONDS = 0.002
"""Who has to wait longer to compute, has company."""
_log = logging.getLogger(__name__)


def due(services: Services, project_id: int, name: str, now: datetime) -> datetime | None:
    """The slot of this export that waits to be run: only the newest, since an older one would tell less."""
    with services.store.read() as connection:
        since = export_runs.last_slot(connection, project_id, name)
        since = since or connection.execute(select(Project.created_at).filter_by(id=project_id)).scalar_one()
    return newest_slot(trigger(services.config.export_schedule), now, since)


def run_due(services: Services) -> None:
    """Run what is due, one after the other."""
    with services.store.read() as connection:
        known = [project.id for project in projects.listed(connection)]
    for project_id, name in product(known, RECIPES):
        slot = due(services, project_id, name, datetime.now(UTC))
        if slot is not None:
            run_slot(services, project_id, name, slot, origin=export_runs.SCHEDULE)


def run_slot(services: Services, project_id: int, name: str, slot: datetime, *, origin: str) -> bool:
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
    ]
    done = subprocess.run(command, env={**os.environ, **services.config.environment()}, capture_output=True, text=True, check=False)
    if done.returncode:
        _log.error("The export %s failed: %s", name, done.stderr.strip()[-2000:])
    return done.returncode == 0


def run_now(services: Services, project_id: int, name: str, *, origin: str) -> bool:
    """Run an export now, because a person asks for it; whether it went well."""
    return run_slot(services, project_id, name, datetime.now(UTC), origin=origin)


def start(services: Services) -> None:
    """Try to lead, for as long as this process lives."""
    threading.Thread(target=_lead, args=(services,), name="schedule", daemon=True).start()


def _lead(services: Services) -> None:
    from apscheduler.schedulers.background import BackgroundScheduler

    while True:
        try:
            with _leadership(services) as still_leads:
                services.store.write(export_runs.forget_interrupted)
                threading.Thread(target=_check, args=(services, still_leads), name="checks", daemon=True).start()
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
                scheduler.add_job(settle_waiting, "interval", hours=1, args=(services.store,), id="entities that wait")
                scheduler.add_job(look_for_missing, "interval", days=1, args=(services.store,), id="visits that wait")
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
