"""tulliana export: run exports and list their runs."""

import shutil
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from server.commands import ACTOR, access, opened, project_id
from server.commands.export_data import export_data
from server.commands.export_hotspots import counting, export_hotspots, with_cluster

if TYPE_CHECKING:
    from records.export_runs import ReleasedFile


@click.group("export")
def command() -> None:
    """Run exports and list their runs."""


command.add_command(export_data)
command.add_command(export_hotspots)


@command.command("run")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--level", type=click.Choice(["public", "partner"]), default="public", show_default=True, help="Who may read it.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Also copy the files to this folder.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day from which windows and embargo count; by default today.")
@click.option("--note", default="", help="What a corrected release is for; it stands in its CHANGES.txt.")
@with_cluster
def run_exports(
    names: tuple[str, ...],
    level: str,
    out: Path | None,
    as_of: datetime | None,
    note: str,
    dask: str | None,
    storage: str | None,
) -> None:
    """Run exports now, one after the other. Each becomes the latest one to download.

    NAME is hotspots, indicators, report, darwincore or camtrapdp (for the readers that --level names), or with its readers, such as
    indicators-partner.
    """
    from exports.recipes import RECIPES
    from records.export_runs import latest
    from server.releases import release_folder, run

    wanted = {name if name in RECIPES else f"{name}-{level}": name for name in names}
    day: date | None = as_of.date() if as_of else None
    options = counting(dask, storage)
    if options and any(RECIPES[name].kind != "hotspots" for name in wanted if name in RECIPES):
        raise click.UsageError("Only hotspots are counted on a cluster.")
    with opened() as services:
        for name in wanted:
            now = datetime.now(UTC)
            files = run(services, project_id(), name, now, origin=ACTOR, as_of=day, note=note, options=options) or []
            with services.store.read() as connection:
                given = latest(connection, project_id(), name)
            if given.about.get("outcome") == "held":
                release = given.about.get("release", "its release")
                click.echo(
                    f"{name}: records have changed, and {release} stands (docs/releases.md). To correct a mistake: --note.",
                    err=True,
                )
            folder = release_folder(services, given.folder)
            target = folder if out is None else out if len(wanted) == 1 else out / name
            if out is not None:
                _copy(files, folder, target)
            for file in files:
                click.echo(f"{target / file.name}\t{file.rows} rows\t{file.sha256}")


def _copy(files: "Iterable[ReleasedFile]", folder: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(folder / file.name, target / file.name)


@command.command("table")
@click.argument("form_id")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder to write to; by default here."
)
def export_table(form_id: str, out: Path) -> None:
    """Write all records of a form as CSV, as they are: exact places and codes, not for publication. One more file per repeat."""
    from exports.tables import repeats_of, write_csv
    from forms.definition import FormDefinition
    from records.audit import note_taken
    from records.forms import latest_xform

    out.mkdir(parents=True, exist_ok=True)
    with opened() as services, services.store.snapshot() as connection:
        definition = FormDefinition.from_xform(latest_xform(connection, project_id(), form_id))
        note_taken(services.store, access(), form_id, "table")
        for repeat in [(), *repeats_of(definition)]:
            target = out / ("-".join([form_id.replace("/", "_"), *repeat]) + ".csv")
            with target.open("w", encoding="utf-8", newline="") as stream:
                rows = write_csv(connection, access(), form_id, stream, repeat=repeat)
            click.echo(f"{target}\t{rows} rows")


@command.command("slot", hidden=True)
@click.argument("name")
@click.argument("slot")
@click.option("--origin", required=True)
@click.option("--note", default="")
def run_slot(name: str, slot: str, origin: str, note: str) -> None:
    """Run one slot of the schedule, unless it was run before."""
    from server.releases import run

    with opened() as services:
        run(services, project_id(), name, datetime.fromisoformat(slot), origin=origin, note=note)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For scripts: one JSON object a line.")
def list_runs(as_json: bool) -> None:
    """List the runs, newest first, with their state, rows and checksums."""
    from records.export_runs import listed

    with opened() as services, services.store.read() as connection:
        runs = listed(connection, project_id())
    for run in runs:
        if as_json:
            click.echo(orjson.dumps({key: value for key, value in run._mapping.items() if key not in {"id", "folder"}}).decode())
            continue
        click.echo(f"{run.name}\t{run.slot:%Y-%m-%d %H:%M:%S}Z\t{run.state}\t{run.origin}\t{run.error}")
        for file in run.files:
            click.echo(f"    {file['name']}\t{file['rows']} rows\t{file['sha256']}")
