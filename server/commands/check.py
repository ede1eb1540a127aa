"""tulliana check: look at records again."""

import click

from server.commands import opened


@click.command("check")
@click.option("--again", is_flag=True, help="Also those that were looked at before.")
def command(again: bool) -> None:
    """Look at the records that wait: where they lie, and what is odd about them.

    A running server does so by itself, within seconds. What a person settled stays settled.
    """
    with opened() as services:
        checker = services.checker()
        if again:
            checker.forget()
        click.echo(f"{checker.run()} records checked.")
