"""Pulling from the servers that projects keep, each pull in a process of its own: it may take hours, and phones come first."""

import logging
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime

from forms.problems import Problem
from server.services import Services
from sync.pull import servers

_log = logging.getLogger(__name__)


def run_due(services: Services) -> None:
    """Pull from the servers whose time has come, one after the other."""
    with services.store.read() as connection:
        found = servers.due(connection, datetime.now(UTC))
    for project_id, number in found:
        run(services, project_id, number)


def run_soon(services: Services, project_id: int, number: int) -> None:
    """Pull from one of them now, because a person asks for it, in a thread that waits for it."""
    threading.Thread(target=run, args=(services, project_id, number), name=f"pull {number}", daemon=True).start()


def run(services: Services, project_id: int, number: int) -> bool:
    """Pull from one of them; whether it went well. What it did, or why it broke off, is kept beside the server."""
    command = [sys.executable, "-m", "server.cli", "--project", str(project_id), "pull", "again", str(number)]
    done = subprocess.run(command, env={**os.environ, **services.config.environment()}, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip()[-2000:]
        _log.error("Pull %s broke off: %s", number, said)
        servers.stopped(services.store, number, Problem("source_failed", f"It stopped without a word ({done.returncode})."))
    return done.returncode == 0
