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
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from click.testing import CliRunner
from sqlalchemy import Connection, select, text

from forms.personal import Told
from forms.problems import Problem
from records.access import Access
from records.blobs import BlobStore
from records.models import Submission
from records.personal import open_contact
from records.store import Store, open_engine, vault_of
from records.submissions import listed, xml_of
from records.vault import Vault
from server.cli import cli
from tests.support.processes import tree

COMMAND = str(Path(sysconfig.get_path("scripts")) / "tulliana")
START_SECONDS = 120
_EVERYTHING = Access.everything(1, "test")


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
        own["TULLIANA_EXPORT_SCHEDULE"] = "never"  # tests that run over two in the night would all export
        if self.database_url:
            own["TULLIANA_DATABASE_URL"] = self.database_url
        quick = {"PYTHONDONTWRITEBYTECODE"}  # compiled modules halve the start of every command
        rest = {name: value for name, value in os.environ.items() if not name.startswith("TULLIANA_") and name not in quick}
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

    def run(self, *arguments: str, check: bool = True, seconds: float = 120) -> subprocess.CompletedProcess[bytes]:
        """One command beside the running server, in a process of its own."""
        command = [COMMAND, *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, cwd="/", check=False, timeout=seconds)
        if check and done.returncode != 0:
            raise RuntimeError(f"tulliana {' '.join(arguments)}: {done.stderr.decode()}{done.stdout.decode()}")
        return done

    def here(self, *arguments: str) -> tuple[int, str]:
        """The same command within this process, which saves the second a new one costs: exit code and everything it said."""
        with patch.dict(os.environ, self.environment, clear=True):
            done = CliRunner().invoke(cli, arguments)
        said = done.output + (f"tulliana: {done.exception}" if done.exception else "")
        if done.exception and not isinstance(done.exception, Problem | SystemExit):
            raise done.exception
        return done.exit_code, said

    def app_user(self, name: str) -> dict[str, str]:
        """A new app user: name, token and url."""
        code, said = self.here("app-user", "add", name, "--json")
        assert code == 0, said
        user: dict[str, str] = json.loads(said)
        return user

    def publish(self, form: Path) -> None:
        """Publish a form; the files it uses are beside it."""
        code, said = self.here("form", "publish", str(form))
        assert code == 0, said

    def submissions(self, form_id: str) -> list[dict[str, Any]]:
        """Every record of a form as the pages and exports see it, with `files` and `files_present` (names that are asked for)."""
        with self._reading() as connection:
            found = [asdict(record) for record in listed(connection, _EVERYTHING, form_id)]
        for record in found:
            record["files"] = record.pop("attachments")
            names = {unicodedata.normalize("NFC", file["name"]) for file in record["files"]}
            record["files_present"] = len(names & set(record["files_expected"]))
            record["files_expected"] = len(record["files_expected"])
        return found

    def originals(self, form_id: str) -> dict[str, tuple[bytes, list[Told]]]:
        """Every record's bytes as they were received first, and the answers that are kept apart as they tell who somebody is."""
        with self._reading() as connection:
            rows = connection.execute(select(Submission.__table__).where(Submission.form_id == form_id)).all()
            vault = vault_of(connection)
            return {row.instance_id: (xml_of(connection, _EVERYTHING, row.instance_id), open_contact(vault, row)) for row in rows}

    def xml(self, instance_id: str) -> bytes:
        """The bytes of one record as they are kept."""
        with self._reading() as connection:
            return xml_of(connection, _EVERYTHING, instance_id)

    def file(self, sha256: str) -> bytes:
        """The bytes of a file as they came."""
        with BlobStore(self.data / "blobs", self._vault()).open(sha256) as file:
            return file.read()

    def _vault(self) -> Vault:
        return Vault(self.data / "keys" / "personal.key")

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection beside the running server, as a command has it."""
        engine = open_engine(self.database_url or f"sqlite:///{self.data / 'tulliana.sqlite3'}")
        store = Store(engine, vault=self._vault())
        try:
            with store.read() as connection:
                yield connection
        finally:
            store.close()

    def execute(self, *statements: str) -> None:
        """Change the database behind the server's back."""
        engine = open_engine(self.database_url or f"sqlite:///{self.data / 'tulliana.sqlite3'}")
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

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
