"""tulliana log: who did what in a project."""

import click
import orjson

from server.commands import access, opened


@click.command("log")
@click.option("--action", default="", help="Only this, such as data.export for downloads of exact data, or data.view.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="At most so many of the newest.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: one JSON object a line.")
def command(action: str, limit: int, *, as_json: bool) -> None:
    """List who did what, the newest first."""
    from records.audit import events

    with opened() as services, services.store.read() as connection:
        found = events(connection, access(), limit=limit, action=action)
    for event in found:
        line = {"at": event.at, "actor": event.actor, "action": event.action, "target": event.target, "detail": event.detail}
        if as_json:
            click.echo(orjson.dumps(line).decode())
        else:
            told = ", ".join(f"{name}: {value}" for name, value in event.detail.items())
            click.echo(f"{event.at:%Y-%m-%d %H:%M}\t{event.actor}\t{event.action}\t{event.target}\t{told}")
