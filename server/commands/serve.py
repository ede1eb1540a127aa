"""tulliana serve: prepare, say how to begin, open the door."""

import os
import socket
import sys

import click

from server.config import Config
from server.network import public_url, write_address
from server.setup import Prepared


@click.command("serve")
@click.option("--host", help="Address to listen on (TULLIANA_HOST).")
@click.option("--port", help="Port to listen on (TULLIANA_PORT).")
@click.option("--data", help="Folder for everything that is kept (TULLIANA_DATA).")
def command(host: str | None, port: str | None, data: str | None) -> None:
    """Serve phones and browsers. At the first start this sets everything up."""
    from server.services import standalone
    from server.setup import prepare

    config = Config.load({"HOST": host, "PORT": port, "DATA": data})
    check_port(config)
    with standalone(config) as services:
        prepared = prepare(services, lambda survey: click.echo(f"Setting up the survey {survey} ..."))
    write_address(config)
    _welcome(config, prepared)
    os.environ.update(config.environment())
    _listen()


def check_port(config: Config) -> None:
    """Fail before anything is prepared when somebody else listens there."""
    from forms.problems import Problem

    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.host, config.port))
        except OSError as error:
            detail = f"{config.host} port {config.port}: {error.strerror}."
            raise Problem(
                "settings_invalid", detail, hint="Is Tulliana running already? Else choose another with --port."
            ) from error


def _welcome(config: Config, prepared: Prepared) -> None:
    url = public_url(config)
    click.echo(f"\nTulliana serves at  {url}\nEverything is kept in  {config.data}\n")
    if prepared.password:
        click.echo(f"Sign in as  admin  with the password  {prepared.password}")
        click.echo("(shown only now; a new one: tulliana account password admin)\n")
    click.echo("Add a phone:  tulliana app-user add NAME   (shows a QR code for ODK Collect or KoBoCollect)")
    click.echo("              or in the browser under Phones. Stop with Ctrl+C.\n")


def _listen() -> None:
    """Go on as a process that holds nothing of what the preparation loaded.

    Its threads share one heap: glibc would give each a heap of its own, and what one has freed serves no other. They compute
    in turn anyhow (`records.turnstile`).
    """
    sys.stdout.flush()
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    os.execv(sys.executable, [sys.executable, "-m", "server.listening"])  # noqa: S606
