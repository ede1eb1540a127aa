"""Photos and other files of the records as one ZIP, with names people can read."""

import zipfile
from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Any

import orjson
from sqlalchemy import select

from exports.archive import Open, content
from exports.data.source import Source
from exports.kobo.rows import named
from exports.zipped import Sink, entry_name, write_entry
from forms.problems import Problem
from forms.submission import case_number
from records.models import Attachment, Submission

PARTS = ("form", "date", "case", "country", "key", "question", "name")
NAMES = "{date}/{case}-{question}-{name}"
_NONE = "none"


def media(source: Source, open_blob: Open, names: str = NAMES) -> Iterator[bytes]:
    """The bytes of the ZIP. `names` is the template of a name: `PARTS` in braces, folders apart by `/`.

    A second file of the same name gets a number. Raises `Problem("value_invalid")` for another template.
    """
    folders = [list(Formatter().parse(part)) for part in _checked(names).split("/")]
    sink = Sink()
    taken: set[str] = set()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for parts, sha256 in _files(source):
            name = _free("/".join(entry_name(_filled(folder, parts)) for folder in folders), taken)
            yield from write_entry(archive, sink, name, content(open_blob, sha256), zipfile.ZIP_STORED)
    yield sink.take()


def _checked(names: str) -> str:
    try:
        fields = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(names) if name is not None]
    except ValueError:
        fields = [("", "", "")]
    if not names or "\0" in names or any(name not in PARTS or spec or conversion for name, spec, conversion in fields):
        raise Problem("value_invalid", f"names: made of {', '.join(f'{{{part}}}' for part in PARTS)} and text.")
    return names


def _filled(folder: list[Any], parts: Mapping[str, str]) -> str:
    return "".join(text + (parts[name] if name else "") for text, name, *_ in folder)


def _free(name: str, taken: set[str]) -> str:
    stem, dot, ending = name.rpartition(".") if "." in name.rpartition("/")[2] else (name, "", "")
    found, number = name, 1
    while found.lower() in taken:
        number += 1
        found = f"{stem} ({number}){dot}{ending}"
    taken.add(found.lower())
    return found


def _files(source: Source) -> Iterator[tuple[dict[str, str], str]]:
    """(what a name can be made of, digest) of every file that may be seen."""
    for record in source.records(Submission.current_instance_id, Submission.event_date, Submission.country):
        came, answers, key, _, _, present = record[:6]
        current, day, country = record[12:]
        found = list(_of_record(source, {key, current})) if present else ()
        if not found:
            continue
        questions = dict(named(source.definition.fields, orjson.loads(answers), ""))
        about = {"form": source.form_id, "key": key, "case": case_number(key), "country": country or _NONE}
        about["date"] = day.isoformat() if day else came[:10]
        for name, sha256 in found:
            question = questions.get(name, _NONE).rpartition("/")[2]
            yield {**about, "question": question, "name": name}, sha256


def _of_record(source: Source, instance_ids: set[str]) -> Iterator[tuple[str, str]]:
    own, access = Attachment, source.access
    query = select(own.name, own.sha256).where(own.project_id == access.project_id, own.form_id == source.form_id)
    query = query.where(own.instance_id.in_(instance_ids), own.personal.in_(access.file_kinds()))
    seen: set[str] = set()
    for name, sha256 in source.connection.execute(query.order_by(own.name, own.received_at, own.sha256)):
        if sha256 not in seen:
            seen.add(sha256)
            yield name, sha256
