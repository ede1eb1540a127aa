"""tulliana form: publish forms, list them, write the shipped surveys as workbooks."""

from pathlib import Path

import click

from forms.problems import Problem
from server.commands import ACTOR, opened, project_id


@click.group("form")
def command() -> None:
    """Publish and list forms."""


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--media", "media_files", multiple=True, type=click.Path(exists=True, path_type=Path), help="A file the form uses, or a folder."
)
def publish(file: Path, media_files: tuple[Path, ...]) -> None:
    """Publish FILE: an XLSForm (.xlsx, .xls, .csv, .md) or an XForm (.xml).

    Files the form uses are taken from --media, from beside FILE, or from the folder NAME-media beside it.
    """
    from forms.xlsform import convert
    from records.publishing import publish as publish_form

    conversion = convert(file.read_bytes(), file.name)
    media = _media(conversion.media, [*media_files, file.parent, file.parent / f"{file.stem}-media"])
    if conversion.itemsets is not None:
        media["itemsets.csv"] = conversion.itemsets
    with opened() as services:
        published = publish_form(
            services.store,
            services.blobs,
            project_id(),
            xform=conversion.xform,
            source_name=file.name,
            needed=conversion.media,
            media=media,
            actor=ACTOR,
        )
    for warning in conversion.warnings:
        click.echo(f"Warning: {warning}", err=True)
    state = "is published" if published.created else "was published before, unchanged"
    click.echo(f"{published.form_id}, version “{published.version}”, {state}.")


def _media(names: list[str], places: list[Path]) -> dict[str, bytes]:
    found = {}
    for name in names:
        if Path(name).name != name:
            raise Problem("form_invalid", f"The form refers to the file {name!r}; a file name has no folders.")
        candidates = [place / name if place.is_dir() else place for place in places]
        path = next((path for path in candidates if path.name == name and path.is_file()), None)
        if path is not None:
            found[name] = path.read_bytes()
    return found


@command.command("list")
def list_forms() -> None:
    """List the forms phones get."""
    from records.forms import open_forms

    with opened() as services, services.store.read() as connection:
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
