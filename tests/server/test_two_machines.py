"""Two servers that share a database and a bucket and no disk: what one was given the other has, also when the one is killed."""

import hashlib
import shutil
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import select

from records.models import FormMedia
from server.config import Config
from server.services import Services, standalone
from tests.conftest import NewServer
from tests.support.collect import encode
from tests.support.records import LOSS, loss, new_id, parts
from tests.support.servers import Server, free_port
from tests.support.storage import new_bucket, objects, storage

NAME = "indicators-public"
ANALYST = {"Authorization": "Basic " + b64encode(b"ana:a long enough one").decode()}
PHOTO = b"\xff\xd8\xff\xe0" + b"a photo of 300 kB" * 18_000


@pytest.fixture(scope="module")
def there() -> Iterator[dict[str, str]]:
    with storage() as environment:
        yield environment


@pytest.fixture
def machines(new_server: NewServer, there: dict[str, str], tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """Two servers; the first was there alone before and kept its files on its disk."""
    first = new_server("postgres")
    first.kill()
    settings = there | {"TULLIANA_BLOBS": new_bucket(there), "TULLIANA_RELEASES": str(tmp_path / "shared")}
    first.settings.update(settings)
    second = Server(tmp_path / "second", first.database_url, settings, free_port())
    shutil.copytree(first.data / "keys", second.data / "keys")
    shutil.copyfile(first.data / "secret", second.data / "secret")
    first.start()
    second.start()
    yield first, second
    second.kill()


@contextmanager
def services_of(server: Server) -> Iterator[Services]:
    with patch.dict("os.environ", server.environment, clear=True), standalone(Config.load()) as services:
        yield services


class Phone:
    """A phone that sends to whichever server it is told to."""

    def __init__(self, server: Server, name: str) -> None:
        self.path = server.app_user(name)["url"].split("/", 3)[3]

    def send(self, server: Server, instance_id: str, photo: bytes) -> int:
        body, kind = encode(parts(loss(instance_id, "1.jpg"), {"1.jpg": photo}))
        address = f"http://127.0.0.1:{server.port}/{self.path}/submission"
        return server.raw("POST", address, body, {"Content-Type": kind, "X-OpenRosa-Version": "1.0"}).status


def country(server: Server, instance_id: str) -> str:
    """The country of a record, once the checks have filled it in."""
    for _ in range(600):
        [found] = [each for each in server.submissions("livestock_loss") if each["instance_id"] == instance_id]
        if found["country"]:
            return str(found["country"])
        time.sleep(0.1)
    raise AssertionError("nobody checks")


def release_on(server: Server) -> dict[str, bytes]:
    """What a release that is made here holds, by the addresses at which an analyst asks for it."""
    assert server.here("account", "add", "ana", "--role", "analyst", "--password", "a long enough one")[0] == 0
    assert server.here("export", "run", NAME)[0] == 0
    shared = Path(server.settings["TULLIANA_RELEASES"]) / "project1" / NAME
    [archive], [table] = shared.glob("*.zip"), shared.glob("*/indicators.csv")
    return {f"{NAME}.zip": archive.read_bytes(), "indicators.csv": table.read_bytes()}


def taken_from(server: Server, name: str) -> bytes:
    address = f"http://127.0.0.1:{server.port}/projects/1/exports/{NAME}/latest/{name}"
    answer = server.raw("GET", address, headers=ANALYST)
    assert answer.status == 200, answer.body
    return answer.body


def photo(number: int) -> bytes:
    return PHOTO + bytes([number])


def test_one_machine_goes_on_with_everything_when_the_other_is_killed(
    machines: tuple[Server, Server], there: dict[str, str]
) -> None:
    first, second = machines
    first.publish(LOSS)
    phone, ids = Phone(first, "a phone"), [new_id() for _ in range(3)]
    assert [phone.send(server, each, photo(n)) for n, (server, each) in enumerate(zip(machines, ids, strict=False))] == [201, 201]
    released = release_on(first)
    first.kill()  # it led: it checked and ran the schedule
    assert [taken_from(second, path) for path in released] == list(released.values())
    assert phone.send(second, ids[2], photo(2)) == 201
    assert [country(second, each) for each in ids] == ["IR"] * 3
    with services_of(second) as services, services.store.read() as connection:
        drawings = connection.execute(select(FormMedia.sha256).distinct()).scalars().all()
        assert drawings
        assert all(map(services.blobs.has, drawings))  # they lay on the first one's disk when it was alone
        for number in range(3):
            sha256 = hashlib.sha256(photo(number)).hexdigest()
            assert services.blobs.open(sha256).read() == photo(number)
    kept = objects(there, second.settings["TULLIANA_BLOBS"])
    assert not any(PHOTO in content for content in kept.values())  # sealed before it left
    assert [path for server in machines for path in (server.data / "blobs").rglob("*") if path.is_file()] == []


def test_a_record_is_acknowledged_only_when_the_bucket_has_its_photo(
    machines: tuple[Server, Server], there: dict[str, str]
) -> None:
    first, second = machines
    first.publish(LOSS)
    phone, instance_id = Phone(first, "another phone"), new_id()
    second.stop()
    right = second.settings["TULLIANA_BLOBS"]
    second.settings["TULLIANA_BLOBS"] = "s3://no-such-bucket/leopards"
    second.start()
    assert phone.send(second, instance_id, photo(9)) == 503
    second.stop()
    second.settings["TULLIANA_BLOBS"] = right
    second.start()
    assert phone.send(second, instance_id, photo(9)) == 201
