"""tulliana demo: two made-up years of reports to look at."""

import signal
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from server.config import Config
    from server.services import Services


@click.command("demo")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder to fill; by default a new temporary one.")
@click.option("--reports", type=click.IntRange(20, 100_000), default=600, show_default=True, help="How many reports to make up.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another number gives other years.")
@click.option("--host", help="Address to listen on; by default 0.0.0.0, so that phones on the network may try it.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on; by default 8080, or a free one if that is taken.")
@click.option("--serve/--no-serve", default=True, help="Keep serving until Ctrl+C, or fill the folder and end.")
def command(data: Path | None, reports: int, seed: int, host: str | None, port: int | None, serve: bool) -> None:
    """Fill a scratch folder with two made-up years of reports, sent as phones send them, and serve it."""
    from server.app import create_app
    from server.demo import run

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = (data or Path(tempfile.mkdtemp(prefix="tulliana-demo-"))).expanduser().absolute()
    config = run.configure(folder, host, port)
    click.echo(f"Everything here is made up. It is kept in  {folder}")
    app = create_app(config)
    try:
        with app.app_context():
            opened = app.extensions["tulliana"]
            with closing(opened.store):
                password = run.set_up(opened, click.echo)
                with run.serving(config) as server:
                    if not run.is_filled(config):
                        _fill(opened, reports, seed)
                    _welcome(config, password)
                    if serve:
                        click.echo("Stop with Ctrl+C.")
                        server.wait()
    except KeyboardInterrupt:
        click.echo("\nStopped.")


def _fill(opened: "Services", reports: int, seed: int) -> None:
    from server.demo import run

    today = datetime.now(UTC).date()
    phones, outbox = run.deliveries(opened, reports, seed, today)
    with click.progressbar(length=len(outbox), label="Phones are sending", width=30) as bar:
        for _ in run.send(phones, outbox):
            bar.update(1)
    click.echo("Checking what came, working out hotspots ...")
    run.backdate(opened, outbox)
    run.release(opened, seed, today)


def _welcome(config: "Config", password: str) -> None:
    from server.demo import run
    from server.network import public_url

    click.echo(f"\nOpen         {public_url(config)}\nSign in as   admin   with the password   {password}\n")
    for name, folder in run.released(config).items():
        click.echo(f"{name:16} {folder}")
    click.echo("")
