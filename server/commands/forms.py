"""tulliana form: publish forms, look them over, compare their versions, write the shipped surveys as workbooks."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forms.problems import Problem
from server.commands import access, form_life, opened, project_id, translations

if TYPE_CHECKING:
    from forms.lint import Finding
    from forms.xlsform import Conversion
    from server.form_desk import Brought


@click.group("form")
def command() -> None:
    """Publish, look over, compare and list forms."""


_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_media_files = click.option(
    "--media", "media_files", multiple=True, type=click.Path(exists=True, path_type=Path), help="A file the form uses, or a folder."
)


_note = click.option("--note", default="", help="What is new in this version, for people.")


@command.command()
@_file
@_media_files
@_note
def publish(file: Path, media_files: tuple[Path, ...], note: str) -> None:
    """Publish FILE: an XLSForm (.xlsx, .xls, .csv, .md) or an XForm (.xml).

    Files the form uses are taken from --media, from beside FILE, or from the folder NAME-media beside it; the drawings of the
    shipped surveys need not be given. A form that phones refuse is not published.
    """
    from server import form_desk

    brought = _brought(file, media_files, note)
    findings = form_desk.looked_over(brought)
    with opened() as services:
        published = form_desk.publish(services, access(), brought)
    _tell(brought, findings)
    state = "is published" if published.created else "was published before, unchanged"
    click.echo(f"{published.form_id}, version “{published.version}”, {state}.")


def _brought(file: Path, media_files: tuple[Path, ...], note: str) -> "Brought":
    from forms.xlsform import convert
    from server.form_desk import Brought

    conversion = convert(file.read_bytes(), file.name)
    return Brought(conversion, file.name, _media(conversion, media_files, file), note)


def _tell(brought: "Brought", findings: "list[Finding]") -> None:
    for warning in (*brought.conversion.warnings, *(finding.say() for finding in findings)):
        click.echo(f"Warning: {warning}", err=True)


@command.command("lint")
@_file
@_media_files
def look_over(file: Path, media_files: tuple[Path, ...]) -> None:
    """Say what would go wrong with the form FILE on phones or in the browser. Nothing is published.

    Ends with status 1 when phones would refuse the form.
    """
    from forms.library import drawings
    from forms.lint import alike, lint
    from forms.xlsform import convert

    conversion = convert(file.read_bytes(), file.name)
    media = _media(conversion, media_files, file)
    findings = lint(conversion.xform, conversion.media, media)
    there = set(map(alike, {**drawings(conversion.media), **media}))
    absent = [name for name in conversion.media if alike(name) not in there]
    lines = [f"{finding.severity.capitalize()}: {finding.say()}" for finding in findings]
    lines += [f"Warning: {warning}" for warning in conversion.warnings]
    lines += [f"Warning: The file {name} is not here; publishing needs it, unless an entity list has this name." for name in absent]
    click.echo("\n".join(lines) or "Nothing to object to.")
    if any(finding.severity == "error" for finding in findings):
        raise SystemExit(1)


@command.command()
@click.argument("form_id")
@click.argument("versions", nargs=-1)
def diff(form_id: str, versions: tuple[str, ...]) -> None:
    """Tell in words what changed in FORM_ID from one version to another.

    Without VERSIONS, from the last but one to the newest; with one, from that one to the newest.
    """
    from forms.definition import FormDefinition
    from forms.differences import differences
    from records.form_life import version_xform
    from records.form_life import versions as versions_of

    if len(versions) > 2:
        raise click.UsageError("Name two versions at most.")
    with opened() as services, services.store.read() as connection:
        known = [row.version for row in versions_of(connection, project_id(), form_id)]
        if not known:
            raise Problem("form_unknown", form_id)
        before = versions[0] if versions else known[min(1, len(known) - 1)]
        after = versions[1] if len(versions) == 2 else known[0]
        old, new = (
            FormDefinition.from_xform(version_xform(connection, project_id(), form_id, version)) for version in (before, after)
        )
    click.echo(f"{form_id}: from version “{before}” to version “{after}”")
    for difference in differences(old, new, "en"):
        click.echo(f"{'! ' if difference.risky else '- '}{difference.say()}")


def _media(conversion: "Conversion", media_files: tuple[Path, ...], file: Path) -> dict[str, bytes]:
    """The files given one by one, and those of the form found in the folders."""
    given = {path.name: path.read_bytes() for path in media_files if path.is_file()}
    folders = [*(path for path in media_files if path.is_dir()), file.parent, file.parent / f"{file.stem}-media"]
    for name in conversion.media:
        if Path(name).name != name:
            raise Problem("form_invalid", f"The form refers to the file {name!r}; a file name has no folders.")
        path = _found(name, folders)
        if name not in given and path is not None:
            given[path.name] = path.read_bytes()
    if conversion.itemsets is not None:
        given["itemsets.csv"] = conversion.itemsets
    return given


def _found(name: str, folders: list[Path]) -> Path | None:
    """The first file of this name; else the first whose name differs in case or composition only, for the lint to tell."""
    from forms.lint import alike

    files = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir()) if path.is_file()]
    exact = (path for path in files if path.name == name)
    return next(exact, None) or next((path for path in files if alike(path.name) == alike(name)), None)


@command.command("list")
@click.option("--all", "also_closed", is_flag=True, help="Also those that are closed or retired, with their state.")
def list_forms(also_closed: bool) -> None:
    """List the forms phones get."""
    from records.form_life import overview
    from records.forms import open_forms

    with opened() as services, services.store.read() as connection:
        if also_closed:
            for row in overview(connection, access()):
                click.echo(f"{row.form_id}\t{row.current_version}\t{row.title}\t{row.state}")
            return
        for form in open_forms(connection, project_id()):
            click.echo(f"{form.form_id}\t{form.version}\t{form.title}")


@command.command()
@click.argument("survey_id")
@click.option("--out", type=click.Path(path_type=Path), help="File to write; by default SURVEY_ID.xlsx here.")
def workbook(survey_id: str, out: Path | None) -> None:
    """Write the shipped survey SURVEY_ID as an Excel workbook to look at or to change."""
    from forms.library import workbook as shipped

    target = out or Path(f"{survey_id}.xlsx")
    target.write_bytes(shipped(survey_id).to_xlsx())
    click.echo(f"Wrote {target}.")


for each in (*form_life.COMMANDS, *translations.COMMANDS):
    command.add_command(each)
