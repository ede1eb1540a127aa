"""One report: its answers, what is odd about it, its files, its versions as they came, what was done about it."""

from collections.abc import Sequence
from io import BytesIO

from flask import Response, request

from forms.audit import MOST_BYTES, Audit, read_audit
from forms.audit import NAME as AUDIT
from forms.definition import FormDefinition
from forms.personal import bare
from forms.problems import Problem
from forms.submission import case_number
from records import form_life, reviews, submissions
from records.access import Right
from records.contact import read_contact
from records.file_kinds import SHOWN
from records.submissions import KeptFile, Record
from server import looks
from server.downloads import guarded, handed_out, kept_file
from server.pages import flags
from server.pages.access import access, open_to
from server.pages.answers import shown_answers, split_quiet
from server.pages.blueprint import PROJECT, pages
from server.pages.contents import comparisons
from server.pages.history import STATES, history
from server.pages.incident_card import card_of
from server.pages.rendering import form_title, language, page
from server.pages.values import place
from server.services import services
from server.thumbnails import thumbnail

_PATH = f"{PROJECT}/reports/<segment:form_id>/<segment:instance_id>"


@pages.get(_PATH, endpoint="report")
@open_to(Right.SEE)
def one(form_id: str, instance_id: str) -> Response:
    """The report in its current state."""
    return report_page(form_id, instance_id)


def report_page(form_id: str, instance_id: str, problem: Problem | None = None) -> Response:
    """The report, and what went wrong in doing something about it."""
    opened = services()
    contact = read_contact(opened.store, access(), form_id, instance_id) if "contact" in request.args else []
    with opened.store.read() as connection:
        record = submissions.found(connection, access(), instance_id, form_id)
        versions = submissions.versions_of(connection, access(), record)
        steps = reviews.history(connection, access(), form_id, record.instance_id)
        published = form_life.versions(connection, access().project_id, form_id)
        compared = comparisons(connection, record, versions)
        incident = card_of(connection, record)
    definition = opened.intake.schemas.get(access().project_id, form_id, record.version)[0].definition
    answers, quiet = split_quiet(shown_answers(definition.fields, record.answers, record.attachments))
    shown = page(
        "report.html",
        status=problem.kind.status if problem else 200,
        problem=problem,
        record=record,
        title=form_title(definition.title),
        case=case_number(record.instance_id),
        answers=answers,
        quiet=quiet,
        contact=[(definition.label(tuple(bare(each.path).split("/")), language()), each.text) for each in contact],
        flags=flags.all_shown(record.flags, definition),
        lies_in=place(record.country, record.admin1),
        missing=flags.missing(record),
        incident=incident,
        interview=_interview(record, definition),
        pictures=pictures(record.attachments),
        audit_name=AUDIT,
        history=history(versions, steps),
        published=[each.version for each in published],
        comparisons=compared,
        can_split=any(flag["code"] in flags.OF_TWO_CONTENTS for flag in record.flags),
        states=STATES,
        case_number=case_number,
    )
    return shown if contact else looks.at_record(shown, access(), form_id, record.instance_id, "page")


def pictures(files: Sequence[KeptFile]) -> dict[str, KeptFile]:
    """Those of the files that are shown, by their digests."""
    return {file.sha256: file for file in files if file.content_type in SHOWN and not file.withheld}


def _interview(record: Record, definition: FormDefinition) -> tuple[Audit, list[str]] | None:
    """What the log of the interview tells, and the questions whose answers were changed."""
    file = next((file for file in record.attachments if file.name == AUDIT), None)
    if file is None or file.withheld or record.encrypted or not services().store.vault.can_open():
        return None
    with services().blobs.open(file.sha256) as kept:
        audit = read_audit(kept.read(MOST_BYTES))
    return None if audit is None else (audit, [definition.label(path, language()) for path in audit.changed])


@pages.get(f"{_PATH}/files/<sha256>/<segment:name>")
@open_to(Right.SEE)
def report_file(form_id: str, instance_id: str, sha256: str, name: str) -> Response:
    """A file of a report. Only what is a picture by its first bytes is shown; everything else is saved. Nothing in it runs."""
    found = kept_file(sha256, _file(form_id, instance_id, sha256, name).name, save="save" in request.args)
    return looks.at_record(found, access(), form_id, instance_id, "file")


@pages.get(f"{_PATH}/thumbnails/<sha256>.jpg")
@open_to(Right.SEE)
def report_thumbnail(form_id: str, instance_id: str, sha256: str) -> Response:
    """A picture of a report, small and without anything but its pixels."""
    _file(form_id, instance_id, sha256)
    small = BytesIO(thumbnail(services(), sha256))
    return handed_out(small, f"{sha256[:8]}.jpg", etag=f"{sha256}-small", kind="image/jpeg", in_place=True)


def _file(form_id: str, instance_id: str, sha256: str, name: str | None = None) -> KeptFile:
    """This file of a report. Raises `Problem` submission_unknown or not_found."""
    with services().store.read() as connection:
        record = submissions.found(connection, access(), instance_id, form_id)
    for file in record.attachments:
        if file.sha256 == sha256 and name in {None, file.name}:
            return file.require()
    raise Problem("not_found")


@pages.get(f"{_PATH}/versions/<sha256>.xml")
@open_to(Right.SEE)
def report_xml(form_id: str, instance_id: str, sha256: str) -> Response:
    """One version, exactly as it came for who may know who somebody is."""
    xml = submissions.read_version(services().store, access(), form_id, instance_id, sha256)
    response = Response(xml, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{case_number(instance_id)}-{sha256[:8]}.xml"'
    return guarded(response)
