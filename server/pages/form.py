"""One form: its state, its versions and what changed between them, its files, and the trial of its next version."""

from typing import Any

from flask import Response, redirect, request, url_for
from markupsafe import Markup

from forms.definition import FormDefinition
from forms.differences import differences
from forms.problems import Problem
from forms.submission import case_number
from records import drafts, form_life
from records import forms as published
from records.access import Right
from server import form_desk
from server.network import is_loopback
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.flags import titles
from server.pages.phones import phone_base_url
from server.pages.rendering import form_title, language, page, translate
from server.phone_settings import qr, trial_settings
from server.services import services
from sync.delivery import file_name

_FORM = f"{PROJECT}/forms/<segment:form_id>"
_MOST_MEDIA_BYTES = 80 * 1024 * 1024


@pages.get(_FORM, endpoint="form")
@open_to(Right.FORMS)
def one(form_id: str) -> Response:
    """The form as it stands."""
    return _shown(form_id)


@pages.post(f"{_FORM}/state")
@open_to(Right.FORMS)
def form_state(form_id: str) -> Response:
    """Close, retire or reopen the form."""
    form_life.set_state(services().store, access(), form_id, request.form.get("state", ""))
    return _back(form_id)


@pages.post(f"{_FORM}/confidential")
@open_to(Right.FORMS)
def form_confidential(form_id: str) -> Response:
    """Keep the records of the form to coordinators, or show them to reviewers too."""
    form_life.set_confidential(services().store, access(), form_id, request.form.get("confidential") == "yes")
    return _back(form_id)


@pages.post(f"{_FORM}/media")
@open_to(Right.FORMS)
def form_media(form_id: str) -> Response:
    """Replace files of the form."""
    request.max_content_length = _MOST_MEDIA_BYTES
    uploads = [(file_name(file.filename or ""), file.read()) for file in request.files.getlist("media") if file.filename]
    try:
        form_life.replace_media(services().store, services().blobs, access(), form_id, dict(uploads))
    except Problem as problem:
        return _shown(form_id, problem)
    return _back(form_id)


@pages.get(f"{_FORM}/differences")
@open_to(Right.FORMS)
def form_differences(form_id: str) -> Response:
    """What changed from one version to another, in words; without `after`, to the draft."""
    before, after = request.args.get("before", ""), request.args.get("after")
    with services().store.read() as connection:
        old = form_life.version_xform(connection, access().project_id, form_id, before)
        if after is None:
            new = drafts.draft_of(connection, access(), form_id).xform
        else:
            new = form_life.version_xform(connection, access().project_id, form_id, after)
    found = differences(FormDefinition.from_xform(old), FormDefinition.from_xform(new), language())
    return page("form_differences.html", form_id=form_id, before=before, after=after, differences=found)


@pages.post(f"{_FORM}/draft/key")
@open_to(Right.FORMS)
def draft_key(form_id: str) -> Response:
    """Show the QR code of a trial; each code ends the one before."""
    return draft_code(form_id, form_desk.new_key(services(), access(), form_id))


@pages.post(f"{_FORM}/draft/publish")
@open_to(Right.FORMS)
def draft_publish(form_id: str) -> Response:
    """Give the draft to all phones."""
    form_desk.publish_draft(services(), access(), form_id)
    return _back(form_id)


@pages.post(f"{_FORM}/draft/discard")
@open_to(Right.FORMS)
def draft_discard(form_id: str) -> Response:
    """Throw the draft away."""
    drafts.discard(services().store, access(), form_id)
    return redirect(url_for("pages.forms"), 303)  # type: ignore[return-value]


def draft_code(form_id: str, token: str) -> Response:
    """The QR code for phones that try the draft: the only time its key is known."""
    with services().store.read() as connection:
        title = form_title(drafts.draft_of(connection, access(), form_id).title)
    base_url = phone_base_url()
    url = form_desk.trial_url(base_url, access().project_id, form_id, token)
    code = qr(trial_settings(url, title))
    drawing = Markup(code.svg_inline(border=4, omitsize=True, dark="#000", light="#fff"))  # noqa: S704 - segno's own, of base64 text
    is_reachable = not is_loopback(base_url)
    return page("draft_code.html", form_id=form_id, title=title, url=url, drawing=drawing, is_reachable=is_reachable)


def _back(form_id: str) -> Response:
    return redirect(url_for("pages.form", form_id=form_id), 303)  # type: ignore[return-value]


def _shown(form_id: str, problem: Problem | None = None) -> Response:
    with services().store.read() as connection:
        versions = form_life.versions(connection, access().project_id, form_id)
        state = form_life.state_of(connection, access(), form_id) if versions else None
        media = published.media_of(connection, access().project_id, form_id, state.current_version) if state else ()
        draft = _draft(connection, form_id)
        trials = drafts.trials(connection, access(), form_id) if draft else ()
    if not versions and draft is None:
        raise Problem("form_unknown", form_id)
    return page(
        "form.html",
        status=problem.kind.status if problem else 200,
        form_id=form_id,
        title=form_title(versions[0].title if versions else draft.title),
        state=state,
        versions=versions,
        media=media,
        draft=draft,
        trials=trials,
        state_words=_state_words(),
        case_number=case_number,
        flag_titles=titles,
        problem=problem,
    )


def _draft(connection: Any, form_id: str) -> Any:
    try:
        return drafts.draft_of(connection, access(), form_id)
    except Problem:
        return None


def _state_words() -> dict[str, str]:
    return {
        "open": translate("Phones get it."),
        "closed": translate("Closed: no phone gets it any more. What phones still have is taken, and flagged."),
        "retired": translate("Retired: nothing more is expected. What still comes is kept and waits in the quarantine."),
    }
