"""Reading a multipart upload while it arrives: files go to disk and are hashed on the way, only the XML stays in memory."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from forms.problems import Problem
from forms.xml import MAX_XML_BYTES
from records.blobs import BlobStore, BlobWriter
from records.file_kinds import HEAD_BYTES, kind_of
from records.turnstile import Turnstile
from sync.delivery import ReceivedFile, file_name

MAX_REQUEST_BYTES = 250_000_000
MAX_PARTS = 512
_CHUNK = 128 * 1024
_SMALL = 64 * 1024
_XML_PART = "xml_submission_file"
_DRAIN_LIMIT = 4 * MAX_REQUEST_BYTES


@dataclass(slots=True)
class Upload:
    """What one request brought."""

    xml: bytes = b""
    has_xml: bool = False
    files: list[ReceivedFile] = field(default_factory=list)


def read_upload(environ: Mapping[str, Any], blobs: BlobStore, turnstile: Turnstile) -> Upload:
    """Read the body of this request, out of turn while it has to be waited for.

    Raises `Problem` body_unreadable, submission_missing, too_large or disk_full.
    """
    with nullcontext() if _has_arrived(environ) else turnstile.outside():
        return _read_upload(environ, _Reader(blobs, turnstile))


def _read_upload(environ: Mapping[str, Any], reader: "_Reader") -> Upload:
    content_type, options = parse_options_header(environ.get("CONTENT_TYPE", ""))
    boundary = options.get("boundary", "")
    if content_type != "multipart/form-data" or not boundary:
        raise Problem("body_unreadable", "The content type must be multipart/form-data with a boundary.")
    try:
        with PushMultipartParser(boundary, max_segment_count=MAX_PARTS, max_segment_size=MAX_REQUEST_BYTES) as parser:
            received = 0
            while not parser.closed:
                chunk = _read(environ["wsgi.input"])
                received += len(chunk)
                if received > MAX_REQUEST_BYTES:
                    raise Problem("too_large", f"{reader.current} does not fit; {MAX_REQUEST_BYTES // 1_000_000} MB are allowed.")
                for event in parser.parse(chunk):
                    reader.take(event)
    except ParserLimitReached as error:
        raise Problem("too_large", str(error)) from error
    except MultipartError as error:
        raise Problem("body_unreadable", str(error)) from error
    finally:
        reader.close()
    if not reader.upload.has_xml:
        raise Problem("submission_missing")
    return reader.upload


def wait_for_small(environ: dict[str, Any]) -> None:
    """Wait until a small body is here as a whole, so that its reader need not wait."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdigit() and 0 < int(length) <= _SMALL:
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(length)))


def _has_arrived(environ: Mapping[str, Any]) -> bool:
    return isinstance(environ["wsgi.input"], BytesIO)


def drain(environ: Mapping[str, Any]) -> None:
    """Read and forget the rest of the body, so that a phone still sending gets to see our answer."""
    left = _DRAIN_LIMIT
    try:
        while left > 0 and (chunk := environ["wsgi.input"].read(_CHUNK)):
            left -= len(chunk)
    except OSError:
        return


def _read(stream: Any) -> bytes:
    try:
        chunk: bytes = stream.read(_CHUNK)
    except OSError as error:
        raise Problem("body_unreadable", "The connection broke off.") from error
    return chunk


class _Reader:
    """Takes the events of the parser part by part."""

    def __init__(self, blobs: BlobStore, turnstile: Turnstile) -> None:
        self.upload = Upload()
        self._turnstile = turnstile
        self.current = ""
        self._blobs = blobs
        self._xml: bytearray | None = None
        self._writer: BlobWriter | None = None
        self._names: tuple[str, ...] = ()
        self._head = b""

    def take(self, event: MultipartSegment | bytearray | None) -> None:
        """A segment begins a part, bytes continue it, None ends it."""
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event:
            self._continue(event)
        elif event is None:
            self._end()

    def close(self) -> None:
        """Forget a part that was not finished."""
        if self._writer is not None:
            self._writer.__exit__()
            self._writer = None

    def _begin(self, segment: MultipartSegment) -> None:
        self.current = segment.filename or segment.name or ""
        if segment.name == _XML_PART and not self.upload.has_xml:
            self._xml = bytearray()
        elif segment.filename:
            self._names = tuple(dict.fromkeys(file_name(name) for name in (segment.name, segment.filename) if name))
            self._writer, self._head = self._blobs.writer(), b""

    def _continue(self, data: bytearray) -> None:
        if self._xml is not None:
            self._xml += data
            if len(self._xml) > MAX_XML_BYTES:
                raise Problem("too_large", f"The answers take more than {MAX_XML_BYTES // 1_000_000} MB.")
        elif self._writer is not None:
            if len(self._head) < HEAD_BYTES:
                self._head += data[: HEAD_BYTES - len(self._head)]
            self._writer.write(bytes(data))

    def _end(self) -> None:
        if self._xml is not None:
            self.upload.xml, self.upload.has_xml, self._xml = bytes(self._xml), True, None
        elif self._writer is not None:
            with self._turnstile.outside():
                blob = self._writer.keep()
            self.upload.files.append(ReceivedFile(self._names, blob, kind_of(self._head, self._names[0])))
            self.close()
