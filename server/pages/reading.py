"""The newest report that people read, in the browser: an address that stays, from which those of all countries are reached."""

from flask import Response, redirect, url_for

from exports.package.changes import lasting_name
from exports.recipes import RECIPES
from forms.problems import Problem
from records import export_runs
from records.access import Right
from server.downloads import handed_out
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.rendering import language
from server.releases import release_folder
from server.services import services

KINDS = {"html": "text/html", "pdf": "application/pdf"}
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A report has its style and letters in itself, and nothing that runs."""


@pages.get(f"{PROJECT}/exports/<name>/read/")
@open_to(Right.EXPORTS)
def newest_report(name: str) -> Response:
    """Lead to the newest report about all countries in the reader's language."""
    _report(name)
    file_name = f"{name.replace('-', '_')}_range_{language()}.html"
    return redirect(url_for("pages.newest_report_file", name=name, file_name=file_name))  # type: ignore[return-value]


@pages.get(f"{PROJECT}/exports/<name>/read/<file_name>")
@open_to(Right.EXPORTS)
def newest_report_file(name: str, file_name: str) -> Response:
    """A file of the newest report, by its name or its lasting name; what is to be printed is saved."""
    _report(name)
    with services().store.read() as connection:
        run = export_runs.latest(connection, access().project_id, name)
    kind = KINDS.get(file_name.rpartition(".")[2])
    found = next((file for file in run.files if file_name in {file["name"], lasting_name(file["name"])}), None)
    if found is None or kind is None:
        raise Problem("not_found", f"The newest {name} has no file {file_name}.")
    path, is_page = release_folder(services(), run.folder) / found["name"], kind == KINDS["html"]
    response = handed_out(path, path.name, etag=found["sha256"], kind=kind, in_place=is_page, changed=run.finished_at)
    if is_page:
        response.headers["Content-Security-Policy"] = _POLICY
    return response


def _report(name: str) -> None:
    if name not in RECIPES or RECIPES[name].kind != "report":
        raise Problem("not_found", f"There is no report {name}.")
