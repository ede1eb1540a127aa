"""tulliana pull: take over what was collected on a phone, on ODK Central or on KoBoToolbox."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.commands import access, opened

if TYPE_CHECKING:
    from sync.pull.receiving import Receiver, Tally
    from sync.pull.servers import Server

VARIABLE = "PULL_SECRET"


@click.group("pull")
def command() -> None:
    """Take over records from a phone's folder, ODK Central or KoBoToolbox. Again takes what is new; nothing is changed there."""


_address = click.argument("address")
_forms = click.option("--form", "forms", multiple=True, help="Only this form; repeat as needed. By default all.")
_secret = click.option(
    "--secret-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"The password or key, alone in a file. By default {VARIABLE}, or it is asked for. Kept, sealed, only with --every.",
)
_every = click.option(
    "--every",
    type=int,
    help="Keep the server with its password sealed, and pull from it every so many hours; with 0 when asked by `pull again`.",
)


@command.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--unfinished", is_flag=True, help="Also records that were not finished on the phone.")
def phone(folder: Path, unfinished: bool) -> None:
    """Take in the records in FOLDER: `instances` of ODK Collect or KoBoCollect, copied from a phone or on its card."""
    from sync.pull.phone import pull_phone

    with _receiving("pull from a phone") as receiver:
        _tell(pull_phone(receiver, folder, unfinished=unfinished))


@command.command()
@_address
@click.option("--user", required=True, help="The e-mail address of an account there that may see the records.")
@click.option("--source-project", type=int, default=1, show_default=True, help="The number of the project there.")
@_forms
@_every
@_secret
def central(
    address: str, user: str, source_project: int, forms: tuple[str, ...], every: int | None, secret_file: Path | None
) -> None:
    """Take over a project of ODK Central at ADDRESS: forms, records, files, edits, review states, comments, lists."""
    from sync.pull.servers import CENTRAL, Server

    secret = _secret_of(secret_file, "Password")
    _pull(Server(CENTRAL, address, user, secret, source_project, forms, every or 0), keep=every is not None)


@command.command()
@_address
@_forms
@_every
@_secret
def kobo(address: str, forms: tuple[str, ...], every: int | None, secret_file: Path | None) -> None:
    """Take over the forms of an account of KoBoToolbox at ADDRESS. Forms are named by their uid, as in the browser's address.

    The key is shown there under Account settings, Security.
    """
    from sync.pull.servers import KOBO, Server

    secret = _secret_of(secret_file, "API key")
    _pull(Server(KOBO, address, secret=secret, forms=forms, every_hours=every or 0), keep=every is not None)


@command.command()
def kept() -> None:
    """List the servers that are pulled from again: number, address, how often, when last."""
    from sync.pull.servers import listed

    with opened() as services, services.store.read() as connection:
        for row in listed(connection, access()):
            often = f"every {row.every_hours} hours" if row.every_hours else "when asked"
            last = f"{row.met_at:%Y-%m-%d %H:%M} UTC" if row.met_at else "never"
            failure = f"\tbroke off: {row.outcome['failure']['detail']}" if row.outcome.get("failure") else ""
            click.echo(f"{row.id}\t{row.kind}\t{row.address}\t{often}\tlast: {last}{failure}")


@command.command()
@click.argument("number", type=int)
def again(number: int) -> None:
    """Pull now from the kept server NUMBER."""
    from sync.pull.servers import pull

    with opened() as services:
        _tell(pull(services.store, services.blobs, services.intake, access(), number))


@command.command()
@click.argument("number", type=int)
def forget(number: int) -> None:
    """Forget the kept server NUMBER and its password. What came from there stays."""
    from sync.pull import servers

    with opened() as services:
        servers.forget(services.store, access(), number)


def _pull(server: "Server", *, keep: bool) -> None:
    from sync.pull import servers

    client = server.client()
    if client.is_open:
        click.echo("Warning: http:// sends the password so that others on the way can read it. Use https://.", err=True)
    if keep:
        with opened() as services:
            number = servers.add(services.store, access(), server)
            click.echo(f"kept as number {number}")
            _tell(servers.pull(services.store, services.blobs, services.intake, access(), number))
        return
    with _receiving(servers.origin(client)) as receiver:
        _tell(server.pull(receiver, client))


@contextmanager
def _receiving(origin: str) -> Iterator["Receiver"]:
    from sync.pull.receiving import Receiver

    with opened() as services:
        receiver = Receiver(services.store, services.blobs, services.intake, access(), origin)
        try:
            yield receiver
        except BaseException:
            click.echo("It broke off. What came until then is kept; the same command goes on from there.", err=True)
            _tell(receiver.tally)
            raise


def _secret_of(file: Path | None, words: str) -> str:
    given = file.read_text(encoding="utf-8").strip() if file else os.environ.get(VARIABLE, "")
    return given or str(click.prompt(words, hide_input=True))


def _tell(tally: "Tally") -> None:
    for line in tally.lines():
        click.echo(line)
