"""The blueprint all pages hang on, how a project and ids of forms and reports are written into an address."""

from typing import Any

from flask import Blueprint, current_app, g
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter, Map

pages = Blueprint("pages", __name__)
PROJECT = "/projects/<int:project_id>"
"""Where the pages of a project begin. Its number is `g.project_id`; views and links need not mention it."""


@pages.url_value_preprocessor
def _remember_project(_: str | None, values: dict[str, Any] | None) -> None:
    if values and "project_id" in values:
        g.project_id = values.pop("project_id")


@pages.app_url_defaults
def _same_project(endpoint: str, values: dict[str, Any]) -> None:
    if "project_id" in g and "project_id" not in values and current_app.url_map.is_endpoint_expecting(endpoint, "project_id"):
        values["project_id"] = g.project_id


class Segment(BaseConverter):
    """Any text as one part of a path: `~` is `~0` and `/` is `~1`, as in a JSON pointer; a lone `.` or `..` begins with `~2`."""

    def to_python(self, value: str) -> str:
        """The text behind a part of a path."""
        return value.removeprefix("~2").replace("~1", "/").replace("~0", "~")

    def to_url(self, value: str) -> str:
        """The part of a path that stands for a text."""
        escaped = value.replace("~", "~0").replace("/", "~1")
        return super().to_url("~2" + escaped if escaped in {".", ".."} else escaped)


@pages.record_once
def _register(state: BlueprintSetupState) -> None:
    """The converter must be known before the first rule that uses it; lines of templates that say nothing leave none behind."""
    url_map: Map = state.app.url_map
    url_map.converters["segment"] = Segment
    state.app.jinja_env.trim_blocks = state.app.jinja_env.lstrip_blocks = True
