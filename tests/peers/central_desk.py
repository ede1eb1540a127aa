"""What people and phones do with ODK Central: publish forms, send records, correct, review, comment, delete; keep entity lists."""

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests

from tests.peers.central_server import EMAIL, PASSWORD, CentralServer

Json = dict[str, Any]


@dataclass
class Desk:
    """A coordinator at one project of ODK Central, and a phone of it."""

    server: CentralServer
    session: requests.Session = field(default_factory=requests.Session)
    project: int = 0
    phone: str = ""

    def begin(self, name: str = "Touran") -> "Desk":
        """Sign in and make a project."""
        answer = requests.post(f"{self.server.url}/v1/sessions", json={"email": EMAIL, "password": PASSWORD}, timeout=30)
        self.session.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        self.project = self.post("/v1/projects", name=name)["id"]
        return self

    def app_user(self, *form_ids: str) -> None:
        """Give these forms to a phone."""
        made = self.post("/v1/projects/{p}/app-users", displayName="Ranger")
        for form_id in form_ids:
            self.post(f"/v1/projects/{{p}}/forms/{quote(form_id)}/assignments/app-user/{made['id']}")
        self.phone = f"{self.server.url}/v1/key/{made['token']}/projects/{self.project}"

    def publish(self, form_id: str, xform: bytes, media: dict[str, bytes] | None = None, *, first: bool) -> None:
        """Publish a form, or a new version of it, with files."""
        form = f"/v1/projects/{{p}}/forms/{quote(form_id)}"
        self.send("POST", "/v1/projects/{p}/forms" if first else f"{form}/draft", xform, "application/xml")
        for name, content in (media or {}).items():
            self.send("POST", f"{form}/draft/attachments/{quote(name)}", content, "image/png")
        self.post(f"{form}/draft/publish")

    def submit(self, xml: bytes, files: dict[str, bytes] | None = None) -> None:
        """Send a record as ODK Collect does."""
        parts = {"xml_submission_file": ("record.xml", xml, "text/xml")}
        parts |= {name: (name, content, "image/jpeg") for name, content in (files or {}).items()}
        answer = requests.post(f"{self.phone}/submission", files=parts, headers={"X-OpenRosa-Version": "1.0"}, timeout=60)
        assert answer.status_code == 201, answer.text

    def record(self, form_id: str, instance_id: str) -> str:
        """The path of a record."""
        return f"/v1/projects/{{p}}/forms/{quote(form_id)}/submissions/{quote(instance_id, safe='')}"

    def post(self, path: str, **body: Any) -> Json:
        """Make something."""
        return self._json("POST", path, body)

    def patch(self, path: str, **body: Any) -> Json:
        """Change something."""
        return self._json("PATCH", path, body)

    def delete(self, path: str) -> None:
        """Delete something."""
        self._json("DELETE", path, {})

    def get(self, path: str) -> Any:
        """Read something."""
        return self._asked("GET", path).json()

    def content(self, path: str) -> bytes:
        """Read a file."""
        return self._asked("GET", path).content

    def settled(self, name: str, entries: int) -> None:
        """Wait until the records that were sent have made so many entries of a list."""
        for _ in range(100):
            if len(self.get(f"/v1/projects/{{p}}/datasets/{name}/entities")) >= entries:
                return
            time.sleep(0.2)
        raise TimeoutError(f"{name} has not got {entries} entries")

    def send(self, method: str, path: str, content: bytes, kind: str) -> None:
        """Send a file."""
        self._asked(method, path, data=content, headers={"Content-Type": kind})

    def _json(self, method: str, path: str, body: Json) -> Json:
        found: Json = self._asked(method, path, json=body).json()
        return found

    def _asked(self, method: str, path: str, **more: Any) -> requests.Response:
        answer = self.session.request(method, self.server.url + path.format(p=self.project), timeout=60, **more)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer
