"""The blueprint all pages hang on, and how ids of forms and reports are written into an address."""

from flask import Blueprint
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter, Map

pages = Blueprint("pages", __name__)


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
