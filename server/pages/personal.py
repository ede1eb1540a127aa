"""What a person may ask for: to see what is kept of them, and to have it erased; and how personal data are looked after."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Response, redirect, request, url_for

from forms.problems import Problem
from forms.submission import case_number
from records import keys, retention
from records.access import Right
from records.forms import titles
from server import personal
from server.downloads import handed_out
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.rendering import form_title, number, page, translate
from server.services import services
from sync.person import finding
from sync.person.copying import write_copy
from sync.person.erasing import MOST_REASON, erasures
from sync.person.finding import Person

_PAGE = f"{PROJECT}/personal"
_IN_MEMORY = 64_000_000
"""Bytes of a copy that are kept in memory; beyond, in a file that has no name."""
_LISTED = 100


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is shown."""
    return text


COUNTS = {
    "records": _("Reports: {n}"),
    "versions": _("versions of reports: {n}"),
    "files": _("photos and files: {n}"),
    "comments": _("comments: {n}"),
    "entities": _("entries in lists: {n}"),
    "trials": _("records of trials: {n}"),
    "kept aside": _("kept aside: {n}"),
    "of other nodes": _("what other nodes sent, or get: {n}"),
    "phones": _("names of phones: {n}"),
    "lines of the log": _("lines of the log: {n}"),
}
"""What was erased, in words."""
TROUBLES = (
    _("2 letters or digits at least, or it would find other people too."),
    _("A reason is needed, of at most 500 characters."),
    _("The reason names the person; it is kept, so it must not."),
)
"""What is said of what was typed, by who looks and erases."""


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom somebody looks: by a text, or by a report about them. `word` is what has to be typed before all of it is erased."""

    text: str
    form_id: str
    instance_id: str

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "Asked":
        """What a form or an address says."""
        text, form_id, instance_id = (values.get(name, "").strip() for name in ("text", "form", "record"))
        return cls("" if instance_id else text, form_id, instance_id)

    @property
    def word(self) -> str:
        """What stands for them."""
        return self.text or case_number(self.instance_id)

    def find(self) -> Person:
        """Look for them, while phones come first. Raises `Problem` value_invalid or submission_unknown."""
        opened = services()
        where = (opened.store, opened.blobs, opened.intake.schemas, access())
        with opened.turnstile.outside():
            if self.instance_id:
                return finding.of_records(*where, [(self.form_id, self.instance_id)])
            return finding.find(*where, self.text)


@pages.get(_PAGE, endpoint="personal")
@open_to(Right.CONTACT)
def overview() -> Response:
    """Looking for a person, what was erased, when what goes, the key; with a report in the address, what is kept of its person."""
    asked = Asked.of({name: request.args.get(name, "") for name in ("form", "record")})
    return _shown(None, asked, asked.find()) if asked.instance_id else _shown()


@pages.post(_PAGE)
@open_to(Right.CONTACT)
def find_personal() -> Response:
    """What is kept of a person. It is asked by POST, so that a name stands in no address."""
    asked = Asked.of(request.form)
    try:
        return _shown(None, asked, asked.find())
    except Problem as problem:
        if problem.kind.code != "value_invalid":
            raise
        return _shown(problem, asked)


@pages.post(f"{_PAGE}/copy")
@open_to(Right.CONTACT)
def copy_personal() -> Response:
    """Everything about a person as a ZIP, for them."""
    asked, opened = Asked.of(request.form), services()
    person = asked.find()
    if person.is_nobody:
        return _shown(None, asked, person)
    target = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(opened.config.data))  # noqa: SIM115  # closed with the answer
    with opened.turnstile.outside():
        write_copy(opened.store, opened.blobs, opened.intake.schemas, access(), person, target)
    made = handed_out(target, f"person-{datetime.now(UTC):%Y-%m-%d}.zip", etag="copy", kind="application/zip")
    made.headers["Cache-Control"] = "no-store"
    return made


@pages.post(f"{_PAGE}/erase")
@open_to(Right.CONTACT)
def erase_personal() -> Response:
    """Erase a person's data, for a reason, after what stands for them was typed once more."""
    asked, reason = Asked.of(request.form), request.form.get("reason", "")
    person = asked.find()
    if person.is_nobody:
        return _shown(None, asked, person)
    if request.form.get("again", "").strip() != asked.word:
        return _shown(Problem("value_invalid", _("The two words differ, so nothing was erased.")), asked, person, reason)
    try:
        with services().turnstile.outside():
            done = personal.erase(services(), access(), person, reason)
    except Problem as problem:
        if problem.kind.code != "value_invalid":
            raise
        return _shown(problem, asked, person, reason)
    return redirect(url_for("pages.personal", erased=1, withdrawn=len(done.withdrawn)), 303)  # type: ignore[return-value]


def _shown(problem: Problem | None = None, asked: Asked | None = None, person: Person | None = None, reason: str = "") -> Response:
    opened, months = services(), services().config.contact_months
    with opened.store.read() as connection:
        done = erasures(connection, access(), limit=_LISTED)
        outlook = retention.outlook(connection, access(), months=months)
        names = {form_id: form_title(title) for form_id, title in titles(connection, access().project_id)}
        known = keys.known(connection)
        lost = [key_id for key_id in known if key_id not in opened.store.vault.key_ids]
    return page(
        "personal.html",
        status=problem.kind.status if problem else 200,
        problem=problem,
        asked=asked or Asked("", "", ""),
        found=person,
        reason=reason,
        most_reason=MOST_REASON,
        names=names,
        case_number=case_number,
        erasures=[{"at": row.at, "actor": row.actor, "reason": row.reason, "words": _words(row.counts)} for row in done],
        erased="erased" in request.args,
        withdrawn=request.args.get("withdrawn", 0, type=int),
        months=months,
        outlook=outlook,
        key=known[-1] if known else "",
        lost=lost,
    )


def _words(counts: Mapping[str, Any]) -> str:
    """How much of what, for people."""
    told = [translate(words).format(n=number(counts[what])) for what, words in COUNTS.items() if counts.get(what)]
    return translate(", ").join(told) or "–"
