"""tulliana export data: the records of one survey as a file."""

import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.commands import access, opened

if TYPE_CHECKING:
    from exports.data.formats import Format
    from exports.data.source import Source
    from server.services import Services

_FORMATS = ("csv", "xlsx", "geojson", "gpkg", "parquet", "zip")


@click.command("data")
@click.argument("form_id")
@click.option("--format", "format_name", type=click.Choice(_FORMATS), default="csv", show_default=True, help="zip: the files.")
@click.option(
    "--level", type=click.Choice(["exact", "partner", "public"]), default="exact", show_default=True, help="Who may read it."
)
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Generalised: the day from which the embargo counts; by default today."
)
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="The file; by default here, with its own name.")
@click.option("--since", metavar="DAY", help="From this day on (YYYY-MM-DD).")
@click.option("--until", metavar="DAY", help="Up to this day.")
@click.option("--box", metavar="W,S,E,N", help="Only in this box of degrees.")
@click.option("--country", metavar="CODES", help="ISO 3166-1, apart by commas: IR,AZ.")
@click.option("--admin1", metavar="CODES", help="ISO 3166-2, apart by commas: IR-27.")
@click.option("--area", metavar="CODES", help="Study areas.")
@click.option("--state", metavar="STATES", help="Review states: received, edited, hasIssues, approved, rejected.")
@click.option("--version", metavar="VERSIONS", help="Versions of the form; by default all, with the columns of all.")
@click.option("--style", type=click.Choice(["central", "kobo"]), help="Whose names of columns.")
@click.option("--language", metavar="NAME", help="Labels in this language of the form, in place of names and codes.")
@click.option("--groups/--no-groups", default=None, help="Names of groups before those of questions.")
@click.option("--points/--no-points", default=None, help="Positions in four columns.")
@click.option("--selects/--no-selects", default=None, help="Each choice of several in a column of its own too.")
@click.option("--place", metavar="QUESTION", help="The question (group-question) that places records on the map.")
@click.option("--checks/--no-checks", default=None, help="What the checks found: day, country, unit, study area, open flags.")
@click.option("--table", default="", metavar="NAME", help="CSV and Parquet: only this table, not all in a ZIP.")
@click.option("--names", default="", metavar="TEMPLATE", help="zip: names of files, such as {date}/{case}-{question}-{name}.")
def export_data(
    form_id: str, format_name: str, to: Path | None, table: str, names: str, as_of: datetime | None, **given: str | bool | None
) -> None:
    """Write the records of a form: exact (not for publication), or with places, days and answers that may be told.

    A file that is not whole is never left.
    """
    from exports.data import formats
    from exports.data.level import source_of

    words = {name: str(value).lower() if isinstance(value, bool) else value for name, value in given.items() if value is not None}
    chosen, day = formats.format_of(format_name), (as_of or datetime.now(UTC)).date()
    with opened() as services, services.store.snapshot() as connection:
        asked = {**words, "format": format_name}
        source = source_of(connection, access(), form_id, asked, as_of=day, boundaries=services.config.boundaries)
        target = to or Path(formats.file_of(source, chosen, table)[0])
        length = source.count() * formats.passes(source, chosen, table)
        with click.progressbar(length=length, label=str(target), file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
            for read in _written(services, source, chosen, target, table, names):
                bar.update(read)
        source.note(services.store, chosen.name)
        click.echo(f"{target}\t{source.done} records\t{target.stat().st_size} bytes")
        for words_of_reason, number in source.left_out_in_words():
            click.echo(f"Left out: {number} {words_of_reason}", err=True)


def _written(services: "Services", source: "Source", chosen: "Format", target: Path, table: str, names: str) -> Iterator[int]:
    """Write the file under another name first; give the number of records read since the last time."""
    from exports.data import formats

    folder = target.resolve().parent
    if not folder.is_dir():
        raise click.UsageError(f"There is no folder {folder}.")
    told = 0
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as own:
        part = Path(own) / target.name
        if chosen.is_built:
            steps: Iterator[object] = formats.build(source, chosen, part)
        else:
            steps = _streamed(formats.stream(source, chosen, services.blobs.open, table=table, names=names), part)
        for _ in steps:
            yield source.done - told if source.done >= told else source.done  # the next table begins from the first record
            told = source.done
        part.replace(target)


def _streamed(chunks: Iterator[bytes], part: Path) -> Iterator[None]:
    with part.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            yield
