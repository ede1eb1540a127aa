"""The files of releases at addresses that stay: those of the newest release, and those of each one by its name."""

import mimetypes

from flask import Blueprint, Response
from sqlalchemy import Connection, Row

from exports.package.changes import lasting_name
from forms.problems import Problem
from records import export_runs
from records.access import Right
from records.file_kinds import UNKNOWN
from server.downloads import handed_out
from server.identity import access_to
from server.releases import release_folder
from server.services import services

releases = Blueprint("releases", __name__)
LATEST = "latest"


@releases.get("/projects/<int:project_id>/exports/<name>/<release>/<file_name>")
def file(project_id: int, name: str, release: str, file_name: str) -> Response:
    """A file of a release: of the one called `release` (2026Q2-r1), or of the latest.

    A file of the latest is found by its lasting name too, NAME.zip is the archive of all. Asking again costs nothing (ETag).
    """
    access_to(project_id).require(Right.EXPORTS)
    opened = services()
    with opened.store.read() as connection:
        run = _run(connection, project_id, name, release)
    folder = release_folder(opened, run.folder)
    archive = run.about.get("archive")
    files = [(each, folder / each["name"], {each["name"], lasting_name(each["name"])}) for each in run.files]
    if archive:
        files.append((archive, folder.with_name(archive["name"]), {archive["name"], f"{name}.zip"}))
    found = next(((each, path) for each, path, names in files if file_name in names), None)
    if found is None:
        raise Problem("not_found", f"The release {release} of {name} has no file {file_name}.")
    about, path = found
    if not path.is_file():
        raise Problem("not_found", "The file is no longer here; run the export again.")
    kind = mimetypes.guess_type(path.name)[0] or UNKNOWN
    return handed_out(path, path.name, etag=about["sha256"], kind=kind, changed=run.finished_at)


def _run(connection: Connection, project_id: int, name: str, release: str) -> Row[tuple[object, ...]]:
    if release == LATEST:
        return export_runs.latest(connection, project_id, name)
    for run in export_runs.finished(connection, project_id, name):
        if run.about.get("release") == release:
            return run
    raise Problem("not_found", f"There is no release {release} of {name}.")
