"""Releases: running an export into its folder, and handing its files out at an address that stays."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from flask import Blueprint, Response, send_file

from forms.problems import Problem
from records import export_runs
from records.export_runs import ReleasedFile
from server.identity import require
from server.services import Services, services

releases = Blueprint("releases", __name__)


def run(opened: Services, name: str, slot: datetime, *, origin: str) -> list[ReleasedFile] | None:
    """Run the export `name` for this slot; its files, or None when the slot was run before. Raises what the export raises."""
    now = datetime.now(UTC)
    folder = f"{name}/{slot:%Y%m%dT%H%M%SZ}-{slot.microsecond:06d}"
    run_id = opened.store.write(lambda connection: export_runs.claim(connection, name, slot, origin=origin, folder=folder, now=now))
    if run_id is None:
        return None
    try:
        files = _export(opened, name, slot, opened.config.data / "releases" / folder)
    except BaseException as error:
        text = str(error) or type(error).__name__
        opened.store.write(lambda connection: export_runs.fail(connection, run_id, text, now=datetime.now(UTC)))
        raise
    opened.store.write(lambda connection: export_runs.finish(connection, run_id, files, now=datetime.now(UTC)))
    return files


def _export(opened: Services, name: str, slot: datetime, folder: Path) -> list[ReleasedFile]:
    raise NotImplementedError


@releases.get("/exports/<name>/latest/<file_name>")
def latest(name: str, file_name: str) -> Response:
    """A file of the newest finished run; with ETag and Last-Modified, so that asking again costs nothing."""
    require("analyst", "coordinator")
    opened = services()
    with opened.store.read() as connection:
        run, file = export_runs.latest_file(connection, name, file_name)
    path = opened.config.data / "releases" / run.folder / file["name"]
    if not path.is_file():
        raise Problem("not_found", "The file is no longer here; run the export again.")
    response = send_file(path, as_attachment=True, etag=file["sha256"], last_modified=run.finished_at, conditional=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
