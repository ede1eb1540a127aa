"""Every table of a form and its files as one ZIP, written while it is read: neither memory nor disk grows with it."""

import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import IO, Any

from sqlalchemy import ColumnElement, Connection, select

from exports import tables
from exports.csvfile import write_rows, write_table
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
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in [(), *tables.repeats_of(definition)]:
            name = _entry_name("-".join((definition.form_id, *path)))
            table = tables.table(connection, access, definition, repeat=path, condition=condition)
            yield from _write(archive, sink, f"{name}.csv", _csv(table), zipfile.ZIP_DEFLATED)
        if files:
            for name, sha256 in _files(connection, access, definition.form_id, condition):
                yield from _write(archive, sink, f"media/{name}", _content(open_blob, sha256), zipfile.ZIP_STORED)
    yield sink.take()


class _Sink(io.RawIOBase):
    """Takes what the archive writes until it is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts = []
        return taken


def _write(archive: zipfile.ZipFile, sink: _Sink, name: str, chunks: Iterator[bytes], method: int) -> Iterator[bytes]:
    entry = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
    entry.compress_type = method
    with archive.open(entry, "w", force_zip64=True) as target:
        for chunk in chunks:
            target.write(chunk)
            yield sink.take()  # often nothing yet: others get their turn meanwhile


def _csv(table: tables.Table) -> Iterator[bytes]:
    text = io.StringIO(newline="")
    written = write_table(text, table.header, islice(table.rows, _ROWS))
    yield text.getvalue().encode()
    while written == _ROWS:
        text = io.StringIO(newline="")
        written = write_rows(text, islice(table.rows, _ROWS))
        yield text.getvalue().encode()


def _content(open_blob: Open, sha256: str) -> Iterator[bytes]:
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
        plain = _entry_name(name)
        if taken.get(plain) == sha256:
            continue
        if plain in taken:
            plain = f"{_entry_name(instance_id)}/{plain}"
            if plain in taken:
                plain = f"{_entry_name(instance_id)}/{sha256[:8]}/{_entry_name(name)}"
        taken[plain] = sha256
        yield plain, sha256


def _entry_name(name: str) -> str:
    """A name that leads nowhere else when the archive is unpacked."""
    return "".join("_" if each in '/\\:*?"<>|' or ord(each) < 32 else each for each in name).strip(". ") or "unnamed"
