"""Every arrow points down, nothing happens at import, and what is slow to import is imported late."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("forms", "records", "sync", "exports", "server")
LATE = {
    "pyxform",
    "h3",
    "numpy",
    "shapely",
    "xlsxwriter",
    "openpyxl",
    "segno",
    "granian",
    "alembic",
    "babel",
    "apscheduler",
    "argon2",
}


def child(program: str, folder: Path) -> str:
    environ = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, env=environ, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded(module: str, folder: Path) -> set[str]:
    """The packages in memory when a module was imported."""
    names = child(f"import sys, {module}\nprint('|'.join(sys.modules))", folder).strip().split("|")
    return {name.partition(".")[0] for name in names}


def test_rooms_import_only_what_is_below_them() -> None:
    lint = Path(sysconfig.get_path("scripts")) / "lint-imports"
    done = subprocess.run([str(lint), "--no-cache"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout


def test_importing_every_module_writes_nothing_and_starts_nothing(tmp_path: Path) -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if path.stem not in {"__init__", "__main__", "env"} and "versions" not in path.parts
    ]
    program = (
        f"import importlib, threading\nfor name in {modules!r}: importlib.import_module(name)\n"
        "from server.commands import serve\nprint(threading.active_count())"
    )
    assert child(program, tmp_path) == "1\n"
    assert list(tmp_path.iterdir()) == []


def test_the_worker_begins_without_what_only_records_and_exports_need(tmp_path: Path) -> None:
    assert loaded("server.wsgi", tmp_path) & {*LATE, "requests"} == set()


def test_the_process_that_listens_holds_no_room(tmp_path: Path) -> None:
    assert loaded("server.listening", tmp_path) & {*LATE - {"apscheduler"}, "sqlalchemy", "flask", "lxml", "cryptography"} == set()


@pytest.mark.parametrize("module", ["server.app_users", "server.accounts", "sync.intake", "server.commands.app_users"])
def test_a_phones_request_loads_nothing_that_only_exports_need(module: str, tmp_path: Path) -> None:
    assert loaded(module, tmp_path) & LATE == set()


def test_a_server_takes_checks_and_shows_records_without_the_libraries_of_exports(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from tests.support.pages import Site
from tests.support.small import asked, record
site = Site(Path("data"))
site.publish(asked("geopoint"))
form_list = site.app.test_client().get(f"/v1/key/{{site.token}}/projects/1/formList")
assert b"small" in form_list.data
assert site.send(record("<q>35.7 51.4 0 5</q>")).status_code == 201
assert site.services.checker().run() == 1
assert site.browser("coordinator").get("/projects/1/").status_code == 200
print("|".join(sys.modules))
"""
    names = {name.partition(".")[0] for name in child(program, tmp_path).strip().split("|")}
    assert names & {"numpy", "shapely", "pyxform", "apscheduler.schedulers", "requests"} == set()
