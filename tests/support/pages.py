"""The pages as browsers see them, without a network: an application on a fresh folder, people of every role, one phone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from records import migrations
from records.access import ROLES
from records.publishing import publish
from records.store import Store, open_engine
from server import accounts, app_users
from server.accounts import ADMINISTRATOR, Person
from server.app import create_app
from server.config import Config
from server.identity import COOKIE
from server.services import Services
from server.setup import migrate
from tests.support.collect import encode
from tests.support.records import FLOCK, LOSS, parts
from tests.support.stores import PROJECT

HOSTILE = """"'><img src=x onerror="window.hacked=1"><script>hacked=1</script>"""
HOSTILE_XML = HOSTILE.replace("<", "&lt;")
EVERYBODY = (ADMINISTRATOR, *ROLES)
PASSWORD = "a long enough one"
HOST = "http://192.168.7.5:8080"


_quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # else each test spends a third of a second on its accounts


@cache
def _tables() -> bytes:
    """A database with today's tables and nothing in them."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tulliana.sqlite3"
        store = Store(open_engine(f"sqlite:///{file}"))
        store.rebuild(migrations.upgrade)
        store.close()
        return file.read_bytes()


class Browser(FlaskClient):
    """A browser at one address of the server."""

    host = HOST

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """A request to that address."""
        return super().open(*args, **({"base_url": self.host, "buffered": True} | kwargs))


class Site:
    """One server; `token` is the key of its phone, whose name is hostile."""

    def __init__(self, folder: Path, database_url: str = "", **settings: str) -> None:
        given = {"DATA": folder, "DATABASE_URL": database_url or None, **settings}
        file = folder / "tulliana.sqlite3"
        if not database_url and not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            file.write_bytes(_tables())
        self.app = create_app(Config.load(given, environ={}))
        self.services: Services = self.app.extensions["tulliana"]
        with self.app.app_context():
            migrate(self.services.store)
            with patch.object(accounts, "_hash", _quick.hash):
                for role in EVERYBODY:
                    accounts.add(self.services.store, role, role, PASSWORD, project_id=PROJECT)
            self.token = app_users.add(self.services.store, HOSTILE, project_id=PROJECT).token
        with self.services.store.read() as connection:
            numbers = accounts.ids(connection, EVERYBODY)
            found = ((role, accounts.person(connection, number)) for role, number in numbers.items())
            self.people: dict[str, Person] = {role: person for role, person in found if person is not None}
        for form in (FLOCK, LOSS):
            self.publish(form.read_bytes())

    def close(self) -> None:
        """Let go of the database."""
        self.services.store.close()

    def publish(self, xform: bytes, *, project_id: int = PROJECT) -> None:
        """Publish a form."""
        publish(self.services.store, self.services.blobs, project_id, xform=xform, source_name="test")

    def send(self, xml: bytes, files: dict[str, bytes] | None = None, **headers: str) -> TestResponse:
        """One delivery through the phones' door."""
        body, kind = encode(parts(xml, files))
        path = f"/v1/key/{self.token}/projects/1/submission"
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.app.test_client().post(path, data=body, headers={"Content-Type": kind, **own})

    def browser(self, role: str | None = None, *, language: str = "en", host: str = HOST) -> Browser:
        """A browser in which a person of this role is signed in; nobody for None."""
        browser = Browser(self.app, self.app.response_class)
        browser.host = host
        browser.environ_base |= {"HTTP_ACCEPT_LANGUAGE": language, "HTTP_ACCEPT": "text/html"}
        if role is not None:
            token = accounts.begin_session(self.services.store, self.people[role])
            browser.set_cookie(COOKIE, token, domain=urlsplit(host).hostname or "")
        return browser


@dataclass
class Element:
    """An element of a page with its attributes and the text directly or indirectly in it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """A page taken apart."""

    html: str
    elements: list[Element] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)

    def all(self, tag: str) -> Iterator[Element]:
        """Every element of this name."""
        return (element for element in self.elements if element.tag == tag)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in {"meta", "link", "input", "img", "br", "path", "rect"}:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data


def page(response: TestResponse) -> Page:
    """The page in an answer."""
    assert response.mimetype == "text/html", response.mimetype
    return Page(response.get_data(as_text=True))
