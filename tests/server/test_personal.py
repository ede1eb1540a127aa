"""What tells who somebody is reaches those who may know, by whichever door they come, and stands nowhere in the clear."""

import hashlib
import html
import io
import logging
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest
from sqlalchemy import select

from forms.submission import case_number
from records.models import AuditEvent
from server import app_users
from server.api.kobo import uid_of
from tests.support.pages import HOSTILE, PASSWORD, Site
from tests.support.small import record, xform
from tests.support.stores import PROJECT

KIND = 'xmlns:t="urn:tulliana:xforms" t:personal'
FORM = xform(
    "<owner/><copy/><sheet/><photo/><q/>",
    f'<bind nodeset="/data/owner" type="string" constraint="string-length(.) &lt; 3" {KIND}="contact"/>'
    f'<bind nodeset="/data/copy" type="string"/><bind nodeset="/data/sheet" type="binary" {KIND}="attendance"/>'
    '<bind nodeset="/data/photo" type="binary"/><bind nodeset="/data/q" type="string"/>',
    '<input ref="/data/owner"><label>Owner</label></input>'
    '<upload ref="/data/sheet" mediatype="image/*"><label>Sheet</label></upload>'
    '<upload ref="/data/photo" mediatype="image/*"><label>Photo</label></upload><input ref="/data/q"><label>Q</label></input>',
    form_id="claim",
)
NAME = "Gholam-Rezaei-0912"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"
SHEET, PHOTO = JPEG + b" names of people " * 500, JPEG + b" goats " * 500
ID = "uuid:claim-1"
XML = record(
    f"<owner>{NAME}</owner><copy>for {NAME}</copy><sheet>sheet.jpg</sheet><photo>photo.jpg</photo><q>7</q>"
    f"<meta><instanceName>{NAME} 2026</instanceName></meta>",
    form_id="claim",
    instance_id=ID,
)
ROLES_THAT_SEE = ("administrator", "coordinator", "reviewer", "data_collector")


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "data", database_url)
    made.publish(FORM)
    assert made.send(XML, {"sheet.jpg": SHEET, "photo.jpg": PHOTO}).status_code == 201
    app_users.set_account(made.services.store, HOSTILE, "data_collector", project_id=PROJECT)
    yield made
    made.close()


def path(*rest: str) -> str:
    """An address of the record in the manner of ODK Central."""
    return "/".join((f"/v1/projects/{PROJECT}/forms/claim/submissions/{quote(ID)}", *rest))


def page_path(rest: str = "", instance_id: str = ID) -> str:
    return f"/projects/{PROJECT}/reports/claim/{quote(instance_id)}{rest}"


class Reader:
    """A person of one role at every door."""

    def __init__(self, site: Site, role: str) -> None:
        self.site, self.role = site, role
        self.browser = site.browser(role)
        self.client = site.app.test_client()

    def page(self, rest: str = "") -> bytes:
        return bytes(self.browser.get(page_path(rest)).data)

    def program(self, address: str) -> bytes:
        return bytes(self.client.get(address, auth=(self.role, PASSWORD), base_url="https://localhost").data)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def unzipped(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


def pulled(reader: Reader) -> bytes:
    """What ODK Briefcase gets: the record, and every file whose address it is told."""
    key = quote(f"claim[@version=null and @uiVersion=null]/data[@key={ID}]")
    answer = reader.program(f"/view/downloadSubmission?formId={key}")
    addresses = re.findall(rb"<downloadUrl>(.*?)</downloadUrl>", answer)
    return answer + b"".join(reader.program(html.unescape(each.decode()).partition("//localhost")[2]) for each in addresses)


def kobo(reader: Reader) -> bytes:
    """What scripts for KoBoToolbox get, with every file whose address they are told."""
    answer = reader.program(f"/api/v2/assets/{uid_of(PROJECT, 'claim')}/data.json")
    urls = {
        file["download_url"].partition("localhost")[2] for row in orjson.loads(answer)["results"] for file in row["_attachments"]
    }
    return answer + b"".join(map(reader.program, urls))


Channel = Callable[[Reader], bytes]
CHANNELS: dict[str, Channel] = {
    "the page": lambda r: r.page(),
    "the page, asked for contacts": lambda r: r.page("?contact=1"),
    "the list of reports": lambda r: bytes(r.browser.get(f"/projects/{PROJECT}/").data),
    "the log": lambda r: bytes(r.browser.get(f"/projects/{PROJECT}/log").data),
    "the quarantine": lambda r: bytes(r.browser.get(f"/projects/{PROJECT}/quarantine").data),
    "a version on the page": lambda r: r.page(f"/versions/{digest(XML)}.xml"),
    "files on the page": lambda r: b"".join(r.page(f"/files/{digest(each)}/{name}?save=1") for name, each in FILES.items()),
    "the record": lambda r: r.program(path()),
    "its XML": lambda r: r.program(f"{path()}.xml"),
    "its versions": lambda r: r.program(path("versions")) + r.program(path("versions", f"{quote(ID)}.xml")),
    "its files": lambda r: r.program(path("attachments")) + b"".join(r.program(path("attachments", name)) for name in FILES),
    "its comments and audits": lambda r: r.program(path("comments")) + r.program(path("audits")),
    "OData": lambda r: r.program(f"/v1/projects/{PROJECT}/forms/claim.svc/Submissions"),
    "the tables and files as a ZIP": lambda r: unzipped(r.program(f"/v1/projects/{PROJECT}/forms/claim/submissions.csv.zip")),
    "ODK Briefcase": pulled,
    "KoBoToolbox": kobo,
}
FILES = {"sheet.jpg": SHEET, "photo.jpg": PHOTO}
NAMES = {"the page, asked for contacts", "a version on the page", "its XML", "its versions", "ODK Briefcase"}
GIVES_FILES = {"files on the page", "its files", "the tables and files as a ZIP", "ODK Briefcase", "KoBoToolbox"}


@pytest.mark.parametrize("role", ROLES_THAT_SEE)
def test_every_door_gives_names_and_files_to_who_may_have_them_and_to_nobody_else(site: Site, role: str) -> None:
    reader = Reader(site, role)
    got = {name: channel(reader) for name, channel in CHANNELS.items()}
    may_know = role in {"administrator", "coordinator"}
    assert {name for name, content in got.items() if NAME.encode() in content} == (NAMES if may_know else set())
    assert {name for name, content in got.items() if SHEET in content} == (GIVES_FILES if may_know else set())
    assert {name for name, content in got.items() if PHOTO in content} == GIVES_FILES
    assert all(b">7<" in got[name] or b'"7"' in got[name] or b">7\n" in got[name] for name in ("its XML", "OData", "KoBoToolbox"))
    told = got["the page"].decode()
    assert "Withheld" in told
    assert ("Show them" in told) is may_know


@pytest.mark.parametrize("role", ["analyst", None])
def test_who_sees_no_reports_gets_nothing(site: Site, role: str | None) -> None:
    browser = site.browser(role)
    for address in (page_path(), page_path("?contact=1"), f"{path()}.xml", path("attachments", "photo.jpg")):
        answer = browser.get(address)
        assert answer.status_code in {302, 303, 401, 403}
        assert NAME.encode() not in answer.data


def test_a_withheld_file_is_refused_in_words(site: Site) -> None:
    answer = Reader(site, "reviewer").client.get(
        path("attachments", "sheet.jpg"), auth=("reviewer", PASSWORD), base_url="https://localhost"
    )
    assert answer.status_code == 403
    assert "withheld" in answer.get_data(as_text=True)
    thumbnail = site.browser("reviewer").get(page_path(f"/thumbnails/{digest(SHEET)}.jpg"))
    assert thumbnail.status_code == 403


def test_every_reading_by_a_person_is_in_the_log(site: Site) -> None:
    def lines() -> list[tuple[str, str]]:
        with site.services.store.read() as connection:
            rows = connection.execute(select(AuditEvent).with_only_columns(*AuditEvent.__table__.columns)).all()
        return [(row.actor, row.detail["what"]) for row in rows if row.action == "personal.read"]

    coordinator, reviewer = Reader(site, "coordinator"), Reader(site, "reviewer")
    coordinator.page()
    CHANNELS["OData"](coordinator)
    for name in NAMES:
        CHANNELS[name](reviewer)
    assert lines() == []
    for name in sorted(NAMES):
        CHANNELS[name](coordinator)
    assert sorted(lines()) == sorted([("coordinator", "answers")] + [("coordinator", "xml")] * 4)
    assert case_number(ID) in site.browser("coordinator").get(f"/projects/{PROJECT}/log").get_data(as_text=True)


def test_nothing_of_it_stands_in_the_clear_in_any_file(
    tmp_path: Path, sqlite_template: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    site = Site(tmp_path / "data")
    site.publish(FORM)
    assert site.send(XML, FILES).status_code == 201
    assert site.send(b"<data " + NAME.encode(), FILES).status_code == 400
    assert site.send(XML.replace(b'id="claim"', b'id="never"'), FILES).status_code == 404
    Reader(site, "coordinator").page("?contact=1")
    site.services.checker().run()
    site.close()
    everything = [file for file in (tmp_path / "data").rglob("*") if file.is_file()]
    assert len(everything) > 5
    for file in everything:
        content = file.read_bytes()
        assert NAME.encode() not in content, file
        assert b"names of people" not in content, file
        assert b"\xff\xd8\xff\xe0" not in content, file
    assert NAME not in caplog.text


def test_without_its_key_records_are_taken_in_sealed_and_are_read_when_it_is_back(site: Site) -> None:
    key = site.services.store.vault.path
    assert key is not None
    text = key.read_text()
    key.unlink()
    site.services.store.vault._load()
    other = XML.replace(ID.encode(), b"uuid:claim-2").replace(b">7<", b">8<")
    assert site.send(other, {"photo.jpg": PHOTO + b"2"}).status_code == 201
    assert site.services.checker().run() == 0
    browser = site.browser("coordinator")
    photo = page_path(f"/files/{digest(PHOTO + b'2')}/photo.jpg?save=1", "uuid:claim-2")
    assert browser.get(page_path("", "uuid:claim-2")).status_code == 200
    for address in (page_path("?contact=1", "uuid:claim-2"), page_path("?contact=1"), photo):
        answer = browser.get(address)
        assert answer.status_code == 503
        assert "key" in answer.get_data(as_text=True)
    key.write_text(text)
    assert NAME in browser.get(page_path("?contact=1", "uuid:claim-2")).get_data(as_text=True)
    assert browser.get(photo).data == PHOTO + b"2"
    assert site.services.checker().run() == 2
