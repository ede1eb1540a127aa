"""tulliana app-user: phones that may send."""

import json
from pathlib import Path

import click

from server import app_users
from server.commands import ACTOR, opened, project_id
from server.network import is_loopback, serving_url


@click.group("app-user")
def command() -> None:
    """Add phones and withdraw their keys."""


@command.command()
@click.argument("name")
@click.option("--language", default="en", show_default=True, help="Language of the receipts: en or fa.")
@click.option("--png", type=click.Path(path_type=Path), help="Write the QR code to this picture.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: one JSON object with name, token and url.")
def add(name: str, language: str, png: Path | None, as_json: bool) -> None:
    """Add the phone or ranger NAME and show the QR code that sets up ODK Collect or KoBoCollect."""
    with opened() as services:
        user = app_users.add(services.store, name, project_id=project_id(), language=language, actor=ACTOR)
        base_url = serving_url(services.config)
    code = app_users.settings_qr(user, base_url)
    if png is not None:
        code.save(str(png), kind="png", scale=6, border=4)
    if as_json:
        click.echo(json.dumps({"name": user.name, "token": user.token, "url": user.url(base_url)}, ensure_ascii=False))
        return
    if is_loopback(base_url):
        click.echo(f"Phones cannot reach {base_url}: serve with --host 0.0.0.0 or set TULLIANA_PUBLIC_URL.", err=True)
    click.echo(f"\nIn ODK Collect or KoBoCollect: Add project, then scan this code (for {user.name}):\n")
    code.terminal(border=2, compact=True)
    click.echo(f"\nor type the server address:\n{user.url(base_url)}\n")
    click.echo(f"The key is shown only now. Withdraw it: tulliana app-user revoke {name}")


@command.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Withdraw the key of NAME, for instance when a phone is lost."""
    with opened() as services:
        app_users.revoke(services.store, name, project_id=project_id(), actor=ACTOR)
    click.echo(f"The key of {name} is withdrawn.")


@command.command("list")
def list_users() -> None:
    """List the phones."""
    with opened() as services, services.store.read() as connection:
        for user in app_users.listed(connection, project_id()):
            click.echo(f"{user.name}\t{user.language}\t{'withdrawn' if user.revoked_at else 'active'}")
