"""tulliana area: the study areas of a project."""

from pathlib import Path

import click

from server.commands import opened, project_id


@click.group("area")
def command() -> None:
    """Look after the study areas of a project: every report is put into the smallest one that holds its point."""


@command.command("list")
def show() -> None:
    """List the areas: code, name, country, metapopulation, whether they cross a border."""
    from records.study_areas import listed

    with opened() as services, services.store.read() as connection:
        for row in listed(connection, project_id()):
            across = "transboundary" if row.transboundary else ""
            click.echo("\t".join((row.code, row.name, row.country, str(row.metapopulation or ""), across)).rstrip())


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def take_in(file: Path) -> None:
    """Take in the areas of FILE, a GeoJSON collection of polygons with the properties code, name, country (two letters),
    metapopulation (1 to 4, if any) and transboundary (true or false). An area of the same code is replaced. A point is an office:
    reports from within 1 km of it are asked whether they are tests. All reports of the project are then looked at again.
    """
    from records.study_areas import import_file

    with opened() as services:
        codes = import_file(services.store, project_id(), file)
    click.echo(f"{len(codes)} areas: {', '.join(codes)}")


@command.command()
@click.argument("code")
def remove(code: str) -> None:
    """Take the area CODE away."""
    from records import study_areas

    with opened() as services:
        study_areas.remove(services.store, project_id(), code)
    click.echo(f"{code} is removed.")
