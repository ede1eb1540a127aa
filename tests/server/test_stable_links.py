"""The addresses that stay, opened as QGIS opens them: by GDAL over HTTP, with name and password."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import NewServer
from tests.support.collect import Collect, Record
from tests.support.programs import PASSWORD, Reader, form_path, reader
from tests.support.records import LOSS, loss, new_id


@pytest.fixture(scope="module")
def analyst(new_server: NewServer) -> Reader:
    """Somebody who may see the reports of a server with one of them."""
    server = new_server("sqlite")
    server.publish(LOSS)
    Collect(server.app_user("Ranger")["url"]).send(Record(loss(new_id())))
    return reader(server)


def ogrinfo(asking: Reader, address: str, folder: Path, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    assert shutil.which("ogrinfo"), "GDAL is missing: sudo apt-get install gdal-bin"
    environment = {
        **os.environ,
        "GDAL_HTTP_USERPWD": f"{asking.name}:{password}",
        "GDAL_HTTP_AUTH": "BASIC",
        "CPL_TMPDIR": str(folder),
    }
    command = ["ogrinfo", "-ro", "-al", f"{asking.root}{address}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=folder)


@pytest.mark.parametrize("name", ["/data?format=geojson", "/submissions.geojson"])
def test_qgis_reads_the_newest_reports_from_the_address(analyst: Reader, tmp_path: Path, name: str) -> None:
    said = ogrinfo(analyst, f"{form_path('livestock_loss')}{name}", tmp_path)
    assert "Feature Count: 1" in said.stdout, said.stderr
    assert "POINT (" in said.stdout


def test_without_the_password_the_address_gives_nothing(analyst: Reader, tmp_path: Path) -> None:
    said = ogrinfo(analyst, f"{form_path('livestock_loss')}/data?format=geojson", tmp_path, "wrong")
    assert "Feature Count" not in said.stdout
