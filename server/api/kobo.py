"""KoBoToolbox's API, version 2, for reading: assets are forms, data are records. A `Token` is a session that lasts a year."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from flask import Response, request
from sqlalchemy import Row

from exports.kobo import asset as assets_of
from exports.kobo import rows as kobo_rows
from exports.kobo.query import arrival_of, condition, is_newest_first, names
from exports.kobo.rows import Wanted
from exports.odata.rows import moment
from forms.definition import FormDefinition
from forms.problems import Problem
from records import catalogue, form_life, submissions
from records.access import Access, Right
from records.audit import note_taken
from records.catalogue import NONE, Tally
from records.models import Submission
from records.submissions import KeptFile, Record, by_arrival
from server import accounts, looks
from server.api.blueprint import JSON, answer, in_chunks, kobo_door, number_of, private, store, streamed
from server.api.describe import COUNT, FLAG, NUMBER, TEXT, WHOLE, described, many, or_null, shape
from server.identity import access_to, own_projects, require_person
from server.services import services

_TOKEN_DAYS = 365
_API = "/api/v2/assets"
_ASSET = f"{_API}/<uid>"
_PAGED = {"count": WHOLE, "next": or_null(TEXT), "previous": or_null(TEXT)}
_SUMMARY = shape(more=True, geo=FLAG, naming_conflicts=many(TEXT))
_LISTED = {
    "uid": TEXT,
    "name": TEXT,
    "asset_type": {"const": "survey"},
    "owner__username": TEXT,
    "date_created": TEXT,
    "date_modified": TEXT,
    "version_id": TEXT,
    "has_deployment": FLAG,
    "deployment__submission_count": WHOLE,
    "summary": _SUMMARY,
    "url": TEXT,
    "data": TEXT,
}
_ROW = shape(more=True, _id=NUMBER, _uuid=TEXT)
_DATA_QUERY = (("query", TEXT), ("sort", TEXT), ("fields", TEXT), ("start", COUNT), ("offset", COUNT), ("limit", COUNT))
_NOTHING = shape(_PAGED, results={"type": "array", "maxItems": 0})


@kobo_door.get("/token/")
@described(shape(token=TEXT))
def token() -> Response:
    """A new key for who asks with name and password; it ends when the password changes or the sessions are ended."""
    return answer({"token": accounts.begin_session(store(), require_person(), days=_TOKEN_DAYS)})


@kobo_door.get(f"{_API}.json")
@kobo_door.get(f"{_API}/")
@described(shape(_PAGED, results=many(shape(_LISTED))), query=(("limit", COUNT), ("offset", COUNT), ("q", TEXT)))
def assets() -> Response:
    """The forms of all projects whose records may be seen; all of them unless a limit is given."""
    listed = [_listed(each, row, tally) for each, row, tally in _forms()]
    wanted = request.args.get("q", "").casefold()
    return _paged([each for each in listed if wanted in each["name"].casefold()])


@kobo_door.get(f"{_ASSET}.json")
@kobo_door.get(f"{_ASSET}/")
@described(shape(_LISTED, content=shape(more=True), deployment__active=FLAG))
def asset(uid: str) -> Response:
    """One form with its questions and choices."""
    asking, row = _asset(uid)
    with store().read() as connection:
        tally = catalogue.tallies(connection, asking, row.form_id).get(row.form_id, NONE)
    content = assets_of.content(_definition(asking, row))
    return answer({**_listed(asking, row, tally), "content": content, "deployment__active": row.state == "open"})


@kobo_door.get(f"{_ASSET}.xml")
@described("application/xml")
def asset_xml(uid: str) -> Response:
    """The XForm of the current version."""
    asking, row = _asset(uid)
    with store().read() as connection:
        xform = form_life.version_xform(connection, asking.project_id, row.form_id, row.version)
    return private(Response(xform, content_type="application/xml; charset=utf-8"))


@kobo_door.get(f"{_ASSET}/data.json")
@kobo_door.get(f"{_ASSET}/data/")
@described(shape(_PAGED, results=many(_ROW)), query=_DATA_QUERY)
def data(uid: str) -> Response:
    """The records of a form, in the order they arrived; all of them unless a limit is given."""
    asking, row = _asset(uid)
    definition = _definition(asking, row)
    start, limit = number_of("start") or number_of("offset") or 0, number_of("limit")
    given = request.args
    wanted = Wanted(
        condition=condition(given["query"], definition) if given.get("query") else None,
        newest_first=is_newest_first(given["sort"]) if given.get("sort") else False,
        start=start,
        limit=limit,
        fields=names(given["fields"]) if given.get("fields") else frozenset(),
    )
    with store().read() as connection:
        total = kobo_rows.count(connection, asking, row.form_id, wanted.condition)
    if not start:
        note_taken(store(), asking, row.form_id, "kobo", query=given.get("query"), limit=limit, rows=total)
    found = kobo_rows.rows(store().read, asking, definition, wanted, _addresses(asking))
    return streamed(in_chunks(_results(_links(total, start, limit, "start"), found)), JSON)


@kobo_door.get(f"{_ASSET}/data/<record>.json")
@kobo_door.get(f"{_ASSET}/data/<record>/")
@described(_ROW)
def datum(uid: str, record: str) -> Response:
    """One record, by its `_id` or `_uuid`."""
    asking, row = _asset(uid)
    found = _record(asking, row, record)
    told = answer(kobo_rows.row_of(found, _definition(asking, row), _addresses(asking)))
    return looks.at_record(told, asking, row.form_id, found.instance_id, "kobo")


@kobo_door.get(f"{_ASSET}/data/<record>.xml")
@described("application/xml")
def datum_xml(uid: str, record: str) -> Response:
    """The current version of a record, exactly as it came for who may know who somebody is."""
    asking, row = _asset(uid)
    found = _record(asking, row, record)
    xml = submissions.read_version(store(), asking, row.form_id, found.current_instance_id, found.current_sha256)
    return private(Response(xml, content_type="application/xml; charset=utf-8"))


def _record(asking: Access, row: Row[Any], record: str) -> Record:
    """A record by its `_id` or `_uuid`. Raises `Problem("submission_unknown")`."""
    is_number = record.isascii() and record.isdigit() and len(record) < 17
    wanted = Submission.received_at == arrival_of(int(record)) if is_number else Submission.current_instance_id == f"uuid:{record}"
    with store().read() as connection:
        found = by_arrival(connection, asking, row.form_id, limit=1, condition=wanted)
    if not found:
        raise Problem("submission_unknown", record)
    return found[0]


@kobo_door.get(f"{_ASSET}/files.json")
@kobo_door.get(f"{_ASSET}/files/")
@kobo_door.get(f"{_ASSET}/export-settings/")
@kobo_door.get(f"{_ASSET}/exports/")
@described(_NOTHING)
def nothing_beside(uid: str) -> Response:
    """What KoBoToolbox keeps beside an asset and this server does not."""
    _asset(uid)
    return answer({"count": 0, "next": None, "previous": None, "results": []})


def uid_of(project_id: int, form_id: str) -> str:
    """The uid of a form: it holds the project and the form id."""
    return "a" + urlsafe_b64encode(f"{project_id}/{form_id}".encode()).decode().rstrip("=")


def _asset(uid: str) -> tuple[Access, Row[Any]]:
    """What who asks may do with this form, and the form. Raises `Problem` "form_unknown" or "not_allowed"."""
    try:
        project, _, form_id = urlsafe_b64decode(uid[1:].encode() + b"=" * (-len(uid[1:]) % 4)).decode().partition("/")
    except (Error, ValueError):
        raise Problem("form_unknown", uid) from None
    if (
        not (project.isascii() and project.isdigit() and len(project) < 10)
        or "\0" in form_id
        or uid_of(int(project), form_id) != uid
    ):
        raise Problem("form_unknown", uid)
    asking = access_to(int(project))
    with store().read() as connection:
        return asking, catalogue.form(connection, asking, form_id)


def _forms() -> Iterator[tuple[Access, Row[Any], Tally]]:
    for project_id in own_projects():
        asking = require_person().access(project_id)
        if asking.may(Right.SEE):
            with store().read() as connection:
                tallies = catalogue.tallies(connection, asking)
                for row in catalogue.forms(connection, asking):
                    yield asking, row, tallies.get(row.form_id, NONE)


def _definition(asking: Access, row: Row[Any]) -> FormDefinition:
    return services().intake.schemas.get(asking.project_id, row.form_id, row.version)[0].definition


def _listed(asking: Access, row: Row[Any], tally: Tally) -> dict[str, Any]:
    uid = uid_of(asking.project_id, row.form_id)
    address = f"{request.root_url}api/v2/assets/{uid}"
    return {
        "uid": uid,
        "name": row.title,
        "asset_type": "survey",
        "owner__username": f"project{asking.project_id}",
        "date_created": moment(row.created_at),
        "date_modified": moment(row.published_at),
        "version_id": row.version,
        "has_deployment": True,
        "deployment__submission_count": tally.submissions,
        "summary": {"geo": assets_of.has_place(_definition(asking, row)), "naming_conflicts": []},
        "url": f"{address}.json",
        "data": f"{address}/data.json",
    }


def _addresses(asking: Access) -> kobo_rows.Address:
    root = f"{request.root_url}v1/projects/{asking.project_id}/forms"

    def address(record: Record, file: KeptFile) -> str:
        form_id, instance_id, name = (quote(part, safe="") for part in (record.form_id, record.instance_id, file.name))
        return f"{root}/{form_id}/submissions/{instance_id}/attachments/{name}"

    return address


def _paged(results: list[Any]) -> Response:
    start, limit = number_of("offset") or 0, number_of("limit")
    part = results[start:] if limit is None else results[start : start + limit]
    return answer({**_links(len(results), start, limit, "offset"), "results": part})


def _links(total: int, start: int, limit: int | None, name: str) -> dict[str, Any]:
    """count, next, previous."""

    def link(there: int) -> str:
        arguments = {key: value for key, value in request.args.items() if key not in {"start", "offset"}}
        return f"{request.root_url.rstrip('/')}{quote(request.path)}?{urlencode({**arguments, name: there})}"

    following = link(start + limit) if limit and start + limit < total else None
    return {"count": total, "next": following, "previous": link(max(0, start - limit)) if limit and start else None}


def _results(head: dict[str, Any], rows: Iterator[Any]) -> Iterator[bytes]:
    yield orjson.dumps(head)[:-1] + b',"results":['
    for number, row in enumerate(rows):
        yield b"," + orjson.dumps(row) if number else orjson.dumps(row)
    yield b"]}"
