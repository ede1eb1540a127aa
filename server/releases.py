"""Releases: running an export into its folder, and handing its files out at an address that stays."""

import mimetypes
import re
from datetime import UTC, date, datetime
from pathlib import Path

from flask import Blueprint, Response

from exports.recipes import RECIPES, Recipe
from forms.problems import Problem
from records import export_runs
from records.access import Access, Right
from records.export_runs import ReleasedFile
from records.file_kinds import UNKNOWN
from server.downloads import handed_out
from server.identity import access_to
from server.services import Services, services

releases = Blueprint("releases", __name__)
_QUARTERS = re.compile(r"_\d{4}Q\d-\d{4}Q\d")


def run(
    opened: Services, project_id: int, name: str, slot: datetime, *, origin: str, as_of: date | None = None
) -> list[ReleasedFile] | None:
    """Run the export `name` for this slot, as of its day or another; its files, or None when the slot was run before.

    The files are in `release_folder` then. Raises `Problem("not_found")` for an unknown name, and what the export raises.
    """
    recipe = RECIPES.get(name)
    if recipe is None:
        raise Problem("not_found", f"There is no export {name}.", hint=f"One of: {', '.join(RECIPES)}.")
    now = datetime.now(UTC)
    run_id = opened.store.write(lambda connection: export_runs.claim(connection, project_id, name, slot, origin=origin, now=now))
    if run_id is None:
        return None
    try:
        folder, files = _export(
            opened,
            project_id,
            recipe,
            as_of or slot.date(),
            f"project{project_id}/{name}/{slot.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}",
        )
    except BaseException as error:
        text = str(error) or type(error).__name__
        opened.store.write(lambda connection: export_runs.fail(connection, run_id, text, now=datetime.now(UTC)))
        raise
    opened.store.write(lambda connection: export_runs.finish(connection, run_id, folder, files, now=datetime.now(UTC)))
    return files


def release_folder(opened: Services, folder: str) -> Path:
    """Where the files of a run are."""
    return opened.config.data / "releases" / folder


def latest_folder(opened: Services, project_id: int, name: str) -> Path:
    """Where the files of the newest finished run are. Raises `Problem("not_found")`."""
    with opened.store.read() as connection:
        return release_folder(opened, export_runs.latest(connection, project_id, name).folder)


def lasting_name(file_name: str) -> str:
    """The name under which this file of the latest run is found whatever its window: without the quarters."""
    return _QUARTERS.sub("", file_name)


def _export(opened: Services, project_id: int, recipe: Recipe, as_of: date, folder: str) -> tuple[str, list[ReleasedFile]]:
    """Write the release into a folder of its own below `folder`; which one, and its files."""
    with opened.store.snapshot() as connection:
        access, out = Access.everything(project_id, "export"), release_folder(opened, folder)
        result = recipe.run(connection, access, as_of, out, boundaries=opened.config.boundaries)
    files = [ReleasedFile(file.name, file.rows, file.size, file.sha256) for file in result.files]
    return f"{folder}/{result.folder.name}", files


@releases.get("/projects/<int:project_id>/exports/<name>/latest/<file_name>")
def latest(project_id: int, name: str, file_name: str) -> Response:
    """A file of the newest finished run, by its name or its lasting name; asking again costs nothing (ETag, Last-Modified)."""
    access_to(project_id).require(Right.EXPORTS)
    opened = services()
    with opened.store.read() as connection:
        run = export_runs.latest(connection, project_id, name)
    file = next((file for file in run.files if file_name in {file["name"], lasting_name(file["name"])}), None)
    if file is None:
        raise Problem("not_found", f"The latest run of {name} has no file {file_name}.")
    path = release_folder(opened, run.folder) / file["name"]
    if not path.is_file():
        raise Problem("not_found", "The file is no longer here; run the export again.")
    kind = mimetypes.guess_type(path.name)[0] or UNKNOWN
    return handed_out(path, path.name, etag=file["sha256"], kind=kind, changed=run.finished_at)
