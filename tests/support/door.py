"""An application with one form and one phone, and ways to knock at it without a network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from records.publishing import publish
from server import app_users
from server.app import create_app
from server.config import Config
from server.services import Services
from server.setup import migrate
from tests.support.collect import encode


@dataclass
class Door:
    """`key` begins the addresses of the phone."""

    app: Flask
    opened: Services
    key: str

    @classmethod
    def of(cls, data: Path, form: bytes) -> "Door":
        """The application over this data folder."""
        app = create_app(Config.load({"DATA": str(data)}, {}))
        opened: Services = app.extensions["tulliana"]
        migrate(opened.store)  # makes the key
        publish(opened.store, opened.blobs, 1, xform=form, source_name="test")
        user = app_users.add(opened.store, "ranger", project_id=1, language="en")
        return cls(app, opened, user.url(""))

    def phone(self, path: str, method: str = "GET", **more: Any) -> TestResponse:
        """What the phone gets at this address of its own."""
        return self.app.test_client().open(f"{self.key}{path}", method=method, **more)

    def send(self, xml: bytes, name: str = "xml_submission_file") -> TestResponse:
        """What it gets for a record."""
        body, kind = encode([(name, "record.xml", "text/xml", xml)])
        return self.phone("/submission", "POST", data=body, content_type=kind)

    def browse(self, path: str, method: str = "GET", **more: Any) -> TestResponse:
        """What a program gets that has no key."""
        return self.app.test_client().open(
            path, method=method, headers={"Accept": "application/json", **more.pop("headers", {})}, **more
        )
