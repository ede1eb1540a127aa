"""tulliana pull: take over what was collected on a phone, on ODK Central or on KoBoToolbox."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.commands import access, opened

if TYPE_CHECKING:
    from sync.pull.client import Client
    from sync.pull.receiving import Receiver, Tally

VARIABLE = "PULL_SECRET"


@click.group("pull")
def command() -> None:
    """Take over records from a phone's folder, ODK Central or KoBoToolbox. Again takes what is new; nothing is changed there."""


_address = click.argument("address")
_forms = click.option("--form", "forms", multiple=True, help="Only this form; repeat as needed. By default all.")
_secret = click.option(
    "--secret-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"The password or key, alone in a file. By default {VARIABLE}, or it is asked for. It is kept nowhere.",
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
@_secret
def central(address: str, user: str, source_project: int, forms: tuple[str, ...], secret_file: Path | None) -> None:
    """Take over a project of ODK Central at ADDRESS: forms, records, files, edits, review states, comments."""
    from sync.pull.central import Central
    from sync.pull.client import Client

    client = _warned(Client(address))
    client.sign_in(user, _secret_of(secret_file, "Password"))
    with _receiving(f"pull from {client.base}") as receiver:
        _tell(Central(receiver, client, source_project).pull(forms))


@command.command()
@_address
@_forms
@_secret
def kobo(address: str, forms: tuple[str, ...], secret_file: Path | None) -> None:
    """Take over the forms of an account of KoBoToolbox at ADDRESS. Forms are named by their uid, as in the browser's address.

    The key is shown there under Account settings, Security.
    """
    from sync.pull.client import Client, Key
    from sync.pull.kobo import Kobo

    client = _warned(Client(address, Key("Token", _secret_of(secret_file, "API key"))))
    with _receiving(f"pull from {client.base}") as receiver:
        _tell(Kobo(receiver, client).pull(forms))


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


def _warned(client: "Client") -> "Client":
    if client.is_open:
        click.echo("Warning: http:// sends the password so that others on the way can read it. Use https://.", err=True)
    return client


def _tell(tally: "Tally") -> None:
    for line in tally.lines():
        click.echo(line)
