"""Forms, their versions, fields and files, as ODK Central lists them."""

import mimetypes
from typing import Any

from flask import Response
from sqlalchemy import Row

from exports.odata.model import field_list
from exports.odata.rows import moment
from forms.definition import FormDefinition
from forms.problems import Problem
from records import catalogue, form_life
from records.catalogue import NONE, Tally
from records.forms import media_of
from server.api.blueprint import FORM, PROJECT, access, answer, central, flag_of, is_extended, private, store
from server.api.describe import FLAG, MOMENT, TEXT, WHOLE, described, many, or_null, shape
from server.downloads import kept_file
from server.services import services

STATES = {"open": "open", "closed": "closing", "retired": "closed"}
"""ODK Central's words: closing forms go to no phone and still take records, closed ones expect none."""
_NO_VERSION = "___"  # how ODK Central writes an empty version into an address
_XML = "application/xml"
_FORM = {
    **shape(
        more=True,
        projectId=WHOLE,
        xmlFormId=TEXT,
        version=TEXT,
        hash=TEXT,
        sha256=TEXT,
        state={"enum": sorted(STATES.values())},
        name=TEXT,
        enketoId=or_null(TEXT),
        keyId=or_null(WHOLE),
        createdAt=MOMENT,
        updatedAt=or_null(MOMENT),
        publishedAt=or_null(MOMENT),
    ),
}
_FIELD = shape(name=TEXT, path=TEXT, type=TEXT, binary=or_null(FLAG), order=WHOLE, selectMultiple=or_null(FLAG))
_FILE = shape(
    name=TEXT, type=TEXT, hash=TEXT, exists=FLAG, blobExists=FLAG, datasetExists=FLAG, updatedAt=or_null(MOMENT)
)  # fmt: skip
_EXTENDED = ("X-Extended-Metadata",)
_FIELD_QUERY = (("odata", FLAG), ("flatten", FLAG))


@central.get(f"{PROJECT}/forms")
@described(many(_FORM), headers=_EXTENDED)
def forms() -> Response:
    """The forms of a project, by id; with counts of their records where extended metadata is asked for."""
    with store().read() as connection:
        rows = catalogue.forms(connection, access())
        tallies = catalogue.tallies(connection, access()) if is_extended() else {}
    return answer([_form(row, tallies.get(row.form_id, NONE)) for row in rows])


@central.get(FORM)
@described(_FORM, headers=_EXTENDED)
def form(form_id: str) -> Response:
    """One form."""
    with store().read() as connection:
        row = catalogue.form(connection, access(), form_id)
        tallies = catalogue.tallies(connection, access(), form_id) if is_extended() else {}
    return answer(_form(row, tallies.get(form_id, NONE)))


@central.get(f"{FORM}.xml")
@described(_XML)
def form_xml(form_id: str) -> Response:
    """The XForm of the current version."""
    with store().read() as connection:
        version = catalogue.form(connection, access(), form_id).version
    return _xform(form_id, version)


@central.get(f"{FORM}/versions")
@described(many(_FORM))
def form_versions(form_id: str) -> Response:
    """Every published version, the newest first."""
    with store().read() as connection:
        current = catalogue.form(connection, access(), form_id)
        rows = form_life.versions(connection, access().project_id, form_id)
    return answer([{**_form(current, NONE, extended=False), **_version(row)} for row in rows])


@central.get(f"{FORM}/versions/<path:version>.xml")
@described(_XML)
def form_version_xml(form_id: str, version: str) -> Response:
    """The XForm of one version; `___` is the version without a name."""
    with store().read() as connection:
        catalogue.form(connection, access(), form_id)
    return _xform(form_id, "" if version == _NO_VERSION else version)


@central.get(f"{FORM}/versions/<path:version>/fields")
@described(many(_FIELD), query=_FIELD_QUERY)
def form_version_fields(form_id: str, version: str) -> Response:
    """The questions, groups and repeats of one version."""
    name = "" if version == _NO_VERSION else version
    with store().read() as connection:
        catalogue.form(connection, access(), form_id)
    schema, is_known = services().intake.schemas.get(access().project_id, form_id, name)
    if not is_known:
        raise Problem("not_found", f"Version “{name}” of {form_id} was never published here.")
    return _fields(schema.definition)


@central.get(f"{FORM}/fields")
@described(many(_FIELD), query=_FIELD_QUERY)
def form_fields(form_id: str) -> Response:
    """The questions, groups and repeats of the current version, in the order of the form."""
    return _fields(definition_of(form_id))


@central.get(f"{FORM}/attachments")
@described(many(_FILE))
def form_attachments(form_id: str) -> Response:
    """The files that go with the current version."""
    with store().read() as connection:
        row = catalogue.form(connection, access(), form_id)
        files = media_of(connection, access().project_id, form_id, row.version)
    kinds = ((file, (mimetypes.guess_type(file.name)[0] or "").partition("/")[0]) for file in files)
    return answer(
        [
            {
                "name": file.name,
                "type": kind if kind in {"image", "audio", "video"} else "file",
                "hash": file.md5,
                "exists": True,
                "blobExists": True,
                "datasetExists": False,
                "updatedAt": moment(row.published_at),
            }
            for file, kind in kinds
        ]
    )


@central.get(f"{FORM}/attachments/<path:name>")
@described(("*/*",))
def form_attachment(form_id: str, name: str) -> Response:
    """One of these files."""
    with store().read() as connection:
        row = catalogue.form(connection, access(), form_id)
        files = media_of(connection, access().project_id, form_id, row.version)
    found = next((file for file in files if file.name == name), None)
    if found is None:
        raise Problem("not_found", f"The form has no file {name}.")
    return kept_file(found.sha256, name, save=True)


def definition_of(form_id: str) -> FormDefinition:
    """The current version of a form that may be seen. Raises `Problem` "form_unknown" or "not_allowed"."""
    with store().read() as connection:
        version = catalogue.form(connection, access(), form_id).version
    return services().intake.schemas.get(access().project_id, form_id, version)[0].definition


def _fields(definition: FormDefinition) -> Response:
    return answer(list(field_list(definition, sanitised=flag_of("odata"), flat=flag_of("flatten"))))


def _xform(form_id: str, version: str) -> Response:
    with store().read() as connection:
        xform = form_life.version_xform(connection, access().project_id, form_id, version)
    return private(Response(xform, content_type=f"{_XML}; charset=utf-8"))


def _form(row: Row[Any], tally: Tally, *, extended: bool | None = None) -> dict[str, Any]:
    states = {name: tally.states.get(name, 0) for name in ("received", "hasIssues", "edited")}
    counts = {
        "submissions": tally.submissions,
        "lastSubmission": moment(tally.last),
        "reviewStates": states,
        "createdBy": None,
        "excelContentType": None,
    }
    return {
        "projectId": access().project_id,
        "xmlFormId": row.form_id,
        "version": row.version,
        "hash": row.md5,
        "sha256": row.sha256,
        "state": STATES[row.state],
        "name": row.title,
        "enketoId": None,
        "enketoOnceId": None,
        "draftToken": None,
        "keyId": None,
        "createdAt": moment(row.created_at),
        "updatedAt": None,
        "publishedAt": moment(row.published_at),
        **(counts if (is_extended() if extended is None else extended) else {}),
    }


def _version(row: Any) -> dict[str, Any]:
    return {"version": row.version, "name": row.title, "hash": row.md5, "publishedAt": moment(row.published_at)}
