"""tulliana personal: what tells who somebody is. Its key, how long it is kept, and what a person may ask for."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.commands import ACTOR, access, opened
from server.services import Services

if TYPE_CHECKING:
    from sync.person.finding import Person


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
    from server import personal

    with opened() as services:
        done = personal.drop(services, services.config.contact_months if months is None else months, ACTOR)
    click.echo(f"Contents of records without names and telephone numbers now: {done.versions};")
    click.echo(f"deleted: {done.drafts} records of trials, {done.aside} that were kept aside.")


@command.command("find")
@click.argument("text")
def find(text: str) -> None:
    """Find what is kept of a person: TEXT is a household's or reporter's code, a name or a telephone number. The log notes it."""
    with opened() as services:
        _tell(_found(services, text, ()))


@command.command("export")
@click.argument("text")
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The ZIP to write.")
def export(text: str, target: Path) -> None:
    """Write everything about a person into a ZIP for them: records, files and what was done with them. The log notes it."""
    from sync.person.copying import write_copy

    with opened() as services:
        person = _found(services, text, ())
        _tell(person)
        with open(target, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            count = write_copy(services.store, services.blobs, services.intake.schemas, access(), person, file)
    click.echo(f"{count} records are in {target}. Give it to nobody else, and delete it afterwards.")


@command.command("erase")
@click.argument("text", required=False)
@click.option("--record", "records", nargs=2, multiple=True, metavar="FORM ID", help="The person whom this record is about.")
@click.option("--reason", required=True, help="Why; it is kept, so it must not name the person.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(text: str | None, records: tuple[tuple[str, str], ...], reason: str, yes: bool) -> None:
    """Erase what is kept of a person, everywhere; it cannot be undone. What happened to the herd stays, without whom.

    Backups made before still hold it: note down which, and when they end.
    """
    from server import personal

    with opened() as services:
        person = _found(services, text, records)
        _tell(person)
        if not yes:
            click.confirm("Erase all of this for good?", abort=True)
        done = personal.erase(services, access(), person, reason)
    click.echo(
        ", ".join(f"{count} {what}" for what, count in done.counts.items()) + " erased." if done.counts else "Nothing to erase."
    )
    for folder in done.withdrawn:
        click.echo(f"The release {folder} named them and was withdrawn; run the export again.")


@command.command("list")
def list_erasures() -> None:
    """List the erasures: when, by whom, why, and how much; nothing about the people."""
    from sync.person.erasing import erasures

    with opened() as services, services.store.read() as connection:
        for row in reversed(erasures(connection, access())):
            counts = ", ".join(f"{count} {what}" for what, count in row.counts.items())
            click.echo(f"{row.id}\t{row.at:%Y-%m-%d %H:%M}\t{row.actor}\t{row.reason}\t{counts}")


def _found(services: Services, text: str | None, records: tuple[tuple[str, str], ...]) -> "Person":
    from forms.problems import Problem
    from sync.person import finding

    if bool(text) == bool(records):
        raise Problem("value_invalid", "Name a person by a text, or by their records with --record.")
    where = (services.store, services.blobs, services.intake.schemas, access())
    person = finding.find(*where, text) if text else finding.of_records(*where, records)
    if person.is_nobody:
        raise Problem(
            "not_found", "Nothing is kept here of such a person.", hint="Try their code, name and number one after the other."
        )
    return person


def _tell(person: "Person") -> None:
    for form_id, instance_id in person.about:
        click.echo(f"about them\t{form_id}\t{instance_id}")
    for form_id, instance_id in person.written:
        click.echo(f"written by them\t{form_id}\t{instance_id}")
    for form_id, instance_id in person.mentions:
        click.echo(f"a comment names them\t{form_id}\t{instance_id}")
    for name, uuid in person.entities:
        click.echo(f"in a list\t{name}\t{uuid}")
    for form_id, instance_id, _ in person.trials:
        click.echo(f"in a trial\t{form_id}\t{instance_id}")
    for phone in person.phones:
        click.echo(f"a phone is named like them\t{phone}")
    for sha256 in person.aside:
        click.echo(f"kept aside\t{sha256}")
    for record_id in person.relayed:
        click.echo(f"of another node, or for one\t{record_id}")
