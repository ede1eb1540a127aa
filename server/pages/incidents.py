"""Incidents: pairs of reports that may tell of one event, for a person to decide; an incident with its reports, visits, days."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy import Connection

from forms.definition import pick
from forms.problems import Problem
from forms.submission import case_number
from records import incidents, submissions
from records.access import Right
from records.incidents import Pair, Step
from records.incidents.pairs import Record as Key
from records.submissions import Record
from server import looks
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.contents import lines, told_answers
from server.pages.history import STATES
from server.pages.incident_words import BANDS, DECISIONS, OUTCOMES, ROLES, SPANS, STEPS, reasons
from server.pages.rendering import form_title, language, page, translate
from server.pages.report import pictures
from server.services import services

PAGE_SIZE = 20
_PATH = f"{PROJECT}/incidents"
_PAIR = f"{_PATH}/pair/<segment:form_id>/<segment:instance_id>/<segment:other_form>/<segment:other_id>"
_TELLING: dict[str, Any] = {
    "when": {"event_date", "date_precision", "time_of_day"},
    "where": {"event_gps", "event_map", "place_name"},
    "losses_g": {"loss"},
    "cause": {"predator", "confidence"},
    "reporter": {"reporter_role", "reporter_code", "household_code"},
}
"""The answers that tell whether two reports are of one event."""
_OF_ANIMALS = {"species", "n_killed", "n_injured", "n_missing"}


@pages.get(_PATH, endpoint="incidents")
@open_to(Right.REVIEW)
def proposals() -> Response:
    """The pairs that wait, strongest first; incidents with several reports or visits; the days between the steps."""
    start, band = max(0, request.args.get("start", 0, type=int)), request.args.get("band", "")
    today = datetime.now(UTC).date()
    with services().store.read() as connection:
        found = incidents.proposed_pairs(connection, access(), limit=PAGE_SIZE + 1, skip=start, band=band)
        shown = page(
            "incidents.html",
            pairs=[_side_by_side(connection, pair) for pair in found[:PAGE_SIZE]],
            following=start + PAGE_SIZE if len(found) > PAGE_SIZE else None,
            start=start,
            band=band,
            joined=incidents.joined_incidents(connection, access(), limit=PAGE_SIZE),
            latencies=incidents.latencies(connection, access(), today),
            **_WORDS,
        )
    return looks.at_list(shown, access(), "incidents")


@pages.get(_PAIR)
@open_to(Right.SEE)
def pair(form_id: str, instance_id: str, other_form: str, other_id: str) -> Response:
    """Two reports with all their answers side by side."""
    shown = _pair_page((form_id, instance_id), (other_form, other_id))
    return looks.at_record(shown, access(), form_id, instance_id, "pair")


@pages.post(_PAIR)
@open_to(Right.REVIEW)
def decide_pair(form_id: str, instance_id: str, other_form: str, other_id: str) -> Response:
    """Say whether two reports tell of the same event."""
    one, other = (form_id, instance_id), (other_form, other_id)
    decision = request.form.get("decision", "")
    try:
        incidents.decide(services().store, access(), one, other, decision, request.form.get("comment", ""))
    except Problem as problem:
        return _pair_page(one, other, problem)
    if request.form.get("from") == "list":
        return redirect(url_for("pages.incidents", decided=decision), 303)  # type: ignore[return-value]
    return redirect(url_for("pages.incident", form_id=form_id, instance_id=instance_id), 303)  # type: ignore[return-value]


@pages.get(f"{_PATH}/find")
@open_to(Right.REVIEW)
def find_pair() -> Response:
    """From a report to the pair with the one whose case number was typed."""
    one = (request.args.get("form_id", ""), request.args.get("instance_id", ""))
    try:
        with services().store.read() as connection:
            other = incidents.find_report(connection, access(), request.args.get("other", ""))
    except Problem as problem:
        return _incident_page(*one, problem)
    address = url_for("pages.pair", form_id=one[0], instance_id=one[1], other_form=other[0], other_id=other[1])
    return redirect(address, 303)  # type: ignore[return-value]


@pages.get(f"{_PATH}/<segment:form_id>/<segment:instance_id>")
@open_to(Right.SEE)
def incident(form_id: str, instance_id: str) -> Response:
    """The incident that a report or a visit belongs to."""
    return looks.at_record(_incident_page(form_id, instance_id), access(), form_id, instance_id, "incident")


def _incident_page(form_id: str, instance_id: str, problem: Problem | None = None) -> Response:
    with services().store.read() as connection:
        found = incidents.incident_of(connection, access(), form_id, instance_id)
    told = incidents.timeline(found, datetime.now(UTC).date())
    records = {(each.form_id, each.instance_id): each for each in (*found.reports, *(visit for _, visit in found.visits))}
    return page(
        "incident.html",
        status=problem.kind.status if problem else 200,
        problem=problem,
        incident=found,
        told=told,
        details=[_detail(step, records) for step in told.steps],
        briefs=[(each, dict(_told(each))) for each in found.reports],
        title_of=lambda record: form_title(_definition(record).title),
        pictures={each.instance_id: pictures(each.attachments) for each in found.reports},
        **_WORDS,
    )


def _pair_page(one: Key, other: Key, problem: Problem | None = None) -> Response:
    with services().store.read() as connection:
        first, second = sorted((one, other))
        unknown = Pair(first, second, 0.0, "", {}, "", "", None, "", "")
        found = incidents.pair_of(connection, access(), one, other) or unknown
        shown = _side_by_side(connection, found)
    here, there = (told_answers(_definition(each).fields, each.answers, each.attachments) for each in shown["records"])
    return page(
        "incident_pair.html",
        status=problem.kind.status if problem else 200,
        problem=problem,
        shown=shown,
        every=lines(here, there),
        **_WORDS,
    )


def _side_by_side(connection: Connection, pair: Pair) -> dict[str, Any]:
    """What a page needs of a pair: its reports, the answers that tell, the evidence, the photos."""
    both = [submissions.found(connection, access(), instance_id, form_id) for form_id, instance_id in (pair.first, pair.second)]
    return {
        "pair": pair,
        "records": both,
        "lines": lines(*(dict(_told(each)) for each in both)),
        "reasons": reasons(pair),
        "pictures": [pictures(each.attachments) for each in both],
    }


def _told(record: Record) -> list[tuple[Any, Any]]:
    """The answers of a report that tell whether it is of the same event as another one."""
    answers: dict[str, Any] = {}
    for group, names in _TELLING.items():
        inner = record.answers.get(group)
        if isinstance(inner, dict):
            answers[group] = {name: value for name, value in inner.items() if name in names}
    rows = answers.get("losses_g", {}).get("loss")
    if isinstance(rows, list):
        answers["losses_g"] = {"loss": [_animals(row) for row in rows if isinstance(row, dict)]}
    told = told_answers(_definition(record).fields, answers, ())
    household = translate("Household")  # worked out by the phone: the question has no label
    return [
        (((*labels[:-1], household) if labels[-1] == "household_code" else labels, n), text) for (labels, n), text in told.items()
    ]


def _animals(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in _OF_ANIMALS and value != 0}


def _definition(record: Record) -> Any:
    return services().intake.schemas.get(access().project_id, record.form_id, record.version)[0].definition


def _detail(step: Step, records: dict[Key, Record]) -> str:
    """The finding of a visit or the state of a claim, as its form words it."""
    record = records.get((step.form_id, step.instance_id))
    if record is None or not step.detail:
        return step.detail
    if step.kind == "decision":
        return translate(OUTCOMES.get(step.detail, step.detail))
    name = "verification_status" if step.kind == "verification" else "status"
    field = _definition(record).by_path.get((name,))
    choices = {choice.name: pick(choice.labels, language()) for choice in (field.choices if field is not None else None) or ()}
    return choices.get(step.detail) or step.detail


_WORDS: dict[str, Any] = {
    "bands": BANDS,
    "decisions": DECISIONS,
    "roles": ROLES,
    "step_words": STEPS,
    "spans": SPANS,
    "states": STATES,
    "case_number": case_number,
}
"""What all three pages say in the reader's words."""
