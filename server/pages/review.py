"""What people do with a report: review states, comments, the remedies of its flags, deletion."""

from collections.abc import Callable
from typing import Any

from flask import Response, redirect, request, url_for

from forms.problems import Problem
from records import reviews, submissions
from records.access import Right
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.report import report_page
from server.services import services
from sync import remedies


@pages.post(f"{PROJECT}/reports/<segment:form_id>/<segment:instance_id>/review")
@open_to(Right.REVIEW)
def review(form_id: str, instance_id: str) -> Response:
    """Take one step; the page says what came of it."""
    with services().store.read() as connection:
        record = submissions.found(connection, access(), instance_id, form_id)
    step = request.form.get("step", "")
    try:
        if step in reviews.STATES:
            remedies.review(services().store, access(), form_id, record.instance_id, step, _comment())
        elif step in _STEPS:
            _STEPS[step](form_id, record.instance_id)
        else:
            raise Problem("value_invalid", "Choose what to do.")
    except Problem as problem:
        return report_page(form_id, instance_id, problem)
    address = url_for("pages.report", form_id=form_id, instance_id=record.instance_id, _anchor="history")
    return redirect(address, 303)  # type: ignore[return-value]


def _comment() -> str:
    return request.form.get("comment", "")


def _accept(form_id: str, instance_id: str) -> None:
    reviews.settle(services().store, access(), form_id, instance_id, {request.form.get("code", "")}, _comment())


def _send_back(form_id: str, instance_id: str) -> None:
    if not _comment().strip():
        raise Problem("value_invalid", "Write what the reporter should do: the phone shows it.")
    reviews.send_back(services().store, access(), form_id, instance_id, _comment())


def _with(function: Callable[..., Any]) -> Callable[[str, str], None]:
    """A step that needs nothing but the comment."""
    return lambda form_id, instance_id: function(services().store, access(), form_id, instance_id, _comment())


def _remedy(function: Callable[..., Any], field: str) -> Callable[[str, str], None]:
    """A step that judges a content anew; `field` says which version of the form, or which content."""

    def step(form_id: str, instance_id: str) -> None:
        opened = services()
        chosen = request.form.get(field, "")
        function(opened.store, opened.intake, access(), form_id, instance_id, chosen, _comment())

    return step


_STEPS: dict[str, Callable[[str, str], None]] = {
    "accept": _accept,
    "return": _send_back,
    "comment": _with(reviews.comment),
    "delete": _with(reviews.delete),
    "restore": _with(reviews.restore),
    "attach": _remedy(remedies.attach, "version"),
    "take": _remedy(remedies.take, "sha256"),
    "split": _remedy(remedies.split, "sha256"),
}
