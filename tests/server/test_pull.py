"""Pulling from one real server of this product into another, by each of the two APIs it speaks."""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
import requests

from records.access import Access
from records.reviews import comment, history
from records.store import Store, open_engine
from records.vault import Vault
from sync import remedies
from tests.conftest import NewServer
from tests.support.programs import PASSWORD
from tests.support.records import LOSS, loss, renamed
from tests.support.servers import Server

JPEG = b"\xff\xd8\xff\xe0 "
EVERYTHING = Access.everything(1, "coordinator there")
_numbers = count(1)
Pull = Callable[..., tuple[int, str]]


class There:
    """The server that is pulled from, with a form of one test's own."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.form_id = server, f"loss.{next(_numbers)} زیان"
        form = folder / "form.xml"
        form.write_bytes(renamed(LOSS, self.form_id))
        server.publish(form)
        self.phone = server.app_user(self.form_id)["url"]

    def id(self, name: str) -> str:
        """An instance id of this test's own."""
        return f"uuid:{self.form_id[:7].strip()}-{name}"

    def send(self, instance_id: str, photo: str = "", file: bytes = b"", replaces: str | None = None, remarks: str = "") -> None:
        xml = loss(instance_id, photo, deprecated_id=replaces, remarks=remarks)
        xml = xml.replace(b'"livestock_loss"', f'"{self.form_id}"'.encode())
        files = {"xml_submission_file": ("a.xml", xml, "text/xml")} | ({photo: (photo, file, "image/jpeg")} if file else {})
        answer = requests.post(f"{self.phone}/submission", files=files, headers={"X-OpenRosa-Version": "1.0"}, timeout=30)
        assert answer.status_code in {201, 202}, answer.text

    def review(self, instance_id: str, state: str, said: str = "") -> None:
        store = opened(self.server)
        remedies.review(store, EVERYTHING, self.form_id, instance_id, state)
        if said:
            comment(store, EVERYTHING, self.form_id, instance_id, said)
        store.close()


def opened(server: Server) -> Store:
    vault = Vault(server.data / "keys" / "personal.key")
    return Store(open_engine(server.database_url or f"sqlite:///{server.data / 'tulliana.sqlite3'}"), vault=vault)


@pytest.fixture(scope="module")
def source(new_server: NewServer) -> Server:
    server = new_server("sqlite")
    code, said = server.here("account", "add", "mover", "--role", "coordinator", "--password", PASSWORD)
    assert code == 0, said
    return server


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, new_server: NewServer) -> Server:
    return new_server(request.param)


@pytest.fixture
def there(source: Server, tmp_path: Path) -> There:
    return There(source, tmp_path)


@pytest.fixture(params=["central", "kobo"])
def pull(request: pytest.FixtureRequest, there: There, target: Server, tmp_path: Path) -> Pull:
    """Pull the form of this test, as a coordinator does on the command line."""
    address, secret = f"http://127.0.0.1:{there.server.port}", tmp_path / "secret"
    found = [request.param, address, "--secret-file", str(secret)]
    if request.param == "central":
        secret.write_text(PASSWORD)
        found += ["--user", "mover", "--form", there.form_id]
    else:
        key = requests.get(f"{address}/token/", auth=("mover", PASSWORD), timeout=30).json()["token"]
        assets = requests.get(f"{address}/api/v2/assets/", headers={"Authorization": f"Token {key}"}, timeout=30).json()["results"]
        secret.write_text(key + "\n")
        found += ["--form", newest(assets)]
    return lambda: target.here("pull", *found)


def newest(assets: list[dict[str, str]]) -> str:
    return max(assets, key=lambda asset: asset["date_created"])["uid"]


def told(pulled: tuple[int, str]) -> str:
    code, said = pulled
    assert code == 0, said
    return said


def records(server: Server, there: There) -> dict[str, tuple[str, int, list[tuple[str, str]], bytes]]:
    """State, edits, files and bytes of every record."""
    return {
        each["instance_id"]: (
            each["review_state"],
            each["edits"],
            [(file["name"], file["sha256"]) for file in each["files"]],
            server.xml(each["instance_id"]),
        )
        for each in server.submissions(there.form_id)
    }


def test_everything_arrives_and_a_second_pull_changes_nothing(there: There, target: Server, pull: Pull) -> None:
    there.send(there.id("a"), "1.jpg", JPEG)
    there.send(there.id("b"))
    there.send(there.id("c"), "۱ گوسفند.jpg", JPEG + b"c")
    there.review(there.id("b"), "approved")
    said = told(pull())
    assert "3 new records" in said
    assert "1 review states" in said
    assert "1 versions of forms" in said
    assert records(target, there) == records(there.server, there)
    assert len(records(target, there)) == 3
    before = events(target, there)
    again = told(pull())
    assert "new records" not in again
    assert "review states" not in again
    assert events(target, there) == before


def events(server: Server, there: There) -> list[tuple[str, str, str | None, str, str]]:
    store = opened(server)
    with store.read() as connection:
        found = [
            (instance_id, each.action, each.state, each.comment, each.actor)
            for instance_id in sorted(records(server, there))
            for each in history(connection, Access.everything(1, "x"), there.form_id, instance_id)
        ]
    store.close()
    return found


def test_an_edit_a_decision_and_a_late_photo_come_with_the_next_pull(there: There, target: Server, pull: Pull) -> None:
    there.send(there.id("a"))
    there.send(there.id("late"), "late.jpg")
    there.send(there.id("c"))
    told(pull())
    there.send(there.id("a2"), replaces=there.id("a"), remarks="two and not one")
    there.send(there.id("late"), "late.jpg", JPEG)
    there.send(there.id("d"))
    there.review(there.id("c"), "rejected")
    said = told(pull())
    assert "1 new records" in said
    assert "1 edits of records" in said
    assert "1 records whose missing files came" in said
    found = records(target, there)
    assert found[there.id("a")][:2] == ("edited", 1)
    assert b"two and not one" in target.xml(there.id("a2"))
    assert [name for name, _ in found[there.id("late")][2]] == ["late.jpg"]
    assert found[there.id("c")][0] == "rejected"
    assert {name: found[name] for name in found} == records(there.server, there)


def test_a_decision_made_here_stays_until_they_decide_anew(there: There, target: Server, pull: Pull) -> None:
    there.send(there.id("a"))
    there.review(there.id("a"), "hasIssues")
    told(pull())
    store = opened(target)
    remedies.review(store, Access.everything(1, "coordinator here"), there.form_id, there.id("a"), "approved")
    store.close()
    told(pull())
    assert records(target, there)[there.id("a")][0] == "approved"
    there.review(there.id("a"), "rejected")
    told(pull())
    assert records(target, there)[there.id("a")][0] == "rejected"


def test_neither_password_nor_key_is_kept_or_told(there: There, target: Server, pull: Pull, tmp_path: Path) -> None:
    there.send(there.id("a"))
    secret = (tmp_path / "secret").read_text().strip()
    assert secret not in told(pull())
    store = opened(target)
    with store.read() as connection:
        rows = connection.exec_driver_sql("SELECT address, state FROM pull_source").all()
        log = connection.exec_driver_sql("SELECT target, detail FROM audit_event").all()
    store.close()
    assert rows
    assert secret not in json.dumps([list(map(str, row)) for row in [*rows, *log]])
    (tmp_path / "secret").write_text("wrong-" + secret)
    code, said = pull()
    assert code == 1
    assert "it answered 401" in said
    assert secret not in said


def test_comments_come_once_with_who_said_them(there: There, target: Server, source: Server, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(PASSWORD)
    arguments = ["central", f"http://127.0.0.1:{source.port}", "--user", "mover", "--form", there.form_id]
    there.send(there.id("a"))
    there.review(there.id("a"), "hasIssues", "how many, again?")
    for _ in range(2):
        told(target.here("pull", *arguments, "--secret-file", str(tmp_path / "secret")))
    said = [each for each in events(target, there) if each[1] == "comment"]
    assert said == [(there.id("a"), "comment", None, "how many, again?", f"pull from http://127.0.0.1:{source.port}")]


def test_a_kept_server_is_listed_pulled_from_again_and_forgotten(
    there: There, target: Server, source: Server, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(PASSWORD)
    address = f"http://127.0.0.1:{source.port}"
    there.send(there.id("a"))
    found = ["--user", "mover", "--form", there.form_id, "--secret-file", str(tmp_path / "secret")]
    said = told(target.here("pull", "central", address, *found, "--every", "6"))
    assert "1 new records" in said
    number = said.splitlines()[0].removeprefix("kept as number ")
    assert f"{number}\tcentral\t{address}\tevery 6 hours\tlast: 20" in told(target.here("pull", "kept"))
    there.send(there.id("b"))
    assert "1 new records" in told(target.here("pull", "again", number))
    told(target.here("pull", "forget", number))
    assert address not in told(target.here("pull", "kept"))
    code, said = target.here("pull", "again", number)
    assert code == 1
    assert "There is no server" in said
    (tmp_path / "secret").write_text("wrong")
    assert target.here("pull", "central", address, *found, "--every", "6")[0] == 1
    assert address not in told(target.here("pull", "kept"))


def test_a_folder_of_a_phone_is_taken_in_by_the_command(there: There, tmp_path: Path) -> None:
    place = tmp_path / "instances" / "loss_1"
    place.mkdir(parents=True)
    (place / "loss_1.xml").write_bytes(loss(there.id("p")).replace(b'"livestock_loss"', f'"{there.form_id}"'.encode()))
    code, said = there.server.here("pull", "phone", str(tmp_path / "instances"))
    assert (code, said) == (0, "1 new records\n")
    assert list(records(there.server, there)) == [there.id("p")]
