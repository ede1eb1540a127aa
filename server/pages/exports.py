"""Exports: what is ready to download, for whom it is meant, whether all goes well, and running one now."""

import threading
from datetime import UTC, datetime
from typing import Any, NamedTuple

from flask import Response, redirect, request, url_for
from sqlalchemy import Connection, Row

from exports.package.changes import lasting_name
from exports.package.readme import file_name
from exports.recipes import RECIPES
from forms.problems import Problem
from records import export_runs
from records.access import Right
from server import schedule
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.data import downloadable
from server.pages.release_files import kind_of
from server.pages.rendering import language, page
from server.services import services

_RUNS_SHOWN = 20
_LONGEST_NOTE = 500
_ABOUT = ("data_dictionary.csv", "CHANGES.txt", "provenance.json", "CITATION.cff", "datapackage.json", "SHA256SUMS")


class Shelf(NamedTuple):
    """One export: its newest release, the files people want first and the rest, the failure since, and when that is tried again."""

    latest: Row[Any] | None
    first: list[dict[str, Any]]
    more: list[dict[str, Any]]
    failed: Row[Any] | None
    again_at: datetime | None


@pages.get(f"{PROJECT}/exports", endpoint="exports")
@open_to(Right.EXPORTS)
def all_exports() -> Response:
    """The newest release of every export with its files, what went wrong, when the next are made, and the runs before."""
    with services().store.read() as connection:
        shelves = {name: _shelf(connection, access().project_id, name) for name in RECIPES}
        runs = export_runs.listed(connection, access().project_id, limit=_RUNS_SHOWN)
        surveys = downloadable(connection)
    is_running = any(run.state == "running" for run in runs) or "started" in request.args
    response = page(
        "exports.html",
        shelves=shelves,
        runs=runs,
        is_running=is_running,
        lasting_name=lasting_name,
        kind_of=kind_of,
        surveys=surveys,
        next_slot=schedule.next_slot(services(), datetime.now(UTC)),
    )
    if is_running:
        response.headers["Refresh"] = f"5; url={url_for('pages.exports')}"
    return response


@pages.post(f"{PROJECT}/exports/<name>/run")
@open_to(Right.RUN_EXPORTS)
def run_export(name: str) -> Response:
    """Start an export; it goes on while the person does something else."""
    if name not in RECIPES:
        raise Problem("not_found")
    note = " ".join(request.form.get("note", "").split())[:_LONGEST_NOTE]
    arguments = {"services": services(), "project_id": access().project_id, "name": name, "origin": access().actor, "note": note}
    threading.Thread(target=schedule.run_now, kwargs=arguments, name=f"export {name}", daemon=True).start()
    return redirect(url_for("pages.exports", started=name), 303)  # type: ignore[return-value]


def _shelf(connection: Connection, project_id: int, name: str) -> Shelf:
    runs = export_runs.listed(connection, project_id, name=name, limit=1)
    failed = runs[0] if runs and runs[0].state == "failed" else None
    try:
        latest = export_runs.latest(connection, project_id, name)
    except Problem:
        latest = None
    files = latest.files if latest else []
    rest = {*_ABOUT, *(each["name"] for each in files if each["name"].startswith("README"))} - {file_name(language())}
    first, more = [each for each in files if each["name"] not in rest], [each for each in files if each["name"] in rest]
    return Shelf(latest, first, more, failed, schedule.again_at(failed) if failed else None)
