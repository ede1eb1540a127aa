"""Pulling from a real ODK Central: everything it holds must be here afterwards, and again must change nothing.

What it is given to hold are the difficult things: versions, edits with other files, names in Persian, files that are missing and
come late, records deleted, closed forms, encrypted records, entries of lists made by records, typed in, changed on both sides and
deleted.
"""

import hashlib
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

from sqlalchemy import select

from forms.library import workbook
from forms.xlsform import convert_workbooks
from records import entities as kept
from records.access import Access
from records.models import SubmissionVersion
from records.store import Store, open_engine
from records.vault import Vault
from sync import entities
from tests.peers.central_desk import Desk
from tests.peers.central_server import EMAIL, PASSWORD, CentralServer
from tests.peers.recording import Noted, note, write
from tests.support.encryption import Keys, seal
from tests.support.entities import household, household_form
from tests.support.filler import fill
from tests.support.records import LOSS, VILLAGES, flock, loss, meta, renamed
from tests.support.servers import Server

_MEDIA = Path("forms/library/media")
_SPECIFIED = b'<model xmlns:entities="http://www.opendatakit.org/xforms/entities" entities:entities-version="2024.1.0">'
_HOUSEHOLDS = "/v1/projects/{p}/datasets/households/entities"
_JPEG = b"\xff\xd8\xff\xe0 "
_EVERYTHING = Access.everything(1, "peers")
VIEWER = "viewer@example.org"


def uuid4_of(name: str) -> str:
    """The same id for the same name; ODK Central takes version 4 only."""
    return str(uuid.UUID(int=uuid.uuid5(uuid.NAMESPACE_URL, name).int, version=4))


def second(xml: bytes) -> bytes:
    """A record of version 2 of the form."""
    return xml.replace(b'version="1"', b'version="2"')


@dataclass
class Trial:
    """One ODK Central with a project, and one server of ours to pull into."""

    desk: Desk
    target: Server
    keys: Keys
    surveys: tuple[str, ...] = ("household_register", "conflict_livestock")
    rangers: int = 300

    def fill(self) -> None:
        """What is there before the first pull."""
        desk, chance = self.desk, random.Random(6)
        shipped = convert_workbooks([workbook(name, ["en"]) for name in self.surveys]) if self.surveys else []
        for form in shipped:
            media = {name: (_MEDIA / name).read_bytes() for name in form.media if (_MEDIA / name).exists()}
            desk.publish(form.form_id, form.xform, media, first=True)
        desk.publish("livestock_loss", LOSS.read_bytes(), first=True)
        desk.publish("livestock_loss", renamed(LOSS, "livestock_loss", version="2", extra="<!-- two -->"), first=False)
        files = {"villages.csv": "name,label\nv1,ده\n".encode(), "نقشه (۲).jpg": _JPEG}
        desk.publish("village_visit", VILLAGES.read_bytes(), files, first=True)
        desk.publish("visit", household_form().replace(b"<model>", _SPECIFIED), first=True)
        desk.publish("flock_count", self._sealed_form(), first=True)
        desk.app_user("livestock_loss", "village_visit", "visit", "flock_count", *(form.form_id for form in shipped))
        for form in shipped:
            for _ in range(3):
                desk.submit(*fill(form.xform, chance))
        self._losses()
        desk.submit(f'<data id="village_visit" version="1"><village>v1</village><previous/>{meta("uuid:v")}</data>'.encode())
        sealed = seal(self.keys, "uuid:sealed", flock("uuid:sealed"))
        desk.submit(sealed.envelope, sealed.files)
        self._households()
        desk.patch("/v1/projects/{p}/forms/village_visit", state="closed")

    def _sealed_form(self) -> bytes:
        form = renamed(Path(LOSS).parent / "flock_count.xml", "flock_count").decode()
        assert "<submission" not in form
        at = form.index("</model>")
        return (form[:at] + f'<submission base64RsaPublicKey="{self.keys.public_text}"/>' + form[at:]).encode()

    def _losses(self) -> None:
        desk, record = self.desk, self.desk.record
        desk.submit(loss("uuid:a", "a.jpg"), {"a.jpg": _JPEG + b"a"})
        desk.submit(second(loss("uuid:a2", "a.jpg", deprecated_id="uuid:a", remarks="two")), {"a.jpg": _JPEG + b"a"})
        desk.submit(second(loss("uuid:a3", "b.jpg", deprecated_id="uuid:a2", remarks="three")), {"b.jpg": _JPEG + b"b"})
        desk.submit(loss("uuid:b"))
        desk.submit(second(loss("uuid:c", "۱ گوسفند.jpg", ("x y.jpg",))), {"۱ گوسفند.jpg": _JPEG + b"c"})
        desk.submit(loss("uuid:weird / id é"))
        desk.submit(loss("uuid:gone"))
        desk.submit(loss("uuid:e"))
        desk.delete(record("livestock_loss", "uuid:gone"))
        desk.patch(record("livestock_loss", "uuid:b"), reviewState="hasIssues")
        desk.patch(record("livestock_loss", "uuid:e"), reviewState="approved")
        desk.post(record("livestock_loss", "uuid:b") + "/comments", body="how many, again?")

    def _households(self) -> None:
        desk = self.desk
        for name in "abcde":
            desk.submit(household(f"uuid:h-{name}", uuid4_of(name), label=f"H-{name}", herd="12"))
        desk.submit(household("uuid:h-a2", uuid4_of("a"), 'update="1"', label=None, herd="13", base=1))
        desk.settled("households", 5)
        desk.patch(f"{_HOUSEHOLDS}/{uuid4_of('b')}?force=true", data={"note": "from the page"})
        desk.submit(household("uuid:h-b3", uuid4_of("b"), 'update="1"', label=None, herd="99", base=2))
        desk.delete(f"{_HOUSEHOLDS}/{uuid4_of('c')}")
        desk.post("/v1/projects/{p}/datasets", name="rangers")
        desk.post("/v1/projects/{p}/datasets/rangers/properties", name="phone-model")
        rows = [{"uuid": uuid4_of(f"r{n}"), "label": f"R{n}", "data": {"phone-model": "گوشی"}} for n in range(self.rangers)]
        desk.post("/v1/projects/{p}/datasets/rangers/entities", entities=rows, source={"name": "rangers.csv", "size": 1})

    def change(self) -> None:
        """What happens there, and here, between two pulls."""
        desk, record = self.desk, self.desk.record
        desk.submit(second(loss("uuid:c", "۱ گوسفند.jpg", ("x y.jpg",))), {"x y.jpg": _JPEG + b"late"})
        desk.submit(second(loss("uuid:b2", deprecated_id="uuid:b", remarks="two and not one")))
        desk.submit(second(loss("uuid:new")))
        desk.patch(record("livestock_loss", "uuid:e"), reviewState="rejected")
        desk.publish("livestock_loss", renamed(LOSS, "livestock_loss", version="3", extra="<!-- three -->"), first=False)
        desk.patch(f"{_HOUSEHOLDS}/{uuid4_of('a')}?force=true", data={"herd": "20"})
        desk.patch(f"{_HOUSEHOLDS}/{uuid4_of('d')}?force=true", label="H-D", data={"herd": "30"})
        desk.patch(f"{_HOUSEHOLDS}/{uuid4_of('d')}?force=true", data={"herd": "12"})
        desk.delete(f"{_HOUSEHOLDS}/{uuid4_of('e')}")
        store = opened(self.target)
        entities.change(store, _EVERYTHING, uuid4_of("a"), "resolve", {"note": "changed here"})
        store.close()

    def pull(self, user: str = EMAIL) -> str:
        """Pull, as the command does; what it said."""
        found = ["central", self.desk.server.url, "--user", user, "--source-project", str(self.desk.project)]
        with patch.dict("os.environ", {"PULL_SECRET": PASSWORD}):
            code, said = self.target.here("pull", *found)
        assert code == 0, said
        return said

    def viewer(self) -> None:
        """An account there that may look at the project and no more."""
        made = self.desk.post("/v1/users", email=VIEWER, password=PASSWORD)
        roles = {role["system"]: role["id"] for role in self.desk.get("/v1/roles")}
        self.desk.post(f"/v1/projects/{{p}}/assignments/{roles['viewer']}/{made['id']}")

    def compare(self) -> dict[str, int]:
        """Whether all that is there is here; how much was compared."""
        counts = {"forms": 0, "records": 0, "versions": 0, "files": 0, "entries": 0}
        for form in self.desk.get("/v1/projects/{p}/forms"):
            counts["forms"] += 1
            here = {each["instance_id"]: each for each in self.target.submissions(form["xmlFormId"])}
            path = f"/v1/projects/{{p}}/forms/{quote(form['xmlFormId'])}"
            for there in self.desk.get(f"{path}/submissions"):
                self._record(form["xmlFormId"], there, here[there["instanceId"]], counts)
        for each in self.desk.get("/v1/projects/{p}/datasets"):
            counts["entries"] += self._list(each["name"])
        return counts

    def _record(self, form_id: str, there: dict[str, Any], here: dict[str, Any], counts: dict[str, int]) -> None:
        record = self.desk.record(form_id, there["instanceId"])
        state = there["reviewState"] or "received"
        assert here["review_state"] == state, (form_id, there["instanceId"], state, here["review_state"])
        counts["records"] += 1
        store = opened(self.target)
        with store.read() as connection:
            query = select(SubmissionVersion.instance_id, SubmissionVersion.sha256).filter_by(form_id=form_id)
            digests = {row.instance_id: row.sha256 for row in connection.execute(query)}
        store.close()
        for version in self.desk.get(f"{record}/versions"):
            own = version["instanceId"]
            content = self.desk.content(f"{record}/versions/{quote(own, safe='')}.xml")
            assert hashlib.sha256(content).hexdigest() == digests[own], (form_id, own)
            counts["versions"] += 1
        for file in self.desk.get(f"{record}/attachments"):
            if file["exists"]:
                kept_here = {each["name"]: each["sha256"] for each in here["files"]}
                content = self.desk.content(f"{record}/attachments/{quote(file['name'], safe='')}")
                assert self.target.file(kept_here[file["name"]]) == content
                counts["files"] += 1

    def _list(self, name: str) -> int:
        there = {each["uuid"]: each for each in self.desk.get(f"/v1/projects/{{p}}/datasets/{name}/entities")}
        store = opened(self.target)
        with store.read() as connection:
            here = {each.uuid: each for each in kept.entities(connection, _EVERYTHING, name)}
        store.close()
        assert set(here) == set(there), f"{name}: {set(here) ^ set(there)}"
        for own, each in here.items():
            current = self.desk.get(f"/v1/projects/{{p}}/datasets/{name}/entities/{own}")["currentVersion"]
            data = {key: value for key, value in each.data.items() if value and value != "changed here"}
            assert (each.label, data) == (current["label"], current["data"]), (name, own, data, current)
        return len(here)


def opened(server: Server) -> Store:
    """The database of our server."""
    return Store(open_engine(f"sqlite:///{server.data / 'tulliana.sqlite3'}"), vault=Vault(server.data / "keys" / "personal.key"))


@contextmanager
def trial(checkout: Path, node: str, folder: Path, **less: Any) -> Iterator[Trial]:
    """A new ODK Central with everything in it, and a new server of ours with nothing in it."""
    with CentralServer(checkout, node) as central:
        begun = Trial(Desk(central).begin(), Server(folder / "data"), Keys.make(), **less)
        begun.target.here("project", "add", "another")
        begun.fill()
        begun.viewer()
        yield begun


def run(checkout: Path, node: str, folder: Path) -> None:
    """Pull, pull again, change things, pull; print what was said and how much was compared."""
    with trial(checkout, node, folder) as begun:
        print(f"first pull:\n{begun.pull()}{begun.compare()}")
        print(f"again:\n{begun.pull()}")
        begun.change()
        print(f"after changes on both sides, as a viewer:\n{begun.pull(VIEWER)}{begun.compare()}")
        print(f"again:\n{begun.pull(VIEWER)}")


def record(checkout: Path, node: str, folder: Path) -> None:
    """Write down what it answers to three pulls, the second after changes there, with three rows to a page."""
    with trial(checkout, node, folder, surveys=(), rangers=4) as begun:
        answers: Noted = {}
        with patch("sync.pull.walk.PAGE", 3):
            note(answers, begun.desk.server.url, begun.pull)
            begun.change()
            for _ in range(2):
                note(answers, begun.desk.server.url, begun.pull)
        write(answers)
