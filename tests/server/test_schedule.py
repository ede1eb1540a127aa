"""The schedule of a running server: what was slept through is caught up, by one leader, each slot once."""

import contextlib
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import insert, update

from exports.recipes import RECIPES
from records import export_runs
from records.models import ExportRun, Project
from server import schedule
from server.config import Config
from server.services import Services, standalone
from tests.conftest import NewServer
from tests.support.servers import Server, free_port

NIGHTLY = {"TULLIANA_EXPORT_SCHEDULE": "0 2 * * *"}
NEVER = {"TULLIANA_EXPORT_SCHEDULE": "never"}


@contextlib.contextmanager
def services_of(server: Server) -> Iterator[Services]:
    with patch.dict("os.environ", server.environment, clear=True), standalone(Config.load()) as services:
        yield services


def sleep_since(server: Server, days: int) -> None:
    """As if this server had been set up some days ago and been off since."""
    with services_of(server) as services:
        long_ago = datetime.now(UTC) - timedelta(days=days)
        services.store.write(lambda connection: connection.execute(update(Project).values(created_at=long_ago)))


def as_if_run(server: Server, *others: str) -> None:
    """As if every export but these had run at the newest slot."""
    with services_of(server) as services:
        now = datetime.now(UTC)
        slot = schedule.newest_slot(schedule.trigger("0 2 * * *"), now, now - timedelta(days=2))
        row = {"project_id": 1, "slot": slot, "origin": export_runs.SCHEDULE, "folder": "x", "files": [], "error": ""}
        row |= {"state": "done", "started_at": now, "finished_at": now}
        rows = [row | {"name": name} for name in RECIPES if name not in others]
        services.store.write(lambda connection: connection.execute(insert(ExportRun), rows))


def runs(server: Server) -> list[dict[str, Any]]:
    code, said = server.here("export", "list", "--json")
    assert code == 0, said
    return [json.loads(line) for line in said.splitlines()]


def runs_when_done(server: Server, count: int) -> list[dict[str, Any]]:
    end = time.monotonic() + 600  # ten exports, one after the other, on a machine that does other things
    while time.monotonic() < end:
        found = runs(server)
        if len(found) >= count and all(run["state"] != "running" for run in found):
            return found
        time.sleep(0.5)
    pytest.fail(f"the runs did not end: {runs(server)}\n{server.log}")


def test_every_export_of_a_slot_slept_through_is_run_after_waking_once_and_only_the_newest(new_server: NewServer) -> None:
    server = new_server("sqlite", dict(NEVER))
    server.kill()
    sleep_since(server, days=9)
    server.settings.update(NIGHTLY)
    server.start()
    found = runs_when_done(server, len(RECIPES))
    assert sorted(run["name"] for run in found) == sorted(RECIPES)
    assert all(run["state"] == "done" and run["origin"] == "schedule" and run["files"] for run in found), found
    age = datetime.now(UTC) - datetime.fromisoformat(found[0]["slot"])
    assert timedelta(0) <= age <= timedelta(hours=25)
    server.kill()
    server.start()
    with services_of(server) as services:
        assert schedule.due(services, 1, "hotspots-public", datetime.now(UTC)) is None
    assert runs(server) == found


def test_two_servers_on_one_database_run_a_slot_once_and_the_second_takes_over(new_server: NewServer) -> None:
    first = new_server("postgres", dict(NEVER))
    first.kill()
    sleep_since(first, days=2)
    as_if_run(first, *(both := ("hotspots-public", "indicators-partner")))
    first.settings.update(NIGHTLY)
    second = Server(first.data, first.database_url, dict(NIGHTLY), free_port())
    try:
        first.start()
        second.start()
        assert len(runs_when_done(first, len(RECIPES))) == len(RECIPES)
        with services_of(second) as services:
            gone = ExportRun.__table__.delete().where(ExportRun.name.in_(both))
            services.store.write(lambda connection: connection.execute(gone))
        first.kill()
        assert len(runs_when_done(second, len(RECIPES))) == len(RECIPES)
    finally:
        second.kill()


def test_a_run_that_a_stopped_server_left_is_run_again(new_server: NewServer) -> None:
    server = new_server("sqlite", dict(NEVER))
    sleep_since(server, days=3)
    as_if_run(server)
    left = update(ExportRun).filter_by(name="hotspots-public").values(state="running", finished_at=None)
    with services_of(server) as services:
        services.store.write(lambda connection: connection.execute(left))
    server.kill()
    server.settings.update(NIGHTLY)
    server.start()
    assert {run["state"] for run in runs_when_done(server, len(RECIPES))} == {"done"}


def test_the_same_slot_is_never_run_twice(new_server: NewServer) -> None:
    server = new_server("sqlite", dict(NEVER))
    slot = "2026-05-01T02:00:00+00:00"
    for _ in range(2):
        code, said = server.here("export", "slot", "hotspots-public", slot, "--origin", "schedule")
        assert code == 0, said
    assert [run["slot"] for run in runs(server)] == [slot]


def test_a_failed_run_says_why(new_server: NewServer) -> None:
    server = new_server("sqlite", dict(NEVER))
    (server.data / "releases").write_text("a file where the folder should be")
    slot = ("export", "slot", "hotspots-public", "2026-05-01T02:00:00+00:00", "--origin", "schedule")
    done = server.run(*slot, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"tulliana: ")
    [run] = runs(server)
    assert run["state"] == "failed"
    assert "releases" in run["error"]
    code, said = server.here("doctor")
    assert code == 1
    assert "export run hotspots-public" in said
