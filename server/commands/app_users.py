"""tulliana app-user: phones that may send."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from server import app_users, phone_settings
from server.app_users import NewAppUser
from server.commands import ACTOR, opened, project_id
from server.network import is_loopback, serving_url
from server.services import Services


@click.group("app-user")
def command() -> None:
    """Add phones and withdraw their keys."""


def _shown(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of commands that show a new secret."""
    json_option = click.option("--json", "as_json", is_flag=True, help="For scripts: one JSON object with everything shown.")
    png_option = click.option("--png", type=click.Path(path_type=Path), help="Write the QR code to this picture.")
    return click.argument("name")(png_option(json_option(function)))


@command.command()
@_shown
@click.option("--language", default="en", show_default=True, help="Language of the receipts; all: tulliana form translations.")
@click.option("--account", help="The data collector who sees what this phone sends.")
def add(name: str, language: str, account: str | None, png: Path | None, as_json: bool) -> None:
    """Add the phone or ranger NAME and show the QR code that sets up ODK Collect or KoBoCollect."""
    with opened() as services:
        user = app_users.add(services.store, name, project_id=project_id(), language=language, account=account, actor=ACTOR)
        _show(services, user, png, as_json)
    if not as_json:
        click.echo(f"The key is shown only now. Withdraw it: tulliana app-user revoke {name}")


@command.command()
@_shown
def rotate(name: str, png: Path | None, as_json: bool) -> None:
    """Give NAME a new key. With the old one the phone can send what it still has for 90 days, and gets no forms."""
    with opened() as services:
        user = app_users.rotate(services.store, name, project_id=project_id(), actor=ACTOR)
        _show(services, user, png, as_json)
    if not as_json:
        click.echo("The key is shown only now. Scanned on the phone it makes a second project beside the old one: send from both.")


@command.command()
@_shown
def password(name: str, png: Path | None, as_json: bool) -> None:
    """Give NAME a new user name and password, for apps and tools that take no key in the address."""
    with opened() as services:
        user = app_users.set_password(services.store, name, project_id=project_id(), actor=ACTOR)
        _show(services, user, png, as_json)
    if not as_json:
        click.echo(f"user name: {user.username}\npassword:  {user.password}\n")
        click.echo("The password is shown only now, and one given earlier no longer works.")


@command.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Withdraw the key and the password of NAME, for instance when a phone is lost."""
    with opened() as services:
        app_users.revoke(services.store, name, project_id=project_id(), actor=ACTOR)
    click.echo(f"The key of {name} is withdrawn.")


@command.command("forms")
@click.argument("name")
@click.argument("form_ids", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="All forms, those to come too.")
def set_forms(name: str, form_ids: tuple[str, ...], is_all: bool) -> None:
    """Give NAME only the forms FORM_IDS, or --all. What the phone still sends for others is taken in and flagged."""
    if is_all == bool(form_ids):
        raise click.UsageError("Name the forms, or say --all.")
    with opened() as services:
        app_users.set_forms(services.store, name, None if is_all else form_ids, project_id=project_id(), actor=ACTOR)
    click.echo(f"{name} gets {'all forms' if is_all else ', '.join(form_ids)}.")


@command.command("list")
def list_users() -> None:
    """List the phones."""
    with opened() as services, services.store.read() as connection:
        for user in app_users.listed(connection, project_id()):
            forms = "all forms" if user.form_ids is None else ", ".join(user.form_ids)
            state = "withdrawn" if user.revoked_at else "active"
            click.echo(f"{user.name}\t{user.language}\t{state}\t{forms}\t{user.account or ''}")


def _show(services: Services, user: NewAppUser, png: Path | None, as_json: bool) -> None:
    """The QR code and the address, or everything as JSON."""
    base_url = serving_url(services.config)
    code = phone_settings.settings_qr(user, base_url)
    if png is not None:
        code.save(str(png), kind="png", scale=6, border=4)
    if as_json:
        secret = {"token": user.token} if user.token else {"username": user.username, "password": user.password}
        click.echo(json.dumps({"name": user.name, **secret, "url": user.url(base_url)}, ensure_ascii=False))
        return
    if is_loopback(base_url):
        click.echo(f"Phones cannot reach {base_url}: serve with --host 0.0.0.0 or set TULLIANA_PUBLIC_URL.", err=True)
    click.echo(f"\nIn ODK Collect or KoBoCollect: Add project, then scan this code (for {user.name}):\n")
    code.terminal(border=2, compact=True)
    click.echo(f"\nor type the server address:\n{user.url(base_url)}\n")
