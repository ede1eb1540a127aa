"""ODK Central from a checkout of getodk/central-backend, as it runs behind its proxy: PostgreSQL, migrations, one account, the API.

Neither pyxform nor Enketo are needed: forms are published as XML.
"""

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.support.postgres import Cluster
from tests.support.servers import free_port

EMAIL, PASSWORD = "coordinator@example.org", "leopards of Touran"
_START_SECONDS = 60


@dataclass
class CentralServer:
    """One running ODK Central on a database of its own. `node` is Node.js in the version that the checkout asks for."""

    checkout: Path
    node: str = "node"
    port: int = field(default_factory=free_port)
    cluster: Cluster = field(default_factory=Cluster)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "CentralServer":
        self.cluster.start().create("central")
        self.cluster.folder.chmod(0o755)  # its socket, for whoever runs Node.js
        self._run("run-migrations.js")
        self._run("cli.js", "-u", EMAIL, "user-create", given=f"{PASSWORD}\n")
        self._run("cli.js", "-u", EMAIL, "user-promote")
        log = (self.cluster.folder / "central.log").open("ab")
        command = [self.node, "lib/bin/run-server.js"]
        self.process = subprocess.Popen(command, cwd=self.checkout, env=self._environment, stdout=log, stderr=log)
        log.close()
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        self.cluster.stop()

    @property
    def log(self) -> str:
        """What it wrote."""
        return (self.cluster.folder / "central.log").read_text(errors="replace")

    @property
    def _environment(self) -> dict[str, str]:
        settings: dict[str, Any] = {"server": {"port": self.port}, "env": {"domain": self.url}, "database": {}}
        database = {"PGHOST": str(self.cluster.folder), "PGUSER": "tulliana", "PGDATABASE": "central", "PGPASSWORD": "trusted"}
        return {**os.environ, **database, "NODE_CONFIG": json.dumps({"default": settings})}

    def _run(self, script: str, *arguments: str, given: str = "") -> None:
        command = [self.node, f"lib/bin/{script}", *arguments]
        done = subprocess.run(
            command, cwd=self.checkout, env=self._environment, input=given, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{script}: {done.stdout}{done.stderr}")

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while True:
            try:
                requests.get(f"{self.url}/v1/projects", timeout=5)
                return
            except requests.ConnectionError:
                if time.monotonic() > end or (self.process and self.process.poll() is not None):
                    raise RuntimeError(self.log) from None
                time.sleep(0.1)
