"""The product in its own process, as a coordinator runs it: `tulliana serve` on a temporary data folder, SQLite or PostgreSQL."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sysconfig
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.collect import Collect

COMMAND = str(Path(sysconfig.get_path("scripts")) / "tulliana")
START_SECONDS = 30


def free_port() -> int:
    """A port of the loopback interface that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """One server on one data folder; it may be stopped, killed and started again, as often as a test likes."""

    data: Path
    database_url: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def kind(self) -> str:
        """sqlite or postgres."""
        return "postgres" if self.database_url else "sqlite"

    @property
    def environment(self) -> dict[str, str]:
        """What every command of this server runs with."""
        own = {"TULLIANA_DATA": str(self.data), "TULLIANA_HOST": "127.0.0.1", "TULLIANA_PORT": str(self.port)}
        if self.database_url:
            own["TULLIANA_DATABASE_URL"] = self.database_url
        rest = {name: value for name, value in os.environ.items() if not name.startswith("TULLIANA_")}
        return rest | own | self.settings

    @property
    def log(self) -> str:
        """Everything the server wrote so far."""
        return self._log.read_text(errors="replace")

    @property
    def _log(self) -> Path:
        return self.data.parent / f"{self.data.name}.log"

    def start(self, **options: Any) -> "Server":
        """Start and wait until it answers; `options` go to Popen."""
        with self._log.open("ab") as log:
            command = [COMMAND, "serve", "--port", str(self.port), "--data", str(self.data)]
            self.process = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, cwd="/", start_new_session=True, **options
            )
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"the server did not start:\n{self.log}")
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        """Stop as a service manager does, then with force."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(20)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            self.kill()
        self.process = None

    def kill(self) -> None:
        """SIGKILL to the whole process group: nothing gets to say goodbye."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)
            self.process = None

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        """One command beside the running server."""
        done = subprocess.run([COMMAND, *arguments], env=self.environment, capture_output=True, cwd="/", check=False, timeout=120)
        if check and done.returncode != 0:
            raise RuntimeError(f"tulliana {' '.join(arguments)}: {done.stderr.decode()}{done.stdout.decode()}")
        return done

    def app_user(self, name: str) -> dict[str, str]:
        """A new app user: name, token and url."""
        user: dict[str, str] = json.loads(self.run("app-user", "add", name, "--json").stdout)
        return user

    def phone(self, mode: str = "collect-2026", **more: Any) -> Collect:
        """A phone that scanned the QR code of a new app user."""
        return Collect(self.app_user(f"phone {time.monotonic_ns()}")["url"], mode, **more)

    def publish(self, *files: Path, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        """Publish a form; the first file is the form, the rest are its media."""
        return self.run("form", "publish", *map(str, files), check=check)

    def submissions(self, form_id: str) -> list[dict[str, Any]]:
        """What the coordinator's list shows for one form."""
        listed: list[dict[str, Any]] = json.loads(self.run("submission", "list", "--form", form_id, "--json").stdout)
        return listed

    def xml(self, instance_id: str) -> bytes:
        """The bytes of one record as they are kept."""
        return self.run("submission", "show", instance_id, "--xml").stdout

    def raw(self, method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> "Plain":
        """One request without any of a phone's habits: no redirects, no cache, no added headers but Host and length."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Plain(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def pids(self) -> list[int]:
        """The server's process and all below it."""
        return tree(self.process.pid) if self.process else []

    def _answers(self) -> bool:
        try:
            return self.raw("GET", f"http://127.0.0.1:{self.port}/").status < 600
        except (OSError, http.client.HTTPException):
            return False


@dataclass(frozen=True)
class Plain:
    """A response exactly as it came; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def tree(pid: int) -> list[int]:
    """A process and its descendants, from /proc."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found
