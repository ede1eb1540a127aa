"""Files of a release at an address that stays."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from tests.conftest import NewServer
from tests.support.servers import Server

FILES = "/projects/1/exports/hotspots-public/latest"


@pytest.fixture(scope="module")
def server(new_server: NewServer) -> Server:
    server = new_server("sqlite", {"TULLIANA_EXPORT_SCHEDULE": "never"})
    for arguments in (
        ("account", "add", "ngo", "--role", "analyst", "--password", "a long enough one"),
        ("export", "run", "hotspots", "--level", "public"),
    ):
        code, said = server.here(*arguments)
        assert code == 0, said
    return server


def listed(server: Server) -> list[dict[str, object]]:
    code, said = server.here("export", "list", "--json")
    assert code == 0, said
    files: list[dict[str, object]] = json.loads(said.splitlines()[0])["files"]
    return files


def as_ngo(password: str = "a long enough one") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"ngo:{password}".encode()).decode()}


def test_an_ngo_downloads_the_latest_files_as_they_were_listed(server: Server) -> None:
    files = listed(server)
    assert files
    for file in files:
        got = server.raw("GET", f"http://127.0.0.1:{server.port}{FILES}/{file['name']}", headers=as_ngo())
        assert got.status == 200
        assert hashlib.sha256(got.body).hexdigest() == file["sha256"]
        assert len(got.body) == file["size"]
        assert got.headers["last-modified"]
        again = {**as_ngo(), "If-None-Match": got.headers["etag"]}
        assert server.raw("GET", f"http://127.0.0.1:{server.port}{FILES}/{file['name']}", headers=again).status == 304


def test_a_file_has_an_address_that_outlasts_its_quarters(server: Server) -> None:
    lasting = f"http://127.0.0.1:{server.port}{FILES}/conflict_hotspots_leopard_standard_public.csv"
    got = server.raw("GET", lasting, headers=as_ngo())
    assert got.status == 200
    sha256 = {str(file["name"]): file["sha256"] for file in listed(server) if str(file["name"]).endswith("public.csv")}
    assert hashlib.sha256(got.body).hexdigest() == next(digest for name, digest in sha256.items() if "_standard_" in name)


@pytest.mark.parametrize(
    "headers", [{}, as_ngo("a wrong password"), {"Authorization": "Basic !"}, {"Cookie": "tulliana_session=x"}]
)
def test_a_stranger_gets_nothing(server: Server, headers: dict[str, str]) -> None:
    name = listed(server)[0]["name"]
    got = server.raw("GET", f"http://127.0.0.1:{server.port}{FILES}/{name}", headers={**headers, "Accept": "application/json"})
    assert got.status == 401
    assert json.loads(got.body)["code"] == "sign_in_needed"


@pytest.mark.parametrize(
    "path",
    [
        "/projects/1/exports/hotspots-public/latest/none.csv",
        "/projects/1/exports/other/latest/x",
        f"{FILES}/..%2f..%2ftulliana.sqlite3",
    ],
)
def test_what_is_not_released_is_not_there(server: Server, path: str) -> None:
    assert server.raw("GET", f"http://127.0.0.1:{server.port}{path}", headers=as_ngo()).status == 404


def test_guessing_passwords_is_slowed(new_server: NewServer) -> None:
    server = new_server("sqlite", {"TULLIANA_EXPORT_SCHEDULE": "never"})
    url = f"http://127.0.0.1:{server.port}{FILES}/x"
    statuses = [server.raw("GET", url, headers={**as_ngo(f"wrong {n}"), "Accept": "application/json"}).status for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2


def test_out_gets_copies_of_the_files(server: Server, tmp_path: Path) -> None:
    code, said = server.here("export", "run", "hotspots", "--level", "partner", "--out", str(tmp_path / "new"))
    assert code == 0, said
    for line in said.splitlines():
        path, _, sha256 = line.split("\t")
        assert Path(path).parent == tmp_path / "new"
        assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == sha256
