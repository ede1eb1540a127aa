"""One project with three forms and one phone, on each database: what most conformance tests need."""

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from forms.library import survey_ids
from records.flag_kinds import ARRIVAL
from tests.support.collect import Collect, Part, encode
from tests.support.records import FLOCK, LOSS, VILLAGES
from tests.support.servers import Plain, Server

VILLAGE_LIST = "name,label\nv1,درهٔ بالا\nv2,Lower valley\n".encode()
MAP = b"\xff\xd8\xff\xe0 a map of the valley"
OPEN = {"household_register", "leopard_sign"}
MAP_NAME = "نقشه (۲).jpg"


@dataclass
class Site:
    """A server, the address a phone of it uses, and shortcuts that speak plain HTTP."""

    server: Server
    url: str
    token: str

    def phone(self, mode: str = "collect-2026", **more: Any) -> Collect:
        """A fresh phone with this site's QR code."""
        return Collect(self.url, mode, **more)

    def get(self, path: str = "/formList", **headers: str) -> Plain:
        """A GET below the address of the project; `path` may be absolute; underscores in header names become hyphens."""
        url = path if path.startswith("http") else self.url + path
        return self.server.raw("GET", url, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, parts: list[Part], *, query: str = "?deviceID=collect%3Atest", **headers: str) -> Plain:
        """One POST with these parts."""
        body, kind = encode(parts)
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.raw(
            "POST", f"{self.url}/submission{query}", body, {"Content-Type": kind, "X-OpenRosa-Version": "1.0"} | own
        )

    def kept(self, form_id: str, instance_id: str) -> dict[str, Any]:
        """The one record with this id, with what was flagged when it arrived: checks come at any later time."""
        found = [record for record in self.server.submissions(form_id) if record["instance_id"] == instance_id]
        assert len(found) == 1, f"{len(found)} records with {instance_id}"
        return found[0] | {"flags": [flag for flag in found[0]["flags"] if flag["code"] in ARRIVAL]}

    def flags(self, form_id: str, instance_id: str) -> set[str]:
        """The codes of what was flagged when a record arrived."""
        return {flag["code"] for flag in self.kept(form_id, instance_id)["flags"]}


def make_site(server: Server, name: str) -> Site:
    """A new app user on this server."""
    user = server.app_user(name)
    return Site(server, user["url"], user["token"])


@pytest.fixture(scope="session")
def village_form(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The form with media, its two files beside it."""
    folder = tmp_path_factory.mktemp("village")
    (folder / "villages.csv").write_bytes(VILLAGE_LIST)
    (folder / MAP_NAME).write_bytes(MAP)
    return Path(shutil.copy(VILLAGES, folder / "village_visit.xml"))


@pytest.fixture(scope="session")
def site(server: Server, village_form: Path) -> Site:
    """The shared project; tests leave the three forms as they are and publish others under other ids.

    Of the shipped surveys two stay open: a phone that gets all of them in every test takes minutes and shows nothing more.
    """
    closed = ", ".join(f"'{survey_id}'" for survey_id in survey_ids() if survey_id not in OPEN)
    server.execute(f"UPDATE form SET state = 'closed' WHERE form_id IN ({closed})")
    for form in (FLOCK, LOSS, village_form):
        server.publish(form)
    return make_site(server, f"ranger {uuid.uuid4()}")  # pytest may ask for this again after the other database


@pytest.fixture(params=["collect-2026", "kobo-2025"])
def any_phone(site: Site, request: pytest.FixtureRequest) -> Collect:
    """A phone of either generation."""
    return site.phone(request.param)


@pytest.fixture
def phone(site: Site) -> Collect:
    """A phone with a current ODK Collect."""
    return site.phone()
