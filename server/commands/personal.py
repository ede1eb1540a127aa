"""tulliana personal: what tells who somebody is. Its key, how long it is kept, and what a person may ask for."""

import click

from server.commands import ACTOR, opened


@click.group("personal")
def command() -> None:
    """Look after personal data: seal, delete on schedule, find, hand over and erase."""


@command.command("seal")
@click.option(
    "--again", is_flag=True, help="Look into every record, for instance after a form began to mark questions as personal."
)
def seal(again: bool) -> None:
    """Seal what an older version kept in the clear, or another key sealed. The server does it by itself, too."""
    from server.personal import forget_plain_thumbnails
    from sync.sealing import seal_all

    with opened() as services:
        done = seal_all(services.store, services.blobs, services.intake.schemas, again=again)
        forget_plain_thumbnails(services)
        path = services.store.vault.path
    click.echo(f"{done.versions} contents of records and {done.files} files sealed. The key is in {path}: keep a copy apart.")


@command.command("new-key")
def new_key() -> None:
    """Seal with a new key from now on, and everything that is here: for when somebody may have seen the old one."""
    from records import keys

    with opened() as services:
        fresh = services.store.vault.add_key()
        keys.ready(services.store)
        path = services.store.vault.path
    click.echo(f"The key {fresh} is the first in {path}. Copy the file to where you keep its copies, restart the server,")
    click.echo("then run: tulliana personal seal. The older keys open the backups made before; keep them with those.")


@command.command("drop")
@click.option("--months", type=click.IntRange(min=0), help="How long they are kept (TULLIANA_CONTACT_MONTHS).")
def drop(months: int | None) -> None:
    """Delete names and telephone numbers whose time is over. The server does it every day."""
    from datetime import UTC, datetime

    from records.retention import drop_due

    with opened() as services:
        kept = services.config.contact_months if months is None else months
        done = drop_due(services.store, months=kept, now=datetime.now(UTC), actor=ACTOR)
    click.echo(
        f"Contents of records without names and telephone numbers now: {done.versions}; records of trials deleted: {done.drafts}."
    )
