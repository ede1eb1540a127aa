"""tulliana account: people who sign in."""

import click

from server import accounts
from server.commands import opened


@click.group("account")
def command() -> None:
    """Add people and change passwords."""


@command.command()
@click.argument("name")
@click.option("--role", type=click.Choice(accounts.ROLES), default="coordinator", show_default=True)
@click.option("--password", help="By default a new one is made and shown.")
def add(name: str, role: str, password: str | None) -> None:
    """Add the account NAME. An analyst downloads releases; a coordinator sees reports and adds phones."""
    chosen = password or accounts.new_password()
    with opened() as services:
        accounts.add(services.store, name, role, chosen, actor="command line")
    click.echo(f"{name} may sign in as {role}." + ("" if password else f" Password (shown only now): {chosen}"))


@command.command()
@click.argument("name")
@click.option("--password", help="By default a new one is made and shown.")
def password(name: str, password: str | None) -> None:
    """Give NAME a new password; browsers signed in as NAME are signed out."""
    chosen = password or accounts.new_password()
    with opened() as services:
        accounts.set_password(services.store, name, chosen, actor="command line")
    click.echo(f"{name} has a new password." + ("" if password else f" It is (shown only now): {chosen}"))
