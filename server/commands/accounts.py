"""tulliana account: people who sign in."""

import click

from records import projects
from records.access import ROLES
from server import accounts
from server.commands import ACTOR, opened, project_id

_EVERY_ROLE = click.Choice([accounts.ADMINISTRATOR, *ROLES])


@click.group("account")
def command() -> None:
    """Add people, change their roles and passwords."""


@command.command()
@click.argument("name")
@click.option("--role", type=_EVERY_ROLE, default="coordinator", show_default=True)
@click.option("--password", help="By default a new one is made and shown.")
def add(name: str, role: str, password: str | None) -> None:
    """Add the account NAME with a role in the project.

    A coordinator runs the project, a reviewer looks at reports, an analyst downloads releases, a data collector sees what their own
    phones sent. An administrator may do everything in every project.
    """
    chosen = password or accounts.new_password()
    with opened() as services:
        accounts.add(services.store, name, role, chosen, project_id=project_id(), actor=ACTOR)
    click.echo(f"{name} may sign in as {role}." + ("" if password else f" Password (shown only now): {chosen}"))


@command.command()
@click.argument("name")
@click.argument("role", type=click.Choice([*ROLES, "none"]))
def role(name: str, role: str) -> None:
    """Give NAME the ROLE in the project, or none."""
    with opened() as services:
        accounts.set_role(services.store, name, None if role == "none" else role, project_id=project_id(), actor=ACTOR)
    click.echo(f"{name} is {role} in project {project_id()}.")


@command.command()
@click.argument("name")
@click.option("--password", help="By default a new one is made and shown.")
def password(name: str, password: str | None) -> None:
    """Give NAME a new password; browsers signed in as NAME are signed out."""
    chosen = password or accounts.new_password()
    with opened() as services:
        accounts.set_password(services.store, name, chosen, actor=ACTOR)
    click.echo(f"{name} has a new password." + ("" if password else f" It is (shown only now): {chosen}"))


@command.command()
@click.argument("name")
def close(name: str) -> None:
    """Close the account NAME. What was done under it stays in the log."""
    with opened() as services:
        accounts.close(services.store, name, actor=ACTOR)
    click.echo(f"{name} may no longer sign in.")


@command.command("sign-out")
@click.argument("name")
def sign_out(name: str) -> None:
    """Sign NAME out of every browser."""
    with opened() as services:
        accounts.end_sessions(services.store, name, actor=ACTOR)
    click.echo(f"{name} is signed out everywhere.")


@command.command("list")
def list_accounts() -> None:
    """List the accounts with their roles."""
    with opened() as services, services.store.read() as connection:
        names = {project.id: project.name for project in projects.listed(connection)}
        for one in accounts.listed(connection):
            roles = ", ".join(f"{role} in {names[project]}" for project, role in one.roles.items())
            state = "closed" if one.closed_at else accounts.ADMINISTRATOR if one.is_administrator else roles
            click.echo(f"{one.name}\t{state}")
