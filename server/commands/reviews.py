"""tulliana submission review, comment, return, settle, attach, take, split, delete, restore, history: what people do with it."""

from collections.abc import Callable
from typing import Any

import click

from server.commands import access, opened
from server.services import Services

Step = Callable[[Services, str, str], str | None]
COMMANDS: list[click.Command] = []
"""What the group `submission` takes in."""


def _command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A command about one record, with a comment that stays in its history."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        function = click.option("--comment", default="", help="What the history should say.")(function)
        return _of_record(name)(function)

    return decorate


def _of_record(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A command about one record."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        function = click.option("--form", "form_id", help="The form's id, where two forms share the record's id.")(function)
        made = click.command(name)(click.argument("instance_id", metavar="ID")(function))
        COMMANDS.append(made)
        return made

    return decorate


def _take_step(instance_id: str, form_id: str | None, step: Step, done: str) -> None:
    """Do something with the record that has this id, or a version of it, and say so."""
    from records.submissions import found

    with opened() as services:
        with services.store.read() as connection:
            record = found(connection, access(), instance_id, form_id)
        outcome = step(services, record.form_id, record.instance_id)
    click.echo(done.format(id=record.instance_id, outcome=outcome))


@_command("review")
@click.argument("state")
def review(instance_id: str, state: str, form_id: str | None, comment: str) -> None:
    """Give the record ID a review state: received, edited, hasIssues, approved, rejected."""
    from sync import remedies

    _take_step(
        instance_id,
        form_id,
        lambda own, form, key: remedies.review(own.store, access(), form, key, state, comment),
        f"{{id}}: {state}.",
    )


@_of_record("comment")
@click.argument("text")
def comment_on(instance_id: str, text: str, form_id: str | None) -> None:
    """Say TEXT about the record ID."""
    from records.reviews import comment

    _take_step(instance_id, form_id, lambda own, form, key: comment(own.store, access(), form, key, text), "{id}: noted.")


@_of_record("return")
@click.argument("text")
def send_back(instance_id: str, text: str, form_id: str | None) -> None:
    """Return the record ID to its reporter: the phone shows TEXT with its next receipt."""
    from records.reviews import send_back as step

    _take_step(instance_id, form_id, lambda own, form, key: step(own.store, access(), form, key, text), "{id}: returned.")


@_command("settle")
@click.option("--flag", "codes", multiple=True, help="Only flags of this code; repeat as needed.")
def settle(instance_id: str, codes: tuple[str, ...], form_id: str | None, comment: str) -> None:
    """Accept what the flags of the record ID say."""
    from records.reviews import settle as step

    chosen = set(codes) or None
    _take_step(
        instance_id, form_id, lambda own, form, key: step(own.store, access(), form, key, chosen, comment), "{id}: accepted."
    )


@_command("attach")
@click.argument("version")
def attach(instance_id: str, version: str, form_id: str | None, comment: str) -> None:
    """Judge the record ID by this VERSION of its form."""
    from sync.remedies import attach as step

    def judged(own: Services, form: str, key: str) -> None:
        step(own.store, own.intake, access(), form, key, version, comment)

    _take_step(instance_id, form_id, judged, f"{{id}}: judged by version {version}.")


@_command("take")
@click.argument("sha256")
def take(instance_id: str, sha256: str, form_id: str | None, comment: str) -> None:
    """Of the contents of the record ID, make the one with the digest SHA256 the current one; see: tulliana submission history."""
    from sync.remedies import take as step

    def taken(own: Services, form: str, key: str) -> None:
        step(own.store, own.intake, access(), form, key, sha256, comment)

    _take_step(instance_id, form_id, taken, f"{{id}}: {sha256[:8]} is the current content.")


@_command("split")
@click.argument("sha256")
def split(instance_id: str, sha256: str, form_id: str | None, comment: str) -> None:
    """Make the content with the digest SHA256 of the record ID a record of its own."""
    from sync.remedies import split as step

    def made(own: Services, form: str, key: str) -> str:
        return step(own.store, own.intake, access(), form, key, sha256, comment)

    _take_step(instance_id, form_id, made, "{id}: the other content is now {outcome}.")


@_command("delete")
def delete(instance_id: str, form_id: str | None, comment: str) -> None:
    """Take the record ID out of every list, count and file. Its bytes stay, and it can be restored."""
    from records.reviews import delete as step

    _take_step(instance_id, form_id, lambda own, form, key: step(own.store, access(), form, key, comment), "{id}: deleted.")


@_command("restore")
def restore(instance_id: str, form_id: str | None, comment: str) -> None:
    """Bring the deleted record ID back."""
    from records.reviews import restore as step

    _take_step(instance_id, form_id, lambda own, form, key: step(own.store, access(), form, key, comment), "{id}: restored.")


@_of_record("history")
def history(instance_id: str, form_id: str | None) -> None:
    """List what came of the record ID, by digest, and what people did with it."""
    from records import reviews
    from records.submissions import found, versions_of

    with opened() as services, services.store.read() as connection:
        record = found(connection, access(), instance_id, form_id)
        versions = versions_of(connection, access(), record)
        steps = reviews.history(connection, access(), record.form_id, record.instance_id)
    lines = [
        (each.received_at, f"{each.sha256}\t{'current' if each.sha256 == record.current_sha256 else each.instance_id}")
        for each in versions
    ]
    for step in steps:
        words = [step.detail.get("remedy", step.action), step.state or ", ".join(step.detail.get("flags", ())), step.comment]
        lines.append((step.at, "\t".join([step.actor, *filter(None, words)])))
    for at, line in sorted(lines):
        click.echo(f"{at:%Y-%m-%d %H:%M}\t{line}")
