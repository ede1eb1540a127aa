"""CSV: one table as a file, several as a ZIP of files."""

import zipfile
from collections.abc import Callable, Iterator

from exports import archive
from exports.csvfile import Plain, Quoted
from exports.data.columns import Table
from exports.data.source import Source
from exports.tables import TEXTS
from exports.tables import Table as Rows
from exports.zipped import Sink, write_entry


def csv(source: Source, table: Table) -> Iterator[bytes]:
    """One table."""
    rows = Rows(table.headers, (row.cells for row in source.rows(TEXTS, table)))
    return archive.csv_chunks(rows, Quoted if source.layout.is_kobo else Plain)


def zipped(
    source: Source, write: Callable[[Source, Table], Iterator[bytes]], extension: str, method: int = zipfile.ZIP_DEFLATED
) -> Iterator[bytes]:
    """All tables as files of a ZIP, each by `write`."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", method) as made:
        for table in source.tables:
            yield from write_entry(made, sink, f"{table.name}.{extension}", write(source, table), method)
    yield sink.take()
