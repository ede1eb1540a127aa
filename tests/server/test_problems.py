"""The catalogue of problems: each one is provoked here, as a phone, a browser or a command meets it, and none is left over."""

import io
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, text
from werkzeug.test import TestResponse

from forms.encryption import Envelope, decrypt, read_private_key
from forms.problems import CATALOGUE, Problem
from forms.xml import parse_xml
from records import incidents
from records.models import IncidentLink
from records.publishing import publish
from records.submissions import KeptFile, found
from server import accounts, app_users
from server.config import Config
from server.setup import migrate
from sync.pull.client import Client
from sync.relay import stick_files
from sync.relay.identity import Identity
from sync.relay.link import Link
from sync.relay.messages import Peer, sealed
from tests.support import docs
from tests.support.collect import encode
from tests.support.conflict import insert_record
from tests.support.door import Door
from tests.support.encryption import Keys, seal
from tests.support.entities import household_form
from tests.support.small import record, xform
from tests.support.stores import EVERYTHING

PASSWORD = "a long pass phrase"
FORM = xform("<q/>")
FORM_OF_CONFLICTS = "conflict_livestock"


@pytest.fixture
def door(sqlite_template: Path, tmp_path: Path) -> Iterator[Door]:
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(sqlite_template, data / "tulliana.sqlite3")
    made = Door.of(data, FORM)
    yield made
    made.opened.store.close()


def raised(action: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as caught:
        action()
    return caught.value


# One small function per code. Each gives the answer a client got, or the problem a command tells.
PROVOKED: dict[str, Callable[[Door], TestResponse | Problem]] = {}


def provokes(code: str) -> Callable[[Callable[[Door], TestResponse | Problem]], Callable[[Door], TestResponse | Problem]]:
    def keep(function: Callable[[Door], TestResponse | Problem]) -> Callable[[Door], TestResponse | Problem]:
        assert code not in PROVOKED
        PROVOKED[code] = function
        return function

    return keep


@provokes("xml_unreadable")
def _(door: Door) -> TestResponse:
    return door.send(b"<data")


@provokes("body_unreadable")
def _(door: Door) -> TestResponse:
    return door.phone("/submission", "POST", data=b"x", content_type="text/plain")


@provokes("submission_missing")
def _(door: Door) -> TestResponse:
    return door.send(record("<q/>"), name="something_else")


@provokes("form_id_missing")
def _(door: Door) -> TestResponse:
    return door.send(b"<data/>")


@provokes("value_invalid")
def _(door: Door) -> TestResponse:
    return door.send(record("<q/>", instance_id="x" * 300))


@provokes("sign_in_needed")
def _(door: Door) -> TestResponse:
    return door.browse("/projects/1/phones")


@provokes("token_unknown")
def _(door: Door) -> TestResponse:
    return door.app.test_client().get("/v1/key/wrong/projects/1/formList")


@provokes("password_needed")
def _(door: Door) -> TestResponse:
    return door.app.test_client().get("/formList")


@provokes("token_replaced")
def _(door: Door) -> TestResponse:
    app_users.rotate(door.opened.store, "ranger", project_id=1)
    return door.phone("/formList")


@provokes("not_allowed")
def _(door: Door) -> TestResponse:
    accounts.add(door.opened.store, "analyst", "analyst", PASSWORD, project_id=1)
    return door.browse("/projects/1/phones", auth=("analyst", PASSWORD))


@provokes("request_forged")
def _(door: Door) -> TestResponse:
    return door.browse("/projects/1/phones", "POST", headers={"Sec-Fetch-Site": "cross-site"})


@provokes("not_found")
def _(door: Door) -> TestResponse:
    return door.browse("/nowhere")


@provokes("not_acceptable")
def _(door: Door) -> TestResponse:
    accounts.add(door.opened.store, "reader", "reviewer", PASSWORD, project_id=1)
    address = "/v1/projects/1/forms/small.svc/Submissions"
    return door.browse(address, auth=("reader", PASSWORD), headers={"Accept": "application/xml"})


@provokes("draft_over")
def _(door: Door) -> TestResponse:
    return door.app.test_client().get("/v1/test/wrong/projects/1/forms/small/draft/formList")


@provokes("not_supported")
def _(door: Door) -> TestResponse:
    accounts.add(door.opened.store, "reader", "reviewer", PASSWORD, project_id=1)
    return door.browse("/v1/projects/1/forms/small.svc/Submissions?$apply=aggregate", auth=("reader", PASSWORD))


@provokes("form_unknown")
def _(door: Door) -> TestResponse:
    return door.send(record("<q/>", form_id="never"))


@provokes("method_not_allowed")
def _(door: Door) -> TestResponse:
    return door.phone("/formList", "DELETE")


@provokes("submission_unknown")
def _(door: Door) -> Problem:
    with door.opened.store.read() as connection:
        return raised(lambda: found(connection, EVERYTHING, "never"))


@provokes("form_invalid")
def _(door: Door) -> Problem:
    return raised(lambda: publish(door.opened.store, door.opened.blobs, 1, xform=b"<data/>", source_name="test"))


@provokes("form_version_taken")
def _(door: Door) -> Problem:
    return raised(lambda: publish(door.opened.store, door.opened.blobs, 1, xform=FORM + b"\n", source_name="test"))


@provokes("form_media_missing")
def _(door: Door) -> Problem:
    other = xform("<q/>", version="2")
    return raised(lambda: publish(door.opened.store, door.opened.blobs, 1, xform=other, source_name="test", needed=["a.csv"]))


@provokes("name_taken")
def _(door: Door) -> Problem:
    return raised(lambda: app_users.add(door.opened.store, "ranger", project_id=1))


@provokes("incident_contradiction")
def _(door: Door) -> Problem:
    one, other, third = ((FORM_OF_CONFLICTS, name) for name in ("uuid:a", "uuid:b", "uuid:c"))
    for form_id, name in (one, other, third):
        link = {"project_id": 1, "form_id": form_id, "instance_id": name, "incident_id": name, "role": "report"}
        link |= {"how": "own", "reference": ""}
        door.opened.store.write(lambda connection, name=name: insert_record(connection, name, {}))  # type: ignore[misc]
        door.opened.store.write(lambda connection, link=link: connection.execute(insert(IncidentLink), link))  # type: ignore[misc]
    incidents.decide(door.opened.store, EVERYTHING, one, other, "same")
    incidents.decide(door.opened.store, EVERYTHING, one, third, "different")
    return raised(lambda: incidents.decide(door.opened.store, EVERYTHING, other, third, "same"))


@provokes("key_unreadable")
def _(_: Door) -> Problem:
    return raised(lambda: read_private_key(b"no key"))


@provokes("key_wrong")
def _(_: Door) -> Problem:
    envelope = Envelope.read(parse_xml(seal(Keys.make(), "uuid:1", b"<data/>").envelope))
    return raised(lambda: decrypt(envelope, Keys.make().private, {}, lambda *_: None))


@provokes("envelope_broken")
def _(_: Door) -> Problem:
    keys = Keys.make()
    envelope = Envelope.read(parse_xml(seal(keys, "", b"<data/>").envelope))
    return raised(lambda: decrypt(envelope, keys.private, {}, lambda *_: None))


@provokes("too_large")
def _(door: Door) -> TestResponse:
    return door.send(b"<data>" + b" " * 11_000_000 + b"</data>")


@provokes("too_many_tries")
def _(door: Door) -> TestResponse:
    for _ in range(10):
        assert door.browse("/projects/1/phones", auth=("guessed", "wrong")).status_code == 401
    return door.browse("/projects/1/phones", auth=("guessed", "wrong"))


@provokes("internal")
def _(door: Door) -> TestResponse:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sync.intake.Intake.receive", broken)
        return door.send(record("<q/>"))


@provokes("busy")
def _(door: Door) -> TestResponse:
    door.opened.store._writer.close()  # type: ignore[union-attr]
    return door.send(record("<q/>"))


@provokes("disk_full")
def _(door: Door) -> TestResponse:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("records.blobs._write_all", full)
        body, kind = encode([("xml_submission_file", "r.xml", "text/xml", record("<q/>")), ("a.jpg", "a.jpg", "image/jpeg", b"1")])
        return door.phone("/submission", "POST", data=io.BytesIO(body), content_type=kind)


@provokes("personal_key_missing")
def _(door: Door) -> Problem:
    vault = door.opened.store.vault
    sealed = vault.seal(b"x", "here")
    vault.path.unlink()  # type: ignore[union-attr]
    vault._load()
    return raised(lambda: vault.open(sealed, "here"))


@provokes("seal_broken")
def _(door: Door) -> Problem:
    vault = door.opened.store.vault
    return raised(lambda: vault.open(vault.seal(b"x", "here"), "there"))


@provokes("withheld")
def _(_: Door) -> Problem:
    return raised(KeptFile("sheet.jpg", 1, "0" * 64, "image/jpeg", withheld=True).require)


@provokes("entity_list_unavailable")
def _(door: Door) -> TestResponse:
    publish(door.opened.store, door.opened.blobs, 1, xform=household_form(), source_name="test")
    [offered] = re.findall(r"<manifestUrl>http://localhost(.*?)</manifestUrl>", door.phone("/formList?formID=visit").text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("records.entity_files._csv", lambda *_: 1 / 0)
        return door.app.test_client().get(offered)


@provokes("source_failed")
def _(_: Door) -> Problem:
    return raised(lambda: Client("http://127.0.0.1:9", backoff=0).json("/v1/projects/1/forms"))


@provokes("relay_unreadable")
def _(door: Door) -> TestResponse:
    return door.browse("/relay/1", "POST", data=b"hello")


@provokes("relay_refused")
def _(door: Door) -> TestResponse:
    here, stranger = door.opened.answerer().me, Identity.new()
    packet = sealed(stranger, Peer.of(here.verify_key, here.seal_key), {"type": "hello"})
    return door.browse("/relay/1", "POST", data=packet)


@provokes("relay_unreachable")
def _(_: Door) -> Problem:
    return raised(lambda: Link("http://127.0.0.1:9")(b"x"))


@provokes("stick_unusable")
def _(door: Door) -> Problem:
    (not_a_folder := door.opened.config.data / "tulliana-relay").touch()
    return raised(lambda: stick_files.on_stick(not_a_folder.parent, "x"))


@provokes("settings_invalid")
def _(_: Door) -> Problem:
    return raised(lambda: Config.load({}, {"TULLIANA_PORT": "x"}))


@provokes("database_newer")
def _(door: Door) -> Problem:
    door.opened.store.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    return raised(lambda: migrate(door.opened.store))


@pytest.mark.parametrize("code", CATALOGUE)
def test_each_problem_is_met_with_its_status_its_words_and_what_to_do(
    door: Door, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    kind = CATALOGUE[code]
    met = PROVOKED[code](door)
    if isinstance(met, Problem):
        assert met.kind == kind
        assert str(met).startswith(kind.title)
        assert met.hint in str(met)
        return
    assert met.status_code == kind.status
    if met.content_type.startswith("text/xml"):
        message = ET.fromstring(met.data)[0]
        assert message.tag == "{http://openrosa.org/http/response}message"
        words = message.text or ""
    elif met.content_type == "application/json":  # below /v1, as ODK Central says it
        assert met.json is not None
        assert (met.json["details"]["problem"], int(met.json["code"])) == (code, kind.status)
        words = met.json["message"]
    else:
        assert met.content_type == "application/problem+json"
        assert met.json is not None
        assert (met.json["code"], met.json["status"], met.json["type"]) == (code, kind.status, f"urn:tulliana:{code}")
        words = f"{met.json['title']} {met.json['hint']}"
    assert kind.title in words
    assert kind.hint in words
    assert "Traceback" not in words
    assert ("a bug" in caplog.text) == (code == "internal")  # what nobody expected is in the log, with its place


def test_nothing_is_provoked_that_is_not_in_the_catalogue() -> None:
    assert set(PROVOKED) == set(CATALOGUE)


def test_the_catalogue_is_written_for_people() -> None:
    for kind in CATALOGUE.values():
        assert 400 <= kind.status < 600, kind.code
        assert kind.title.endswith("."), kind.code
        assert kind.hint.endswith("."), kind.code
        assert len(f"{kind.title} {kind.hint}") <= 200, kind.code  # T130: what fits on a phone


def test_every_code_that_the_program_raises_is_in_the_catalogue() -> None:
    rooms = [Path(docs.FOLDER.parent / room) for room in ("forms", "records", "sync", "exports", "server")]
    raised_codes = {
        code
        for room in rooms
        for path in room.rglob("*.py")
        for code in re.findall(r'Problem\(\s*"([a-z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert raised_codes <= set(CATALOGUE)
    named = " ".join(
        path.read_text(encoding="utf-8") for room in rooms for path in room.rglob("*.py") if path.name != "problems.py"
    )
    assert [code for code in CATALOGUE if f'"{code}"' not in named] == []


def test_a_detail_and_a_hint_of_the_case_stand_between_title_and_remedy() -> None:
    problem = Problem("busy", "The file is locked.", hint="Close the other program.")
    assert str(problem) == "The server cannot store anything at the moment. The file is locked. Close the other program."
    with pytest.raises(KeyError):
        Problem("no_such_code")


def test_the_handbook_lists_every_problem() -> None:
    docs.assert_current("problems.md")
