"""Every table of a form and its files as one ZIP, written while it is read: neither memory nor disk grows with it."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from itertools import islice
from typing import IO

from sqlalchemy import ColumnElement, Connection, select

from exports import tables
from exports.csvfile import Plain, write_table, write_texts
from exports.zipped import Sink, entry_name, write_entry
from forms.definition import FormDefinition
from forms.problems import Problem
from records.access import Access, Right
from records.models import Attachment, Submission

_CHUNK = 64 * 1024
_ROWS = 500
Open = Callable[[str], IO[bytes]]


def bundle(
    connection: Connection,
    access: Access,
    definition: FormDefinition,
    open_blob: Open,
    *,
    condition: ColumnElement[bool] | None = None,
    files: bool = True,
) -> Iterator[bytes]:
    """The bytes of the ZIP: `<form>.csv`, `<form>-<repeat>.csv`, `media/<name>`; a second file of a name in a folder of its record.

    `condition` narrows the records. Raises `Problem("not_allowed")`.
    """
    access.require(Right.SEE)
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in [(), *tables.repeats_of(definition)]:
            name = entry_name("-".join((definition.form_id, *path)))
            table = tables.table(connection, access, definition, repeat=path, condition=condition)
            yield from write_entry(archive, sink, f"{name}.csv", csv_chunks(table), zipfile.ZIP_DEFLATED)
        if files:
            for name, sha256 in _files(connection, access, definition.form_id, condition):
                yield from write_entry(archive, sink, f"media/{name}", content(open_blob, sha256), zipfile.ZIP_STORED)
    yield sink.take()


def csv_chunks(table: tables.Table, dialect: type[csv.excel] = Plain) -> Iterator[bytes]:
    """A table as CSV, some rows at a time."""
    text, written = io.StringIO(newline=""), _ROWS
    write_table(text, table.header, (), dialect)
    while written == _ROWS:
        written = write_texts(text, islice(table.rows, _ROWS), dialect)
        yield text.getvalue().encode()
        text = io.StringIO(newline="")


def content(open_blob: Open, sha256: str) -> Iterator[bytes]:
    """The bytes of a kept file; none of one that is gone."""
    try:
        with open_blob(sha256) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except Problem:  # a file that is gone from the disk costs itself and not the archive
        return


def _files(
    connection: Connection, access: Access, form_id: str, condition: ColumnElement[bool] | None
) -> Iterator[tuple[str, str]]:
    """(name in the archive, digest) of the files of the records that may be seen."""
    own = Attachment.instance_id.in_((Submission.instance_id, Submission.current_instance_id))
    query = (
        select(Attachment.name, Attachment.sha256, Submission.instance_id)
        .join_from(
            Submission,
            Attachment,
            (Attachment.project_id == Submission.project_id) & (Attachment.form_id == Submission.form_id) & own,
        )
        .where(*access.visible(), Submission.form_id == form_id, Attachment.personal.in_(access.file_kinds()))
        .order_by(Submission.instance_id, Attachment.received_at, Attachment.sha256)
        .distinct()
        .add_columns(Attachment.received_at)
    )
    if condition is not None:
        query = query.where(condition)
    taken: dict[str, str] = {}
    for name, sha256, instance_id, _ in connection.execute(query, execution_options={"yield_per": _ROWS}):
        plain = entry_name(name)
        if taken.get(plain) == sha256:
            continue
        if plain in taken:
            plain = f"{entry_name(instance_id)}/{plain}"
            if plain in taken:
                plain = f"{entry_name(instance_id)}/{sha256[:8]}/{entry_name(name)}"
        taken[plain] = sha256
        yield plain, sha256
