"""tulliana entity: lists that phones pick from."""

from pathlib import Path

import click

from server.commands import access, opened


@click.group("entity")
def command() -> None:
    """Look after the lists that phones pick from, of households and the like."""


@command.command()
def lists() -> None:
    """List the lists: name, entities, conflicts, what waits, what failed, properties."""
    from records.entities import summaries

    with opened() as services, services.store.read() as connection:
        for each in summaries(connection, access()):
            mode = "approval" if each.approval else "at once"
            counts = f"{each.entities}\t{each.conflicts} in conflict\t{each.waiting} waiting\t{each.failed} failed"
            click.echo(f"{each.name}\t{counts}\t{mode}\t{', '.join(each.properties)}")


@command.command()
@click.argument("name", metavar="LIST")
@click.option("--csv", "as_csv", is_flag=True, help="As phones get it.")
@click.option("--log", "show_log", is_flag=True, help="What was asked of the list and waits or failed.")
def show(name: str, as_csv: bool, show_log: bool) -> None:
    """Show the entities of LIST: id, label, version, conflict."""
    from records import entities as kept
    from records.audit import LIST, note_look

    with opened() as services, services.store.read() as connection:
        kept.list_row(connection, access(), name)
        note_look(services.store, access(), LIST, name)
        if as_csv:
            file = services.lists.get(access().project_id, name)
            click.echo(file.content if file else b"", nl=False)
        elif show_log:
            for row in kept.unsettled(connection, access(), name):
                click.echo(
                    f"{row.at:%Y-%m-%d %H:%M}\t{row.state}\t{row.kind}\t{row.uuid}\t{row.instance_id or row.actor}\t{row.detail}"
                )
        else:
            for row in kept.entities(connection, access(), name):
                click.echo(f"{row.uuid}\t{row.label}\t{row.version}\t{row.conflict or ''}")


@command.command("history")
@click.argument("uuid")
def show_history(uuid: str) -> None:
    """Show everything that was asked of the entity UUID, and its versions."""
    from records.audit import ENTITY, note_look
    from sync.entities import history

    with opened() as services, services.store.read() as connection:
        told, rows = history(connection, access(), uuid)
        note_look(services.store, access(), ENTITY, uuid)
    for row in rows:
        version = f"version {row.version}" if row.version else row.detail
        click.echo(f"{row.at:%Y-%m-%d %H:%M}\t{row.kind}\t{row.state}\t{version}\t{row.instance_id or row.actor}")
    for number, values in enumerate(told.versions, 1):
        click.echo(f"{number}\t" + ", ".join(f"{name}={value}" for name, value in values.items()))
    for name, (before, now) in told.clashes.items():
        click.echo(f"In conflict: {name} was “{before}” and is “{now}”.")


@command.command()
@click.argument("uuid")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Give a property another value; repeat as needed.")
def resolve(uuid: str, settings: tuple[str, ...]) -> None:
    """Say that the entity UUID is right as it is, or with other values."""
    from forms.problems import Problem
    from sync.entities import change

    values = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not sign:
            raise Problem("value_invalid", f"{setting}: write NAME=VALUE.")
        values[name] = value
    with opened() as services:
        change(services.store, access(), uuid, "resolve", values)
    click.echo(f"The conflict of {uuid} is resolved.")


@command.command()
@click.argument("uuid")
def delete(uuid: str) -> None:
    """Delete the entity UUID. It leaves the phones with their next update and does not come back."""
    from sync.entities import change

    with opened() as services:
        change(services.store, access(), uuid, "delete")
    click.echo(f"{uuid} is deleted.")


@command.command("import")
@click.argument("name", metavar="LIST")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_file(name: str, file: Path) -> None:
    """Make or change the entities of LIST from FILE, a CSV with the column label; other columns are properties."""
    from sync.entity_import import import_csv

    with opened() as services:
        counts = import_csv(services.store, access(), name, file.read_bytes())
    click.echo(", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "The table is empty.")


@command.command()
@click.argument("name", metavar="LIST")
@click.option("--on/--off", default=True, help="Whether records wait for their approval before they change the list.")
def approval(name: str, on: bool) -> None:
    """Have records change LIST only once they are approved."""
    from records.entities import set_approval
    from sync.entities import settle_waiting

    with opened() as services:
        set_approval(services.store, access(), name, on)
        settle_waiting(services.store, access().project_id)
    click.echo(f"{name} changes {'when a record is approved' if on else 'as soon as a record comes'}.")
