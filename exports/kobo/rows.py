"""Records as rows of KoBoToolbox: flat, group names in the keys, answers as text, repeats as lists."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, func, select

from exports.kobo.query import id_of
from forms.definition import Field, FormDefinition
from records.access import Access, Right
from records.models import Submission
from records.submissions import KeptFile, Record, by_arrival

_PAGE = 500
STATES = {
    "approved": {"uid": "validation_status_approved", "label": "Approved"},
    "rejected": {"uid": "validation_status_not_approved", "label": "Not approved"},
    "hasIssues": {"uid": "validation_status_on_hold", "label": "On hold"},
}
Read = Callable[[], AbstractContextManager[Connection]]
Address = Callable[[Record, KeptFile], str]
"""Where a file of a record can be fetched."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records, and what of them; no `fields` for all."""

    condition: ColumnElement[bool] | None = None
    newest_first: bool = False
    start: int = 0
    limit: int | None = None
    fields: frozenset[str] = frozenset()


def count(connection: Connection, access: Access, form_id: str, condition: ColumnElement[bool] | None = None) -> int:
    """How many records there are, whatever `start` and `limit` say."""
    access.require(Right.SEE)
    query = select(func.count()).select_from(Submission).where(*access.visible(), Submission.form_id == form_id)
    return connection.execute(query if condition is None else query.where(condition)).scalar_one()


def rows(read: Read, access: Access, definition: FormDefinition, wanted: Wanted, address: Address) -> Iterator[Row]:
    """The rows, read page by page."""
    asked = {"condition": wanted.condition, "newest_first": wanted.newest_first}
    left, after = wanted.limit, None
    while left is None or left > 0:
        size = _PAGE if left is None else min(left, _PAGE)
        offset = wanted.start if after is None else 0
        with read() as connection:
            page = by_arrival(connection, access, definition.form_id, limit=size, after=after, offset=offset, **asked)  # type: ignore[arg-type]
        for record in page:
            row = row_of(record, definition, address)
            yield row if not wanted.fields else {name: value for name, value in row.items() if name in wanted.fields}
        if len(page) < size:
            return
        after, left = (page[-1].received_at, page[-1].instance_id), None if left is None else left - size


def row_of(record: Record, definition: FormDefinition, address: Address) -> Row:
    """One record."""
    bare = record.current_instance_id.removeprefix("uuid:")
    files = [_file(record, file, address, paths) for file, paths in _asked_for(record, definition)]
    return {
        "_id": id_of(record.received_at),
        "_uuid": bare,
        "formhub/uuid": definition.form_id,
        "__version__": record.version,
        **dict(_answers(definition.fields, record.answers, "")),
        "meta/instanceID": record.current_instance_id,
        "meta/rootUuid": record.instance_id,
        "meta/instanceName": record.instance_name,
        "_xform_id_string": definition.form_id,
        "_submission_time": record.received_at.strftime("%Y-%m-%dT%H:%M:%S"),
        "_submitted_by": record.app_user,
        "_status": "submitted_via_web",
        "_geolocation": [record.latitude, record.longitude],
        "_tags": [],
        "_notes": [],
        "_validation_status": STATES.get(record.review_state, {}),
        "_attachments": files,
    }


def _answers(fields: Sequence[Field], answers: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """What was answered. Repeats have their count beside them, which pykobo takes for granted."""
    for field in fields:
        value, key = answers.get(field.name), f"{prefix}{field.name}"
        if field.path == ("meta",):
            continue
        if field.kind == "repeat":
            rounds = value if isinstance(value, list) else []
            yield f"{key}_count", str(len(rounds))
            if rounds:
                contents = (each if isinstance(each, dict) else {} for each in rounds)
                yield key, [dict(_answers(field.children, content, f"{key}/")) for content in contents]
        elif field.kind == "group":
            yield from _answers(field.children, value if isinstance(value, dict) else {}, f"{key}/")
        elif value not in (None, ""):
            yield key, value if isinstance(value, str) else orjson.dumps(value).decode()


def _asked_for(record: Record, definition: FormDefinition) -> Iterator[tuple[KeptFile, str]]:
    """The files of a record, and the question that asks for each."""
    questions = dict(named(definition.fields, record.answers, ""))
    return ((file, questions.get(file.name, "")) for file in record.attachments if not file.withheld)


def named(fields: Sequence[Field], answers: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """(name of a file, path of the question it answers), with the number of the round behind the name of each repeat."""
    for field in fields:
        value, key = answers.get(field.name), f"{prefix}{field.name}"
        if field.is_file and isinstance(value, str):
            yield value, key
        elif field.kind == "group" and isinstance(value, dict):
            yield from named(field.children, value, f"{key}/")
        elif field.kind == "repeat" and isinstance(value, list):
            rounds = ((number, each) for number, each in enumerate(value, start=1) if isinstance(each, dict))
            yield from chain.from_iterable(named(field.children, each, f"{key}[{number}]/") for number, each in rounds)


def _file(record: Record, file: KeptFile, address: Address, path: str) -> Row:
    url = address(record, file)
    sizes = {f"download_{size}url": url for size in ("", "large_", "medium_", "small_")}
    return {
        "uid": f"att{file.sha256[:21]}",
        **sizes,
        "mimetype": file.content_type,
        "filename": f"attachments/{record.instance_id.removeprefix('uuid:')}/{file.name}",
        "media_file_basename": file.name,
        "question_xpath": path,
        "is_deleted": False,
    }
