"""What is tried with any bytes, and what must hold whatever they are. A broken promise is an exception that is no `Problem`."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import orjson
from lxml import etree

from forms.definition import Field, FormDefinition
from forms.lint import lint
from forms.problems import Problem
from forms.schema import MAX_VIOLATIONS, FormSchema
from forms.submission import MAX_ID_CHARACTERS, identify
from forms.xlsform import convert
from records.blobs import BlobStore
from records.turnstile import Turnstile
from records.vault import Vault
from server.uploads import read_upload
from tests.support.records import FLOCK, LOSS

REFUSALS = {400, 413, 422, 507}
_MOST_FLAGS = 2_000_000  # bytes of what is odd about one record


def multipart() -> Callable[[bytes], None]:
    """An upload whose boundary is B: what is read is whole, what is refused leaves nothing behind."""
    os.fsync = lambda _: None
    folder = Path(tempfile.mkdtemp())
    vault = Vault(folder / "key")
    vault.add_key()
    blobs = BlobStore(folder / "blobs", vault)
    turnstile = Turnstile(1)

    def one(data: bytes) -> None:
        try:
            upload = read_upload({"CONTENT_TYPE": "multipart/form-data; boundary=B", "wsgi.input": BytesIO(data)}, blobs, turnstile)
        except Problem as problem:
            _expect(problem, REFUSALS)
        else:
            assert upload.xml in data
            for file in upload.files:
                with blobs.open(file.blob.sha256) as kept:
                    content = kept.read()
                assert (hashlib.sha256(content).hexdigest(), len(content)) == (file.blob.sha256, file.blob.size)
                assert content in data
                assert all(name and not set(name) & {"/", "\\", "\0"} and len(name.encode()) <= 255 for name in file.names)
            for file in upload.files:
                blobs.path(file.blob.sha256).unlink(missing_ok=True)
        assert not any(blobs.incoming.iterdir())

    return one


def _expect(problem: Problem, statuses: set[int]) -> None:
    assert problem.kind.status in statuses, problem


def xml() -> Callable[[bytes], None]:
    """A record of one of two forms: it is read to answers that can be kept, always the same ones."""
    schemas = [FormSchema(FormDefinition.from_xform(form.read_bytes())) for form in (FLOCK, LOSS)]

    def one(data: bytes) -> None:
        for schema in schemas:
            with suppress_problems():
                assert reading_of(schema, data) == reading_of(schema, data)

    return one


def reading_of(schema: FormSchema, data: bytes) -> bytes:
    """Everything that would be kept of a record; identity, answers and flags keep their bounds."""
    incoming = identify(data)
    ids = incoming.form_id, incoming.instance_id, incoming.deprecated_id
    assert incoming.form_id
    assert incoming.instance_id
    assert max(map(len, ids)) <= MAX_ID_CHARACTERS
    reading = schema.read(incoming)
    flags = orjson.dumps([(found.code, found.path, found.message) for found in reading.violations])
    assert len(reading.violations) <= MAX_VIOLATIONS + 1
    assert len(flags) < _MOST_FLAGS
    place = reading.latitude, reading.longitude, reading.accuracy, reading.day
    kept = orjson.dumps([ids, incoming.version, incoming.instance_name, reading.answers, reading.files, place])
    assert b"\\u0000" not in kept
    return kept + flags


def xform() -> Callable[[bytes], None]:
    """A form that is ready: it is refused with a reason, or it can be looked over, and a record of its own is read."""

    def one(data: bytes) -> None:
        data = data if data.lstrip().startswith(b"<") else b"<" + data
        with suppress_problems():
            form = convert(data, "form.xml")
            lint(form.xform, form.media)
            schema = FormSchema(FormDefinition.from_xform(form.xform))
            orjson.dumps(schema.unjudged)
            reading_of(schema, _blank_record(schema.definition))

    return one


def _blank_record(definition: FormDefinition) -> bytes:
    """A record of this form in which nothing was answered."""
    root = etree.Element("data", id=definition.form_id, version=definition.version)
    _grow(root, definition.fields)
    return etree.tostring(root)


def _grow(parent: etree._Element, items: Sequence[Field]) -> None:
    for item in items:
        _grow(etree.SubElement(parent, item.name), item.children)


def suppress_problems() -> suppress:
    """Problems are what these doors may raise."""
    return suppress(Problem)


TARGETS: dict[str, Callable[[], Callable[[bytes], None]]] = {"multipart": multipart, "xml": xml, "xform": xform}
