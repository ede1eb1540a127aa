"""tulliana project: programmes with forms, phones and data of their own."""

import click

from server.commands import ACTOR, opened


@click.group("project")
def command() -> None:
    """Add projects and list them."""


@command.command()
@click.argument("name")
@click.argument("short_name")
def add(name: str, short_name: str) -> None:
    """Add the project NAME. SHORT_NAME stands in addresses: small Latin letters, digits, hyphens."""
    from records import projects
    from server.setup import install_surveys

    with opened() as services:
        number = projects.add(services.store, name, short_name, actor=ACTOR)
        install_surveys(services)
    click.echo(f"{name} is project {number}, with the shipped surveys. Commands take --project {number}.")


@command.command("list")
def list_projects() -> None:
    """List the projects."""
    from records import projects

    with opened() as services, services.store.read() as connection:
        for project in projects.listed(connection):
            click.echo(f"{project.id}\t{project.account}\t{project.name}")
