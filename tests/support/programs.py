"""Programs that read a server: an account for them, plain requests, a table page by page as Excel and R go through it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from records import reviews
from records.access import Access
from records.store import Store, open_engine
from tests.support.records import new_id
from tests.support.servers import Server

PASSWORD = "a long pass phrase"


@dataclass
class Reader:
    """A person with one role, whose programs sign in with name and password on every request."""

    server: Server
    name: str

    @property
    def root(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.server.port}"

    def ask(self, path: str, method: str = "GET", **more: Any) -> requests.Response:
        """One request; `path` may be absolute."""
        address = path if path.startswith("http") else self.root + path
        return requests.request(method, address, auth=(self.name, PASSWORD), timeout=60, **more)

    def get(self, path: str, **more: Any) -> Any:
        """What is there, as JSON."""
        answer = self.ask(path, **more)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()

    def rows(self, form_id: str, table: str = "Submissions", **options: Any) -> list[dict[str, Any]]:
        """All rows of a table, following every link."""
        return [row for page in self.pages(form_id, table, **options) for row in page["value"]]

    def pages(self, form_id: str, table: str = "Submissions", **options: Any) -> Iterator[dict[str, Any]]:
        """The pages of a table; `options` are those of OData without the dollar sign."""
        page = self.get(f"{service(form_id)}/{table}", params={f"${name}": value for name, value in options.items()})
        yield page
        while link := page.get("@odata.nextLink"):
            page = self.get(link)
            yield page


def form_path(form_id: str) -> str:
    """The address of a form in the first project."""
    return f"/v1/projects/1/forms/{quote(form_id, safe='')}"


def service(form_id: str) -> str:
    """The address of its OData service."""
    return f"{form_path(form_id)}.svc"


def delete_record(server: Server, form_id: str, instance_id: str) -> None:
    """Delete a record, as a coordinator does."""
    store = Store(open_engine(server.database_url or f"sqlite:///{server.data / 'tulliana.sqlite3'}"))
    try:
        reviews.delete(store, Access.everything(1, "test"), form_id, instance_id)
    finally:
        store.close()


def reader(server: Server, role: str = "reviewer") -> Reader:
    """A new account with this role."""
    name = f"{role} {new_id().removeprefix('uuid:')}"
    code, said = server.here("account", "add", name, "--role", role, "--password", PASSWORD)
    assert code == 0, said
    return Reader(server, name)
