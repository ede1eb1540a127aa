"""tulliana submission: what arrived, for people and scripts."""

import sys

import click
import orjson

from server.commands import access, opened, project_id, reviews
from server.commands.decrypt import command as decrypt


@click.group("submission")
def command() -> None:
    """Look at what arrived, and say what is to become of it."""


for each in (decrypt, *reviews.COMMANDS):
    command.add_command(each)


@command.command("list")
@click.option("--form", "form_id", required=True, help="The form's id.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: one JSON object a line.")
def list_submissions(form_id: str, as_json: bool) -> None:
    """List the records of a form."""
    from records.forms import latest_xform
    from records.submissions import listed

    with opened() as services, services.store.snapshot() as connection:
        latest_xform(connection, project_id(), form_id)
        for record in listed(connection, access(), form_id):
            if not as_json:
                codes = ", ".join(sorted({flag["code"] for flag in record.flags}))
                click.echo(
                    f"{record.instance_id}\t{record.received_at:%Y-%m-%d %H:%M}\t{record.app_user}\t{record.review_state}\t{codes}"
                )
                continue
            line = {
                "instance_id": record.instance_id,
                "form_id": record.form_id,
                "version": record.version,
                "received_at": record.received_at,
                "app_user": record.app_user,
                "review_state": record.review_state,
                "flags": record.flags,
                "attachments": [{"name": file.name, "size": file.size, "sha256": file.sha256} for file in record.attachments],
            }
            click.echo(orjson.dumps(line).decode())


@command.command()
@click.argument("instance_id")
@click.option("--xml", "as_xml", is_flag=True, help="The exact bytes received. The log says so.")
@click.option("--contact", is_flag=True, help="The answers too that tell who somebody is. The log says so.")
def show(instance_id: str, as_xml: bool, contact: bool) -> None:
    """Show one record."""
    from records.audit import RECORD, note_look
    from records.contact import note_reading, read_contact
    from records.submissions import found, xml_of

    with opened() as services:
        with services.store.read() as connection:
            record = found(connection, access(), instance_id)
            xml = xml_of(connection, access(), instance_id) if as_xml else b""
        if as_xml:
            note_reading(services.store, access(), record.form_id, record.instance_id, "xml")
            sys.stdout.buffer.write(xml)
            return
        told = read_contact(services.store, access(), record.form_id, record.instance_id) if contact else []
        if not told:
            note_look(services.store, access(), RECORD, record.instance_id, form_id=record.form_id, what="answers")
    for each in told:
        click.echo(f"{each.path}: {each.text}")
    click.echo(orjson.dumps(record.answers, option=orjson.OPT_INDENT_2).decode())
    for flag in record.flags:
        click.echo(f"{flag['code']}: {flag['path']} {flag['message']}")
