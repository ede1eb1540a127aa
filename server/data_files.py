"""The records of a form in answer to a request, in the format, layout and language it asks for; pages and programs alike.

What can be written while it is read is sent so. A workbook or a GeoPackage is ready only at the end: it is built in a folder that
is removed before the first byte is sent, so that nothing stays behind, however the download ends.
"""

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from urllib.parse import quote

from flask import Response, request

from exports.data import formats
from exports.data.formats import Format
from exports.data.level import EXACT, level_of, source_of
from exports.data.source import Source
from exports.data.wanted import WORDS
from forms.problems import Problem
from records.access import Access
from server.api.blueprint import private, streamed
from server.services import Services, services

MOST_AT_ONCE = 4
_places = threading.BoundedSemaphore(MOST_AT_ONCE)
_CHUNK = 64 * 1024
_DAY = 86_400  # seconds
Opening = Callable[[], AbstractContextManager[Source]]


def words_of_request() -> dict[str, str]:
    """What the address of this request says; what is said several times is several."""
    return {name: ",".join(values) for name, values in request.args.to_dict(flat=False).items()}


def response(form_id: str, asking: Access, words: Mapping[str, str], *, only_root: bool = False) -> Response:
    """The file; `only_root` for the table of the form alone.

    Raises `Problem` value_invalid, not_found, not_supported, form_unknown, not_allowed or busy.
    """
    if unknown := sorted(set(words) - set(WORDS)):
        raise Problem("value_invalid", f"{unknown[0][:30]}: not known here. Known are {', '.join(WORDS)}.")
    chosen = formats.format_of(words.get("format", "csv"))
    opened, today = services(), datetime.now(UTC).date()

    @contextmanager
    def source() -> Iterator[Source]:
        with opened.store.snapshot() as connection:
            yield source_of(connection, asking, form_id, words, as_of=today, boundaries=opened.config.boundaries)

    with source() as looked_at:
        table = looked_at.tables[0].name if only_root else words.get("table", "")
        name, media_type = formats.file_of(looked_at, chosen, table)
    if not _places.acquire(blocking=False):
        raise Problem("busy", "Too many archives are being written.", hint="Try again in a minute.")
    if chosen.is_built:
        made = _built(opened, source, chosen)
    else:
        made = streamed(_chunks(opened, source, chosen, table, words.get("names", "")), media_type)
    made.headers["Content-Type"] = media_type
    level = level_of(words, asking)
    return _named(made, name if level == EXACT else f"{level}-{name}")


def _chunks(opened: Services, source: Opening, chosen: Format, table: str, names: str) -> Iterator[bytes]:
    try:
        with source() as reading:
            chunks = formats.stream(reading, chosen, opened.blobs.open, table=table, names=names)
            first = next(chunks, b"")
            try:
                yield first  # before records are counted for the log: whoever waits sees that something comes
            finally:
                reading.note(opened.store, chosen.name)
            yield from chunks
    finally:
        _places.release()


def _built(opened: Services, source: Opening, chosen: Format) -> Response:
    try:
        with _building(opened.config.data) as folder, source() as reading:
            reading.note(opened.store, chosen.name)
            target = folder / f"data.{chosen.extension}"
            for _ in formats.build(reading, chosen, target):
                with opened.turnstile.outside():  # others get their turn
                    pass
            file = target.open("rb")
            size = target.stat().st_size
    finally:
        _places.release()
    made = private(Response(_content(file)))
    made.call_on_close(file.close)
    made.content_length = size
    return made


@contextmanager
def _building(data: Path) -> Iterator[Path]:
    """A folder for one file that is built, on the disk of the data folder (elsewhere may be memory); removed at the end."""
    own = data / "unfinished"
    own.mkdir(exist_ok=True)
    for left in own.iterdir():  # by a server that was killed
        if time.time() - left.stat().st_mtime > _DAY:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=own, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _content(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _named(made: Response, name: str) -> Response:
    plain = "".join(each if each.isascii() and (each.isalnum() or each in "-_. ()") else "_" for each in name)
    made.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return made
