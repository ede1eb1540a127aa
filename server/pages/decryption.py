"""One look into an encrypted report with a key that is sent along: nothing of key and answers is kept, not even by the browser."""

from collections.abc import Iterable

from flask import Response, request

from forms.encryption import read_private_key
from forms.problems import Problem
from forms.submission import case_number
from records import submissions
from records.access import Right
from records.submissions import KeptFile
from server.decryption import note_opened, open_record
from server.pages.access import access, open_to
from server.pages.answers import shown_answers
from server.pages.blueprint import PROJECT, pages
from server.pages.rendering import page
from server.services import services

_MOST_BYTES = 64 * 1024  # a key has two or three kilobytes
_PATH = f"{PROJECT}/reports/<segment:form_id>/<segment:instance_id>/decrypt"


@pages.get(_PATH, endpoint="decrypt")
@open_to(Right.SEE)
def ask(form_id: str, instance_id: str) -> Response:
    """Ask for the key."""
    return _page(form_id, instance_id)


@pages.post(_PATH)
@open_to(Right.SEE)
def decrypted(form_id: str, instance_id: str) -> Response:
    """Show what the key opens."""
    request.max_content_length = _MOST_BYTES
    file = request.files.get("key")
    files: list[KeptFile] = []

    def count(name: str, chunks: Iterable[bytes]) -> None:
        files.append(KeptFile(name, sum(map(len, chunks)), "", ""))

    try:
        key = read_private_key(file.read() if file is not None else b"", request.form.get("passphrase", ""))
        opened = services()
        with opened.turnstile.outside(), opened.store.read() as connection:
            found = open_record(opened, connection, access(), form_id, instance_id, key, count)
    except Problem as problem:
        if problem.kind.status == 404:
            raise
        return _page(form_id, instance_id, problem=problem)
    note_opened(opened, access(), form_id, [instance_id])
    definition = opened.intake.schemas.get(access().project_id, form_id, found.version)[0].definition
    answers = None if found.answers is None else shown_answers(definition.fields, found.answers, files)
    return _page(form_id, instance_id, found=found.decrypted, answers=answers)


def _page(form_id: str, instance_id: str, *, problem: Problem | None = None, **more: object) -> Response:
    with services().store.read() as connection:
        record = submissions.found(connection, access(), instance_id, form_id)
    if not record.encrypted:
        raise Problem("not_found")
    status = problem.kind.status if problem else 200
    response = page("decrypt.html", status=status, record=record, case=case_number(instance_id), problem=problem, **more)
    response.headers["Cache-Control"] = "no-store"
    return response
