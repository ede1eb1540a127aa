"""Exchange with other nodes, in plain words: what is safe here, what is safe at the hub, which photos are still on their way."""

from datetime import date
from typing import Any

from flask import Response, redirect, request, url_for
from markupsafe import Markup

from forms.problems import Problem
from forms.submission import case_number
from records.access import Right
from records.forms import titles
from server import relaying
from server.network import is_loopback
from server.pages.access import access, open_to
from server.pages.answers import shown_answers, split_quiet
from server.pages.blueprint import PROJECT, pages
from server.pages.phones import phone_base_url
from server.pages.rendering import form_title, language, number, page, translate
from server.services import services
from server.stick_places import stick_at, sticks
from sync.relay import asking, enrolment, settling
from sync.relay.enrolment import Code
from sync.relay.leaving import leave
from sync.relay.projects import COUNTRY, HUB, RANGE, STATION
from sync.relay.standing import compared, standing
from sync.relay.sticks import bring

_PAGE = f"{PROJECT}/relay"
_MOST_GROUPS = 400
_CLOCK_SECONDS = 60  # a difference that matters


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is shown."""
    return text


WAITS = {
    "new": _("{n} wait for their turn, which takes seconds."),
    "form": _("{n} are of a form that is not published here: publish it."),
    "files": _("{n} forms or releases wait for their files."),
    "original": _("{n} are about a report that has not come yet."),
    "hollow": _("{n} came without their content, because it was erased where they were made."),
    "kind": _("{n} were made by a newer version of this program: update it."),
    "asked": _("{n} erasures of stations wait for you; see below."),
    "form_version_taken": _("{n} forms have other bytes here under the same version. Those that are here stay."),
}
_OTHERS = _("{n} could not be taken in; they are kept and tried again.")
DURATIONS = ((86400, _("{n} days")), (3600, _("{n} hours")), (60, _("{n} minutes")), (1, _("{n} seconds")))


@pages.get(_PAGE, endpoint="relay")
@open_to(Right.SEE)
def shown() -> Response:
    """How things stand, and what can be done."""
    return _shown()


@pages.get(f"{_PAGE}/nodes/<segment:node_id>")
@open_to(Right.SEE)
def compared_node(node_id: str) -> Response:
    """What is here and there, by form and day."""
    opened = services()
    peer, groups = compared(opened.answerer(), access(), node_id)
    with opened.store.read() as connection:
        names = {form_id: form_title(title) for form_id, title in titles(connection, access().project_id)}
    return page(
        "relay_node.html",
        peer=peer,
        groups=groups[:_MOST_GROUPS],
        more=max(len(groups) - _MOST_GROUPS, 0),
        names=names,
        days={group.day: _day(group.day) for group in groups},
        is_compared=any(group.there is not None for group in groups),
        is_same=all(group.there == group.here and not group.only_here and not group.only_there for group in groups),
    )


@pages.post(f"{_PAGE}/meet")
@open_to(Right.SEE)
def meet_now() -> Response:
    """Begin a meeting; it goes on while the page shows how it stands."""
    relaying.upstream(services(), access())
    relaying.meet_soon(services(), access())
    return redirect(url_for("pages.relay", begun=1), 303)  # type: ignore[return-value]


@pages.post(f"{_PAGE}/enrol")
@open_to(Right.PHONES)
def enrol_here() -> Response:
    """Join the hub that gave a code."""
    from sync.relay.link import Link

    try:
        code = Code.read(request.form.get("code", ""))
        me, name = services().answerer().me, translate(_("station"))
        with services().turnstile.outside():
            called = enrolment.join(services().store, me, access(), code, name, Link(code.url))
    except Problem as problem:
        return _shown(problem)
    return redirect(url_for("pages.relay", joined=None if called is None else 1), 303)  # type: ignore[return-value]


@pages.post(f"{_PAGE}/invite")
@open_to(Right.PHONES)
def invite() -> Response:
    """A code for one station, shown once."""
    import segno

    url = phone_base_url()
    try:
        code = enrolment.invite(services().store, services().answerer().me, access(), request.form.get("name", ""), url)
    except Problem as problem:
        return _shown(problem)
    drawn = segno.make(str(code), error="m").svg_inline(border=4, omitsize=True, dark="#000", light="#fff")
    return page("relay_code.html", code=str(code), hub=code.hub.node_id, drawing=Markup(drawn), is_reachable=not is_loopback(url))  # noqa: S704 - segno's own


@pages.post(f"{_PAGE}/leave")
@open_to(Right.PHONES)
def leave_hub() -> Response:
    """Go to no hub any more."""
    leave(services().store, access())
    return redirect(url_for("pages.relay", left=1), 303)  # type: ignore[return-value]


@pages.post(f"{_PAGE}/nodes/<segment:node_id>/revoke")
@open_to(Right.PHONES)
def revoke_node(node_id: str) -> Response:
    """No longer speak with a node."""
    enrolment.revoke(services().store, access(), node_id)
    return redirect(url_for("pages.relay"), 303)  # type: ignore[return-value]


@pages.get(f"{_PAGE}/erasures/<segment:record_id>")
@open_to(Right.CONTACT)
def asked_erasure(record_id: str) -> Response:
    """What would go, and what is left."""
    opened = services()
    asked = asking.asked(opened.store, opened.intake.schemas, access(), record_id)
    return page(
        "relay_erasure.html",
        asked=asked,
        title=form_title(asked.definition.title),
        case=case_number(asked.report),
        gone=[asked.definition.label(path, language()) for path in asked.gone],
        left=split_quiet(shown_answers(asked.definition.fields, asked.left, []))[0],
    )


@pages.post(f"{_PAGE}/erasures/<segment:record_id>")
@open_to(Right.CONTACT)
def erase_too(record_id: str) -> Response:
    """Erase here what a station erased."""
    with services().turnstile.outside():
        services().settler().accept_erasure(access(), record_id)
    return redirect(url_for("pages.relay"), 303)  # type: ignore[return-value]


@pages.post(f"{_PAGE}/stick")
@open_to(Right.PHONES)
def use_stick() -> Response:
    """Write to a stick for those whom it is brought to, or take in what is on it."""
    opened, answerer = services(), services().answerer()
    try:
        stick = stick_at(request.form.get("stick", ""))
        with opened.turnstile.outside():
            if (what := request.form.get("what")) == "read":
                brought = bring(answerer, stick)
                opened.settler().run()
                return _shown(brought=brought)
            return _shown(written=relaying.write_stick(opened, access(), stick, anew=what == "anew"))
    except Problem as problem:
        return _shown(problem)


def _shown(problem: Problem | None = None, **more: Any) -> Response:
    opened = services()
    now = standing(opened.answerer(), access())
    with opened.store.read() as connection:
        asked = settling.asked(connection, access()) if access().may(Right.CONTACT) else []
    waits = [translate(WAITS.get(reason, _OTHERS)).format(n=number(count)) for reason, count in sorted(now.waiting.items())]
    ups = [peer for peer in now.peers if peer.role in {HUB, RANGE} and peer.revoked_at is None]
    downs = [peer for peer in now.peers if peer.role in {STATION, COUNTRY}]
    return page(
        "relay.html",
        status=problem.kind.status if problem else 200,
        problem=problem,
        now=now,
        ups=ups,
        downs=downs,
        may_join=(now.there is None and not downs) or any(peer.asked or peer.refused for peer in ups),
        refusals=lambda why: translate(enrolment.REFUSALS.get(why, "")),
        waits=waits,
        asked=asked,
        sticks=sticks() if access().may(Right.PHONES) else [],
        is_meeting=relaying.is_meeting(),
        failure=relaying.last_failure(access().project_id),
        duration=_duration,
        clock_matters=_CLOCK_SECONDS,
        begun="begun" in request.args,
        joined="joined" in request.args,
        left="left" in request.args,
        **{"written": None, "brought": None} | more,
    )


def _day(text: str) -> date | None:
    """The day in the name of a group, which a peer may have given."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _duration(seconds: float) -> str:
    """A time in its largest unit."""
    for length, words in DURATIONS:
        if seconds >= length:
            return translate(words).format(n=number(round(seconds / length)))
    return translate(DURATIONS[-1][1]).format(n=number(0))
