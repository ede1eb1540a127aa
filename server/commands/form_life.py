"""tulliana form: what becomes of a form besides its publication: trials, closing, retiring, files that change."""

from pathlib import Path

import click

from server.commands import access, opened, project_id
from server.network import serving_url


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--media", "media_files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--note", default="", help="What is new in this version, for people.")
@click.option("--url-only", is_flag=True, help="For scripts: print only the address for the phone.")
def draft(file: Path, media_files: tuple[Path, ...], note: str, url_only: bool) -> None:
    """Make FILE the draft of its form, and show the QR code for phones that try it. Records of a trial never count.

    A draft that was there is replaced, and phones that try it go on.
    """
    from forms.xlsform import convert
    from server import form_desk
    from server.form_desk import Brought

    conversion = convert(file.read_bytes(), file.name)
    brought = Brought(conversion, file.name, {path.name: path.read_bytes() for path in media_files}, note)
    findings = form_desk.looked_over(brought)
    with opened() as services:
        saved, token = form_desk.save_draft(services, access(), brought)
        base_url = serving_url(services.config)
    for warning in (*conversion.warnings, *(finding.say() for finding in findings)):
        click.echo(f"Warning: {warning}", err=True)
    if token is not None:
        _show(form_desk.trial_url(base_url, project_id(), saved.form_id, token), conversion.title, url_only)
    elif not url_only:
        click.echo("The phones that try it get the new draft. For another phone: tulliana form draft-key " + saved.form_id)


@click.command()
@click.argument("form_id")
@click.option("--off", is_flag=True, help="Show them to reviewers again.")
def confidential(form_id: str, off: bool) -> None:
    """Keep the records of FORM_ID to coordinators, and to whoever sent them."""
    from records.form_life import set_confidential

    with opened() as services:
        set_confidential(services.store, access(), form_id, not off)
    click.echo(f"{form_id} is {'no longer ' if off else ''}confidential.")


@click.command("draft-key")
@click.argument("form_id")
@click.option("--url-only", is_flag=True, help="For scripts: print only the address for the phone.")
def draft_key(form_id: str, url_only: bool) -> None:
    """Give the draft of FORM_ID a new key and show its QR code. Phones with the key before lose the draft."""
    from records.drafts import draft_of
    from server import form_desk

    with opened() as services:
        token = form_desk.new_key(services, access(), form_id)
        with services.store.read() as connection:
            title = draft_of(connection, access(), form_id).title
        base_url = serving_url(services.config)
    _show(form_desk.trial_url(base_url, project_id(), form_id, token), title, url_only)


def _show(url: str, title: str, url_only: bool) -> None:
    from server.phone_settings import qr, trial_settings

    if url_only:
        click.echo(url)
        return
    click.echo("\nIn ODK Collect or KoBoCollect: Add project, then scan this code. It is a project of its own:\n")
    qr(trial_settings(url, title)).terminal(border=2, compact=True)
    click.echo(f"\nor type the server address:\n{url}\n")


@click.command("drafts")
def list_drafts() -> None:
    """List the drafts, with how many records their trials brought."""
    from records import drafts

    with opened() as services, services.store.read() as connection:
        for row in drafts.listed(connection, access()):
            trials = drafts.trials(connection, access(), row.form_id)
            click.echo(f"{row.form_id}\t{row.version}\t{row.title}\t{len(trials)}\t{row.note}")


@click.command("draft-publish")
@click.argument("form_id")
def publish_draft(form_id: str) -> None:
    """Publish the draft of FORM_ID for all phones. The records of its trial go."""
    from server import form_desk

    with opened() as services:
        version = form_desk.publish_draft(services, access(), form_id)
    click.echo(f"{form_id}, version “{version}”, is published.")


@click.command("draft-discard")
@click.argument("form_id")
def discard_draft(form_id: str) -> None:
    """Throw the draft of FORM_ID away, with the records of its trial."""
    from records import drafts

    with opened() as services:
        drafts.discard(services.store, access(), form_id)
    click.echo(f"The draft of {form_id} is gone.")


@click.command("close")
@click.argument("form_id")
def close(form_id: str) -> None:
    """Give FORM_ID to no phone any more. What phones still have is taken and flagged."""
    _set_state(form_id, "closed")


@click.command("retire")
@click.argument("form_id")
def retire(form_id: str) -> None:
    """Say that FORM_ID is over. What still comes is kept, and waits in the quarantine."""
    _set_state(form_id, "retired")


@click.command("reopen")
@click.argument("form_id")
def reopen(form_id: str) -> None:
    """Give FORM_ID to phones again."""
    _set_state(form_id, "open")


def _set_state(form_id: str, state: str) -> None:
    from records.form_life import set_state

    with opened() as services:
        set_state(services.store, access(), form_id, state)
    click.echo(f"{form_id} is {state}.")


@click.command("media")
@click.argument("form_id")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def media(form_id: str, files: tuple[Path, ...]) -> None:
    """Replace FILES of FORM_ID, such as a list of villages, without a new version; phones fetch them with their next look."""
    from records.form_life import replace_media

    with opened() as services:
        given = {path.name: path.read_bytes() for path in files}
        changed = replace_media(services.store, services.blobs, access(), form_id, given)
    click.echo(f"Changed: {', '.join(changed)}" if changed else "Nothing changed: the files are the same.")


@click.command("versions")
@click.argument("form_id")
def list_versions(form_id: str) -> None:
    """List the versions of FORM_ID with their notes, the newest first."""
    from records.form_life import versions

    with opened() as services, services.store.read() as connection:
        for row in versions(connection, project_id(), form_id):
            click.echo(f"{row.version}\t{row.published_at:%Y-%m-%d %H:%M}\t{row.source_name}\t{row.note}")


COMMANDS = (draft, confidential, draft_key, list_drafts, publish_draft, discard_draft, close, retire, reopen, media, list_versions)
