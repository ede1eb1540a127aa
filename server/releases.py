"""Releases: running an export into its folder, and which releases are kept."""

import errno
import logging
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Row

from exports.recipes import RECIPES, Recipe
from forms.problems import Problem
from records import export_runs
from records.access import Access
from records.export_runs import SCHEDULE, ReleasedFile
from server import notices
from server.services import Services

_log = logging.getLogger(__name__)
_WORDS = {
    errno.ENOSPC: "The disk is full. Make room, or keep fewer releases (TULLIANA_EXPORT_KEEP).",
    errno.EACCES: "The folder of the releases may not be written to. Give it back to the user that runs the server.",
    errno.EROFS: "The disk can only be read. Have a look at the machine.",
}


class Given(NamedTuple):
    """What a run gives out: the folder below the releases, its files, and what there is to know about the release."""

    folder: str
    files: list[ReleasedFile]
    about: dict[str, Any]


def run(
    opened: Services,
    project_id: int,
    name: str,
    slot: datetime,
    *,
    origin: str,
    as_of: date | None = None,
    note: str = "",
    options: Mapping[str, Any] | None = None,
) -> list[ReleasedFile] | None:
    """Run the export `name` for this slot, as of its day or another; its files, or None when the slot was run before.

    The files are in `release_folder` then. `note` says what a correction is for; `options` are those of the recipe. Raises
    `Problem("not_found")` for an unknown name, and what the export raises.
    """
    recipe = RECIPES.get(name)
    if recipe is None:
        raise Problem("not_found", f"There is no export {name}.", hint=f"One of: {', '.join(RECIPES)}.")
    now = datetime.now(UTC)
    run_id = opened.store.write(
        lambda connection: export_runs.claim(connection, project_id, name, slot, origin=origin, now=now, reason=note)
    )
    if run_id is None:
        return None
    try:
        given = _release(
            opened, project_id, replace(recipe, options={**recipe.options, **(options or {})}), as_of or slot.date(), origin, note
        )
    except BaseException as error:
        text = in_plain_words(error)
        opened.store.write(lambda connection: export_runs.fail(connection, run_id, text, now=datetime.now(UTC)))
        _tell(opened, run_id, notices.failed(project_id, name, text))
        raise
    files, about = given.files, given.about
    opened.store.write(
        lambda connection: export_runs.finish(connection, run_id, given.folder, files, now=datetime.now(UTC), about=about)
    )
    forget_old(opened, project_id, name)
    if about["outcome"] == "new":
        _tell(opened, run_id, notices.ready(opened.config, project_id, name, about, files))
    return files


def in_plain_words(error: BaseException) -> str:
    """Why a run failed, for people who look after the server."""
    if isinstance(error, Problem):
        return f"{error.detail or error.kind.title} {error.hint}".strip()
    if isinstance(error, MemoryError):
        return "The memory of this machine is too small for this export."
    if isinstance(error, OSError) and error.errno in _WORDS:
        return f"{_WORDS[error.errno]} ({error})"
    return str(error) or type(error).__name__


def release_folder(opened: Services, folder: str) -> Path:
    """Where the files of a run are."""
    return opened.config.releases_folder / folder


def latest_folder(opened: Services, project_id: int, name: str) -> Path:
    """Where the files of the newest finished run are. Raises `Problem("not_found")`."""
    with opened.store.read() as connection:
        return release_folder(opened, export_runs.latest(connection, project_id, name).folder)


def forget_old(opened: Services, project_id: int, name: str) -> list[str]:
    """Delete the files of releases that are no longer to be kept; which folders. What is known of their runs stays."""
    with opened.store.read() as connection:
        folders = export_runs.outlived(export_runs.finished(connection, project_id, name), opened.config.export_keep)
    for folder in folders:
        opened.store.write(partial(export_runs.removed, folder=folder, now=datetime.now(UTC)))
        path = release_folder(opened, folder)
        shutil.rmtree(path, ignore_errors=True)
        path.with_name(f"{path.name}.zip").unlink(missing_ok=True)
    return folders


def _release(opened: Services, project_id: int, recipe: Recipe, as_of: date, origin: str, note: str) -> Given:
    """Make the release, or find the one that stands.

    It is corrected only by a person who says why: night by night, releases of one window would tell of single reports.
    """
    from exports.package.release import Made, make

    home = f"project{project_id}/{recipe.name}"
    with opened.store.snapshot() as connection:
        runs = export_runs.finished(connection, project_id, recipe.name)
        made = make(
            connection,
            Access.everything(project_id, "export"),
            recipe,
            as_of,
            release_folder(opened, home),
            past=list(dict.fromkeys(Path(run.folder).name for run in runs)),
            boundaries=opened.config.boundaries,
            note=note,
            may_correct=origin != SCHEDULE and bool(note),
        )
    if not isinstance(made, Made):
        return _standing(next(run for run in runs if Path(run.folder).name == made.name), is_same=made.is_same)
    archive, summary = made.archive, made.summary
    about = {
        "release": summary["release_id"],
        "level": summary["level"],
        "period_start": summary["period_start"],
        "period_end": summary["period_end"],
        "archive": {"name": archive.name, "size": archive.size, "sha256": archive.sha256},
        "changes": made.changed,
        "note": note,
        "outcome": "new",
    }
    files = [ReleasedFile(file.name, file.rows, file.size, file.sha256) for file in made.files]
    return Given(f"{home}/{made.folder.name}", files, about)


def _standing(run: Row[Any], *, is_same: bool) -> Given:
    files = [ReleasedFile(**file) for file in run.files]
    about = {key: value for key, value in run.about.items() if key != "remark"}
    return Given(run.folder, files, {**about, "outcome": "same" if is_same else "held"})


def _tell(opened: Services, run_id: int, message: notices.Message) -> None:
    """Tell who wants to know; what could not be delivered is kept with the run, and never undoes it."""
    trouble = notices.send(opened.config, message)
    if trouble:
        _log.warning("A message about the export %s was not delivered: %s", message.name, trouble)
        opened.store.write(lambda connection: export_runs.remark(connection, run_id, trouble))
