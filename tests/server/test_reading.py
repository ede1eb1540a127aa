"""The newest report in the browser: at an address that stays, in the reader's language, without anything that runs."""

import base64
import re

import pytest

from tests.conftest import NewServer
from tests.support.servers import Server

PASSWORD = "a long enough one"
READ = "/projects/1/exports/report-public/read/"
AS_NGO = {"Authorization": "Basic " + base64.b64encode(f"ngo:{PASSWORD}".encode()).decode()}


@pytest.fixture(scope="module")
def server(new_server: NewServer) -> Server:
    server = new_server("sqlite", {"TULLIANA_EXPORT_SCHEDULE": "never"})
    for arguments in (
        ("account", "add", "ngo", "--role", "analyst", "--password", PASSWORD),
        ("export", "run", "report", "--level", "public"),
    ):
        code, said = server.here(*arguments)
        assert code == 0, said
    return server


@pytest.mark.parametrize(("wished", "code", "words"), [("fa", "fa", "پلنگ و دام"), ("de", "en", "Leopards and livestock")])
def test_an_ngo_reads_the_newest_report_in_its_language(server: Server, wished: str, code: str, words: str) -> None:
    at = f"http://127.0.0.1:{server.port}"
    led = server.raw("GET", at + READ, headers=AS_NGO | {"Accept-Language": wished})
    assert led.status == 302
    assert led.headers["location"].endswith(f"report_public_range_{code}.html")
    page = server.raw("GET", at + READ + f"report_public_range_{code}.html", headers=AS_NGO)
    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-disposition"].startswith("inline")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert f"<h1>{words}</h1>" in page.body.decode()
    links = re.findall('href="([^"]+)"', page.body.decode())
    assert links
    for name in links:
        got = server.raw("GET", at + READ + name, headers=AS_NGO)
        assert got.status == 200, name
        assert got.headers["content-disposition"].startswith("inline" if name.endswith(".html") else "attachment")


@pytest.mark.parametrize(
    "path", ["hotspots-public/read/", "nothing/read/", "report-public/read/README.txt", "report-partner/read/x.html"]
)
def test_what_is_no_report_cannot_be_read(server: Server, path: str) -> None:
    assert server.raw("GET", f"http://127.0.0.1:{server.port}/projects/1/exports/{path}", headers=AS_NGO).status == 404


def test_strangers_read_nothing(server: Server) -> None:
    assert server.raw("GET", f"http://127.0.0.1:{server.port}{READ}report_public_range_en.html").status in {302, 401}
