"""The doors through which programs pull records: ODK Briefcase, and scripts written for Aggregate, Ona and KoBoToolbox.

ODK Aggregate, "Briefcase Aggregate API"; getodk/briefcase, `PullFromAggregate`. People who may see reports pull, phones never. The
files of a record are fetched without credentials, so their addresses carry a signature that holds for a day.
"""

import re
import time
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from flask import Blueprint, Response, g, request
from lxml import etree

from forms.problems import Problem
from forms.xml import parse_xml
from records import arrivals
from records.access import Access
from records.arrivals import Pulled
from records.audit import note_taken
from records.forms import latest_xform
from records.submissions import read_version
from server import doors
from server.downloads import kept_file
from server.services import services

briefcase = Blueprint("briefcase", __name__)
briefcase.after_request(doors.ask_for_password)
_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = "http://opendatakit.org/submissions"
_KEY = re.compile(r"(?P<form_id>.*?)(\[@version=.*\])?/[^/\[\]]*\[@key=(?P<instance_id>.*)\]", re.DOTALL)
_PAGE, _MAX_PAGE = 100, 1000
_DAY = 86_400  # seconds
_noted: dict[tuple[int, str, str], float] = {}
"""When somebody's download of a form was last noted by this process."""


@briefcase.url_value_preprocessor
def _project(_: str | None, values: dict[str, Any] | None) -> None:
    """Take the project's short name out of the path."""
    g.account = (values or {}).pop("account", None)


@briefcase.get("/view/submissionList")
def submission_list() -> Response:
    """The ids of a form's records in the order they arrived, also of those whose files are not all here yet.

    At the end the list is empty and the cursor stays as it is, which is what the different clients wait for.
    """
    access = doors.reader(g.account)
    form_id, cursor = request.args.get("formId", ""), request.args.get("cursor", "") or "0"
    wanted = request.args.get("numEntries", "") or str(_PAGE)
    if not (cursor.isdecimal() and wanted.isdecimal() and len(cursor) < 19):
        raise Problem("value_invalid", "cursor and numEntries are whole numbers.")
    limit = min(max(int(wanted), 1), _MAX_PAGE)
    with services().store.read() as connection:
        latest_xform(connection, access.project_id, form_id)
        rows = arrivals.arrived(connection, access, form_id, after=int(cursor), limit=limit)
    if cursor == "0":
        _note(access, form_id)
    ids = "".join(f"<id>{escape(instance_id)}</id>" for _, instance_id in rows)
    position = rows[-1].position if rows else int(cursor)
    return _xml(f'<idChunk xmlns="{_NAMESPACE}"><idList>{ids}</idList><resumptionCursor>{position}</resumptionCursor></idChunk>')


@briefcase.get("/view/downloadSubmission")
def download_submission() -> Response:
    """One record, named as `formId[@version=... and @uiVersion=...]/root[@key=instanceID]`; only form and instance count."""
    access = doors.reader(g.account)
    key = _KEY.fullmatch(request.args.get("formId", ""))
    if key is None:
        raise Problem("value_invalid", "formId must be like form/data[@key=uuid:...].")
    store = services().store
    with store.read() as connection:
        record = arrivals.pulled(connection, access, key["form_id"], key["instance_id"])
    xml = read_version(store, access, key["form_id"], record.instance_id, record.sha256, of_download=True)
    if time.monotonic() - _noted.get(_who(access, key["form_id"]), -_DAY) >= _DAY:  # without the list, or long after it
        _note(access, key["form_id"])
    return _xml(
        f'<submission xmlns="{_NAMESPACE}" xmlns:orx="http://openrosa.org/xforms"><data>{_instance(record, xml)}</data>'
        f"{''.join(_media_files(record, access))}</submission>"
    )


@briefcase.get("/view/media/<signed>/<name>")
def media(signed: str, name: str) -> Response:
    """A file of a record."""
    _, sha256 = doors.unsealed("media", signed)
    return kept_file(sha256, name, save=True)


def _note(access: Access, form_id: str) -> None:
    """Leave one line for all the records of a form that are taken now."""
    note_taken(services().store, access, form_id, "briefcase")
    _noted[_who(access, form_id)] = time.monotonic()


def _who(access: Access, form_id: str) -> tuple[int, str, str]:
    return access.project_id, access.actor, form_id


def _instance(record: Pulled, xml: bytes) -> str:
    """The record with what Aggregate adds to its root."""
    root = parse_xml(xml, lenient=True)
    moment = record.received_at.isoformat(timespec="milliseconds")
    added = {"instanceID": record.instance_id, "submissionDate": moment, "isComplete": "true", "markedAsCompleteDate": moment}
    for name, value in added.items():
        root.set(name, value)
    return etree.tostring(root, encoding="unicode")


def _media_files(record: Pulled, access: Access) -> list[str]:
    base = f"{request.root_url}view/media"
    return [
        f"<mediaFile><filename>{escape(file.name)}</filename><hash>md5:{md5}</hash>"
        f"<downloadUrl>{base}/{doors.sealed('media', access, file.sha256)}/{quote(file.name, safe='')}</downloadUrl></mediaFile>"
        for file, md5 in record.files
    ]


def _xml(body: str) -> Response:
    response = Response(_HEADER + body, content_type="text/xml; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-store"
    return response
