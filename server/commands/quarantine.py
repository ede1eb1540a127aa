"""tulliana quarantine: what waits for a person."""

import click

from server.commands import access, opened

_MOST = 1000


@click.group("quarantine")
def command() -> None:
    """Look at what waits for a person, and at what was refused and kept aside."""


@command.command("list")
@click.option("--flag", "code", help="Only records with a flag of this code.")
def list_waiting(code: str | None) -> None:
    """List the records that wait, the oldest first, then what was kept aside, by digest."""
    from records import quarantine
    from records.flags import is_waiting
    from sync import aside

    with opened() as services, services.store.read() as connection:
        rows = quarantine.waiting(connection, access(), limit=_MOST)
        kept = aside.waiting(connection, access(), limit=_MOST)
    for row in rows:
        codes = sorted({item["code"] for item in row.flags if is_waiting(item)})
        if code is None or code in codes:
            click.echo(
                f"{row.received_at:%Y-%m-%d %H:%M}\t{row.form_id}\t{row.instance_id}\t{row.app_user or ''}\t{', '.join(codes)}"
            )
    for row in kept if code is None else ():
        click.echo(
            f"{row.last_at:%Y-%m-%d %H:%M}\t{row.form_id}\t{row.sha256}\t{row.app_user or ''}\t{row.reason}, came {row.times}x"
        )


@command.command("take-in")
@click.argument("sha256")
def take_in(sha256: str) -> None:
    """Take in what was kept aside under the digest SHA256, as if it came now."""
    from sync import aside

    with opened() as services:
        receipt = aside.take_in(services.store, services.blobs, services.intake, access(), sha256)
    click.echo(f"{receipt.instance_id}: {receipt.outcome}.")


@command.command()
@click.argument("sha256")
def dismiss(sha256: str) -> None:
    """Say that nothing is to be done about what was kept aside under the digest SHA256. Its bytes stay."""
    from sync import aside

    with opened() as services:
        aside.dismiss(services.store, access(), sha256)
    click.echo(f"{sha256}: dismissed.")
