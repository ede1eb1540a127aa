"""tulliana export hotspots: hotspots worked out once, in another way than the releases are."""

import gc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from server.commands import access, opened

Command = Callable[..., None]


def with_cluster(command: Command) -> Command:
    """Give a command the options of counting on a cluster."""
    storage = click.option(
        "--storage", metavar="URL", help="With --dask: where workers find the records, such as s3://bucket/prefix."
    )
    dask = click.option(
        "--dask", metavar="ADDRESS", help="Count hotspots on a Dask cluster: its scheduler, such as tcp://host:8786."
    )
    return dask(storage(command))


def counting(dask: str | None, storage: str | None) -> dict[str, Any]:
    """The way of counting as an argument of `run_hotspots`; nothing without a cluster."""
    from exports.hotspots.on_dask import Cluster

    if (dask is None) != (storage is None):
        raise click.UsageError("--dask and --storage go together: workers fetch the records from the storage.")
    return {"count": Cluster(dask, storage)} if dask and storage else {}


@click.command("hotspots")
@click.option("--level", type=click.Choice(["public", "partner"]), default="partner", show_default=True, help="Who may read it.")
@click.option("--predator", default="leopard", show_default=True, help="Its code in the form, or all_large_carnivores.")
@click.option("--by-year", is_flag=True, help="The newest calendar year, as releases have it, instead of two years.")
@click.option(
    "--fdr",
    type=click.Choice(["bh", "by"]),
    default="bh",
    show_default=True,
    help="Correction for many tests; by is more cautious.",
)
@click.option(
    "--grid",
    type=click.Choice(["h3", "ease10"]),
    default="h3",
    show_default=True,
    help="Cells: hexagons (H3), or squares of one area (EASE-Grid 2.0).",
)
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day from which windows and embargo count; by default today.")
@click.option("--dask", metavar="ADDRESS", help="Count on a Dask cluster: the address of its scheduler, such as tcp://host:8786.")
@click.option(
    "--storage", metavar="URL", help="With --dask: where the workers find the records meanwhile, such as s3://bucket/prefix."
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder to write to; by default here."
)
def export_hotspots(
    level: str,
    predator: str,
    fdr: str,
    grid: str,
    as_of: datetime | None,
    dask: str | None,
    storage: str | None,
    out: Path,
    *,
    by_year: bool,
) -> None:
    """Work out hotspots once, to be looked at: for another predator, a calendar year, in other cells, or more cautiously.

    Give out releases only (tulliana export run): several tables of one window show by their differences what each of them hides.
    """
    from exports.hotspots.export import run_hotspots

    gc.freeze()  # what was imported is no garbage: to look through it again and again takes a tenth of the time
    day = (as_of or datetime.now(UTC)).date()
    with opened() as services, services.store.snapshot() as connection:
        result = run_hotspots(
            connection, access(), level, day, out,
            predator=predator, boundaries=services.config.boundaries, by_year=by_year, fdr=fdr, grid=grid,
            **counting(dask, storage),
        )  # fmt: skip
    for file in result.files:
        click.echo(f"{result.folder / file.name}\t{file.rows} rows\t{file.sha256}")
