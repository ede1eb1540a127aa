"""Ground to attack: two projects, people of every role and some who lost theirs, phones that may send and phones that may not.

Every record carries a word of its own in its answers and in its photo, so that one can look for it in any answer.
"""

import contextlib
import hashlib
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask import g
from PIL import Image
from sqlalchemy import insert
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from forms.problems import Problem
from records import drafts, incidents, projects, reviews
from records.models import Entity, EntityList, IncidentLink
from server import accounts, app_users, doors, releases
from server.api.kobo import uid_of
from server.app_users import NewAppUser
from server.identity import COOKIE
from server.tokens import digest, new_token
from sync.delivery import Delivery, ReceivedFile
from tests.support.pages import PASSWORD, Browser, Site
from tests.support.records import FLOCK, LOSS, loss
from tests.support.stores import EVERYTHING, PROJECT

READERS = ("nobody", "data_collector", "analyst", "reviewer", "coordinator", "administrator", "stranger")
"""A stranger is the coordinator of another project."""
LOST = ("closed", "ended", "forged")
"""A browser whose account was closed, one that was signed out elsewhere, and one with a cookie of its own making."""
RECORDS = {"mine": "own", "theirs": "theirs", "deleted": "own", "elsewhere": "elsewhere"}
"""The records, and the phones that sent them: the data collector's own, another one, and one of the other project."""
ENTITY = "5f1f4bd4-7b4c-4f43-9a8b-0d3c8b7f7a11"


class Ground(Site):
    """One server with everything on it that somebody might want to see."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        store = self.services.store
        self.other = projects.add(store, "Other", "other")
        for form in (FLOCK, LOSS):
            self.publish(form.read_bytes(), project_id=self.other)
        self.cookies = {"forged": new_token()}
        for name, project_id in (("stranger", self.other), ("closed", PROJECT), ("ended", PROJECT)):
            self._add_person(name, project_id)
        self.passes = {name: self._pass(name) for name in ("coordinator", "closed")}
        accounts.close(store, "closed")
        accounts.end_sessions(store, "ended")
        self.phones = {name: self._phone(name) for name in ("own", "theirs", "withdrawn", "elsewhere")}
        self.logins = {name: app_users.set_password(store, name, project_id=user.project_id) for name, user in self.phones.items()}
        app_users.revoke(store, "withdrawn", project_id=PROJECT)
        for name, phone in RECORDS.items():
            self._deliver(name, self.phones[phone])
        self._join_reports()
        self._keep_aside()
        reviews.delete(store, EVERYTHING, "livestock_loss", "uuid:deleted")
        self._add_entity()
        releases.run(self.services, PROJECT, "hotspots-public", datetime.now(UTC), origin="test")
        self.old_draft_key, self.draft_key = new_token(), new_token()
        xform = FLOCK.read_bytes().replace(b"2026050201", b"2026050299")
        key = {"source_name": "test", "token_sha256": digest(self.old_draft_key)}
        drafts.save(store, self.services.blobs, EVERYTHING, xform=xform, **key)
        drafts.change_key(store, EVERYTHING, "flock_count", digest(self.draft_key))

    def reader(self, name: str) -> Browser:
        """The browser of one of `READERS` or `LOST`."""
        browser = self.browser(None if name in {"nobody", *LOST} else name)
        browser.environ_base["HTTP_ACCEPT"] = "*/*"
        if name in LOST:
            browser.set_cookie(COOKIE, self.cookies[name], domain="192.168.7.5")
        return browser

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """(method, rule) of every address of the server, but for what follows from another: HEAD and OPTIONS."""
        for rule in sorted(self.app.url_map.iter_rules(), key=lambda rule: rule.rule):
            yield from ((method, rule) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))

    def address(self, rule: Rule, record: str) -> str:
        """An address of this rule at which there is something; of this record, where it is of a record."""
        of_xml = "/versions/" in rule.rule
        aside = "/aside/" in rule.rule
        values = {
            "project_id": PROJECT,
            "account": f"project{PROJECT}",
            "form_id": "conflict_livestock" if "workbook" in rule.rule else "livestock_loss",
            "instance_id": f"uuid:{record}",
            "other_form": "livestock_loss",
            "other_id": "uuid:mine",
            "version_id": f"uuid:{record}",
            "record": record,
            "sha256": _sha256(_xml("aside", "never_published") if aside else _xml(record) if of_xml else _photo(record)),
            "digest": _sha256(_photo("aside")),
            "version": "1",
            "target": "Submissions",
            "uid": uid_of(PROJECT, "livestock_loss"),
            "uuid": ENTITY,
            "file_name": "README.txt",
            "release": "latest",
            "name": next((name for part, name in _NAMES.items() if part in rule.rule), f"{record}.jpg"),
        }
        return built(rule, {name: values.get(name, "nothing") for name in rule.arguments}) + _queries(record).get(rule.endpoint, "")

    def _add_person(self, name: str, project_id: int) -> None:
        accounts.add(self.services.store, name, "coordinator", PASSWORD, project_id=project_id)
        with self.services.store.read() as connection:
            self.people[name] = accounts.verified(connection, name, PASSWORD)
        self.cookies[name] = accounts.begin_session(self.services.store, self.people[name])

    def _pass(self, name: str) -> str:
        """What stands in the addresses of forms that this person is given."""
        with self.app.test_request_context():
            g.person = self.people[name]
            return doors.sealed("forms", self.people[name].access(PROJECT))

    def _phone(self, name: str) -> NewAppUser:
        project_id = self.other if name == "elsewhere" else PROJECT
        account = "data_collector" if name == "own" else None
        return app_users.add(self.services.store, name, project_id=project_id, account=account)

    def _deliver(self, name: str, phone: NewAppUser) -> None:
        with self.services.store.read() as connection:
            row = app_users.identified(connection, phone.token, phone.project_id)
        photo = ReceivedFile((f"{name}.jpg",), self.services.blobs.put(_photo(name)), "image/jpeg")
        self.services.intake.receive(Delivery(phone.project_id, _xml(name), (photo,), row.id))

    def _join_reports(self) -> None:
        """Make one incident of all records of the first project, whoever may see them."""
        key = {"project_id": PROJECT, "form_id": "livestock_loss", "incident_id": "uuid:theirs", "role": "report"}
        names = ("mine", "theirs", "deleted")
        links = [key | {"instance_id": f"uuid:{name}", "how": "decision", "reference": name} for name in names]
        self.services.store.write(lambda connection: connection.execute(insert(IncidentLink), links))
        mine, theirs = ("livestock_loss", "uuid:mine"), ("livestock_loss", "uuid:theirs")
        incidents.decide(self.services.store, EVERYTHING, mine, theirs, "same")

    def _keep_aside(self) -> None:
        photo = ReceivedFile(("aside.jpg",), self.services.blobs.put(_photo("aside")), "image/jpeg")
        with contextlib.suppress(Problem):
            self.services.intake.receive(Delivery(PROJECT, _xml("aside", "never_published"), (photo,)))

    def _add_entity(self) -> None:
        now = datetime.now(UTC)
        of_list = {"name": "households", "created_at": now, "approval": False, "revision": 1, "properties": ["village"]}
        of_entity = {"list_name": "households", "uuid": ENTITY, "label": "word-entity", "data": {}, "version": 1, "created_at": now}

        def work(connection: Any) -> None:
            connection.execute(insert(EntityList).values(project_id=PROJECT, **of_list))
            connection.execute(insert(Entity).values(project_id=PROJECT, **of_entity))

        self.services.store.write(work)


def written_table() -> dict[tuple[str, str], dict[str, int]]:
    """tests/server/access_table.txt: (method, rule) to the status for each reader, where there is nothing and nothing is sent."""
    lines = (Path(__file__).parents[1] / "server" / "access_table.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    return {(method, rule): dict(zip(READERS, map(int, statuses), strict=True)) for method, rule, *statuses in rows}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def filled(rule: Rule) -> str:
    """An address of this rule at which there is nothing; in the first project, where it is of a project."""
    return built(rule, {name: PROJECT if name == "project_id" else "nothing" for name in rule.arguments})


def built(rule: Rule, values: dict[str, Any]) -> str:
    """The address of this rule with these values."""
    found = rule.build(values, append_unknown=False)
    assert found is not None
    return found[1]


_NAMES = {
    "/aside/": "aside.jpg",
    "/phones/": "theirs",
    "/exports/": "hotspots-public",
    "/people/": "analyst",
    "/datasets/": "households",
    "/entities/": "households",
}


def _queries(record: str) -> dict[str, str]:
    """What follows the address of some rules, by their name."""
    key = f"?formId=livestock_loss[@version=null]/loss[@key=uuid:{record}]"
    doors = ("pull", "pull_by_account")
    return {
        f"{door}.{name}": query
        for door in doors
        for name, query in (("download_submission", key), ("submission_list", "?formId=livestock_loss"))
    }


def words(answer: TestResponse) -> set[str]:
    """The records whose words are in an answer, packed or not."""
    data = answer.get_data()
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = b"".join(archive.read(name) for name in archive.namelist())
    return {name for name in [*RECORDS, "aside", "entity"] if f"word-{name}".encode() in data or f"photo-{name}".encode() in data}


def _xml(name: str, form_id: str = "livestock_loss") -> bytes:
    xml = loss(f"uuid:{name}", f"{name}.jpg", remarks=f"word-{name}")
    return xml.replace(b'id="livestock_loss"', f'id="{form_id}"'.encode())


@cache
def _photo(name: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG")
    return out.getvalue() + f"photo-{name}".encode()
