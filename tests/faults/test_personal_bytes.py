"""Names, numbers and codes in every byte of the data folder and of the database: where they may stand, and until when.

A real server on both databases, the shipped surveys, commands as people type them. What is searched are files, not tables.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Select, func, make_url, select

from records.models import ConflictReport, IncidentLink, Submission
from records.models.base import Base
from server.demo.pictures import mountains
from tests.conftest import NewServer
from tests.support.collect import Collect, Record, encode
from tests.support.servers import Server

NAME, NUMBER, CODE, OTHER = "Gholamreza Tahmasbi", "0912 555 7788", "QZ-4711", "QZ-4712"
CONTACTS = (b"Gholamreza", b"Tahmasbi", b"555 7788", b"5557788")
CODES = (b"qz-4711", b"qz4711")
"""In small letters: codes are kept as compared, too."""
PHOTO = mountains(4711)


def xml(form_id: str, instance_id: str, content: str, name: str, deprecated_id: str = "") -> bytes:
    deprecated = f"<deprecatedID>{deprecated_id}</deprecatedID>" if deprecated_id else ""
    meta = f"<meta><instanceID>{instance_id}</instanceID>{deprecated}<instanceName>{name}</instanceName></meta>"
    return f'<data id="{form_id}" version="unknown">{content}{meta}</data>'.encode()


def conflict(instance_id: str, code: str, owner: str, *, remarks: str = "", photo: str = "", deprecated_id: str = "") -> bytes:
    reporter = f"<reporter_role>herder</reporter_role><reporter_code>{code}</reporter_code><household_code>{code}</household_code>"
    content = (
        "<submission_purpose>real</submission_purpose><consent>yes</consent><consent_share>yes</consent_share>"
        f"<reporter>{reporter}<owner_contact>{owner}</owner_contact></reporter><country>IR</country>"
        "<when><event_date>2026-05-01</event_date></when><where><event_gps>36.5 52.0 100 5</event_gps></where>"
        "<losses_g><loss><species>sheep</species><n_killed>2</n_killed></loss></losses_g>"
        f"<photo_kill>{photo}</photo_kill><remarks>{remarks}</remarks>"
    )
    return xml("conflict_livestock", instance_id, content, owner or code, deprecated_id)


class World:
    """A server to which a person's data came by every way there is."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = server.app_user("Ranger")["url"]
        own = f"{NAME} {NUMBER}"
        self.records = [
            Record(conflict("uuid:one", CODE, own, remarks=f"call {own}", photo="1.jpg"), {"1.jpg": PHOTO}),
            Record(conflict("uuid:one-b", CODE, own, photo="1.jpg", deprecated_id="uuid:one"), {"1.jpg": PHOTO}),
            Record(conflict("uuid:two", CODE, "", remarks=f"{CODE} again")),
            Record(conflict("uuid:other", OTHER, "Maryam Karimi", remarks=f"neighbour of {CODE}")),
            Record(self._register()),
        ]
        self.strays = [f"<data>{own} {CODE}".encode(), self.records[0].xml.replace(b"conflict_livestock", b"never_known")]
        self.send()
        self.command("check")

    def send(self) -> None:
        """Everything, as phones do that have not heard that it came."""
        phone = Collect(self.url)
        for record in self.records:
            phone.send(record)
        for stray in self.strays:
            body, kind = encode([("xml_submission_file", "a.xml", "text/xml", stray)])
            headers = {"Content-Type": kind, "X-OpenRosa-Version": "1.0"}
            assert self.server.raw("POST", f"{self.url}/submission", body, headers).status in {400, 404}

    def command(self, *arguments: str) -> str:
        """A command beside the server."""
        code, said = self.server.here(*arguments)
        assert code == 0, said
        return said

    @staticmethod
    def _register() -> bytes:
        entity = f'<entity dataset="households" id="{uuid4()}" create="1"><label>{CODE} Karan</label></entity>'
        household = f"<household_code>{CODE}</household_code><village>Karan</village>"
        content = f"<consent>yes</consent><household_g>{household}</household_g>"
        return xml("household_register", "uuid:register", content, CODE).replace(b"<meta>", f"<meta>{entity}".encode())

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every file of the data folder, of the database, and the server's log."""
        for file in self.server.data.rglob("*"):
            if file.is_file() and file.name != "personal.key":
                yield str(file), file.read_bytes()
        yield "log", self.server.log.encode()
        if self.server.database_url:
            yield from self._postgres()

    def _postgres(self) -> Iterator[tuple[str, bytes]]:
        url = make_url(self.server.database_url)
        with psycopg.connect(host=str(url.query["host"]), user="tulliana", dbname=url.database, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            [oid] = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone() or [0]
        folder = Path(str(url.query["host"])) / "data" / "base" / str(oid)
        for file in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # PostgreSQL tidies up in between
                yield str(file), file.read_bytes()

    def counts(self) -> list[int]:
        """Records, incidents and conflict reports: what an erasure leaves as it was."""
        with self.server._reading() as connection:
            incidents = select(func.count(IncidentLink.incident_id.distinct()))
            return [connection.execute(query).scalar_one() for query in (_count(Submission), incidents, _count(ConflictReport))]

    def found(self, words: tuple[bytes, ...]) -> Mapping[str, list[bytes]]:
        """Where each of these words stands."""
        places = {}
        for place, content in self.files():
            if here := [word for word in words if word in (content.lower() if word in CODES else content)]:
                places[place] = here
        return places


def _count(model: type[Base]) -> Select[tuple[int]]:
    return select(func.count()).select_from(model)


@pytest.fixture(params=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest, new_server: NewServer) -> World:
    return World(new_server(request.param, {"TULLIANA_EXPORT_SCHEDULE": "never"}))


def test_a_person_stands_in_no_byte_in_the_clear_and_after_the_erasure_in_none_at_all(world: World) -> None:
    """Contacts and photos are sealed from the first moment; what people of the programme wrote themselves goes with the erasure."""
    assert world.found((*CONTACTS, PHOTO[300:360])) == {}
    assert world.found(CODES) != {}  # the search finds what is there
    world.command("submission", "comment", "uuid:two", f"{NAME} called, {NUMBER}")
    world.server.app_user(f"Phone of {NAME}")
    before = world.counts()
    said = world.command("personal", "erase", CODE, "--reason", "letter 17", "--yes")
    world.command("personal", "erase", NAME, "--reason", "letter 17", "--yes")
    assert world.found((*CONTACTS, *CODES)) == {}, said
    assert not any(each in str(kept) for kept in world.server.originals("conflict_livestock").values() for each in (NAME, CODE))
    assert world.counts() == before
    world.send()
    world.command("check", "--again")
    assert world.found((*CONTACTS, *CODES)) == {}
    assert world.counts() == before
    assert "Maryam Karimi" in str(world.server.originals("conflict_livestock")["uuid:other"])
    doctor = world.server.here("doctor")[1]
    assert [line for line in doctor.splitlines() if line.startswith("✗") and "Address for phones" not in line] == []


def test_what_had_its_time_is_gone_sealed_or_not(world: World) -> None:
    with world.server._reading() as connection:
        sealed = connection.execute(select(Submission.contact).where(Submission.contact.is_not(None))).scalars().all()
    assert len(sealed) == 2
    assert world.found(tuple(sealed)) != {}
    world.command("personal", "drop", "--months", "0")
    assert not any(told for _, told in world.server.originals("conflict_livestock").values())
    assert not any(b"Maryam" in xml or NAME.encode() in xml for xml, _ in world.server.originals("conflict_livestock").values())
    if not world.server.database_url:  # PostgreSQL writes over it when it needs the place
        assert world.found(tuple(sealed)) == {}
    world.send()
    assert not any(told for _, told in world.server.originals("conflict_livestock").values())
