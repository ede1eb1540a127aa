"""OData 4.0 over the records of a form, for Excel, Power BI, R and pyodk: service document, metadata, tables, single rows."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from flask import Response, request

from exports.odata.entities import EntityReading
from exports.odata.metadata import metadata
from exports.odata.model import ROOT, table_at, table_of, tables_of
from exports.odata.options import Options, Place
from exports.odata.read import Reading, nothing
from forms.problems import Problem
from records import catalogue
from records.audit import RECORD, note_look, note_taken
from server.api.blueprint import FORM, access, answer, central, in_chunks, private, store, streamed
from server.api.describe import ANYTHING, COUNT, FLAG, TEXT, Schema, described, many, shape
from server.api.forms import definition_of
from server.services import services

MINIMAL = "application/json; odata.metadata=minimal"
_ROWS = re.compile(rf"{ROOT}(?:\('(?P<id>(?:[^']|'')+)'\)(?P<inside>(?:/[^/()]+(?:\('[0-9a-f]+'\))?)*))?")
_SEGMENT = re.compile(r"/(?P<name>[^/()]+)(?:\('(?P<id>[0-9a-f]+)'\))?")
_QUERY: tuple[tuple[str, Schema], ...] = (
    ("$top", COUNT),
    ("$skip", COUNT),
    ("$skiptoken", TEXT),
    ("$count", FLAG),
    ("$filter", TEXT),
    ("$orderby", TEXT),
    ("$select", TEXT),
    ("$expand", {"const": "*"}),
    ("$wkt", FLAG),
)
SERVICE = shape(more=True, value=many(shape(name=TEXT, kind=TEXT, url=TEXT)))
TABLE = shape(more=True, value=many(ANYTHING))


@central.get(f"{FORM}.svc")
@described(SERVICE)
def service_document(form_id: str) -> Response:
    """The tables of a form."""
    return service(address_of_service(form_id), [table.name for table in tables_of(definition_of(form_id))])


@central.get(f"{FORM}.svc/$metadata")
@described("application/xml")
def metadata_document(form_id: str) -> Response:
    """What is in these tables, as EDMX."""
    return edmx(metadata(definition_of(form_id)))


@central.get(f"{FORM}.svc/<path:target>")
@described(TABLE, query=_QUERY)
def rows(form_id: str, target: str) -> Response:
    """The rows of a table, of one record (`Submissions('uuid:...')`), or of a repeat in it (`Submissions('uuid:...')/animals`)."""
    options = read_options()
    definition = definition_of(form_id)
    found = _ROWS.fullmatch(target)
    if found is None or found["id"] is None:
        reading = Reading(store().read, access(), form_id, table_of(definition, target), options)
    else:
        inside = list(_SEGMENT.finditer(found["inside"]))
        table = table_at(definition, [part["name"] for part in inside])
        above = [part["id"] for part in inside[:-1] if part["id"]]
        own = inside[-1]["id"] if inside else None
        record = found["id"].replace("''", "'")
        reading = Reading(store().read, access(), form_id, table, options, record, below=above[-1] if above else None, only=own)
        if not inside and nothing(reading):
            raise Problem("submission_unknown", record)
    is_many = found is None or found["id"] is None
    return _table(form_id, reading, _version_of(form_id), is_many=is_many)


def read_options() -> Options:
    """What is asked for. Raises `Problem` value_invalid, not_supported, or not_acceptable."""
    require_json()
    return Options.read(request.args)


def require_json() -> None:
    """Raise `Problem("not_acceptable")` for who does not take JSON or speaks an older OData."""
    accepted = {part.partition(";")[0].strip() for part in request.headers.get("Accept", "*/*").split(",")}
    if not accepted & {"*/*", "application/*", "application/json", ""}:
        raise Problem("not_acceptable", "The data are JSON.")
    version = request.headers.get("OData-MaxVersion", "4.0")
    if version.partition(".")[0] in {"1", "2", "3"}:
        raise Problem("not_acceptable", f"The data are OData 4.0, and OData-MaxVersion asks for {version[:10]}.")


def service(address: str, names: Sequence[str]) -> Response:
    """A service document."""
    require_json()
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in names]
    return _odata(answer({"@odata.context": f"{address}/$metadata", "value": sets}))


def edmx(document: str) -> Response:
    """A metadata document."""
    return _odata(private(Response(document, content_type="application/xml; charset=utf-8")))


def page(context: str, reading: Reading | EntityReading) -> Response:
    """A table, written while it is read; where it goes on stands at its end. Nobody waits for the counting."""
    head: dict[str, Any] = {"@odata.context": context}
    if reading.options.count:
        with services().turnstile.outside():
            head["@odata.count"] = reading.count
    here, arguments = address_of(request.path), request.args.to_dict()

    def parts() -> Iterator[bytes]:
        yield orjson.dumps(head)[:-1] + b',"value":['
        for number, row in enumerate(reading.rows()):
            yield b"," + orjson.dumps(row) if number else orjson.dumps(row)
        place = reading.next_place
        yield b"]}" if place is None else b'],"@odata.nextLink":' + orjson.dumps(_next_link(here, arguments, place)) + b"}"

    return _odata(streamed(in_chunks(parts()), MINIMAL))


def address_of_service(form_id: str) -> str:
    """The address of a form's service."""
    return address_of(f"/v1/projects/{access().project_id}/forms/{form_id}.svc", safe="")


def address_of(path: str, *, safe: str = "$'()") -> str:
    """An address of this server as the client knows it."""
    return request.root_url.rstrip("/") + quote(path, safe=f"/{safe}")


def not_modified(state: str, *parts: str) -> tuple[str, Response | None]:
    """The ETag of what is asked for, and the answer for a client that has just that.

    A filter on the present time, and the phones of one person, change without anything that is kept having changed.
    """
    if "now()" in request.args.get("$filter", "") or access().only_account is not None:
        return "", None
    seen = "|".join((state, request.full_path, access().actor, ",".join(sorted(access().rights)), *parts))
    etag = hashlib.sha256(f"{request.host_url}|{seen}".encode()).hexdigest()[:32]
    return etag, tagged(_odata(private(Response(status=304))), etag) if request.if_none_match.contains_weak(etag) else None


def tagged(response: Response, etag: str) -> Response:
    """With this ETag, if there is one."""
    if etag:
        response.set_etag(etag, weak=True)
    return response


def _table(form_id: str, reading: Reading, version: str, *, is_many: bool) -> Response:
    with store().read() as connection:
        state = catalogue.state_of(connection)
    etag, same = not_modified(state, version)
    if same is not None:
        return same
    if reading.options.place is None:
        etag = _noted(form_id, reading, version, is_many=is_many)
    context = f"{address_of_service(form_id)}/$metadata#{reading.table.name}"
    return tagged(page(context, reading), etag)


def _noted(form_id: str, reading: Reading, version: str, *, is_many: bool) -> str:
    """Leave in the log that somebody takes a table, whose further pages belong to it, or one record; the ETag from then on."""
    if is_many:
        rows = None if reading.table.repeats else reading.count
        asked = {name: request.args.get(f"${name}") for name in ("filter", "top", "skip")}
        note_taken(store(), access(), form_id, "odata", table=reading.table.name, **asked, rows=rows)
    else:
        note_look(store(), access(), RECORD, reading.instance_id or "", form_id=form_id, what="odata")
    with store().read() as connection:
        state = catalogue.state_of(connection)
    return not_modified(state, version)[0]


def _version_of(form_id: str) -> str:
    with store().read() as connection:
        return str(catalogue.form(connection, access(), form_id).sha256)


def _next_link(here: str, arguments: Mapping[str, str], place: Place) -> str:
    kept = {name: value for name, value in arguments.items() if name not in {"$skip", "$skiptoken"}}
    return f"{here}?{urlencode({**kept, '$skiptoken': place.token()})}"


def _odata(response: Response) -> Response:
    response.headers["OData-Version"] = "4.0"
    return response
