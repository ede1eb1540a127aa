"""Records as ODK Central lists them: who sent them, their XML and files, what people said about them."""

from collections.abc import Iterator
from typing import Any

from flask import Response
from sqlalchemy import Row

from exports.odata.rows import moment
from forms.problems import Problem
from records import catalogue, reviews, submissions
from records.access import Right
from records.submissions import Record
from records.summaries import summaries, summary
from server import accounts, looks
from server.api import bundle
from server.api.blueprint import (
    FORM,
    SUBMISSION,
    access,
    answer,
    array,
    body,
    central,
    flag_of,
    is_extended,
    number_of,
    private,
    store,
    text_of,
)
from server.api.describe import COUNT, FLAG, MOMENT, TEXT, WHOLE, described, many, or_null, shape
from server.downloads import kept_file
from sync import remedies
from sync.delivery import same_name

_XML = "application/xml"
_STATE = or_null({"enum": [name for name in reviews.STATES if name != "received"]})
_SUBMISSION = shape(
    more=True,
    instanceId=TEXT,
    submitterId=WHOLE,
    deviceId=or_null(TEXT),
    userAgent=or_null(TEXT),
    reviewState=_STATE,
    instanceName=or_null(TEXT),
    createdAt=MOMENT,
    updatedAt=or_null(MOMENT),
    deletedAt=or_null(MOMENT),
    currentVersion=shape(more=True, instanceId=TEXT, current=FLAG, submitterId=WHOLE, createdAt=MOMENT),
)
_VERSION = shape(instanceId=TEXT, current=FLAG, createdAt=MOMENT, formVersion=TEXT, deprecatedId=or_null(TEXT))
_COMMENT = shape(body=TEXT, actorId=WHOLE, actorName=TEXT, createdAt=MOMENT)
_EXTENDED = ("X-Extended-Metadata",)


@central.get(f"{FORM}/submissions")
@described(many(_SUBMISSION), query=(("limit", COUNT), ("offset", COUNT), ("deleted", FLAG)), headers=_EXTENDED)
def submissions_of_form(form_id: str) -> Response:
    """The records of a form, newest first; `deleted` gives those that were deleted."""
    with store().read() as connection:
        catalogue.form(connection, access(), form_id)
    limit, offset, deleted, extended = number_of("limit"), number_of("offset") or 0, flag_of("deleted"), is_extended()
    rows = summaries(store().read, access(), form_id, limit=limit, offset=offset, deleted=deleted)
    return looks.at_list(array(_submission(row, extended=extended) for row in rows), access(), form_id)


@central.get(f"{FORM}/submissions/keys")
@described(many(shape(more=True)))
def submission_keys(form_id: str) -> Response:
    """Managed keys: there are none, since this server never holds what opens a record."""
    with store().read() as connection:
        catalogue.form(connection, access(), form_id)
    return answer([])


@central.get(f"{FORM}/submissions.csv.zip")
@described("application/zip", query=(("attachments", FLAG), ("$filter", TEXT)))
def submissions_zip(form_id: str) -> Response:
    """Every table of a form as CSV, and its files, in one ZIP that is written while it is read."""
    return bundle.response(form_id)


@central.get(SUBMISSION)
@described(_SUBMISSION, headers=_EXTENDED)
def submission(form_id: str, instance_id: str) -> Response:
    """One record, by the id of its first version."""
    told = answer(_submission(_summary(form_id, instance_id), extended=is_extended()))
    return looks.at_record(told, access(), form_id, instance_id, "about")


@central.patch(SUBMISSION)
@described(_SUBMISSION, takes=shape(more=True, reviewState=_STATE))
def review_submission(form_id: str, instance_id: str) -> Response:
    """Give a record a review state; null puts it back to received."""
    access().require(Right.REVIEW)
    content = body()
    state = "received" if content.get("reviewState", "") is None else text_of(content, "reviewState")
    remedies.review(store(), access(), form_id, instance_id, state)
    return answer(_submission(_summary(form_id, instance_id), extended=is_extended()))


@central.get(f"{SUBMISSION}.xml")
@described(_XML)
def submission_xml(form_id: str, instance_id: str) -> Response:
    """The current version of a record, exactly as it came for who may know who somebody is."""
    row = _summary(form_id, instance_id)
    found = submissions.read_version(store(), access(), form_id, row.current_instance_id, row.current_sha256)
    return private(Response(found, content_type=f"{_XML}; charset=utf-8"))


@central.get(f"{SUBMISSION}/versions")
@described(many(_VERSION))
def submission_versions(form_id: str, instance_id: str) -> Response:
    """Every version of a record, the newest first."""
    row, versions = _versions(form_id, instance_id)
    return answer(
        [
            {
                "instanceId": each.instance_id,
                "current": (each.instance_id, each.sha256) == (row.current_instance_id, row.current_sha256),
                "createdAt": moment(each.received_at),
                "formVersion": each.version,
                "deprecatedId": each.deprecated_id,
            }
            for each in reversed(versions)
        ]
    )


@central.get(f"{SUBMISSION}/versions/<path:version_id>.xml")
@described(_XML)
def submission_version_xml(form_id: str, instance_id: str, version_id: str) -> Response:
    """One version of a record, exactly as it came for who may know who somebody is."""
    _, versions = _versions(form_id, instance_id)
    found = next((each for each in versions if each.instance_id == version_id), None)
    if found is None:
        raise Problem("submission_unknown", version_id)
    content = submissions.read_version(store(), access(), form_id, version_id, found.sha256)
    return private(Response(content, content_type=f"{_XML}; charset=utf-8"))


@central.get(f"{SUBMISSION}/attachments")
@described(many(shape(name=TEXT, exists=FLAG)))
def submission_attachments(form_id: str, instance_id: str) -> Response:
    """The files a record has or should have."""
    record = _record(form_id, instance_id)
    present = {same_name(file.name): file.name for file in record.attachments}
    names = sorted({present.get(name, name) for name in {*present, *record.files_expected}})
    return answer([{"name": name, "exists": same_name(name) in present} for name in names])


@central.get(f"{SUBMISSION}/attachments/<path:name>")
@described(("*/*",))
def submission_attachment(form_id: str, instance_id: str, name: str) -> Response:
    """One of these files, to be saved."""
    files = _record(form_id, instance_id).attachments
    found = next((file for file in files if same_name(file.name) == same_name(name)), None)
    if found is None:
        raise Problem("not_found", f"The record has no file {name}.")
    file = kept_file(found.require().sha256, found.name, save=True)
    return looks.at_record(file, access(), form_id, instance_id, "file")


@central.get(f"{SUBMISSION}/comments")
@described(many(_COMMENT))
def submission_comments(form_id: str, instance_id: str) -> Response:
    """What people said about a record, the newest first."""
    _summary(form_id, instance_id)
    return answer(list(_comments(form_id, instance_id)))


@central.post(f"{SUBMISSION}/comments")
@described(_COMMENT, takes=shape(more=True, body={"type": "string", "minLength": 1, "maxLength": reviews.MOST_COMMENT}))
def comment_submission(form_id: str, instance_id: str) -> Response:
    """Say something about a record."""
    access().require(Right.REVIEW)
    reviews.comment(store(), access(), form_id, instance_id, text_of(body(), "body"))
    return answer(next(_comments(form_id, instance_id)))


@central.get(f"{SUBMISSION}/audits")
@described(many(shape(more=True, action=TEXT, loggedAt=MOMENT)))
def submission_audits(form_id: str, instance_id: str) -> Response:
    """What people did with a record, the newest first."""
    _summary(form_id, instance_id)
    with store().read() as connection:
        events = reviews.history(connection, access(), form_id, instance_id)
    return answer(
        [
            {
                "action": f"submission.{event.action}",
                "loggedAt": moment(event.at),
                "actor": event.actor,
                "details": {"reviewState": event.state, "comment": event.comment},
            }
            for event in reversed(events)
        ]
    )


def _summary(form_id: str, instance_id: str) -> Row[Any]:
    with store().read() as connection:
        return summary(connection, access(), form_id, instance_id)


def _record(form_id: str, instance_id: str) -> Record:
    _summary(form_id, instance_id)
    with store().read() as connection:
        return submissions.found(connection, access(), instance_id, form_id)


def _versions(form_id: str, instance_id: str) -> tuple[Row[Any], list[Row[Any]]]:
    row, record = _summary(form_id, instance_id), _record(form_id, instance_id)
    with store().read() as connection:
        return row, list(submissions.versions_of(connection, access(), record))


def _comments(form_id: str, instance_id: str) -> Iterator[dict[str, Any]]:
    with store().read() as connection:
        said = [event for event in reviews.history(connection, access(), form_id, instance_id) if event.comment]
        ids = accounts.ids(connection, {event.actor for event in said})
    for event in reversed(said):
        who = {"actorId": ids.get(event.actor, 0), "actorName": event.actor}
        yield {"body": event.comment, **who, "createdAt": moment(event.at)}


def _submission(row: Row[Any], *, extended: bool) -> dict[str, Any]:
    """A record as ODK Central describes one; a submitter nobody knows has the number 0."""
    state, name = row.review_state, row.instance_name or None
    submitter = None
    if extended and row.app_user_id is not None:
        submitter = {
            "id": row.app_user_id,
            "type": "field_key",
            "displayName": row.app_user,
            "createdAt": moment(row.app_user_since),
            "updatedAt": None,
            "deletedAt": None,
        }
    return {
        "instanceId": row.instance_id,
        "submitterId": row.app_user_id or 0,
        "deviceId": row.device_id or None,
        "userAgent": row.user_agent or None,
        "reviewState": None if state == "received" else state,
        "instanceName": name,
        "createdAt": moment(row.received_at),
        "updatedAt": moment(row.updated_at),
        "deletedAt": moment(row.deleted_at),
        "currentVersion": {
            "instanceId": row.current_instance_id,
            "instanceName": name,
            "submitterId": row.current_app_user_id or 0,
            "deviceId": row.current_device_id or None,
            "userAgent": row.user_agent or None,
            "createdAt": moment(row.current_received_at or row.received_at),
            "current": True,
        },
        **({"submitter": submitter} if extended else {}),
    }
