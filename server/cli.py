"""The command `tulliana`. Each group of commands is its own module below server/commands and is loaded when it is called."""

import importlib
import sys
from typing import Any

import click

from forms.problems import Problem

COMMANDS = {
    "serve": ("serve", "Serve phones and browsers."),
    "doctor": ("doctor", "Say what is wrong and how to mend it."),
    "demo": ("demo", "Fill a scratch folder with two made-up years of reports and serve it."),
    "project": ("projects", "Add projects and list them."),
    "form": ("forms", "Publish and list forms."),
    "app-user": ("app_users", "Add phones and withdraw their keys."),
    "account": ("accounts", "Add people and change passwords."),
    "submission": ("submissions", "Look at what arrived, review it."),
    "quarantine": ("quarantine", "Look at what waits for a person."),
    "check": ("check", "Look at records again: where they lie, what is odd."),
    "incident": ("incidents", "Look at reports that may tell of one event, and say so."),
    "area": ("areas", "Look after the study areas of a project."),
    "pull": ("pull", "Take over records from a phone, ODK Central or KoBoToolbox."),
    "relay": ("relay", "Exchange records with other nodes, by link or by stick."),
    "entity": ("entities", "Look after the lists that phones pick from."),
    "personal": ("personal", "Look after personal data: find, hand over, erase."),
    "export": ("exports", "Run exports and list their runs."),
    "log": ("log", "Show who did what, downloads of exact data too."),
    "strategy": ("strategy", "Show what data there are for each activity of the strategy."),
}


class _Lazy(click.Group):
    """A group that imports a command's module only when it is called, so that the command line starts quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module: Any = importlib.import_module(f"server.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tulliana")
@click.option(
    "--project",
    type=int,
    default=1,
    show_default=True,
    help="Which project; see: tulliana project list.",
)
def cli(project: int) -> None:
    """Tulliana: field data for people who keep leopards and herders alive side by side."""


def main() -> None:
    """Run the command line; a problem is told in words, with what to do."""
    try:
        cli(prog_name="tulliana")
    except Problem as problem:
        _fail(str(problem))
    except OSError as error:
        _fail(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))


def _fail(text: str) -> None:
    click.echo(f"tulliana: {text}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
