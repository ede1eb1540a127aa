"""What is kept of a person as files to take home: every record with its answers, files and history, readable anywhere."""

import html
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import IO, Any

import orjson
from sqlalchemy import Connection, select

from forms.personal import Told, put
from forms.submission import case_number
from records import reviews
from records.access import Access, Right
from records.audit import note
from records.blobs import BlobStore
from records.contact import read_contact
from records.forms import Schemas
from records.models import Entity
from records.store import Store
from records.submissions import Record, found
from sync.person.finding import Person, RecordKey

_STYLE = "body{font-family:sans-serif;max-width:50em;margin:2em auto}dt{font-weight:bold}dd{margin:0 0 .6em 1em}"


def write_copy(store: Store, blobs: BlobStore, schemas: Schemas, access: Access, person: Person, target: IO[bytes]) -> int:
    """Write a ZIP: index.html to read, data.json for programs, and the files; how many records are in it. The log notes it.

    Of records that they only wrote about somebody else, it says that there are such. Raises `Problem` not_allowed or
    personal_key_missing.
    """
    access.require(Right.CONTACT)
    copies = [_copy(store, schemas, access, key) for key in person.about]
    with store.read() as connection:
        lists = [_entity(connection, access, *key) for key in person.entities]
    data = {"made_at": datetime.now(UTC), "records": copies, "lists": lists, "records_written_about_others": len(person.written)}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", orjson.dumps(data, option=orjson.OPT_INDENT_2, default=str))
        archive.writestr("index.html", _page(copies, lists, len(person.written)))
        for copied in copies:
            for file in copied["files"]:
                with blobs.open(file["sha256"]) as content, archive.open(file["path"], "w") as entry:
                    while chunk := content.read(1 << 20):
                        entry.write(chunk)

    def noted(connection: Connection) -> None:
        note(connection, "personal.export", "", actor=access.actor, project_id=access.project_id, records=len(copies))

    store.write(noted)
    return len(copies)


def _copy(store: Store, schemas: Schemas, access: Access, key: RecordKey) -> dict[str, Any]:
    """A record with everything in it, and what was done with it."""
    form_id, instance_id = key
    told = read_contact(store, access, form_id, instance_id)
    with store.read() as connection:
        record = found(connection, access, instance_id, form_id)
        steps = reviews.history(connection, access, form_id, instance_id)
    definition = schemas.get(access.project_id, form_id, record.version)[0].definition
    answers = _whole(record, told)
    folder = f"{form_id}-{case_number(instance_id)}"
    return {
        "case_number": case_number(instance_id),
        "instance_id": instance_id,
        "form": {"id": form_id, "title": definition.title, "version": record.version},
        "received_at": record.received_at,
        "received_from": record.app_user,
        "place": {"latitude": record.latitude, "longitude": record.longitude},
        "state": record.review_state,
        "deleted_at": record.deleted_at,
        "answers": answers,
        "readable": list(_lines(answers, (), definition.label)),
        "files": [
            {"name": file.name, "sha256": file.sha256, "path": f"{folder}/{number}-{PurePosixPath(file.name).name}"}
            for number, file in enumerate(record.attachments, start=1)
        ],
        "history": [
            {"at": step.at, "by": step.actor, "what": step.action, "state": step.state, "comment": step.comment} for step in steps
        ],
        "remarks_of_checks": [item["message"] for item in record.flags],
    }


def _whole(record: Record, told: Sequence[Told]) -> dict[str, Any]:
    for each in told:
        put(record.answers, each.path, each.text)
    return record.answers


def _lines(value: Any, path: tuple[str, ...], label: Any) -> Iterator[tuple[str, str]]:
    """(question, answer) of everything that was answered."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _lines(each, (*path, name), label)
    elif isinstance(value, list):
        for each in value:
            yield from _lines(each, path, label)
    elif value not in (None, "") and path[0] != "meta":
        yield label(path), str(value)


def _entity(connection: Connection, access: Access, name: str, uuid: str) -> dict[str, Any]:
    key = {"project_id": access.project_id, "list_name": name, "uuid": uuid}
    row = connection.execute(select(Entity.label, Entity.data).filter_by(**key)).one()
    return {"list": name, "uuid": uuid, "label": row.label, "data": row.data}


def _page(copies: Sequence[dict[str, Any]], lists: Sequence[dict[str, Any]], written: int) -> str:
    parts = [f'<!doctype html><meta charset="utf-8"><title>Data of one person</title><style>{_STYLE}</style>']
    parts.append(f"<h1>Data of one person</h1><p>{len(copies)} records about them, {written} that they wrote about others.</p>")
    for copied in copies:
        parts.append(f"<h2>{_(copied['form']['title'])} {copied['case_number']}</h2>")
        parts.append(f"<p>Received {copied['received_at']:%Y-%m-%d %H:%M} UTC. State: {_(copied['state'])}.</p><dl>")
        parts += [f"<dt>{_(question)}</dt><dd>{_(answer)}</dd>" for question, answer in copied["readable"]]
        parts.append("</dl><ul>")
        parts += [f'<li><a href="{_(file["path"])}">{_(file["name"])}</a></li>' for file in copied["files"]]
        parts += [f"<li>{step['at']:%Y-%m-%d}: {_(step['what'])} {_(step['comment'])}</li>" for step in copied["history"]]
        parts.append("</ul>")
    parts += [f"<h2>In the list {_(each['list'])}</h2><p>{_(each['label'])}</p>" for each in lists]
    return "".join(parts)


def _(text: object) -> str:
    return html.escape(str(text))
