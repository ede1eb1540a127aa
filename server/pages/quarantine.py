"""The quarantine: what waits for a person, by reason, the oldest first; and what was refused and kept aside."""

import json
from collections import Counter
from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy.exc import DBAPIError

from forms.problems import CATALOGUE, Problem
from forms.submission import case_number
from records import quarantine, reviews
from records.access import Access, Right
from records.flags import is_waiting
from records.forms import titles
from server import looks
from server.downloads import kept_file
from server.pages import flags
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.rendering import form_title, number, page, translate
from server.services import services
from sync import aside

MOST = 5000
PAGE_SIZE = 50
_PATH = f"{PROJECT}/quarantine"


@pages.get(_PATH, endpoint="quarantine")
@open_to(Right.REVIEW)
def waiting() -> Response:
    """What waits, of all reasons or one."""
    return _listed()


@pages.post(_PATH)
@open_to(Right.REVIEW)
def accept() -> Response:
    """Accept what the chosen records have of this reason."""
    reason = request.form.get("reason", "")
    try:
        chosen = [_key(text) for text in request.form.getlist("record")]
        if not reason or not chosen:
            raise Problem("value_invalid", "Choose a reason and at least one report.")
        for form_id, instance_id in chosen:
            reviews.settle(services().store, access(), form_id, instance_id, {reason}, request.form.get("comment", ""))
    except Problem as problem:
        return _listed(problem)
    return redirect(url_for("pages.quarantine", reason=reason, accepted=len(chosen)), 303)  # type: ignore[return-value]


@pages.get(f"{_PATH}/aside/<sha256>.xml")
@open_to(Right.REVIEW)
def aside_bytes(sha256: str) -> Response:
    """The exact bytes that were kept aside."""
    with services().store.read() as connection:
        aside.found(connection, access(), sha256)
    return looks.at_list(kept_file(sha256, f"{sha256[:8]}.xml", save=True), access(), sha256[:8])


@pages.get(f"{_PATH}/aside/<sha256>/files/<digest>/<segment:name>")
@open_to(Right.REVIEW)
def aside_file(sha256: str, digest: str, name: str) -> Response:
    """A file that came with them."""
    with services().store.read() as connection:
        row = aside.found(connection, access(), sha256)
    if not any(digest == known for *_, known in row.files):
        raise Problem("not_found")
    return looks.at_list(kept_file(digest, name, save=True), access(), sha256[:8])


@pages.post(f"{_PATH}/aside/<sha256>")
@open_to(Right.REVIEW)
def settle_aside(sha256: str) -> Response:
    """Take it in, now that its form is known, or leave it."""
    opened = services()
    try:
        if request.form.get("step") == "take_in":
            aside.take_in(opened.store, opened.blobs, opened.intake, access(), sha256)
        elif request.form.get("step") == "dismiss":
            aside.dismiss(opened.store, access(), sha256)
        else:
            raise Problem("value_invalid", "Choose what to do.")
    except Problem as problem:
        return _listed(problem)
    return redirect(url_for("pages.quarantine", _anchor="aside"), 303)  # type: ignore[return-value]


@pages.app_template_global()
def waiting_count(asking: Access) -> str:
    """How much waits in this project, for the navigation; empty for nothing, and where the database does not answer."""
    try:
        with services().store.read() as connection:
            found = quarantine.count(connection, asking)
    except (Problem, DBAPIError):  # the page is about that
        return ""
    return "" if found == 0 else f"{number(quarantine.MOST_COUNTED)}+" if found > quarantine.MOST_COUNTED else number(found)


def _listed(problem: Problem | None = None) -> Response:
    with services().store.read() as connection:
        rows = quarantine.waiting(connection, access(), limit=MOST)
        known = {form_id: form_title(title) for form_id, title in titles(connection, access().project_id)}
        kept_aside = aside.waiting(connection, access())
    reasons = Counter(code for row in rows for code in _reasons(row))
    asked = request.values.get("reason", "")
    reason = asked if asked in reasons else ""
    chosen = [row for row in rows if not reason or reason in _reasons(row)]
    start = _start(len(chosen))
    return page(
        "quarantine.html",
        status=problem.kind.status if problem else 200,
        problem=problem,
        reasons=sorted(
            ((code, flags.tag(code), count) for code, count in reasons.most_common()), key=lambda each: each[1].look != "bad"
        ),
        reason=reason,
        explanation=flags.explanation(reason),
        records=chosen[start : start + PAGE_SIZE],
        start=start,
        following=start + PAGE_SIZE if len(chosen) > start + PAGE_SIZE else None,
        total=len(chosen),
        is_complete=len(rows) < MOST,
        forms=known,
        aside=[(row, *_refusal(row)) for row in kept_aside],
        case_number=case_number,
        tags=lambda row: flags.tags([item for item in row.flags if is_waiting(item)]),
        key=lambda row: json.dumps([row.form_id, row.instance_id]),
    )


def _reasons(row: Any) -> list[str]:
    """The codes of the flags of a record that wait, none twice."""
    return list(dict.fromkeys(item["code"] for item in row.flags if is_waiting(item)))


def _refusal(row: Any) -> tuple[str, str]:
    """Why something was kept aside, and what to do."""
    kind = CATALOGUE.get(row.reason)
    return (translate(kind.title), translate(kind.hint)) if kind is not None else (row.reason, "")


def _start(total: int) -> int:
    """Where the page begins; accepting what is on the last page leads back to one that is there."""
    asked = request.args.get("start", "")
    start = int(asked) if asked.isdecimal() and len(asked) < 6 else 0
    return start if start < total else 0


def _key(text: str) -> tuple[str, str]:
    """The form id and the instance id in a value of the page."""
    try:
        form_id, instance_id = json.loads(text)
    except ValueError as error:
        raise Problem("value_invalid") from error
    return str(form_id), str(instance_id)
