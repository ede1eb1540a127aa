"""Exports: what is ready to download, for whom it is meant, and running one now."""

import threading
from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy import Connection, Row

from exports.package.changes import lasting_name
from exports.recipes import RECIPES
from forms.problems import Problem
from records import export_runs
from records.access import Right
from server import schedule
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.data import downloadable
from server.pages.rendering import page
from server.services import services

_RUNS_SHOWN = 20


@pages.get(f"{PROJECT}/exports", endpoint="exports")
@open_to(Right.EXPORTS)
def all_exports() -> Response:
    """The newest finished run of every export with its files, and the runs before."""
    with services().store.read() as connection:
        latest = {name: _latest(connection, access().project_id, name) for name in RECIPES}
        runs = export_runs.listed(connection, access().project_id, limit=_RUNS_SHOWN)
        surveys = downloadable(connection)
    is_running = any(run.state == "running" for run in runs) or "started" in request.args
    response = page("exports.html", latest=latest, runs=runs, is_running=is_running, lasting_name=lasting_name, surveys=surveys)
    if is_running:
        response.headers["Refresh"] = f"5; url={url_for('pages.exports')}"
    return response


@pages.post(f"{PROJECT}/exports/<name>/run")
@open_to(Right.RUN_EXPORTS)
def run_export(name: str) -> Response:
    """Start an export; it goes on while the person does something else."""
    if name not in RECIPES:
        raise Problem("not_found")
    arguments = {"services": services(), "project_id": access().project_id, "name": name, "origin": access().actor}
    threading.Thread(target=schedule.run_now, kwargs=arguments, name=f"export {name}", daemon=True).start()
    return redirect(url_for("pages.exports", started=name), 303)  # type: ignore[return-value]


def _latest(connection: Connection, project_id: int, name: str) -> Row[Any] | None:
    try:
        return export_runs.latest(connection, project_id, name)
    except Problem:
        return None
